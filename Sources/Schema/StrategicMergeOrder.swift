import Values

/// The order of merged lists: what the patch names stands in the patch's order, what only the server has keeps its own,
/// and where both know two elements the server's order decides.
enum Order {
    /// Refuses an order that contradicts the patch itself.
    static func check(
        patch: [JSONValue],
        order: [JSONValue],
        _ mergeKey: String
    ) throws(StrategicMergePatchError) {
        guard !patch.isEmpty, !order.isEmpty else { return }
        let named = mergeKey.isEmpty ? patch : patch.filter { $0[Directive.marker] != "delete" }
        var index = 0
        for wanted in order where index < named.count {
            while index < named.count, named[index][Directive.marker] != nil { index += 1 }
            guard index < named.count else { break }
            if try identity(named[index], mergeKey) == identity(wanted, mergeKey) { index += 1 }
        }
        while index < named.count, named[index][Directive.marker] != nil { index += 1 }
        guard index < named.count else { return }
        let words = "doesn't match \(Directive.orderPrefix) list:"
        throw StrategicMergePatchError(
            "The order in patch list:\n\(GoText.print(.array(patch)))\n \(words)\n\(GoText.print(.array(order)))\n"
        )
    }

    /// Refuses to order objects that nothing tells apart.
    static func checkKeyless(_ lists: [[JSONValue]]) throws(StrategicMergePatchError) {
        for case .object(let object) in lists.joined() where object[""] == nil { throw .noMergeKey(object, "") }
    }

    /// Splits a list into what `by` names and what it does not.
    static func partition(
        _ list: [JSONValue],
        by order: [JSONValue],
        _ mergeKey: String
    ) throws(StrategicMergePatchError) -> (named: [JSONValue], serverOnly: [JSONValue]) {
        var named: [JSONValue] = []
        var serverOnly: [JSONValue] = []
        let known = Set(order.map { mergeKey.isEmpty ? $0 : ($0[mergeKey] ?? .null) })
        for element in list {
            if known.contains(try identity(element, mergeKey)) {
                named.append(element)
            } else {
                serverOnly.append(element)
            }
        }
        return (named, serverOnly)
    }

    /// Sorts both parts and merges them.
    static func normalize(
        _ named: [JSONValue],
        _ serverOnly: [JSONValue],
        patchOrder: [JSONValue],
        serverOrder: [JSONValue],
        _ mergeKey: String
    ) throws(StrategicMergePatchError) -> [JSONValue] {
        let right = try sorted(named, by: patchOrder, mergeKey)
        let left = try sorted(serverOnly, by: serverOrder, mergeKey)
        let places = try positions(serverOrder, mergeKey)
        var result: [JSONValue] = []
        result.reserveCapacity(left.count + right.count)
        var leftIndex = 0
        var rightIndex = 0
        while leftIndex < left.count, rightIndex < right.count {
            let leftPlace = places[try identity(left[leftIndex], mergeKey)]
            let rightPlace = places[try identity(right[rightIndex], mergeKey)]
            if let leftPlace, let rightPlace, leftPlace < rightPlace {
                result.append(left[leftIndex])
                leftIndex += 1
            } else {
                result.append(right[rightIndex])
                rightIndex += 1
            }
        }
        return result + left[leftIndex...] + right[rightIndex...]
    }

    private static func sorted(
        _ list: [JSONValue],
        by order: [JSONValue],
        _ mergeKey: String
    ) throws(StrategicMergePatchError) -> [JSONValue] {
        let places = try positions(order, mergeKey)
        var keep: [(place: Int, index: Int)] = []
        var deleted: [JSONValue] = []
        for (index, element) in list.enumerated() {
            if !mergeKey.isEmpty, element[Directive.marker] == "delete" {
                deleted.append(element)
            } else {
                keep.append((places[try identity(element, mergeKey)] ?? Int.max, index))
            }
        }
        keep.sort { $0.place != $1.place ? $0.place < $1.place : $0.index < $1.index }
        return keep.map { list[$0.index] } + deleted
    }

    private static func positions(
        _ order: [JSONValue],
        _ mergeKey: String
    ) throws(StrategicMergePatchError) -> [JSONValue: Int] {
        var places: [JSONValue: Int] = [:]
        for (index, element) in order.enumerated() {
            let key = try identity(element, mergeKey)
            if places[key] == nil { places[key] = index }
        }
        return places
    }

    /// What tells an element apart: the value of its merge key, or itself.
    private static func identity(
        _ element: JSONValue,
        _ mergeKey: String
    ) throws(StrategicMergePatchError) -> JSONValue {
        guard !mergeKey.isEmpty else { return element }
        guard case .object(let object) = element else { throw .wrongType(expected: GoText.map, element) }
        guard let key = object[mergeKey] else { throw .noMergeKey(object, mergeKey) }
        return key
    }
}

extension JSONValue {
    /// As Go prints it with `%v`: `map[a:1 b:[x y]]`.
    public var goText: String { GoText.print(self) }
}

/// How Go prints values in messages (`%v`).
enum GoText {
    static func print(_ value: JSONValue) -> String {
        switch value {
        case .null: "<nil>"
        case .string(let text): text
        case .array(let list): "[\(list.map(print).joined(separator: " "))]"
        case .object(let object):
            "map[\(object.map { "\($0.key):\(print($0.value))" }.joined(separator: " "))]"
        default: value.description
        }
    }

    static func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "nil"
        case .bool: "bool"
        case .integer: "int64"
        case .number: "float64"
        case .string: "string"
        case .array: "slice"
        case .object: "map"
        }
    }

    static let map = "map[string]interface {}"
    static let slice = "[]interface {}"

    /// The type of a value, as Go prints it with `%s`.
    static func type(_ value: JSONValue) -> String {
        switch value {
        case .null: "%!s(<nil>)"
        case .array: slice
        case .object: map
        default: kind(value)
        }
    }

    static func structWord(_ node: SchemaNode) -> String { node.shape == .object ? "struct" : "\(node.shape)" }
}
