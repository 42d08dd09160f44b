import APITypes
import Schema
import Testing

/// What `kubectl explain` has to tell.
@Suite struct DescriptionTests {
    static let served = BuiltinResources.all.flatMap { kind in kind.versions.map(\.schema) }

    @Test func `every served kind has a text, and so have its own fields`() {
        for node in Self.served {
            #expect(!node.body.description.isEmpty, "\(node.name)")
            for field in node.fields where ["apiVersion", "kind", "metadata", "spec", "status"].contains(field.name) {
                #expect(field.rare?.description.isEmpty == false, "\(node.name).\(field.name)")
            }
        }
    }

    /// The kinds that people write and read, down to their last field.
    static let everyday = [
        "core.v1.Pod", "core.v1.ReplicationController", "apps.v1.Deployment", "apps.v1.ReplicaSet", "apps.v1.StatefulSet",
        "apps.v1.DaemonSet", "batch.v1.Job", "batch.v1.CronJob", "core.v1.Service", "core.v1.Endpoints", "discovery.v1.EndpointSlice",
        "networking.v1.Ingress", "networking.v1.IngressClass", "networking.v1.NetworkPolicy", "core.v1.ConfigMap", "core.v1.Secret",
        "core.v1.PersistentVolume", "core.v1.PersistentVolumeClaim", "storage.v1.StorageClass", "rbac.v1.Role", "rbac.v1.ClusterRole",
        "rbac.v1.RoleBinding", "rbac.v1.ClusterRoleBinding", "autoscaling.v1.HorizontalPodAutoscaler",
        "autoscaling.v2.HorizontalPodAutoscaler", "policy.v1.PodDisruptionBudget", "core.v1.Node", "core.v1.Namespace",
        "core.v1.ServiceAccount", "core.v1.Event", "events.v1.Event", "coordination.v1.Lease", "core.v1.ResourceQuota",
        "core.v1.LimitRange", "scheduling.v1.PriorityClass", "node.v1.RuntimeClass",
    ]

    @Test(arguments: everyday)
    func `every field of an everyday kind has a text`(kind: String) {
        var seen: Set<String> = []
        describe(BuiltinSchema.node("io.k8s.api.\(kind)"), &seen)
        #expect(!seen.isEmpty)
    }

    @Test func `every field of a definition has a text`() {
        var seen: Set<String> = []
        describe(BuiltinSchema.node("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"), &seen)
        #expect(seen.count > 20)
    }

    private func describe(_ node: SchemaNode, _ seen: inout Set<String>) {
        if let element = node.element { describe(element, &seen) }
        guard !node.name.isEmpty, seen.insert(node.name).inserted else { return }
        for field in node.fields {
            #expect(field.rare?.description.isEmpty == false, "\(node.name).\(field.name)")
            describe(field.node, &seen)
        }
    }

    @Test func `texts are whole sentences of moderate length`() {
        let table = BuiltinSchema.table()
        for node in table.names.compactMap({ table.node($0) }) {
            for text in node.fields.compactMap({ $0.rare?.description }) + [node.body.description] where !text.isEmpty {
                #expect(text.hasSuffix(".") && text.utf8.count < 200, "\(text)")
            }
        }
    }
}
