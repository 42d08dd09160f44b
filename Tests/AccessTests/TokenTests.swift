import APIModel
import Channels
import Testing
import Units
import Values
import _CryptoExtras

@testable import Access

/// A cluster of a few objects, by `resource/namespace/name`.
struct FixedLookup: ClusterLookup {
    var all: [String: JSONValue]

    func object(_ resource: GroupResource, namespace: String, name: String) -> JSONValue? {
        all["\(resource)/\(namespace)/\(name)"]
    }

    func currentObject(_ resource: GroupResource, namespace: String, name: String) async -> JSONValue? {
        object(resource, namespace: namespace, name: name)
    }

    func objects(_ resource: GroupResource, namespace: String?, field: String, equals value: String) -> [JSONValue] {
        objects(resource, namespace: namespace).filter {
            $0.value(at: field.split(separator: ".").map(String.init))?.string == value
        }
    }

    func objects(_ resource: GroupResource, namespace: String?) -> [JSONValue] {
        let prefix = namespace.map { "\(resource)/\($0)/" } ?? "\(resource)/"
        return all.filter { $0.key.hasPrefix(prefix) }.map(\.value)
    }
}

@Suite struct TokenTests {
    private static let issuer = "https://kubernetes.default.svc.cluster.local"
    private let clock = ManualClock()
    private let random = SeededRandom(seed: 1)

    private static let objects: [String: JSONValue] = [
        "serviceaccounts/ns/sa": ["metadata": ["uid": "u-sa"]],
        "pods/ns/p": ["metadata": ["uid": "u-p"]],
    ]

    private func subject(pod: Bool = false) -> TokenSubject {
        TokenSubject(
            namespace: "ns",
            serviceAccount: TokenBinding(name: "sa", uid: "u-sa"),
            pod: pod ? TokenBinding(name: "p", uid: "u-p") : nil
        )
    }

    private func pair(
        _ key: TokenSigningKey,
        _ objects: [String: JSONValue] = objects
    )
        -> (ServiceAccountTokenIssuer, ServiceAccountAuthenticator)
    {
        let issuer = ServiceAccountTokenIssuer(issuer: Self.issuer, key: key, clock: clock, random: random)
        let authenticator = ServiceAccountAuthenticator(
            issuers: [Self.issuer],
            audiences: [Self.issuer],
            keys: [key.verification],
            lookup: FixedLookup(all: objects),
            clock: clock
        )
        return (issuer, authenticator)
    }

    private static func rsaKey() throws -> TokenSigningKey {
        try TokenSigningKey(pem: _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation)
    }

    @Test func `ES256 and RS256 tokens are believed`() async throws {
        for key in [TokenSigningKey(), try Self.rsaKey()] {
            let (issuer, authenticator) = pair(key)
            let token = try issuer.issue(subject(), audiences: [], seconds: 600).token
            let decision = await authenticator.authenticate(token: token, audiences: [])
            guard case .user(let user, let audiences) = decision else {
                Issue.record("\(decision)")
                continue
            }
            #expect(user.name == "system:serviceaccount:ns:sa")
            #expect(user.uid == "u-sa")
            #expect(user.groups == ["system:serviceaccounts", "system:serviceaccounts:ns"])
            #expect(audiences == [Self.issuer])
            let reread = try TokenSigningKey(pem: key.pem)
            #expect(reread.verification.id == key.verification.id)
        }
    }

    @Test func `a token expires`() async throws {
        let (issuer, authenticator) = pair(TokenSigningKey())
        let token = try issuer.issue(subject(), audiences: [], seconds: 600).token
        clock.advance(by: .seconds(605))
        guard case .user = await authenticator.authenticate(token: token, audiences: []) else {
            Issue.record("clocks may differ a little")
            return
        }
        clock.advance(by: .seconds(30))
        #expect(await authenticator.authenticate(token: token, audiences: []) == .failed(reason: "service account token has expired"))
    }

