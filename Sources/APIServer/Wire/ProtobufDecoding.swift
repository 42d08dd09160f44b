import Schema
import Synchronization
import Units
import Values

/// Turns Kubernetes protobuf into the JSON it stands for, driven by the schema's field numbers.
enum ProtobufDecoding {
    /// What an envelope holds.
    struct Envelope {
        var apiVersion = ""
        var kind = ""
        var raw: ArraySlice<UInt8> = []
    }

    static let mediaType = "application/vnd.kubernetes.protobuf"
    private static let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]
    private static let maxDepth = 128

    /// The object in an envelope: `k8s\0` and a `runtime.Unknown`.
    static func object(_ bytes: [UInt8], schema: SchemaNode) throws(ProtobufError) -> JSONValue {
        let envelope = try envelope(bytes)
        var value = JSONValue.object(try message(schema, envelope.raw, depth: 0))
        if !envelope.apiVersion.isEmpty { value["apiVersion"] = .string(envelope.apiVersion) }
        if !envelope.kind.isEmpty { value["kind"] = .string(envelope.kind) }
        return value
    }

    static func envelope(_ bytes: [UInt8]) throws(ProtobufError) -> Envelope {
        guard bytes.starts(with: magic) else {
            throw ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
        }
        var envelope = Envelope()
        var reader = ProtobufReader(bytes[magic.count...])
        while !reader.isAtEnd {
            switch try reader.next() {
            case (1, .bytes(let meta)):
                var inner = ProtobufReader(meta)
                while !inner.isAtEnd {
                    switch try inner.next() {
                    case (1, .bytes(let text)): envelope.apiVersion = String(decoding: text, as: UTF8.self)
                    case (2, .bytes(let text)): envelope.kind = String(decoding: text, as: UTF8.self)
                    default: continue
                    }
                }
            case (2, .bytes(let raw)): envelope.raw = raw
            default: continue
            }
        }
        return envelope
    }

    // MARK: Messages

    private static func message(
        _ node: SchemaNode,
        _ bytes: ArraySlice<UInt8>,
        depth: Int
    ) throws(ProtobufError) -> JSONObject {
        var object = JSONObject()
        try fill(&object, ProtobufShape.of(node), bytes, depth: depth)
        return object
    }

    private static func fill(
        _ object: inout JSONObject,
        _ shape: ProtobufShape,
        _ bytes: ArraySlice<UInt8>,
        depth: Int
    ) throws(ProtobufError) {
        guard depth < maxDepth else { throw ProtobufError("message nests too deep") }
        var reader = ProtobufReader(bytes)
        while !reader.isAtEnd {
            let (number, value) = try reader.next()
            switch shape.members[number] {
            case .field(let field): try add(field, value, to: &object, depth: depth)
            case .inline(let inner):
                guard case .bytes(let nested) = value else { throw ProtobufError("wrong wireType for field \(number)") }
                try fill(&object, inner, nested, depth: depth + 1)
            case nil: continue
            }
        }
    }

    private static func add(
        _ field: SchemaField,
        _ value: ProtobufReader.Value,
        to object: inout JSONObject,
        depth: Int
    ) throws(ProtobufError) {
        let node = field.node
        switch node.shape {
        case .list:
            guard let element = node.element else { return }
            var list = object[field.name]?.array ?? []
            object[field.name] = nil
            try append(element, value, to: &list, depth: depth)
            object[field.name] = .array(list)
        case .map:
            guard let element = node.element, case .bytes(let entry) = value else { return }
            var map = object[field.name]?.object ?? JSONObject()
            object[field.name] = nil
            let (key, item) = try pair(element, entry, depth: depth)
            map[key] = item
            object[field.name] = .object(map)
        default: object[field.name] = try scalar(node, value, depth: depth)
        }
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
        _ entry: ArraySlice<UInt8>,
        depth: Int
    ) throws(ProtobufError) -> (String, JSONValue) {
        var key = ""
        var item: JSONValue?
        var reader = ProtobufReader(entry)
        while !reader.isAtEnd {
            let (number, value) = try reader.next()
            if number == 1, case .bytes(let text) = value { key = String(decoding: text, as: UTF8.self) }
            if number == 2 { item = try scalar(element, value, depth: depth) }
        }
        if let item { return (key, item) }
        return (key, try scalar(element, .bytes([]), depth: depth))
    }

    // MARK: Values

    private static func scalar(
        _ node: SchemaNode,
        _ value: ProtobufReader.Value,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        switch (node.shape, value) {
        case (.string, .bytes(let bytes)): return .string(String(decoding: bytes, as: UTF8.self))
        case (.bytes, .bytes(let bytes)): return .string(Base64.encode(Array(bytes)))
        case (.boolean, .varint(let number)): return .bool(number != 0)
        case (.integer, .varint(let number)): return .integer(Int64(bitPattern: number))
        case (.number, .fixed64(let bits)): return .number(Double(bitPattern: bits))
        case (.number, .fixed32(let bits)): return .number(Double(Float(bitPattern: bits)))
        case (.object, .bytes(let bytes)): return .object(try message(node, bytes, depth: depth + 1))
        case (_, .bytes(let bytes)): return try special(node, bytes, depth: depth + 1)
        default: throw ProtobufError("wrong wireType for a value of type \(node.name)")
        }
    }

    private static func special(
        _ node: SchemaNode,
        _ bytes: ArraySlice<UInt8>,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        let fields = try ProtobufFields(bytes)
        switch node.shape {
        case .quantity: return .string(fields.text(1) ?? "0")
        case .time, .microTime:
            let seconds = fields.integer(1) ?? 0
            let nanos = fields.integer(2) ?? 0
            guard seconds != 0 || nanos != 0 else { return .null }
            let time = Timestamp(unixSeconds: seconds, nanoseconds: Int32(truncatingIfNeeded: nanos))
            return .string(node.shape == .time ? time.rfc3339 : time.rfc3339Micro)
        case .duration: return .string(DurationText.format(.nanoseconds(fields.integer(1) ?? 0)))
        case .intOrString:
            return fields.integer(1) == 1 ? .string(fields.text(3) ?? "") : .integer(fields.integer(2) ?? 0)
        case .any, .anyObject:
            guard let raw = fields.bytes(1), !raw.isEmpty else { return .null }
            do throws(JSONParseError) { return try JSONParser.parse(Array(raw)) } catch { throw ProtobufError(error.message) }
        case .list:
            guard let element = node.element else { return [] }
            var list: [JSONValue] = []
            for value in fields.all(1) { try append(element, value, to: &list, depth: depth) }
            return .array(list)
        case .map:
            guard let element = node.element else { return [:] }
            var map = JSONObject()
            for case .bytes(let entry) in fields.all(1) {
                let (key, item) = try pair(element, entry, depth: depth)
                map[key] = item
            }
            return .object(map)
        case .schemaOrBool, .schemaOrList, .schemaOrStrings: return try alternative(node, fields, depth: depth)
        default: throw ProtobufError("no protobuf form of \(node.name)")
        }
    }

    private static func alternative(
        _ node: SchemaNode,
        _ fields: ProtobufFields,
        depth: Int
    ) throws(ProtobufError) -> JSONValue {
        let schema = node.element ?? .anything
        if node.shape == .schemaOrBool {
            if let inner = fields.bytes(2) { return .object(try message(schema, inner, depth: depth)) }
            return .bool((fields.integer(1) ?? 0) != 0)
        }
        if let inner = fields.bytes(1) { return .object(try message(schema, inner, depth: depth)) }
        var list: [JSONValue] = []
        for case .bytes(let item) in fields.all(2) {
            if node.shape == .schemaOrStrings {
                list.append(.string(String(decoding: item, as: UTF8.self)))
            } else {
                list.append(.object(try message(schema, item, depth: depth)))
            }
        }
        return .array(list)
    }
}

