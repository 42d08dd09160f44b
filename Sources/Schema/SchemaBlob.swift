import Values

/// The embedded schema, as `Tools/generate/blob.py` lays it out: a header of little-endian words, strings, types,
/// default rules, and the resources as JSON text.
///
/// `@unchecked Sendable`: the memory is constant data of the program, never written and never freed.
struct SchemaBlob: @unchecked Sendable {
    private static let magic: [UInt8] = Array("APUSSCH1".utf8)
    private static let headerSize = 8 + 9 * 4

    private let bytes: UnsafeRawBufferPointer
    let stringCount: Int
    private let stringOffsets: Int
    private let stringData: Int
    let typeCount: Int
    private let typeOffsets: Int
    private let typeData: Int
    private let rulesStart: Int
    private let resources: Range<Int>

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerSize, bytes.prefix(8).elementsEqual(Self.magic) else { return nil }
        func word(_ index: Int) -> Int {
            Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 + index * 4, as: UInt32.self)))
        }
        self.bytes = bytes
        stringCount = word(0)
        stringOffsets = word(1)
        stringData = word(2)
        typeCount = word(3)
        typeOffsets = word(4)
        typeData = word(5)
        rulesStart = word(6)
        let start = word(7)
        let end = start + word(8)
        guard end <= bytes.count, stringOffsets + (stringCount + 1) * 4 <= stringData else { return nil }
        resources = start..<end
    }

    private func word(at offset: Int) -> Int {
        Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }

    func string(_ index: Int) -> String {
        guard index < stringCount else { return "" }
        let start = stringData + word(at: stringOffsets + index * 4)
        let end = stringData + word(at: stringOffsets + (index + 1) * 4)
        return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
    }

    /// The bytes of a string, where they stand.
    func text(_ index: Int) -> SchemaText {
        guard index < stringCount else { return .given("") }
        let start = stringData + word(at: stringOffsets + index * 4)
        let end = stringData + word(at: stringOffsets + (index + 1) * 4)
        return .embedded(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    }

    var resourcesText: [UInt8] { Array(bytes[resources]) }

    func header(ofType index: Int) -> (name: String, shape: SchemaNode.Shape) {
        var reader = reader(ofType: index)
        return (reader.string(), SchemaNode.Shape(rawValue: reader.byte()) ?? .any)
    }

    func reader(ofType index: Int) -> SchemaBlobReader {
        SchemaBlobReader(blob: self, bytes: bytes, offset: typeData + word(at: typeOffsets + index * 4))
    }

    /// All default rules, in an order in which each refers to earlier ones only.
    func defaultRules() -> [DefaultRules] {
        var reader = SchemaBlobReader(blob: self, bytes: bytes, offset: rulesStart)
        let count = reader.number()
        var pool: [DefaultRules] = []
        pool.reserveCapacity(count)
        for _ in 0..<count {
            let rules = (0..<reader.number()).map { _ in reader.rule(pool) }
            pool.append(DefaultRules(rules: rules))
        }
        return pool
    }
}

/// Reads records of the blob in order.
struct SchemaBlobReader {
    private let blob: SchemaBlob
    private let bytes: UnsafeRawBufferPointer
    private var offset: Int

    init(blob: SchemaBlob, bytes: UnsafeRawBufferPointer, offset: Int) {
        self.blob = blob
        self.bytes = bytes
        self.offset = offset
    }

