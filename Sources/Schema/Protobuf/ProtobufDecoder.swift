import Units
import Values

/// Reads messages into value trees, driven by the numbers in the schema. Bounded: depth by `maxDepth`, time and memory
/// by the length of the input.
enum ProtobufDecoder {
    /// Messages nest at most so deep.
    static let maxDepth = 128

    /// What has been read of one message: a value for each field, lists as far as they go; the entries of maps wait for the
    /// message's end, so that each map is sorted once.
    private struct Fields {
        struct Field {
            let rank: Int
            var value: JSONValue
        }

        var found: ContiguousArray<Field> = []
        var maps: [Int: [(String, JSONValue)]] = [:]

        /// Where a field's value is, with `first` where there is none yet. The last one is asked first: repeated fields
        /// follow each other.
        mutating func index(_ rank: Int, orAppend first: @autoclosure () -> JSONValue) -> Int {
            if let last = found.last, last.rank == rank { return found.count - 1 }
            if let index = found.firstIndex(where: { $0.rank == rank }) { return index }
            if found.isEmpty { found.reserveCapacity(Self.usualCount) }
            found.append(Field(rank: rank, value: first()))
            return found.count - 1
        }

        /// By insertion: there are few, and no two of one rank.
        private mutating func sort() {
            for index in found.indices.dropFirst() {
                var place = index
                while place > 0, found[place - 1].rank > found[place].rank {
                    found.swapAt(place - 1, place)
                    place -= 1
                }
            }
        }

        /// Room for the fields that a message usually has.
        private static let usualCount = 8

        /// The fields in the order of their names.
        mutating func object(_ shape: ProtobufShape) -> JSONObject {
            for (rank, pairs) in maps {
                let index = index(rank, orAppend: .object(JSONObject()))
                var all = pairs
                if case .object(let earlier) = found[index].value, !earlier.isEmpty { all = earlier.map { ($0.key, $0.value) } + pairs }
                found[index].value = .object(JSONObject(all))
            }
            sort()
            var members = ContiguousArray<JSONObject.Member>()
            members.reserveCapacity(found.count)
            for field in found { members.append(JSONObject.Member(key: shape.names[field.rank].name, value: field.value)) }
            return JSONObject(sorted: members)
        }
    }

    static func fill(
        _ object: inout JSONObject,
        _ shape: ProtobufShape,
        _ bytes: ProtobufReader.Bytes,
        depth: Int
    ) throws(ProtobufError) {
        guard depth < maxDepth else { throw ProtobufError("proto: message nests too deep") }
        var reader = ProtobufReader(bytes)
        var fields = Fields()
        let earlier = object
        if !earlier.isEmpty {
            // A message given in two parts.
            for (rank, named) in shape.names.enumerated() {
                if let value = earlier[named.name] { fields.found.append(Fields.Field(rank: rank, value: value)) }
            }
        }
        var inlined = JSONObject()
        while !reader.isAtEnd {
            let (number, value) = try reader.next()
            guard let position = shape.position(of: number) else { continue }
            let member = shape.members[position]
            switch member.content {
            case .inline(let inner):
                guard case .bytes(let nested) = value else { throw wrongType(number) }
                if inlined.isEmpty { inlined = earlier }
                try fill(&inlined, inner, nested, depth: depth + 1)
            case .field(_, .repeated(let element)):
                let index = fields.index(member.rank, orAppend: .array([]))
                var list: [JSONValue] = []
                if case .array(let read) = fields.found[index].value { list = read }
                fields.found[index].value = .null
                try append(element, value, to: &list, depth: depth)
                fields.found[index].value = .array(list)
            case .field(_, .map(let element)):
                guard case .bytes(let entry) = value else { throw wrongType(number) }
                let pair = try pair(element, entry, depth: depth)
                fields.maps[member.rank, default: []].append(pair)
            case .field(let field, .single): try set(field, member.rank, value, in: &fields, depth: depth)
            }
        }
        object = fields.object(shape)
        for (key, value) in inlined.isEmpty ? earlier : inlined where !object.contains(key) { object[key] = value }
    }

