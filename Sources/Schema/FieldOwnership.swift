import Values

/// The operations of server-side apply on values of a type.
public enum FieldOwnership {
    /// What changed between two values.
    public struct Changes: Sendable {
        /// Paths that came.
        public var added = FieldSet()
        /// Paths whose value changed.
        public var modified = FieldSet()
        /// Paths that went.
        public var removed = FieldSet()
    }

    /// The paths that an applied configuration claims.
    public static func claimed(by value: JSONValue, _ node: SchemaNode) -> FieldSet {
        var set = FieldSet()
        for child in node.ownedChildren(of: value) ?? [] {
            let inner = child.node.ownedChildren(of: child.value)
            if let inner, !inner.isEmpty { set.setBelow(child.step, claimed(by: child.value, child.node)) }
            if child.isElement || inner == nil || inner?.isEmpty == true { set.insertMember(child.step) }
        }
        return set
    }

    /// What changed from one value to another.
    public static func compare(_ old: JSONValue, _ new: JSONValue, _ node: SchemaNode) -> Changes {
        var changes = Changes()
        let before = node.ownedChildren(of: old) ?? []
        let after = node.ownedChildren(of: new) ?? []
        var known: [FieldStep: SchemaNode.OwnedChild] = [:]
        for child in before { known[child.step] = child }
        for child in after {
            guard let other = known.removeValue(forKey: child.step) else {
                changes.added.insertMember(child.step)
                changes.added.setBelow(child.step, everything(below: child))
                continue
            }
            guard other.value != child.value else { continue }
            guard child.node.ownedChildren(of: child.value) != nil, other.node.ownedChildren(of: other.value) != nil
            else {
                changes.modified.insertMember(child.step)
                continue
            }
            let below = compare(other.value, child.value, child.node)
            changes.added.setBelow(child.step, below.added)
            changes.modified.setBelow(child.step, below.modified)
            changes.removed.setBelow(child.step, below.removed)
        }
        for child in before where known[child.step] != nil {
            changes.removed.insertMember(child.step)
            changes.removed.setBelow(child.step, everything(below: child))
        }
        return changes
    }

    /// Every path below a value, containers included.
    private static func everything(below child: SchemaNode.OwnedChild) -> FieldSet {
        var set = FieldSet()
        for inner in child.node.ownedChildren(of: child.value) ?? [] {
            set.insertMember(inner.step)
            set.setBelow(inner.step, everything(below: inner))
        }
        return set
    }

    /// Lays an applied configuration over the live value.
    public static func merge(_ live: JSONValue, _ applied: JSONValue, _ node: SchemaNode) -> JSONValue {
        guard let left = node.ownedChildren(of: live), let right = node.ownedChildren(of: applied) else {
            return applied
        }
        switch (live, applied) {
        case (.object(var object), .object):
            for child in right {
                guard case .field(let name) = child.step else { continue }
                object[name] = object[name].map { merge($0, child.value, child.node) } ?? child.value
            }
            return .object(object)
        case (.array, .array): return .array(mergeLists(left, right))
        default: return applied
        }
    }

    /// The applied order wins; what only the live list has stays in front of its next neighbour that both have.
    private static func mergeLists(
        _ left: [SchemaNode.OwnedChild],
        _ right: [SchemaNode.OwnedChild]
    ) -> [JSONValue] {
        let wanted = Set(right.map(\.step))
        var live: [FieldStep: SchemaNode.OwnedChild] = [:]
        for child in left { live[child.step] = child }
        var result: [JSONValue] = []
        var leftIndex = 0
        func takeLiveOnly() {
            while leftIndex < left.count, !wanted.contains(left[leftIndex].step) {
                result.append(left[leftIndex].value)
                leftIndex += 1
            }
        }
        for child in right {
            takeLiveOnly()
            guard let known = live[child.step] else {
                result.append(child.value)
                continue
            }
            result.append(merge(known.value, child.value, child.node))
            if leftIndex < left.count, left[leftIndex].step == child.step { leftIndex += 1 }
        }
        while leftIndex < left.count {
            takeLiveOnly()
            if leftIndex < left.count { leftIndex += 1 }
        }
        return result
    }

    /// Takes out what a manager gave up and nobody else owns.
    ///
    /// An element or entry that is given up goes as a whole, unless someone owns something in it; a struct goes when
    /// nothing is left in it.
    public static func remove(
        _ given: FieldSet,
        from value: JSONValue,
        keeping owned: FieldSet,
        _ node: SchemaNode
    ) -> JSONValue {
        guard let children = node.ownedChildren(of: value) else { return value }
        var kept: [(child: SchemaNode.OwnedChild, value: JSONValue)] = []
        for child in children {
            if !given.mentions(child.step) {
                kept.append((child, child.value))
                continue
            }
            if given.members.contains(child.step), !owned.mentions(child.step) { continue }
            let rest = remove(
                given.below(child.step),
                from: child.value,
                keeping: owned.below(child.step),
                child.node
            )
            if rest.isEmptyContainer, !child.value.isEmptyContainer, !owned.mentions(child.step) { continue }
            kept.append((child, rest))
        }
        if case .array = value { return .array(kept.map(\.value)) }
        var object = JSONObject()
        for (child, rest) in kept {
            if case .field(let name) = child.step { object[name] = rest }
        }
        return .object(object)
    }
}

extension JSONValue {
    fileprivate var isEmptyContainer: Bool {
        switch self {
        case .object(let object): object.isEmpty
        case .array(let list): list.isEmpty
        default: false
        }
    }
}

extension SchemaNode {
    /// A part of a value that can have an owner of its own.
    struct OwnedChild {
        let step: FieldStep
        let value: JSONValue
        let node: SchemaNode
        /// An element of a list, or an entry of a map: claimed itself, besides what is in it.
        let isElement: Bool
    }

    /// The parts of a value; nil when the value is owned as a whole.
    func ownedChildren(of value: JSONValue) -> [OwnedChild]? {
        switch (shape, value) {
        case (.object, .object(let object)) where !body.atomicMap:
            return object.map { key, item in
                OwnedChild(step: .field(key), value: item, node: field(key)?.node ?? .anything, isElement: false)
            }
        case (.map, .object(let object)) where !body.atomicMap:
            return object.map { key, item in
                OwnedChild(step: .field(key), value: item, node: element ?? .anything, isElement: true)
            }
        case (.list, .array(let list)): return ownedElements(list)
        default: return nil
        }
    }

    private func ownedElements(_ list: [JSONValue]) -> [OwnedChild]? {
        guard let element else { return nil }
        switch listType {
        case .atomic: return nil
        case .set: return list.map { OwnedChild(step: .value($0), value: $0, node: element, isElement: true) }
        case .map(let keys):
            return list.map { item in
                var identity = JSONObject()
                for key in keys {
                    if let given = item[key] ?? element.field(key)?.rare?.defaultValue { identity[key] = given }
                }
                return OwnedChild(step: .key(identity), value: item, node: element, isElement: true)
            }
        }
    }
}
