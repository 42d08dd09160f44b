import Glibc
import Schema
import Values

/// Numbers as text.
enum NumberText {
    /// Most digits after the point that are written.
    static let mostDigits = 1000

    /// With `digits` digits after the point.
    static func fixed(_ value: Double, _ digits: Int) -> String { printed("%.\(min(digits, mostDigits))f", value) }

    /// With one digit before the point and `digits` after it, and an exponent.
    static func scientific(_ value: Double, _ digits: Int) -> String { printed("%.\(min(digits, mostDigits))e", value) }

    private static func printed(_ format: String, _ value: Double) -> String {
        var buffer = [CChar](repeating: 0, count: mostDigits + 400)
        let count = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
        return String(decoding: buffer.prefix(max(0, Int(count))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The shortest digits that read back the same, without an exponent.
    static func fixedShortest(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : (value < 0 ? "-Inf" : "+Inf") }
        for digits in 0...30 {
            let text = fixed(value, digits)
            if Double(text) == value { return text }
        }
        return fixed(value, 340)
    }
}

/// Values as messages show them.
enum ValueText {
    /// As Go's `%v` writes a value.
    static func plain(_ value: CELValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): String(value)
        case .uint(let value): String(value)
        case .double(let value): GoNumber.general(value)
        case .string(let value): value
        case .bytes(let value): String(decoding: value, as: UTF8.self)
        case .timestamp(let value): CalendarTime.text(value)
        case .duration(let value): GoDuration.text(value)
        case .type(let type): type.name
        case .list: "list"
        case .map: "map"
        case .optional: "optional"
        case .object(let object): object.type.name
        }
    }
}

extension CELValue {
    /// The value as JSON; times and durations as text, bytes in base64. An error for what JSON cannot hold.
    public func json() throws(CELError) -> JSONValue {
        var left = ValueLimits.mostElements
        return try json(&left, 0)
    }

    private func json(_ left: inout Int, _ depth: Int) throws(CELError) -> JSONValue {
        left -= 1
        guard left > 0 else { throw .tooLarge }
        guard depth < ValueLimits.deepest else { throw .tooDeep }
        guard depth == StackRoom.shallow else { return try jsonHere(&left, depth) }
        return try StackRoom.result { () throws(CELError) in try jsonHere(&left, depth) }
    }

    private func jsonHere(_ left: inout Int, _ depth: Int) throws(CELError) -> JSONValue {
        switch self {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .integer(value)
        case .uint(let value): return Int64(exactly: value).map { .integer($0) } ?? .number(Double(value))
        case .double(let value):
            guard value.isFinite else { throw CELError("unsupported JSON value: \(GoNumber.general(value))") }
            return .number(value)
        case .string(let value): return .string(value)
        case .bytes(let value): return .string(Base64.encode(value))
        case .timestamp(let value): return .string(CalendarTime.text(value))
        case .duration(let value): return .string(GoDuration.text(value))
        case .list(let list): return try Self.json(list, &left, depth)
        case .map(let map): return try Self.json(map, &left, depth)
        case .optional(let optional): return try optional.value?.json(&left, depth + 1) ?? .null
        case .object(let object):
            guard let message = object as? CELMessage else { break }
            var members = JSONObject()
            for (name, value) in message.fields { members[name] = try value.json(&left, depth + 1) }
            return .object(members)
        case .type: break
        }
        throw CELError("unsupported type conversion of '\(type.name)' to JSON")
    }

    private static func json(_ list: CELList, _ left: inout Int, _ depth: Int) throws(CELError) -> JSONValue {
        if case .json(let elements, _) = list.storage { return .array(elements) }
        var elements: [JSONValue] = []
        for index in 0..<list.count { elements.append(try list.element(index).json(&left, depth + 1)) }
        return .array(elements)
    }

    private static func json(_ map: CELMap, _ left: inout Int, _ depth: Int) throws(CELError) -> JSONValue {
        if case .json(let members, _) = map.storage { return .object(members) }
        var members: [(String, JSONValue)] = []
        for key in map.keys() {
            guard let value = try map.find(key) else { continue }
            members.append((ValueText.plain(key), try value.json(&left, depth + 1)))
        }
        return .object(JSONObject(members))
    }
}

extension CELValue {
    /// The Go type that upstream holds such a value in; some of its messages show it.
    var goTypeName: String {
        switch self {
        case .null: "types.Null"
        case .bool: "types.Bool"
        case .int: "types.Int"
        case .uint: "types.Uint"
        case .double: "types.Double"
        case .string: "types.String"
        case .bytes: "types.Bytes"
        case .timestamp: "types.Timestamp"
        case .duration: "types.Duration"
        case .type: "*types.Type"
        case .optional: "*types.Optional"
        case .list, .map, .object: type.name
        }
    }
}