    /// A struct given twice is merged, anything else replaced.
    private static func set(
        _ field: SchemaField,
        _ rank: Int,
        _ value: ProtobufReader.Value,
        in fields: inout Fields,
        depth: Int
    ) throws(ProtobufError) {
        if field.node.shape == .object, case .bytes(let bytes) = value {
            let index = fields.index(rank, orAppend: .null)
            var inner = fields.found[index].value.object ?? JSONObject()
            fields.found[index].value = .null
            try fill(&inner, field.node.protobufShape, bytes, depth: depth + 1)
            fields.found[index].value = .object(inner)
        } else {
            let read = try scalar(field.node, value, depth: depth)
            fields.found[fields.index(rank, orAppend: read)].value = read
        }
    }

    private static func wrongType(_ number: Int) -> ProtobufError {
        ProtobufError("proto: wrong wireType for field \(number)")
    }

    private static func message(
        _ node: SchemaNode,
        _ bytes: ProtobufReader.Bytes,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        var object = JSONObject()
        try fill(&object, node.protobufShape, bytes, depth: depth)
        return .object(object)
    }

    private static func append(
        _ element: SchemaNode,
        _ value: ProtobufReader.Value,
        to list: inout [JSONValue],
        depth: Int
    ) throws(ProtobufError) {
        // Numbers may come packed into one field.
        if case .bytes(let packed) = value, element.shape == .integer || element.shape == .boolean {
            var reader = ProtobufReader(packed)
            while !reader.isAtEnd { list.append(try scalar(element, .varint(try reader.varint()), depth: depth)) }
            return
        }
        list.append(try scalar(element, value, depth: depth))
    }

    private static func pair(
        _ element: SchemaNode,
        _ entry: ProtobufReader.Bytes,
        depth: Int
    ) throws(ProtobufError) -> (String, JSONValue) {
        var key = ""
        var item: JSONValue?
        var reader = ProtobufReader(entry)
        while !reader.isAtEnd {
            let (number, value) = try reader.next()
            if number == 1, case .bytes(let text) = value { key = String(utf8: text) }
            if number == 2 { item = try scalar(element, value, depth: depth) }
        }
        if let item { return (key, item) }
        return (key, try zero(element, depth: depth))
    }

    /// The value of a map entry that has none.
    private static func zero(_ node: SchemaNode, depth: Int) throws(ProtobufError) -> JSONValue {
        switch node.shape {
        case .string: ""
        case .boolean: false
        case .integer, .number: 0
        case .bytes: .null
        default: try scalar(node, .bytes(ProtobufReader.Bytes(start: nil, count: 0)), depth: depth)
        }
    }

    // MARK: Values

    private static func scalar(
        _ node: SchemaNode,
        _ value: ProtobufReader.Value,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        switch (node.shape, value) {
        case (.string, .bytes(let bytes)): return .string(String(utf8: bytes))
        case (.bytes, .bytes(let bytes)): return .string(Base64.encode(Array(bytes)))
        case (.boolean, .varint(let number)): return .bool(number != 0)
        case (.integer, .varint(let number)):
            if node.body.format == "int32" { return .integer(Int64(Int32(truncatingIfNeeded: number))) }
            return .integer(Int64(bitPattern: number))
        case (.number, .fixed64(let bits)): return try float(Double(bitPattern: bits))
        case (.number, .fixed32(let bits)): return try float(Double(Float(bitPattern: bits)))
        case (.object, .bytes(let bytes)): return try message(node, bytes, depth: depth + 1)
        case (.list, .bytes(let bytes)) where node.element != nil: return try named(node, bytes, depth: depth + 1)
        case (.map, .bytes(let bytes)) where node.element != nil: return try named(node, bytes, depth: depth + 1)
        case (_, .bytes(let bytes)): return try special(node, bytes, depth: depth + 1)
        default: throw ProtobufError("proto: wrong wireType for a value of type \(node.goType)")
        }
    }

    private static func float(_ number: Double) throws(ProtobufError) -> JSONValue {
        guard number.isFinite else { throw ProtobufError("json: unsupported value: \(number.isNaN ? "NaN" : "Inf")") }
        return .number(number)
    }

