import APIModel
import Access
import Store
import Synchronization
import Values

/// What the pods of each node refer to, so that a kubelet's request costs a look-up and not a walk over all pods.
///
/// Follows the pod cache; `state` guards the index. It may be a moment behind, so a miss is checked against the cache.
final class NodePods: Sendable {
    private struct State {
        /// References by pod key, by node. Read from the pod when first asked for.
        var nodes: [String: [String: PodNames?]] = [:]
    }

    private let state = Mutex(State())
    private let cache: ResourceCache

    init(cache: ResourceCache) {
        self.cache = cache
    }

    /// Follows the cache until it closes or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            do throws(StoreError) {
                try await cache.waitUntil(.zero)
                let (snapshot, watch) = try cache.snapshotAndWatch()
                state.withLock { $0 = State() }
                for pod in snapshot { note(pod) }
                while let events = try await watch.next() {
                    for event in events {
                        guard let pod = event.object else { continue }
                        if event.type == .deleted { forget(pod) } else { note(pod) }
                    }
                }
            } catch {
                guard error.code != .closed else { return }
            }
        }
    }

    /// Whether a pod of the node refers to the object.
    func refer(_ node: String, _ resource: String, _ namespace: String, _ name: String) -> Bool {
        let pods = state.withLock { $0.nodes[node] } ?? [:]
        let scope = "\(cache.prefix)\(namespace)/"
        for (key, known) in pods where key.hasPrefix(scope) {
            guard let names = known ?? read(key, node) else { continue }
            if names.contain(resource, name) { return true }
        }
        return false
    }

    private func read(_ key: String, _ node: String) -> PodNames? {
        // A pod made anew under the name may be on another node, and this index not know of it yet.
        guard let pod = cache.get(key), pod.index.fields["spec.nodeName"] == node, let value = try? JSONParser.parse(pod.bytes)
        else { return nil }
        let names = PodNames(value)
        state.withLock { state in
            guard state.nodes[node]?[key] != nil else { return }
            state.nodes[node]?.updateValue(names, forKey: key)
        }
        return names
    }

    private func note(_ pod: CachedObject) {
        guard let node = pod.index.fields["spec.nodeName"], !node.isEmpty else { return }
        state.withLock { state in
            // References are fixed when a pod is made, but for ephemeral containers, which a miss finds.
            guard state.nodes[node]?.index(forKey: pod.key) == nil else { return }
            state.nodes[node, default: [:]].updateValue(nil, forKey: pod.key)
        }
    }

    /// A pod that has a node keeps it, so that its last state names the one it was noted under.
    private func forget(_ pod: CachedObject) {
        guard let node = pod.index.fields["spec.nodeName"] else { return }
        state.withLock { state in
            state.nodes[node]?.removeValue(forKey: pod.key)
            if state.nodes[node]?.isEmpty == true { state.nodes[node] = nil }
        }
    }
}

/// The names a pod refers to, by resource.
private struct PodNames: Sendable {
    private static let resources = ["secrets", "configmaps", "persistentvolumeclaims", "serviceaccounts", "resourceclaims"]
    private let names: [String: Set<String>]

    init(_ pod: JSONValue) {
        names = Self.resources.reduce(into: [:]) { found, resource in
            let set = PodReferences.names(in: pod, of: resource)
            if !set.isEmpty { found[resource] = set }
        }
    }

    func contain(_ resource: String, _ name: String) -> Bool { names[resource]?.contains(name) ?? false }
}
