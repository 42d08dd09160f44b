/// Which watchers a change may concern, found by its namespace, name and field values. Guarded by the cache.
struct DispatchTable {
    private struct ObjectName: Hashable {
        let namespace: String
        let name: String
    }

    private var all: [Watcher] = []
    private var byNamespace: [String: [Watcher]] = [:]
    private var byObject: [ObjectName: [Watcher]] = [:]
    private var byName: [String: [Watcher]] = [:]
    /// Field label, then value.
    private var byField: [String: [String: [Watcher]]] = [:]
    /// How many watchers there are.
    private(set) var count = 0

    mutating func add(_ watcher: Watcher) {
        count += 1
        update(watcher.scope) { $0.append(watcher) }
    }

    mutating func remove(_ watcher: Watcher) {
        var isFound = false
        update(watcher.scope) { watchers in
            guard let index = watchers.firstIndex(where: { $0 === watcher }) else { return }
            watchers.remove(at: index)
            isFound = true
        }
        if isFound { count -= 1 }
    }

    mutating func removeAll() -> [Watcher] {
        var watchers: [Watcher] = []
        forEach { watchers.append($0) }
        self = DispatchTable()
        return watchers
    }

    func forEach(_ body: (Watcher) -> Void) {
        all.forEach(body)
        for group in byNamespace.values { group.forEach(body) }
        for group in byObject.values { group.forEach(body) }
        for group in byName.values { group.forEach(body) }
        for values in byField.values { for group in values.values { group.forEach(body) } }
    }

    /// Calls `body` once for every watcher whose scope the change touches, before or after it.
    func forEach(concernedBy change: CacheChange, _ body: (Watcher) -> Void) {
        all.forEach(body)
        guard let object = change.subject else { return }
        if !byNamespace.isEmpty { byNamespace[object.namespace]?.forEach(body) }
        if !byObject.isEmpty { byObject[ObjectName(namespace: object.namespace, name: object.name)]?.forEach(body) }
        if !byName.isEmpty { byName[object.name]?.forEach(body) }
        for (label, values) in byField {
            let now = change.current.map { $0.index.fields[label] ?? "" }
            let before = change.previous.map { $0.index.fields[label] ?? "" }
            if let now { values[now]?.forEach(body) }
            if let before, before != now { values[before]?.forEach(body) }
        }
    }

    private mutating func update(_ scope: WatchScope, _ body: (inout [Watcher]) -> Void) {
        switch scope {
        case .all:
            body(&all)
        case .namespace(let namespace):
            body(&byNamespace[namespace, default: []])
            if byNamespace[namespace]?.isEmpty ?? false { byNamespace[namespace] = nil }
        case .object(let namespace, let name):
            let key = ObjectName(namespace: namespace, name: name)
            body(&byObject[key, default: []])
            if byObject[key]?.isEmpty ?? false { byObject[key] = nil }
        case .name(let name):
            body(&byName[name, default: []])
            if byName[name]?.isEmpty ?? false { byName[name] = nil }
        case .field(let label, let value):
            body(&byField[label, default: [:]][value, default: []])
            if byField[label]?[value]?.isEmpty ?? false { byField[label]?[value] = nil }
            if byField[label]?.isEmpty ?? false { byField[label] = nil }
        }
    }
}
