import Values

/// The operations of server-side apply on values of a type, after sigs.k8s.io/structured-merge-diff.
public enum FieldOwnership {
    /// What changed between two values.
    public struct Changes: Sendable {
        /// Paths that came.
        public var added = FieldSet()
        /// Paths whose value changed.
        public var modified = FieldSet()
        /// Paths that went.
        public var removed = FieldSet()

        /// Whether nothing changed.
        public var isEmpty: Bool { added.isEmpty && modified.isEmpty && removed.isEmpty }

        /// The changes outside of some paths.
        public func excluding(_ paths: FieldSet) -> Changes {
            if paths.isEmpty { return self }
            return Changes(
                added: added.excluding(paths),
                modified: modified.excluding(paths),
                removed: removed.excluding(paths)
            )
        }
    }

    /// The paths that an applied configuration claims.
    public static func claimed(by value: JSONValue, _ node: SchemaNode) -> FieldSet {
        FieldSet(tree: below(value, node) ?? [:])
    }

    /// What changed from one value to another.
    public static func compare(_ old: JSONValue, _ new: JSONValue, _ node: SchemaNode) -> Changes {
        let found = Difference.between(old, new, node, depth: 0)
        return Changes(
            added: FieldSet(tree: found.added ?? [:]),
            modified: FieldSet(tree: found.modified ?? [:]),
            removed: FieldSet(tree: found.removed ?? [:])
        )
    }

    /// The set with every struct field that has a member below it as a member of its own.
    public static func withNamedFields(_ set: FieldSet, _ node: SchemaNode) -> FieldSet {
        FieldSet(tree: named(set.tree, node))
    }

    private static func named(_ tree: JSONObject, _ node: SchemaNode?) -> JSONObject {
        FieldNode.children(tree) { step, below in
            let next = node?.owned(step)
            var inner = named(below, next?.node)
            if FieldNode.isMember(below) || next?.isDeclared == true, !inner.isEmpty { inner[FieldNode.own] = .object([:]) }
            return inner
        }
    }

    /// What a value claims below the path that leads to it; nil when nothing, empty when the path itself.
    private static func below(_ value: JSONValue, _ node: SchemaNode) -> JSONObject? {
        switch node.ownership(of: value) {
        case .leaf: return [:]
        case .map:
            guard case .object(let object) = value else { return nil }
            return entries(object, node)
        case .list:
            guard case .array(let list) = value else { return nil }
            var result = JSONObject()
            for element in ElementIndex(list, node).entries {
                guard element.rest.isEmpty, let inner = below(element.first, node.element ?? .anything) else {
                    result[element.step] = .object([:])
                    continue
                }
                result[element.step] = .object(FieldNode.make(isMember: true, inner) ?? [:])
            }
            return result.isEmpty ? nil : result
        }
    }

    private static func entries(_ object: JSONObject, _ node: SchemaNode) -> JSONObject? {
        var result = JSONObject()
        for (key, item) in object {
            let field = node.shape == .object ? node.field(key) : nil
            let inner = below(item, field?.node ?? node.element ?? .anything)
            let isOwn = field == nil || item == .null || item == .object([:])
            guard let inner else {
                if isOwn { result["f:\(key)"] = .object([:]) }
                continue
            }
            result["f:\(key)"] = .object(isOwn ? FieldNode.make(isMember: true, inner) ?? [:] : inner)
        }
        return result.isEmpty ? nil : result
    }
}

/// What came, changed and went at a path and below. Nil: nothing; empty: the path itself.
private struct Difference {
    var added: JSONObject?
    var modified: JSONObject?
    var removed: JSONObject?

    private static let none = Difference()
    /// Down to this depth equal values are recognised as a whole; below, the walk itself is as cheap.
    private static let equalityDepth = 2

