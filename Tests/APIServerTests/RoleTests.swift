import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct RoleTests {
    private static let rbac = "/apis/rbac.authorization.k8s.io/v1"
    private static let app = InProcessUser(name: "system:serviceaccount:default:app", groups: ["system:serviceaccounts"])

    @Test func `the default roles are stored`() async throws {
        try await withCluster { cluster in
            #expect(try await cluster.get("\(Self.rbac)/clusterroles")["items"]?.array?.count == 69)
            let admin = try await cluster.get("\(Self.rbac)/clusterroles/admin")
            #expect(admin["metadata", "labels", "kubernetes.io/bootstrapping"] == "rbac-defaults")
            #expect(try await cluster.get("\(Self.rbac)/clusterrolebindings/cluster-admin")["subjects", "0", "name"] == "system:masters")
            await RoleObjects(server: cluster.server).ensure()
            #expect(
                try await cluster.get("\(Self.rbac)/clusterroles/admin")["metadata", "resourceVersion"]
                    == admin["metadata", "resourceVersion"]
            )
        }
    }

    /// Writes what the controller that puts roles together would.
    private func give(_ role: String, _ rules: JSONValue, _ cluster: TestCluster) async throws {
        let given = try await cluster.patch("\(Self.rbac)/clusterroles/\(role)", ["rules": rules])
        #expect(given.status == 200, "\(given.text)")
    }

    @Test func `the controllers may write rules that they do not hold`() async throws {
        try await withCluster { cluster in
            let controllers = InProcessUser(name: "system:kube-controller-manager")
            let role: JSONValue = [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": ["name": "view"],
                "rules": [["apiGroups": ["example.com"], "resources": ["things"], "verbs": ["dance"]]],
            ]
            let target = "\(Self.rbac)/clusterroles/view?fieldManager=clusterrole-aggregation-controller&force=true"
            let type = "application/apply-patch+yaml"
            let applied = try await cluster.send("PATCH", target, role.encoded(), type: type, user: controllers)
            #expect(applied.status == 200, "\(applied.text)")
            let scheduler = InProcessUser(name: "system:kube-scheduler")
            let refused = try await cluster.send("PATCH", target, role.encoded(), type: type, user: scheduler)
            #expect(refused.status == 403)
        }
    }

    @Test func `a service account may what a binding gives it, at once`() async throws {
        try await withCluster { cluster in
            let pods = "/api/v1/namespaces/default/pods"
            #expect(try await cluster.get(pods, user: Self.app).status == 403)
            try await give("edit", [["apiGroups": [""], "resources": ["pods"], "verbs": ["list"]]], cluster)
            let binding: JSONValue = [
                "metadata": ["name": "app"], "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"],
                "subjects": [["kind": "ServiceAccount", "name": "app", "namespace": "default"]],
            ]
            #expect(try await cluster.post("\(Self.rbac)/namespaces/default/rolebindings", binding).status == 201)
            try await eventually { try await cluster.get(pods, user: Self.app).status == 200 }
            #expect(try await cluster.get("/api/v1/namespaces/kube-system/pods", user: Self.app).status == 403)
            // It may not hand on what it does not hold.
            var stolen = binding
            stolen["metadata"] = ["name": "stolen"]
            stolen["roleRef"] = ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"]
            #expect(try await cluster.post("\(Self.rbac)/namespaces/default/rolebindings", stolen, user: Self.app).status == 403)
            #expect(try await cluster.delete("\(Self.rbac)/namespaces/default/rolebindings/app").status == 200)
            try await eventually { try await cluster.get(pods, user: Self.app).status == 403 }
        }
    }

    @Test func `a user is told all he may do`() async throws {
        try await withCluster { cluster in
            let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
            let review: JSONValue = ["spec": ["namespace": "default"]]
            let all = try await cluster.post(path, review)
            #expect(all["status", "resourceRules", "0"] == ["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]])
            let jane = try await cluster.post(path, review, user: InProcessUser(name: "jane"))
            #expect(jane.status == 201, "\(jane.text)")
            let resources = jane["status", "resourceRules"]?.array?.compactMap { $0["resources"]?[0]?.string } ?? []
            #expect(resources.contains("selfsubjectaccessreviews"))
            #expect(jane["status", "incomplete"] == false)
        }
    }

    @Test func `who may write roles may not write more than he may`() async throws {
        try await withCluster { cluster in
            let binding: JSONValue = [
                "metadata": ["name": "boss"], "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"],
                "subjects": [["kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "boss"]],
            ]
            let held: JSONValue = [
                ["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]],
                ["apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["create", "list"]],
            ]
            try await give("admin", held, cluster)
            let bindings = "\(Self.rbac)/namespaces/default/rolebindings"
            #expect(try await cluster.post(bindings, binding).status == 201)
            let boss = InProcessUser(name: "boss")
            try await eventually { try await cluster.get(bindings, user: boss).status == 200 }
            let roles = "\(Self.rbac)/namespaces/default/roles"
            let fine: JSONValue = ["metadata": ["name": "fine"], "rules": [["apiGroups": [""], "resources": ["pods"], "verbs": ["get"]]]]
            #expect(try await cluster.post(roles, fine, user: boss).status == 201)
            let greedy: JSONValue = ["metadata": ["name": "g"], "rules": [["apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]]]]
            let refused = try await cluster.post(roles, greedy, user: boss)
            #expect(refused.status == 403)
            #expect(refused.message.contains("is attempting to grant RBAC permissions not currently held"))
        }
    }
}
