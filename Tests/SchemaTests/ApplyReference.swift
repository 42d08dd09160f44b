import Schema
import Values

/// Server-side apply once more, the slow and simple way: a value is the dictionary of its paths, ownership is a set of
/// paths, and everything is set arithmetic. Shares nothing with the implementation but the schema.
struct ApplyReference {
    typealias Path = [String]

    /// A leaf's value, or nil for a container.
    typealias Nodes = [Path: JSONValue?]

    static func flatten(_ value: JSONValue, _ node: SchemaNode) -> Nodes {
        var nodes: Nodes = [:]
        walk(value, node, [], &nodes)
        nodes[[]] = nil
        return nodes
    }

    private static func walk(_ value: JSONValue, _ node: SchemaNode, _ path: Path, _ nodes: inout Nodes) {
        switch (value, node.shape) {
        case (.object(let object), .object), (.object(let object), .map):
            if node.body.atomicMap { break }
            nodes[path] = .some(nil)
            for (key, item) in object {
                let type = node.shape == .map ? node.element : node.field(key)?.node
                walk(item, type ?? .anything, path + ["f:\(key)"], &nodes)
            }
            return
        case (.array(let list), .list):
            if node.listType == .atomic { break }
            nodes[path] = .some(nil)
            for item in list { walk(item, node.element ?? .anything, path + [step(item, node)], &nodes) }
            return
        default: break
        }
        nodes[path] = value
    }

    private static func step(_ item: JSONValue, _ node: SchemaNode) -> String {
        guard case .map(let keys) = node.listType else { return "v:\(item)" }
        return "k:{" + keys.sorted().compactMap { key in item[key].map { "\"\(key)\":\($0)" } }.joined(separator: ",") + "}"
    }

    /// Whether the last step of a path is a field that a struct declares.
    static func isDeclared(_ path: Path, _ root: SchemaNode) -> Bool {
        var node: SchemaNode? = root
        var isField = false
        for step in path {
            isField = node?.shape == .object && step.hasPrefix("f:")
            node = isField ? node?.field(String(step.dropFirst(2)))?.node : node?.element
        }
        return isField
    }

    /// What a configuration claims: its leaves, its list elements, its map entries and its empty maps.
    static func claimed(_ nodes: Nodes, _ root: SchemaNode, isEmptyMap: (Path) -> Bool) -> Set<Path> {
        Set(
            nodes.compactMap { path, leaf in
                if leaf != nil { return path }
                if path.last?.hasPrefix("k:") == true || !isDeclared(path, root) || isEmptyMap(path) { return path }
                return nil
            }
        )
    }

    struct Changes {
        var added: Set<Path> = []
        var modified: Set<Path> = []
        var removed: Set<Path> = []
    }

    static func compare(_ old: Nodes, _ new: Nodes) -> Changes {
        var changes = Changes()
        for (path, leaf) in new {
            guard let before = old[path] else {
                changes.added.insert(path)
                continue
            }
            if before != leaf { changes.modified.insert(path) }
        }
        for path in old.keys where new[path] == nil { changes.removed.insert(path) }
        return changes
    }

    static func merge(_ live: Nodes, _ applied: Nodes) -> Nodes { live.merging(applied) { $1 } }

    /// The set with every declared field above a member.
    static func named(_ set: Set<Path>, _ root: SchemaNode) -> Set<Path> {
        var result = set
        for path in set {
            for length in 1..<max(1, path.count) where isDeclared(Array(path.prefix(length)), root) {
                result.insert(Array(path.prefix(length)))
            }
        }
        return result
    }

    /// The nodes without those in a set and all below them.
    static func removing(_ set: Set<Path>, from nodes: Nodes) -> Nodes {
        nodes.filter { path, _ in !(1...max(1, path.count)).contains { set.contains(Array(path.prefix($0))) } }
    }

    let root: SchemaNode
    var owners: [String: Set<Path>] = [:]

    init(_ root: SchemaNode) { self.root = root }

    /// An apply with force: the nodes after it.
    mutating func apply(_ applied: Nodes, to live: Nodes, by manager: String) -> Nodes {
        func claimed(_ nodes: Nodes) -> Set<Path> {
            Self.claimed(nodes, root) { path in
                guard let leaf = nodes[path], leaf == nil,
                    !nodes.keys.contains(where: { $0.count == path.count + 1 && $0.starts(with: path) })
                else { return false }
                return self.isMap(path)
            }
        }
        let last = owners[manager] ?? []
        let own = claimed(applied)
        owners[manager] = own
        let merged = Self.merge(live, applied)
        var result = merged
        if !last.isEmpty {
            let named = Self.named(last, root)
            let pruned = Self.removing(named, from: merged)
            let all = Self.named(claimed(merged), root)
            let kept = Self.named(claimed(pruned), root)
            let owned = Self.named(owners.values.reduce(into: []) { $0.formUnion($1) }, root)
            let back = Self.removing(all.subtracting(kept.union(owned)), from: merged)
            let left = Self.named(claimed(back), root)
            result = Self.removing(all.subtracting(left).intersection(named), from: merged)
        }
        let changes = Self.compare(live, result)
        for name in owners.keys where name != manager {
            owners[name]?.subtract(changes.added.union(changes.modified).union(changes.removed))
        }
        return result
    }

    private func isMap(_ path: Path) -> Bool {
        var node: SchemaNode? = root
        for step in path {
            node = node?.shape == .object && step.hasPrefix("f:") ? node?.field(String(step.dropFirst(2)))?.node : node?.element
        }
        return node?.shape == .object || node?.shape == .map
    }
}
