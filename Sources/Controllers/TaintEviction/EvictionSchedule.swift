import APIModel
import APITypes
import Units

/// When each pod on a tainted node has to leave. A state machine owned by the run loop of the controller.
public struct EvictionSchedule: Sendable {
    /// What became of a pod's eviction.
    public enum Change: Sendable, Hashable {
        /// Nothing new.
        case none
        /// It has to go at this time.
        case due(Timestamp)
        /// It may stay after all.
        case cancelled
    }

    struct Entry: Sendable, Hashable {
        var created: Timestamp
        var due: Timestamp
    }

    private(set) var entries: [String: Entry] = [:]

    /// Nobody has to go.
    public init() {}

    /// Decides about a pod on a node with these `NoExecute` taints.
    public mutating func observe(_ key: String, tolerations: [Toleration], taints: [Taint], now: Timestamp) -> Change {
        guard !taints.isEmpty else { return cancel(key) }
        var used: [Toleration] = []
        for taint in taints {
            guard let toleration = tolerations.first(where: { $0.tolerates(taint) }) else {
                let known = entries[key]
                if let known, known.due <= now { return .due(known.due) }
                entries[key] = Entry(created: now, due: now)
                return .due(now)
            }
            used.append(toleration)
        }
        guard let seconds = used.compactMap(\.tolerationSeconds).min() else { return cancel(key) }
        let rest = Duration.seconds(max(0, seconds))
        if let entry = entries[key] {
            let due = entry.created + rest
            // The clock started with the first taint; a later look does not prolong it.
            if due == entry.due || due < now + rest { return .none }
            entries[key] = Entry(created: entry.created, due: due)
            return .due(due)
        }
        entries[key] = Entry(created: now, due: now + rest)
        return .due(now + rest)
    }

    /// The pod is gone, or its node has no taints left.
    public mutating func cancel(_ key: String) -> Change {
        entries.removeValue(forKey: key) == nil ? .none : .cancelled
    }

    /// Whether a pod has to go some time.
    public func knows(_ key: String) -> Bool { entries[key] != nil }

    /// Whether a pod's time has come.
    public func isDue(_ key: String, now: Timestamp) -> Bool { entries[key].map { $0.due <= now } ?? false }

    /// The pods whose time has come; they are forgotten here.
    public mutating func takeDue(now: Timestamp) -> [String] {
        let due = entries.filter { $0.value.due <= now }.sorted { $0.value.due < $1.value.due }.map(\.key)
        for key in due { entries[key] = nil }
        return due
    }

    /// The time of the next eviction.
    public var next: Timestamp? { entries.values.map(\.due).min() }
}

extension Toleration {
    /// Whether a pod with this toleration may stay on a node with the taint.
    public func tolerates(_ taint: Taint) -> Bool {
        if !effect.isEmpty, effect != taint.effect { return false }
        if !key.isEmpty, key != taint.key { return false }
        switch `operator` {
        case "", "Equal": return value == taint.value && !(key.isEmpty && `operator` != "Exists")
        case "Exists": return true
        case "Lt", "Gt":
            guard let wanted = Int64(value), let present = Int64(taint.value) else { return false }
            return `operator` == "Lt" ? present < wanted : present > wanted
        default: return false
        }
    }
}
