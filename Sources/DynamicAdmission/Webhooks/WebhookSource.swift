import APIModel
import Access
import Synchronization
import Values

/// The webhooks of all configurations of one kind, read anew when a configuration has changed. Guarded by its mutex.
final class WebhookSource: Sendable {
    private struct Known {
        var revision: UInt64?
        var webhooks: [Webhook] = []
        /// The configurations as they were read, so that those that stay are not compiled again.
        var configurations: [String: (content: JSONValue, webhooks: [Webhook])] = [:]
    }

    private let resource: GroupResource
    private let lookup: any ClusterLookup
    private let known = Mutex(Known())

    /// The webhooks of `resource`, such as `mutatingwebhookconfigurations`.
    init(_ resource: String, lookup: any ClusterLookup) {
        self.resource = GroupResource(group: "admissionregistration.k8s.io", resource: resource)
        self.lookup = lookup
    }

    /// The webhooks by the names of their configurations, and in a configuration by its order. Costs a look at a number
    /// while nothing changes.
    var webhooks: [Webhook] {
        let revision = lookup.revision(resource)
        if let webhooks = known.withLock({ $0.revision == revision ? $0.webhooks : nil }) { return webhooks }
        let configurations = lookup.objects(resource, namespace: nil).map { object in
            (name: object.value(at: ["metadata", "name"])?.string ?? "", object: object)
        }.sorted { $0.name.compareBytes(with: $1.name) < 0 }
        return known.withLock { known in
            var next: [String: (content: JSONValue, webhooks: [Webhook])] = [:]
            var webhooks: [Webhook] = []
            for (name, object) in configurations {
                let content = object["webhooks"] ?? .null
                let own: [Webhook]
                if let before = known.configurations[name], before.content == content {
                    own = before.webhooks
                } else {
                    own = Webhook.all(of: object)
                }
                next[name] = (content, own)
                webhooks += own
            }
            known = Known(revision: revision, webhooks: webhooks, configurations: next)
            return webhooks
        }
    }
}