    static func between(_ old: JSONValue?, _ new: JSONValue?, _ node: SchemaNode, depth: Int) -> Difference {
        guard let new else { return old.map { Difference(removed: whole($0, node)) } ?? none }
        guard let old else { return Difference(added: whole(new, node)) }
        if depth <= equalityDepth, old == new { return none }
        switch node.ownership(of: new) {
        case .leaf: return leaf(old, new)
        case .map:
            let (left, right) = (old.object ?? [:], new.object ?? [:])
            if left.isEmpty, right.isEmpty { return leaf(old, new) }
            return maps(left, right, node, depth)
        case .list:
            let (left, right) = (old.array ?? [], new.array ?? [])
            if left.isEmpty, right.isEmpty { return leaf(old, new) }
            return lists(left, right, node, depth)
        }
    }

    private static func leaf(_ old: JSONValue, _ new: JSONValue) -> Difference {
        old == new ? none : Difference(modified: [:])
    }

    /// A value that came or went as a whole: every path in it, its own included. What creations are made of.
    private static func whole(_ value: JSONValue, _ node: SchemaNode) -> JSONObject {
        switch (node.ownership(of: value), value) {
        case (.map, .object(let object)):
            if object.isEmpty { return object }
            var result = JSONObject()
            result.reserveCapacity(object.count + 1)
            result.appendInOrder(FieldNode.own, FieldNode.nothing)
            let body = node.shape == .object ? node.body : nil
            // The order of the steps is the order of the keys: the same two bytes stand before each.
            for (key, item) in object {
                if let field = body?.field(key) {
                    result.appendInOrder(field.step, whole(step: item, field.node))
                } else {
                    result.appendInOrder("f:" + key, whole(step: item, node.element ?? .anything))
                }
            }
            return result
        case (.list, .array(let list)):
            if list.isEmpty { return [:] }
            var result = JSONObject()
            result.reserveCapacity(list.count + 1)
            result.appendInOrder(FieldNode.own, FieldNode.nothing)
            for entry in ElementIndex(list, node).entries {
                result.append(entry.step, entry.rest.isEmpty ? whole(step: entry.first, node.element ?? .anything) : FieldNode.nothing)
            }
            return result
        default: return [:]
        }
    }

    /// The same as a member's value; what ends here, as most do, without an object of its own.
    private static func whole(step value: JSONValue, _ node: SchemaNode) -> JSONValue {
        switch value {
        case .object, .array: .object(whole(value, node))
        default: FieldNode.nothing
        }
    }

    private mutating func put(_ step: String, _ below: Difference) {
        if let node = below.added { Self.put(step, node, &added) }
        if let node = below.modified { Self.put(step, node, &modified) }
        if let node = below.removed { Self.put(step, node, &removed) }
    }

    private static func put(_ step: String, _ node: JSONObject, _ tree: inout JSONObject?) {
        if tree == nil { tree = [:] }
        tree?.append(step, .object(node))
    }

    private static func maps(_ left: JSONObject, _ right: JSONObject, _ node: SchemaNode, _ depth: Int) -> Difference {
        var result = Difference()
        func type(_ key: String) -> SchemaNode {
            (node.shape == .object ? node.field(key)?.node : nil) ?? node.element ?? .anything
        }
        for (key, item) in right {
            let other = left[key]
            if case .string(let a) = item, case .string(let b)? = other, a == b { continue }
            let below = between(other, item, type(key), depth: depth + 1)
            if !below.isNone { result.put("f:" + key, below) }
        }
        for (key, item) in left where !right.contains(key) {
            result.put("f:" + key, between(item, nil, type(key), depth: depth + 1))
        }
        return result
    }

    private var isNone: Bool { added == nil && modified == nil && removed == nil }

    private static func lists(_ left: [JSONValue], _ right: [JSONValue], _ node: SchemaNode, _ depth: Int) -> Difference {
        var result = Difference()
        let element = node.element ?? .anything
        let before = ElementIndex(left, node)
        let after = ElementIndex(right, node)
        for new in after.entries {
            guard let old = before.entry(new.step) else {
                result.put(new.step, new.rest.isEmpty ? between(nil, new.first, element, depth: depth + 1) : Difference(added: [:]))
                continue
            }
            result.put(new.step, twins(old, new, element, depth))
        }
        for old in before.entries where after.entry(old.step) == nil {
            result.put(old.step, old.rest.isEmpty ? between(old.first, nil, element, depth: depth + 1) : Difference(removed: [:]))
        }
        return result
    }