    @Test func `the token mounted into pods lives on when it should have been renewed`() async throws {
        let (issuer, authenticator) = pair(TokenSigningKey())
        let issued = try issuer.issue(subject(pod: true), audiences: [], seconds: 3607)
        #expect(issued.expires == clock.now + .seconds(3607))
        clock.advance(by: .seconds(86_400))
        guard case .user = await authenticator.authenticate(token: issued.token, audiences: []) else {
            Issue.record("refused")
            return
        }
    }

    @Test func `wrong audience, key, issuer and signature`() async throws {
        let key = TokenSigningKey()
        let (issuer, authenticator) = pair(key)
        let vault = try issuer.issue(subject(), audiences: ["vault"], seconds: 600).token
        guard case .failed = await authenticator.authenticate(token: vault, audiences: []) else {
            Issue.record("a token for vault is not for us")
            return
        }
        guard case .user = await authenticator.authenticate(token: vault, audiences: ["vault"]) else {
            Issue.record("a reviewer may ask for vault")
            return
        }
        let foreign = try pair(TokenSigningKey()).0.issue(subject(), audiences: [], seconds: 600).token
        guard case .failed = await authenticator.authenticate(token: foreign, audiences: []) else {
            Issue.record("another key")
            return
        }
        let elsewhere = ServiceAccountTokenIssuer(issuer: "https://else", key: key, clock: clock, random: random)
        let other = try elsewhere.issue(subject(), audiences: [], seconds: 600).token
        #expect(await authenticator.authenticate(token: other, audiences: []) == .none)
        for bad in ["", "a.b", "a.b.c", String(repeating: "x", count: 100_000)] {
            #expect(await authenticator.authenticate(token: bad, audiences: []) == .none)
        }
    }

    @Test func `why a token is refused, in upstream's words`() async throws {
        let key = TokenSigningKey()
        let (issuer, authenticator) = pair(key)
        let vault = try issuer.issue(subject(), audiences: ["vault", "b"], seconds: 600).token
        #expect(
            await authenticator.authenticate(token: vault, audiences: [])
                == .failed(reason: "token audiences [\"vault\" \"b\"] is invalid for the target audiences [\"\(Self.issuer)\"]")
        )
        let foreign = try pair(TokenSigningKey()).0.issue(subject(), audiences: [], seconds: 600).token
        #expect(await authenticator.authenticate(token: foreign, audiences: []) == .failed(reason: "invalid signature, no keys found"))
        let forged = String(vault.prefix(vault.count - 8)) + "AAAAAAAA"
        #expect(
            await authenticator.authenticate(token: forged, audiences: [])
                == .failed(reason: "go-jose/go-jose: error in cryptographic primitive")
        )
    }

    @Test func `an unsigned token is nobody`() async throws {
        let (_, authenticator) = pair(TokenSigningKey())
        let header = Base64.encodeURL(Array("{\"alg\":\"none\"}".utf8))
        let claims = Base64.encodeURL(Array("{\"iss\":\"\(Self.issuer)\",\"exp\":9999999999}".utf8))
        guard case .failed = await authenticator.authenticate(token: "\(header).\(claims).", audiences: []) else {
            Issue.record("believed")
            return
        }
    }

    @Test func `tokens die with what they are bound to`() async throws {
        let key = TokenSigningKey()
        let (issuer, _) = pair(key)
        let token = try issuer.issue(subject(pod: true), audiences: [], seconds: 600).token
        let noPod = Self.objects.filter { !$0.key.hasPrefix("pods") }
        #expect(
            await pair(key, noPod).1.authenticate(token: token, audiences: [])
                == .failed(reason: "service account token has been invalidated")
        )
        var other = Self.objects
        other["serviceaccounts/ns/sa"] = ["metadata": ["uid": "another"]]
        guard case .failed = await pair(key, other).1.authenticate(token: token, audiences: []) else {
            Issue.record("the account was made anew")
            return
        }
    }
}
