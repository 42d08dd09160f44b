import Channels
import HTTPTransport
import Testing
import Values

@testable import APIServer

/// The clock stands still, so that a busy machine has all the time that an answer takes.
@Suite("What was answered is in force")
struct FreshnessTests {
    private static let roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    private static let admission = "/apis/admissionregistration.k8s.io/v1"
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test func `a right that was granted or taken back is so with the next request`() async throws {
        try await withCluster(clock: ManualClock()) { cluster in
            let role: JSONValue = [
                "metadata": ["name": "reader"],
                "rules": [["apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]]],
            ]
            #expect(try await cluster.post("\(Self.roles)/roles", role).status == 201)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<4 { group.addTask { try await Self.comeAndGo(cluster, client) } }
                try await group.waitForAll()
            }
        }
    }

    private static func comeAndGo(_ cluster: TestCluster, _ client: Int) async throws {
        let user = InProcessUser(name: "u\(client)", groups: [])
        let binding: JSONValue = [
            "metadata": ["name": .string("b\(client)")],
            "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"],
            "subjects": [["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": .string("u\(client)")]],
        ]
        for round in 0..<100 {
            #expect(try await cluster.post("\(roles)/rolebindings", binding).status == 201)
            #expect(try await cluster.get(maps, user: user).status == 200, "granted, round \(round)")
            #expect(try await cluster.delete("\(roles)/rolebindings/b\(client)").status == 200)
            #expect(try await cluster.get(maps, user: user).status == 403, "taken back, round \(round)")
        }
    }

    @Test func `a policy binds, and no longer binds, the next request`() async throws {
        try await withCluster(clock: ManualClock()) { cluster in
            let rule: JSONValue = ["apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]]
            let policy: JSONValue = [
                "metadata": ["name": "p"],
                "spec": ["matchConstraints": ["resourceRules": [rule]], "validations": [["expression": "false"]]],
            ]
            #expect(try await cluster.post("\(Self.admission)/validatingadmissionpolicies", policy).status == 201)
            let binding: JSONValue = ["metadata": ["name": "b"], "spec": ["policyName": "p", "validationActions": ["Deny"]]]
            for round in 0..<100 {
                #expect(try await cluster.post("\(Self.admission)/validatingadmissionpolicybindings", binding).status == 201)
                let refused = try await cluster.post("\(Self.maps)?dryRun=All", ["metadata": ["name": "m"]])
                #expect(refused.status == 422, "bound, round \(round): \(refused.text)")
                #expect(try await cluster.delete("\(Self.admission)/validatingadmissionpolicybindings/b").status == 200)
                let made = try await cluster.post("\(Self.maps)?dryRun=All", ["metadata": ["name": "m"]])
                #expect(made.status == 201, "free, round \(round): \(made.text)")
            }
        }
    }
}