    /// Elements of the same identity on both sides; those that occur twice count as a whole.
    private static func twins(
        _ old: ElementIndex.Entry,
        _ new: ElementIndex.Entry,
        _ element: SchemaNode,
        _ depth: Int
    ) -> Difference {
        switch (old.rest.isEmpty, new.rest.isEmpty) {
        case (true, true): return between(old.first, new.first, element, depth: depth + 1)
        case (false, false): return old.first == new.first && old.rest == new.rest ? none : Difference(modified: [:])
        case (false, true):
            var result = between(nil, new.first, element, depth: depth + 1)
            result.removed = [:]
            return result
        case (true, false):
            var result = between(old.first, nil, element, depth: depth + 1)
            result.added = [:]
            return result
        }
    }
}

/// The elements of a granular list by what tells them apart.
struct ElementIndex {
    struct Entry {
        let step: String
        let first: JSONValue
        /// More elements of the same identity; upstream tolerates them in what was stored before it checked.
        var rest: [JSONValue] = []
    }

    /// In the order of the list.
    private(set) var entries: [Entry] = []
    private var places: [String: Int] = [:]
    /// Lists up to this length are searched.
    private static let searchedLength = 8

    init(_ list: [JSONValue], _ node: SchemaNode) {
        entries.reserveCapacity(list.count)
        for item in list {
            guard let step = node.step(of: item) else { continue }
            if let index = place(step) {
                entries[index].rest.append(item)
                continue
            }
            if list.count > Self.searchedLength { places[step] = entries.count }
            entries.append(Entry(step: step, first: item))
        }
        isIndexed = list.count > Self.searchedLength
    }

    private var isIndexed = false

    private func place(_ step: String) -> Int? {
        if !places.isEmpty || isIndexed { return places[step] }
        return entries.firstIndex { $0.step == step }
    }

    func entry(_ step: String) -> Entry? { place(step).map { entries[$0] } }
}

extension SchemaNode {
    /// How a value of the type is owned.
    enum Ownership { case leaf, map, list }

    func ownership(of value: JSONValue) -> Ownership {
        switch shape {
        case .object, .map: return body.atomicMap ? .leaf : .map
        case .list: return listType == .atomic ? .leaf : .list
        case .any, .anyObject:
            // What has no type is taken apart by what it is; its lists are replaced as a whole.
            if case .object = value, !body.atomicMap { return .map }
            return .leaf
        default: return .leaf
        }
    }

    /// The type behind a step, and whether the step is a field the type declares.
    func owned(_ step: String) -> (node: SchemaNode, isDeclared: Bool)? {
        if step.hasPrefix("f:") {
            guard shape == .object, let field = field(String(step.dropFirst(2))) else { return element.map { ($0, false) } }
            return (field.node, true)
        }
        guard step.hasPrefix("k:"), shape == .list else { return nil }
        return element.map { ($0, false) }
    }

    /// What tells an element of a granular list apart; nil when it cannot be told.
    func step(of item: JSONValue) -> String? {
        switch listType {
        case .atomic: return nil
        case .set:
            switch item {
            case .object, .array: return nil
            default: return "v:\(item)"
            }
        case .map(let keys):
            guard case .object(let object) = item else { return nil }
            // The usual single string key, without building an object for it.
            if keys.count == 1, case .string(let text)? = object[keys[0]], let quoted = Self.plainQuoted(text) {
                return "k:{\"\(keys[0])\":\(quoted)}"
            }
            var identity = JSONObject()
            for key in keys {
                if let given = object[key] ?? defaultKey(key) { identity[key] = given }
            }
            return identity.isEmpty ? nil : "k:\(JSONValue.object(identity))"
        }
    }

    private func defaultKey(_ key: String) -> JSONValue? {
        guard let field = element?.field(key) else { return nil }
        return field.rare?.defaultValue ?? field.node.defaultValue
    }

    private static func plainQuoted(_ text: String) -> String? {
        for byte in text.utf8 where byte < 0x20 || byte > 0x7e || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return nil }
        return "\"\(text)\""
    }
}
