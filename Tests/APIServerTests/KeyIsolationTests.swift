import HTTPTransport
import Store
import Testing
import Values

@testable import APIServer

/// No crafted path, name, namespace or token reaches another kind's objects.
@Suite struct KeyIsolationTests {
    private static let secret = "/api/v1/namespaces/kube-system/secrets"

    /// Ways to say "the secret kube-system/crown" through another kind's paths.
    private static let paths = [
        "/api/v1/namespaces/default/configmaps/..%2F..%2Fsecrets%2Fkube-system%2Fcrown",
        "/api/v1/namespaces/..%2Fsecrets%2Fkube-system/configmaps/crown",
        "/api/v1/namespaces/default%2F..%2F..%2Fsecrets%2Fkube-system/configmaps/crown",
        "/api/v1/nodes/..%2Fsecrets%2Fkube-system%2Fcrown",
        "/apis/..%2Fcore/v1/namespaces/kube-system/secrets/crown",
        "/apis/core/v1/namespaces/kube-system/secrets/crown",
        "/api/v1/namespaces/kube-system/configmaps/crown%2F..%2F..%2Fsecrets%2Fkube-system%2Fcrown",
        "/api/v1/namespaces/kube-system%2Fcrown/secrets/",
        "/api/v1/namespaces//secrets/kube-system%2Fcrown",
    ]

    @Test func `crafted paths read and write nothing of another kind`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(Self.secret, ["metadata": ["name": "crown"], "stringData": ["k": "jewel"]])
            #expect(made.status == 201, "\(made.text)")
            let body: JSONValue = ["metadata": ["name": "crown", "labels": ["stolen": "yes"]]]
            for path in Self.paths {
                let read = try await cluster.get(path)
                #expect(!read.text.contains("jewel") && !read.text.contains("amV3ZWw"), "GET \(path)")
                for answer in [
                    try await cluster.put(path, body), try await cluster.patch(path, body), try await cluster.delete(path),
                ] {
                    // A collection of nothing is as good as a refusal.
                    #expect(answer.status >= 400 || answer["items"] == [], "\(path): \(answer.text)")
                }
            }
            let kept = try await cluster.get(Self.secret + "/crown")
            #expect(kept.status == 200)
            #expect(kept["metadata", "resourceVersion"] == made["metadata", "resourceVersion"])
        }
    }

    @Test func `names that would be paths cannot be created`() async throws {
        try await withCluster { cluster in
            for name in ["../../secrets/kube-system/x", "a/b", "..", ".", "a%2Fb", ""] {
                let answer = try await cluster.post(
                    "/api/v1/namespaces/default/configmaps",
                    ["metadata": ["name": .string(name)], "data": ["k": "v"]]
                )
                #expect(answer.status == 422, "\(name): \(answer.text)")
            }
            let elsewhere = try await cluster.post(
                "/api/v1/namespaces/default/configmaps",
                ["metadata": ["name": "a", "namespace": "kube-system"]]
            )
            #expect(elsewhere.status == 400)
            #expect(
                elsewhere.message == "the namespace of the provided object does not match the namespace sent on the request"
            )
            let stored = try await cluster.store.list(prefix: "/registry/", at: nil, after: nil, limit: 0)
            #expect(stored.entries.allSatisfy { !$0.key.contains("..") && !$0.key.contains("//") })
        }
    }

    @Test func `a continue token leads out of no namespace`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.secret, ["metadata": ["name": "crown"]])
            _ = try await cluster.post("/api/v1/namespaces/default/secrets", ["metadata": ["name": "a"]])
            for start in ["../secrets/kube-system/crown", "/etc", "a//b", "kube-system/", "./a"] {
                let token = ContinueToken(revision: -1, start: start).encoded
                let answer = try await cluster.get("/api/v1/namespaces/default/secrets?continue=\(token)")
                #expect(answer.status == 400, "\(start): \(answer.text)")
                #expect(answer.message == "invalid continue token: continue key is not valid: \(start)")
            }
            for start in ["aaa/b", "kube-system/a", "zzz/b"] {
                let token = ContinueToken(revision: -1, start: start).encoded
                let answer = try await cluster.get("/api/v1/namespaces/default/secrets?continue=\(token)")
                let names = answer["items"]?.array?.compactMap { $0.value(at: ["metadata", "namespace"])?.string } ?? []
                #expect(Set(names).isSubset(of: ["default"]), "\(start)")
            }
        }
    }
}
