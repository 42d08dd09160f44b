import Schema
import Values

/// Makes values that fill every field of a type, from the schema itself and a seed.
struct ProtobufSample {
    private var state: UInt64
    private var depth: [String: Int] = [:]

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    private mutating func next(_ bound: UInt64) -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state % bound
    }

    /// A value of the type; a type that contains itself is cut off below its second level.
    mutating func value(_ node: SchemaNode) -> JSONValue {
        switch node.shape {
        case .object: return object(node)
        case .map:
            guard let element = node.element else { return [:] }
            return .object(JSONObject([("k\(next(1000))", value(element)), ("a/\(next(1000))", value(element))]))
        case .list:
            guard let element = node.element else { return [] }
            return .array([value(element), value(element)])
        case .string: return .string("s\(next(100_000))é")
        case .boolean: return true
        case .integer:
            let small = Int64(next(1 << 31)) + 1
            if node.body.format == "int32" { return .integer(next(2) == 0 ? small : -small) }
            return .integer(next(2) == 0 ? small << 31 : -(small << 31))
        case .number: return .number(node.body.format == "float" ? 0.25 : Double(next(1_000_000)) + 0.125)
        case .bytes: return .string(Base64.encode([1, UInt8(next(255)), 0xff, 0]))
        case .quantity: return .string(["1500m", "2Gi", "100", "1e9"][Int(next(4))])
        case .intOrString: return next(2) == 0 ? .integer(Int64(next(60_000))) : "25%"
        case .time: return .string("20\(10 + next(80))-02-03T04:05:06Z")
        case .microTime: return .string("20\(10 + next(80))-02-03T04:05:06.00700\(1 + next(9))Z")
        case .duration: return .string("1m\(1 + next(50))s")
        case .any: return ["any": .integer(Int64(next(9))), "list": [1, "two", 3.5, true]]
        case .anyObject: return .object(["f:metadata": ["f:name\(next(9))": [:]]])
        case .schemaOrBool: return next(2) == 0 ? true : inner(node)
        case .schemaOrList: return next(2) == 0 ? .array([inner(node)]) : inner(node)
        case .schemaOrStrings: return next(2) == 0 ? ["one", "two"] : inner(node)
        }
    }

    private mutating func inner(_ node: SchemaNode) -> JSONValue {
        guard let element = node.element else { return [:] }
        return value(element)
    }

    private mutating func object(_ node: SchemaNode) -> JSONValue {
        guard depth[node.name, default: 0] < 2 else { return [:] }
        depth[node.name, default: 0] += 1
        defer { depth[node.name, default: 0] -= 1 }
        var object = JSONObject()
        for field in node.fields where !field.traits.contains(.typeMeta) { object[field.name] = value(field.node) }
        return .object(object)
    }
}
