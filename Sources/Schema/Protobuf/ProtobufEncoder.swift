import Units
import Values

/// Writes a value tree as the message of its type, byte for byte as upstream's generated code does: members in the order
/// of their numbers, plain scalars and structs always, pointers and bytes only when given, maps as sorted entries.
///
/// What does not fit the type is written as if it were not there: one odd object must not fail a list.
struct ProtobufEncoder: ~Copyable {
    var writer: ProtobufWriter
    /// Where each member of the messages being written stands in its object; -1 when it is not there.
    private var places: [Int32] = []

    init(room: Int = 1024) { writer = ProtobufWriter(room: room) }

    /// The members of an object, last first.
    mutating func message(_ shape: ProtobufShape, _ object: JSONObject?) {
        let base = places.count
        places.append(contentsOf: repeatElement(-1, count: shape.members.count))
        if let object { place(shape, object, from: base) }
        for index in stride(from: shape.members.count - 1, through: 0, by: -1) {
            let member = shape.members[index]
            let place = Int(places[base + index])
            guard place >= 0 || member.isWrittenWhenAbsent else { continue }
            switch member.content {
            case .inline(let inner):
                let mark = writer.count
                message(inner, object)
                writer.close(member.number, since: mark)
            case .field(let field, let form):
                self.field(member.number, field, form, place < 0 ? nil : object?.members[place].value)
            }
        }
        places.removeLast(shape.members.count)
    }

    /// Finds the members in an object by one walk over both: they have the same order.
    private mutating func place(_ shape: ProtobufShape, _ object: JSONObject, from base: Int) {
        var next = 0
        for place in object.members.indices {
            while next < shape.names.count {
                let order = shape.names[next].name.compareBytes(with: object.members[place].key)
                if order == 0 { places[base + shape.names[next].position] = Int32(truncatingIfNeeded: place) }
                if order > 0 { break }
                next += 1
                if order == 0 { break }
            }
            if next == shape.names.count { return }
        }
    }

    private mutating func field(_ number: Int, _ field: SchemaField, _ form: ProtobufShape.Form, _ value: JSONValue?) {
        switch form {
        case .repeated(let element):
            guard case .array(let list)? = value else { return }
            for item in list.reversed() { single(number, element, item) }
        case .map(let element):
            guard case .object(let map)? = value else { return }
            for position in stride(from: map.count - 1, through: 0, by: -1) { entry(number, element, map[position: position]) }
        case .single:
            let isGiven = value != nil && value?.isNull == false
            if !isGiven, field.isPointer || Self.isNilable(field.node) { return }
            single(number, field.node, value ?? .null)
        }
    }

    /// Types that are absent when nil though Go has no pointer to them: bytes, and lists with a name.
    private static func isNilable(_ node: SchemaNode) -> Bool {
        node.shape == .bytes || node.shape == .list || node.shape == .map
    }

    private mutating func entry(_ number: Int, _ element: SchemaNode, _ entry: JSONObject.Element) {
        let mark = writer.count
        if element.shape != .bytes || !entry.value.isNull { single(2, element, entry.value) }
        writer.text(1, entry.key)
        writer.close(number, since: mark)
    }

    /// One value with its header; the zero value where the tree has something else.
    private mutating func single(_ number: Int, _ node: SchemaNode, _ value: JSONValue) {
        switch node.shape {
        case .string: writer.text(number, value.string ?? "")
        case .boolean:
            if case .bool(true) = value { writer.varint(number, 1) } else { writer.varint(number, 0) }
        case .integer: writer.varint(number, Self.integer(value))
        case .number: self.number(number, node, value)
        case .bytes: writer.bytes(number, value.string.flatMap { Base64.decode($0) } ?? [])
        default:
            let mark = writer.count
            content(node, value)
            writer.close(number, since: mark)
        }
    }

    private static func integer(_ value: JSONValue) -> Int64 {
        switch value {
        case .integer(let number): number
        case .number(let number): Int64(exactly: number.rounded()) ?? 0
        default: 0
        }
    }

    private mutating func number(_ number: Int, _ node: SchemaNode, _ value: JSONValue) {
        let float: Double
        switch value {
        case .number(let given): float = given
        case .integer(let given): float = Double(given)
        default: float = 0
        }
        if node.body.format == "float" {
            writer.fixed32(Float(float).bitPattern)
            writer.tag(number, .fixed32)
        } else {
            writer.fixed64(float.bitPattern)
            writer.tag(number, .fixed64)
        }
    }

    // MARK: Messages

    /// The content of a value whose type is a message.
    private mutating func content(_ node: SchemaNode, _ value: JSONValue) {
        switch node.shape {
        case .object: message(node.protobufShape, value.object)
        case .quantity: quantity(value)
        case .intOrString: intOrString(value)
        case .time, .microTime: time(node, value)
        case .duration:
            let duration = value.string.flatMap { DurationText.parse($0) } ?? .zero
            writer.varint(1, Self.nanoseconds(duration))
        case .any, .anyObject:
            if !value.isNull { writer.bytes(node.protobufRawNumber, value.encoded()) }
        case .list:
            guard let element = node.element, case .array(let list) = value else { return }
            for item in list.reversed() { single(1, element, item) }
        case .map:
            guard let element = node.element, case .object(let map) = value else { return }
            for position in stride(from: map.count - 1, through: 0, by: -1) { entry(1, element, map[position: position]) }
        case .schemaOrBool, .schemaOrList, .schemaOrStrings: alternative(node, value)
        default: break
        }
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue &+ attoseconds / 1_000_000_000
    }

    private mutating func quantity(_ value: JSONValue) {
        switch value {
        case .string(let text): writer.text(1, text)
        case .integer, .number: writer.text(1, value.description)
        default: writer.text(1, "0")
        }
    }

    private mutating func intOrString(_ value: JSONValue) {
        if case .string(let text) = value {
            writer.text(3, text)
            writer.varint(2, 0)
            writer.varint(1, 1)
        } else {
            writer.text(3, "")
            writer.varint(2, Self.integer(value))
            writer.varint(1, 0)
        }
    }

    /// Upstream writes nothing for the zero time, and whole seconds only where JSON has whole seconds.
    private mutating func time(_ node: SchemaNode, _ value: JSONValue) {
        guard case .string(let text) = value, let time = Timestamp(text) else { return }
        writer.varint(2, node.shape == .microTime ? Int64(time.nanoseconds / 1000 * 1000) : 0)
        writer.varint(1, time.unixSeconds)
    }

    private mutating func alternative(_ node: SchemaNode, _ value: JSONValue) {
        let schema = node.element ?? .anything
        if node.shape == .schemaOrBool {
            if case .object = value { nested(2, schema, value) }
            if case .bool(false) = value { writer.varint(1, 0) } else { writer.varint(1, value.isNull ? 0 : 1) }
            return
        }
        switch value {
        case .object: nested(1, schema, value)
        case .array(let list):
            for item in list.reversed() {
                if node.shape == .schemaOrStrings { writer.text(2, item.string ?? "") } else { nested(2, schema, item) }
            }
        default: break
        }
    }

    private mutating func nested(_ number: Int, _ node: SchemaNode, _ value: JSONValue) {
        let mark = writer.count
        message(node.protobufShape, value.object)
        writer.close(number, since: mark)
    }
}
