import APIModel
import Channels
import Synchronization
import Testing
import Units
import Values

@testable import Access

@Suite("Tokens that lie in secrets") struct SecretTokenTests {
    private static let issuer = "https://kubernetes.default.svc.cluster.local"
    private static let account = TokenBinding(name: "sa", uid: "u-sa")
    private let clock = ManualClock()

    private final class Uses: Sendable {
        let names = Mutex<[String]>([])
    }

    /// A token, and what the authenticator says of it when the secret and the account are as given.
    private func decision(
        secret change: (inout JSONValue) -> Void = { _ in },
        account: JSONValue? = ["metadata": ["uid": "u-sa"]],
        audiences: [String] = [],
        _ uses: Uses = Uses()
    ) async throws -> AuthenticationDecision {
        let key = TokenSigningKey()
        let issuer = ServiceAccountTokenIssuer(issuer: Self.issuer, key: key, clock: clock, random: SeededRandom(seed: 1))
        let token = try issuer.issue(namespace: "ns", serviceAccount: Self.account, secret: "s")
        var secret: JSONValue = [
            "metadata": ["namespace": "ns", "name": "s"], "data": ["token": .string(Base64.encode(Array(token.utf8)))],
        ]
        change(&secret)
        var objects: [String: JSONValue] = [:]
        if secret["metadata"] != nil { objects["secrets/ns/s"] = secret }
        objects["serviceaccounts/ns/sa"] = account
        let authenticator = ServiceAccountAuthenticator(
            issuers: [Self.issuer],
            audiences: [Self.issuer],
            keys: [key.verification],
            lookup: FixedLookup(all: objects),
            clock: clock,
            secretUsed: { secret in uses.names.withLock { $0.append(secret.value(at: ["metadata", "name"])?.string ?? "") } }
        )
        return await authenticator.authenticate(token: token, audiences: audiences)
    }

    @Test func `such a token does not expire and is for this server`() async throws {
        let uses = Uses()
        clock.advance(by: .seconds(100 * 365 * 86_400))
        let user = UserIdentity(
            name: "system:serviceaccount:ns:sa",
            uid: "u-sa",
            groups: ["system:serviceaccounts", "system:serviceaccounts:ns"]
        )
        #expect(try await decision(uses) == .user(user, audiences: [Self.issuer]))
        #expect(uses.names.withLock { $0 } == ["s"])
        guard case .failed = try await decision(audiences: ["vault"]) else {
            Issue.record("taken for another audience")
            return
        }
    }

    @Test func `the secret decides whether it is still good`() async throws {
        #expect(try await decision(secret: { $0 = [:] }) == .failed(reason: "Token has been invalidated"))
        let deleted = try await decision(secret: { $0.set("2026-11-21T00:00:00Z", at: ["metadata", "deletionTimestamp"]) })
        #expect(deleted == .failed(reason: "Token has been invalidated"))
        let replaced = try await decision(secret: { $0["data"] = ["token": "YW5vdGhlcg=="] })
        #expect(replaced == .failed(reason: "Token does not match server's copy"))
        let marked = try await decision(secret: {
            $0.set("2026-11-21", at: ["metadata", "labels", ServiceAccountAuthenticator.invalidSinceLabel])
        })
        guard case .failed(let reason) = marked else {
            Issue.record("a token that was marked invalid was taken")
            return
        }
        #expect(reason.hasPrefix("the token in secret ns/s for service account ns/sa has been marked invalid."))
    }

    @Test func `the token goes with its account`() async throws {
        let gone = AuthenticationDecision.failed(reason: "ServiceAccount ns/sa has been deleted")
        #expect(try await decision(account: nil) == gone)
        #expect(try await decision(account: ["metadata": ["uid": "another"]]) == gone)
        #expect(try await decision(account: ["metadata": ["uid": "u-sa", "deletionTimestamp": .string("\(clock.now)")]]) == gone)
    }

    @Test func `claims that lack something, or contradict each other, name nobody`() {
        let full = SecretTokenClaims.json(namespace: "ns", account: Self.account, secret: "s")
        #expect(SecretTokenClaims.read(full)?.account == Self.account)
        for name in (full.object ?? [:]).map(\.key) where name != "iss" {
            var claims = full
            claims[name] = nil
            #expect(SecretTokenClaims.read(claims) == nil, "without \(name)")
            claims[name] = "system:serviceaccount:ns:other"
            #expect(name != "sub" || SecretTokenClaims.read(claims) == nil)
        }
    }
}
