import Schema
import Values

/// Finds out which part of the old object a part of the new one was.
///
/// Elements of a list can be told apart when the list is a map; all other lists are one value.
///
/// Source: apiserver cel/common.CorrelatedObject.
struct Correlation {
    private let keys: [String]
    private let old: [JSONValue: JSONValue]

    /// Nil when elements cannot be told apart.
    init?(list: [JSONValue]?, _ node: SchemaNode) {
        guard let list, case .map(let keys) = node.listType else { return nil }
        self.keys = keys
        var old: [JSONValue: JSONValue] = [:]
        for item in list { old[Self.identity(item, keys)] = item }
        self.old = old
    }

    /// What an element was before.
    func old(of item: JSONValue) -> JSONValue? { old[Self.identity(item, keys)] }

    private static func identity(_ item: JSONValue, _ keys: [String]) -> JSONValue {
        var identity = JSONObject()
        for key in keys { identity[key] = item[key] }
        return .object(identity)
    }

    /// Whether two values mean the same: the order of elements that are told apart by keys does not matter.
    static func isSame(_ new: JSONValue, _ old: JSONValue, _ node: SchemaNode) -> Bool {
        if new == old { return true }
        switch (new, old) {
        case (.array(let new), .array(let old)):
            guard new.count == old.count, let element = node.element, let correlation = Correlation(list: old, node) else {
                return false
            }
            return new.allSatisfy { item in
                guard let before = correlation.old(of: item) else { return false }
                return isSame(item, before, element)
            }
        case (.object(let new), .object(let old)):
            guard new.count == old.count else { return false }
            return new.allSatisfy { key, item in
                guard let before = old[key], let next = node.field(key)?.node ?? node.element else { return false }
                return isSame(item, before, next)
            }
        default: return false
        }
    }
}
