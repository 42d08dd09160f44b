import APIModel
import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite("Flow control follows its objects")
struct FlowFollowingTests {
    private static let group = "/apis/flowcontrol.apiserver.k8s.io/v1"
    private static let schemaHeader = "X-Kubernetes-PF-FlowSchema-UID"

    /// A level and a schema that change in the same moment are followed by two tasks.
    @Test func `what changes at the same time is all taken over`() async throws {
        try await withCluster { cluster in
            let level: JSONValue = [
                "metadata": ["name": "tests"],
                "spec": ["type": "Limited", "limited": ["nominalConcurrencyShares": 5, "limitResponse": ["type": "Reject"]]],
            ]
            #expect(try await cluster.post("\(Self.group)/prioritylevelconfigurations", level).status == 201)
            for round in 0..<40 {
                let schema: JSONValue = [
                    "metadata": ["name": .string("s\(round)")],
                    "spec": [
                        "priorityLevelConfiguration": ["name": "tests"], "matchingPrecedence": 10,
                        "rules": [
                            [
                                "subjects": [["kind": "User", "user": ["name": .string("u\(round)")]]],
                                "resourceRules": [
                                    [
                                        "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": true,
                                        "namespaces": ["*"],
                                    ]
                                ],
                            ]
                        ],
                    ],
                ]
                async let changed = cluster.patch(
                    "\(Self.group)/prioritylevelconfigurations/tests",
                    ["spec": ["limited": ["nominalConcurrencyShares": .integer(Int64(10 + round))]]]
                )
                let made = try await cluster.post("\(Self.group)/flowschemas", schema)
                #expect(made.status == 201, "\(made.text)")
                let patched = try await changed
                #expect(patched.status == 200, "\(patched.text)")
                let user = InProcessUser(name: "u\(round)", groups: [])
                try await cluster.waitFor("requests to be of the schema made in round \(round)") {
                    let answer = try await cluster.get("/api/v1/namespaces/default/configmaps", user: user)
                    return answer.headers[Self.schemaHeader.lowercased()] == made["metadata", "uid"]?.string
                }
            }
        }
    }
}