/// The fields of a small message, by number.
private struct ProtobufFields {
    private var values: [(number: Int, value: ProtobufReader.Value)] = []

    init(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while !reader.isAtEnd { values.append(try reader.next()) }
    }

    func all(_ number: Int) -> [ProtobufReader.Value] {
        values.compactMap { $0.number == number ? $0.value : nil }
    }

    func bytes(_ number: Int) -> ArraySlice<UInt8>? {
        guard case .bytes(let bytes)? = all(number).last else { return nil }
        return bytes
    }

    func text(_ number: Int) -> String? { bytes(number).map { String(decoding: $0, as: UTF8.self) } }

    func integer(_ number: Int) -> Int64? {
        guard case .varint(let value)? = all(number).last else { return nil }
        return Int64(bitPattern: value)
    }
}

/// Which field a number means in a message. Made once per type.
final class ProtobufShape: Sendable {
    enum Member: Sendable {
        case field(SchemaField)
        /// A nested message whose fields JSON has in the outer object.
        case inline(ProtobufShape)
    }

    let members: [Int: Member]

    private static let known = Mutex<[ObjectIdentifier: ProtobufShape]>([:])

    /// The shape of a type's message.
    static func of(_ node: SchemaNode) -> ProtobufShape {
        let id = ObjectIdentifier(node)
        if let shape = known.withLock({ $0[id] }) { return shape }
        let shape = ProtobufShape(node, via: "")
        return known.withLock { known in
            // Types of the embedded schema live as long as the process, so their identities are never reused.
            known[id] = known[id] ?? shape
            return known[id] ?? shape
        }
    }

    private init(_ node: SchemaNode, via path: String) {
        var members: [Int: Member] = [:]
        for field in node.fields {
            guard let rare = field.rare, rare.protoNumber > 0, rare.inlineVia == path else { continue }
            members[rare.protoNumber] = .field(field)
        }
        for inline in node.body.wire?.inlines ?? [] where ProtobufShape.parent(of: inline.path) == path {
            members[inline.number] = .inline(ProtobufShape(node, via: inline.path))
        }
        self.members = members
    }

    private static func parent(of path: String) -> String {
        guard let end = path.lastIndex(where: { $0 == "." || $0 == "/" }) else { return "" }
        return String(path[..<end])
    }
}