    /// A list or map that is a message of its own.
    private static func named(
        _ node: SchemaNode,
        _ bytes: ProtobufReader.Bytes,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        guard depth < maxDepth, let element = node.element else { throw ProtobufError("proto: message nests too deep") }
        var reader = ProtobufReader(bytes)
        var list: [JSONValue] = []
        var pairs: [(String, JSONValue)] = []
        while !reader.isAtEnd {
            let (number, value) = try reader.next()
            guard number == 1 else { continue }
            if node.shape == .list {
                try append(element, value, to: &list, depth: depth)
            } else if case .bytes(let entry) = value {
                pairs.append(try pair(element, entry, depth: depth))
            }
        }
        return node.shape == .list ? .array(list) : .object(JSONObject(pairs))
    }

    private static func special(
        _ node: SchemaNode,
        _ bytes: ProtobufReader.Bytes,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        let fields = try ProtobufFields(bytes)
        switch node.shape {
        case .quantity: return .string(fields.text(1) ?? "0")
        case .time, .microTime:
            // No bytes at all are the zero time; the epoch has its zeros written out.
            guard !bytes.isEmpty else { return .null }
            let isMicro = node.shape == .microTime
            let nanos = isMicro ? Int32(truncatingIfNeeded: fields.integer(2) ?? 0) / 1000 * 1000 : 0
            let time = Timestamp(unixSeconds: try seconds(fields.integer(1) ?? 0), nanoseconds: min(max(nanos, 0), 999_999_000))
            return .string(isMicro ? time.rfc3339Micro : time.rfc3339)
        case .duration: return .string(DurationText.format(.nanoseconds(fields.integer(1) ?? 0)))
        case .intOrString:
            if fields.integer(1) == 1 { return .string(fields.text(3) ?? "") }
            return .integer(Int64(Int32(truncatingIfNeeded: fields.integer(2) ?? 0)))
        case .any, .anyObject:
            guard let raw = fields.bytes(node.protobufRawNumber), !raw.isEmpty else { return .null }
            do throws(JSONParseError) {
                return try JSONParser.parse(raw, options: .init(maxDepth: maxDepth))
            } catch {
                throw ProtobufError(error.message)
            }
        case .schemaOrBool, .schemaOrList, .schemaOrStrings: return try alternative(node, fields, depth: depth)
        default: throw ProtobufError("proto: no protobuf form of \(node.goType)")
        }
    }

    /// Years 1 to 9999: JSON has no form for others.
    private static func seconds(_ given: Int64) throws(ProtobufError) -> Int64 {
        guard (-62_135_596_800...253_402_300_799).contains(given) else {
            throw ProtobufError("Time.MarshalJSON: year outside of range [0,9999]")
        }
        return given
    }

    private static func alternative(
        _ node: SchemaNode,
        _ fields: ProtobufFields,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        let schema = node.element ?? .anything
        if node.shape == .schemaOrBool {
            if let inner = fields.bytes(2) { return try message(schema, inner, depth: depth) }
            return .bool((fields.integer(1) ?? 0) != 0)
        }
        if let inner = fields.bytes(1) { return try message(schema, inner, depth: depth) }
        var list: [JSONValue] = []
        for case .bytes(let item) in fields.all(2) {
            if node.shape == .schemaOrStrings {
                list.append(.string(String(utf8: item)))
            } else {
                list.append(try message(schema, item, depth: depth))
            }
        }
        // Go prints null for the empty list that is neither.
        return list.isEmpty ? .null : .array(list)
    }
}

/// The fields of a small message, by number.
private struct ProtobufFields {
    private var values: [(number: Int, value: ProtobufReader.Value)] = []

    init(_ bytes: ProtobufReader.Bytes) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while !reader.isAtEnd { values.append(try reader.next()) }
    }

    func all(_ number: Int) -> [ProtobufReader.Value] {
        values.compactMap { $0.number == number ? $0.value : nil }
    }

    func bytes(_ number: Int) -> ProtobufReader.Bytes? {
        guard case .bytes(let bytes)? = values.last(where: { $0.number == number })?.value else { return nil }
        return bytes
    }

    func text(_ number: Int) -> String? { bytes(number).map { String(utf8: $0) } }

    func integer(_ number: Int) -> Int64? {
        guard case .varint(let value)? = values.last(where: { $0.number == number })?.value else { return nil }
        return Int64(bitPattern: value)
    }
}
