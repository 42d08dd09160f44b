import APIModel
import APITypes
import Synchronization
import Units

/// The selectors of all services, so that a change of a pod finds its services without decoding any.
/// Guarded by `state`; fed by the cache before any controller asks.
final class ServiceSelectors: Sendable {
    private let state = Mutex<[String: [String: [String: String]]]>([:])

    init(_ services: Cache<Service>) {
        services.observe { [weak self] in self?.changed($0) }
    }

    private func changed(_ change: CacheChange<Service>) {
        guard let summary = change.newSummary ?? change.oldSummary else { return }
        let selector = change.new?.spec.selector ?? [:]
        state.withLock { state in
            state[summary.namespace, default: [:]][summary.key] = selector.isEmpty ? nil : selector
            if state[summary.namespace]?.isEmpty == true { state[summary.namespace] = nil }
        }
    }

    /// The services of a namespace that select pods with any of these labels.
    func matching(_ labels: [[String: String]], namespace: String) -> Set<String> {
        let selectors = state.withLock { $0[namespace] ?? [:] }
        var keys: Set<String> = []
        for (key, selector) in selectors where labels.contains(where: { Self.selects(selector, $0) }) { keys.insert(key) }
        return keys
    }

    private static func selects(_ selector: [String: String], _ labels: [String: String]) -> Bool {
        selector.allSatisfy { labels[$0.key] == $0.value }
    }

    /// The keys of the services whose endpoints a change of a pod may alter.
    func concerned(by change: CacheChange<Pod>) -> Set<String> {
        guard let summary = change.newSummary ?? change.oldSummary else { return [] }
        var labels = [summary.labels]
        if let before = change.oldSummary?.labels, before != summary.labels { labels.append(before) }
        let keys = matching(labels, namespace: summary.namespace)
        if keys.isEmpty { return [] }
        if let old = change.old, let new = change.new, !Self.differ(old, new) { return [] }
        return keys
    }

    private static func differ(_ old: Pod, _ new: Pod) -> Bool {
        old.isBeingDeleted != new.isBeingDeleted || old.isReady != new.isReady || old.status.podIPs != new.status.podIPs
            || old.isFinished != new.isFinished || old.labels != new.labels || old.spec.hostname != new.spec.hostname
            || old.spec.subdomain != new.spec.subdomain || old.spec.nodeName != new.spec.nodeName
    }
}

extension Service {
    /// The pods it selects; nil for a service without selector.
    var podSelector: LabelSelector? {
        let labels = spec.selector
        return labels.isEmpty ? nil : LabelSelector(matchLabels: labels)
    }
}