    mutating func byte() -> UInt8 {
        guard offset < bytes.count else { return 0 }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func number() -> Int {
        var result = 0
        var shift = 0
        while shift < 35 {
            let next = byte()
            result |= Int(next & 0x7F) << shift
            if next & 0x80 == 0 { return result }
            shift += 7
        }
        return result
    }

    mutating func string() -> String { blob.string(number()) }

    mutating func text() -> SchemaText { blob.text(number()) }

    mutating func strings() -> [String] {
        let count = number()
        return (0..<count).map { _ in string() }
    }

    /// A JSON value, kept as text in the string table.
    mutating func json() -> JSONValue? { try? JSONParser.parse(string()) }

    mutating func rule(_ pool: [DefaultRules]) -> DefaultRules.Rule {
        let field = string()
        let flags = byte()
        let value = flags & 1 != 0 ? json() : nil
        var condition: DefaultRules.Condition?
        if flags & 2 != 0 {
            let name = string()
            let test = DefaultRules.Condition.Test(rawValue: byte()) ?? .present
            condition = DefaultRules.Condition(field: name, test: test, values: strings())
        }
        var below: DefaultRules?
        if flags & 4 != 0 {
            let index = number()
            if pool.indices.contains(index) { below = pool[index] }
        }
        return DefaultRules.Rule(
            field: field,
            value: value,
            replacesZero: flags & 8 != 0,
            creates: flags & 16 != 0,
            condition: condition,
            below: below
        )
    }

    /// The whole record of a type.
    mutating func body(node: (Int) -> SchemaNode, rules: (Int) -> DefaultRules?) -> SchemaBody {
        _ = string()
        let shape = SchemaNode.Shape(rawValue: byte()) ?? .any
        let flags = byte()
        let message = string()
        let kindCount = number()
        let kinds = (0..<kindCount).map { _ in (group: string(), version: string(), kind: string()) }
        let inlineCount = number()
        let inlines = (0..<inlineCount).map { _ in (path: string(), number: number(), message: string()) }
        let wireOnlyCount = number()
        let wireOnly = (0..<wireOnlyCount).map { _ in (name: string(), number: number(), type: string()) }
        let unions = flags & 4 != 0 ? json() : nil
        let description = flags & 8 != 0 ? string() : ""
        let defaultRules = flags & 16 != 0 ? rules(number()) : nil
        let element = flags & 32 != 0 ? type(node, list: .atomic, enumValues: []) : nil
        let fieldCount = number()
        var fields: [SchemaField] = []
        fields.reserveCapacity(fieldCount)
        for _ in 0..<fieldCount { fields.append(field(node)) }
        let wire = message.isEmpty ? nil : SchemaWire(message: message, inlines: inlines, wireOnly: wireOnly)
        return SchemaBody(
            fields: fields,
            element: element,
            format: shape.openAPIFormat,
            atomicMap: flags & 1 != 0,
            description: description,
            wire: wire,
            kinds: kinds,
            isKindOfEveryVersion: flags & 2 != 0,
            defaultRules: defaultRules,
            isBuiltin: true,
            unions: unions
        )
    }

    private mutating func field(_ node: (Int) -> SchemaNode) -> SchemaField {
        let name = string()
        let flags = number()
        let order = number()
        func has(_ bit: Int) -> Bool { flags & (1 << bit) != 0 }
        let listType: SchemaListType
        switch (flags >> 5) & 3 {
        case 1: listType = .set
        case 2: listType = .map(strings())
        default: listType = .atomic
        }
        let enumValues = has(8) ? strings() : []
        let atomicMap = has(7)
        let type = type(node, list: listType, enumValues: enumValues, atomicMap: atomicMap)
        let defaultValue = has(9) ? json() : nil
        let strategies = has(10) ? strings() : []
        let mergeKey = has(11) ? string() : ""
        let number = has(12) ? number() : 0
        let protoType = has(12) ? string() : ""
        let protoName = has(13) ? string() : ""
        let inlineVia = has(14) ? string() : ""
        let description = has(15) ? text() : .given("")
        var rare: SchemaField.Rare?
        var traits = SchemaField.Traits(rawValue: UInt8(flags & 0x1F))
        if (flags >> 5) & 3 == 3 { traits.insert(.declaredAtomic) }
        if has(16) { traits.insert(.declaredGranular) }
        if flags >> 8 != 0 {
            rare = SchemaField.Rare(
                defaultValue: defaultValue,
                enumValues: enumValues,
                patchStrategies: strategies,
                patchMergeKey: mergeKey,
                protoNumber: number,
                protoType: protoType,
                protoName: protoName,
                inlineVia: inlineVia,
                text: description
            )
        }
        return SchemaField(
            name: name,
            node: type,
            traits: traits,
            order: order,
            rare: rare
        )
    }

    private mutating func type(
        _ node: (Int) -> SchemaNode,
        list: SchemaListType,
        enumValues: [String],
        atomicMap: Bool = false
    ) -> SchemaNode {
        switch byte() {
        case 0:
            guard !enumValues.isEmpty else { return .scalar(.string) }
            return SchemaNode(shape: .string, body: SchemaBody(enumValues: enumValues.map { .string($0) }, isBuiltin: true))
        case 1: return .scalar(.boolean)
        case 2: return .scalar(.integer, format: "int32")
        case 3: return .scalar(.integer, format: "int64")
        case 4: return .scalar(.number, format: "double")
        case 5: return .scalar(.number, format: "float")
        case 6: return .scalar(.bytes)
        case 10: return node(number())
        case 11:
            let element = type(node, list: .atomic, enumValues: enumValues)
            return SchemaNode(shape: .list, body: SchemaBody(element: element, listType: list, isBuiltin: true))
        case 12:
            let element = type(node, list: .atomic, enumValues: enumValues)
            return SchemaNode(shape: .map, body: SchemaBody(element: element, atomicMap: atomicMap, isBuiltin: true))
        default: return .anything
        }
    }
}

extension SchemaNode.Shape {
    /// The OpenAPI format that goes with the shape.
    fileprivate var openAPIFormat: String {
        switch self {
        case .time, .microTime: "date-time"
        case .intOrString: "int-or-string"
        case .bytes: "byte"
        default: ""
        }
    }
}
