import APIClient
import APIModel
import APITypes
import Testing
import Values

@testable import Controllers

@Suite(.serialized) struct ServiceAccountSimulation {
    private static let space = "default"

    private func secret(_ name: String, account: String) -> Secret {
        var secret = Secret(name: name, namespace: Self.space)
        secret.type = TokenSecretController.type
        secret.metadata.annotations[TokenSecretController.accountAnnotation] = account
        return secret
    }

    private func stored(_ cluster: SimulatedCluster, _ name: String) async throws -> Secret {
        try await cluster.client.get(Secret.self, namespace: Self.space, name: name)
    }

    private func run(_ body: @Sendable @escaping (SimulatedCluster) async throws -> Void) async throws {
        try await SimulatedCluster.run(configure: { $0.signToken = { "\($0)/\($1)/\($2)/\($3)" } }, body)
    }

    @Test func `a secret for an account is filled, and filled again`() async throws {
        try await run { cluster in
            let account = try await cluster.client.create(ServiceAccount(name: "a", namespace: Self.space))
            try await cluster.client.create(secret("s", account: "a"))
            try await cluster.wait("a token") { try await !stored(cluster, "s").data.isEmpty }
            var filled = try await stored(cluster, "s")
            let uid = account.metadata.uid
            #expect(filled.data["token"] == Array("default/a/\(uid)/s".utf8))
            #expect(filled.data["namespace"] == Array("default".utf8))
            #expect(filled.data["ca.crt"] == Array("-----BEGIN CERTIFICATE-----".utf8))
            #expect(filled.annotations[TokenSecretController.uidAnnotation] == uid)
            filled.data["token"] = []
            filled.data["ca.crt"] = Array("stale".utf8)
            filled.data["own"] = [1]
            try await cluster.client.update(filled)
            try await cluster.wait("another token") { try await stored(cluster, "s").data["token"]?.isEmpty == false }
            filled = try await stored(cluster, "s")
            #expect(filled.data["ca.crt"] == Array("-----BEGIN CERTIFICATE-----".utf8) && filled.data["own"] == [1])
        }
    }

    @Test func `a secret without its account goes, and so do all when the account goes`() async throws {
        try await run { cluster in
            var plain = Secret(name: "plain", namespace: Self.space)
            plain.metadata.annotations[TokenSecretController.accountAnnotation] = "a"
            try await cluster.client.create(plain)
            try await cluster.client.create(secret("orphan", account: "none"))
            try await cluster.wait("the orphan to go") { try await !cluster.exists(Secret.self, "orphan") }
            try await cluster.client.create(ServiceAccount(name: "a", namespace: Self.space))
            for name in ["s1", "s2"] { try await cluster.client.create(secret(name, account: "a")) }
            try await cluster.wait("tokens") {
                let first = try await stored(cluster, "s1").data["token"]
                let second = try await stored(cluster, "s2").data["token"]
                return first?.isEmpty == false && second?.isEmpty == false
            }
            try await cluster.client.delete(ServiceAccount.self, namespace: Self.space, name: "a")
            // The next of that name has nothing of it.
            try await cluster.client.create(ServiceAccount(name: "a", namespace: Self.space))
            try await cluster.wait("the secrets to go") {
                let first = try await cluster.exists(Secret.self, "s1")
                let second = try await cluster.exists(Secret.self, "s2")
                return !first && !second
            }
            #expect(try await cluster.exists(Secret.self, "plain"))
        }
    }

    @Test func `a secret that goes is taken off its account's list`() async throws {
        try await run { cluster in
            var account = ServiceAccount(name: "a", namespace: Self.space)
            account.secrets = [ObjectReference(fields: ["name": "s"]), ObjectReference(fields: ["name": "other"])]
            try await cluster.client.create(account)
            try await cluster.client.create(secret("s", account: "a"))
            try await cluster.wait("a token") { try await !stored(cluster, "s").data.isEmpty }
            try await cluster.client.delete(Secret.self, namespace: Self.space, name: "s")
            try await cluster.wait("the reference to go") {
                try await cluster.client.get(ServiceAccount.self, namespace: Self.space, name: "a").secrets.map(\.name) == ["other"]
            }
        }
    }
}
