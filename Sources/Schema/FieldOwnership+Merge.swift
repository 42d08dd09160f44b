import Values

extension FieldOwnership {
    /// Lays an applied configuration over the live value.
    public static func merge(_ live: JSONValue, _ applied: JSONValue, _ node: SchemaNode) -> JSONValue {
        merged(live, applied, node) ?? .null
    }

    private static func merged(_ live: JSONValue?, _ applied: JSONValue?, _ node: SchemaNode) -> JSONValue? {
        guard let given = applied ?? live else { return nil }
        switch node.ownership(of: given) {
        case .leaf: return given
        case .map:
            let (left, right) = (live?.object ?? [:], applied?.object ?? [:])
            if left.isEmpty, right.isEmpty { return given }
            var result = left
            for (key, item) in right {
                let type = (node.shape == .object ? node.field(key)?.node : nil) ?? node.element ?? .anything
                result[key] = merged(left[key], item, type)
            }
            return .object(result)
        case .list:
            let (left, right) = (live?.array ?? [], applied?.array ?? [])
            if left.isEmpty, right.isEmpty { return given }
            return .array(lists(left, right, node))
        }
    }

    /// The applied order wins; what only the live list has stays in front of its next neighbour that both have.
    private static func lists(_ left: [JSONValue], _ right: [JSONValue], _ node: SchemaNode) -> [JSONValue] {
        let element = node.element ?? .anything
        let known = ElementIndex(left, node)
        let wanted = ElementIndex(right, node)
        var result: [JSONValue] = []
        result.reserveCapacity(left.count + right.count)
        var shared = wanted.entries.lazy.map(\.step).filter { known.entry($0) != nil }.makeIterator()
        var nextShared = shared.next()
        var (leftIndex, rightIndex) = (0, 0)
        var taken: Set<String> = []

        func put(_ entry: ElementIndex.Entry) {
            taken.insert(entry.step)
            // An element that occurs twice in the live list has no one value to merge with.
            let live = known.entry(entry.step).flatMap { $0.rest.isEmpty ? $0.first : nil }
            if let value = merged(live, entry.first, element) { result.append(value) }
        }
        while leftIndex < left.count || rightIndex < wanted.entries.count {
            let step = leftIndex < left.count ? node.step(of: left[leftIndex]) : nil
            if leftIndex < left.count, rightIndex < wanted.entries.count, let step {
                if step == wanted.entries[rightIndex].step {
                    put(wanted.entries[rightIndex])
                    leftIndex += 1
                    rightIndex += 1
                    nextShared = shared.next()
                    continue
                }
                if wanted.entry(step) != nil, let nextShared, nextShared != step {
                    leftIndex += 1
                    continue
                }
            }
            if leftIndex < left.count {
                guard let step, wanted.entry(step) != nil else {
                    result.append(left[leftIndex])
                    leftIndex += 1
                    continue
                }
                if taken.contains(step) { leftIndex += 1 }
            }
            guard rightIndex < wanted.entries.count else { continue }
            let entry = wanted.entries[rightIndex]
            put(entry)
            rightIndex += 1
            if nextShared == entry.step { nextShared = shared.next() }
        }
        return result
    }

    /// The value without the items of a set. A container of which only parts are named stays, empty if need be.
    public static func removing(_ items: FieldSet, from value: JSONValue, _ node: SchemaNode) -> JSONValue {
        guard !items.isEmpty else { return value }
        return removing(items.tree, value, node) ?? value.emptied
    }

    private static func removing(_ items: JSONObject, _ value: JSONValue, _ node: SchemaNode) -> JSONValue? {
        switch (node.ownership(of: value), value) {
        case (.map, .object(let object)):
            guard !object.isEmpty else { return nil }
            var result = JSONObject()
            var hadMatches = false
            for (key, item) in object {
                let type = (node.shape == .object ? node.field(key)?.node : nil) ?? node.element ?? .anything
                if let kept = remaining(items["f:\(key)"], item, type, &hadMatches) { result[key] = kept }
            }
            return result.isEmpty && !hadMatches ? nil : .object(result)
        case (.list, .array(let list)):
            guard !list.isEmpty else { return nil }
            var result: [JSONValue] = []
            var hadMatches = false
            for item in list {
                let found = node.step(of: item).flatMap { items[$0] }
                if let kept = remaining(found, item, node.element ?? .anything, &hadMatches) { result.append(kept) }
            }
            return result.isEmpty && !hadMatches ? nil : .array(result)
        case (.leaf, .object) where node.body.atomicMap, (.leaf, .array): return nil
        default: return value
        }
    }

    /// What stays of one item; nil when it goes.
    private static func remaining(
        _ found: JSONValue?,
        _ item: JSONValue,
        _ node: SchemaNode,
        _ hadMatches: inout Bool
    ) -> JSONValue? {
        guard case .object(let below)? = found else { return item }
        if FieldNode.isMember(below) { return nil }
        hadMatches = true
        return removing(below, item, node) ?? item.emptied
    }
}

extension JSONValue {
    /// An empty container of the same form, else null.
    fileprivate var emptied: JSONValue {
        switch self {
        case .object: .object([:])
        case .array: .array([])
        default: .null
        }
    }
}
