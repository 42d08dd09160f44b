import APIClient
import APITypes
import Testing
import Values

@testable import Controllers

@Suite(.serialized) struct ClusterRoleSimulation {
    private func role(_ name: String, _ resource: String, labels: [String: String]) -> ClusterRole {
        var role = ClusterRole(name: name)
        role.metadata.labels = labels
        role.fields["rules"] = [["apiGroups": ["example.com"], "resources": [.string(resource)], "verbs": ["get"]]]
        return role
    }

    private func resources(_ cluster: SimulatedCluster, _ name: String) async throws -> Set<String> {
        Set(try await cluster.client.get(ClusterRole.self, name: name).rules.flatMap(\.resources))
    }

    @Test func `admin holds what edit and view hold, and what users add to them`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.wait("the default roles") {
                let (view, edit) = (try await resources(cluster, "view"), try await resources(cluster, "edit"))
                let admin = try await resources(cluster, "admin")
                return view.contains("configmaps") && !view.contains("secrets") && edit.contains("secrets")
                    && admin.contains("rolebindings") && admin.isSuperset(of: edit) && edit.isSuperset(of: view)
            }
            let admin = try await cluster.client.get(ClusterRole.self, name: "admin")
            let owner = admin.fields["metadata"]?["managedFields"]?.array?.first { $0["manager"] == "clusterrole-aggregation-controller" }
            #expect(owner?["operation"] == "Apply")
            #expect(owner?.value(at: ["fieldsV1", "f:rules"]) != nil)
            try await cluster.client.create(role("things", "things", labels: ["rbac.authorization.k8s.io/aggregate-to-view": "true"]))
            try await cluster.wait("a role of a user reaches admin by way of view and edit") {
                try await resources(cluster, "admin").contains("things")
            }
            var own = ClusterRole(name: "monitoring")
            own.fields["aggregationRule"] = ["clusterRoleSelectors": [["matchLabels": ["monitoring": "true"]]]]
            own.fields["rules"] = [["apiGroups": [""], "resources": ["nodes"], "verbs": ["delete"]]]
            try await cluster.client.create(own)
            try await cluster.client.create(role("scrapes", "scrapes", labels: ["monitoring": "true"]))
            try await cluster.wait("what was written by hand gives way") { try await resources(cluster, "monitoring") == ["scrapes"] }
            try await cluster.client.delete(ClusterRole.self, name: "scrapes")
            try await cluster.wait("the rules go with their role") { try await resources(cluster, "monitoring").isEmpty }
        }
    }
}
