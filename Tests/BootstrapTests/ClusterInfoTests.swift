import APITypes
import Access
import Testing
import Units
import Values

@testable import Bootstrap

@Suite struct ClusterInfoTests {
    private static let now = Timestamp(unixSeconds: 1_790_000_000)

    private func record(_ token: BootstrapToken, signs: Bool = true) throws -> BootstrapTokenRecord {
        var object = token.secretObject(expiration: nil, note: "")
        if !signs { object.data["usage-bootstrap-signing"] = nil }
        return try #require(BootstrapTokenRecord(object.json))
    }

    /// Made with Python's hmac, independently of this code.
    @Test func `the signature is a detached HS256 one, as kubeadm makes it`() {
        let signature = ClusterInfo.signature("Hello from the other side.", id: "joshua", secret: "my voice is my passcode")
        #expect(signature == "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..Ts2g1KyNXXOBkhv5GmvYiIxcXGWxfxlGDhYEXjeqDYc")
    }

    @Test func `tokens that may sign do, and those that are gone leave no signature`() throws {
        let (first, second) = (
            try #require(BootstrapToken("aaaaaa.0123456789abcdef")), try #require(BootstrapToken("bbbbbb.0123456789abcdef"))
        )
        let data = ClusterInfo.data(
            ["jws-kubeconfig-gone": "x", "other": "stays"],
            content: "text",
            tokens: [try record(first), try record(second, signs: false)]
        )
        #expect(Set(data.keys) == ["kubeconfig", "jws-kubeconfig-aaaaaa", "other"])
    }

    @Test func `only the right server is trusted`() throws {
        let pair = try CertificateAuthority.make(commonName: "kubernetes", now: Self.now)
        let hash = try CertificateAuthority.publicKeyHash(pair.certificatePEM)
        let token = try #require(BootstrapToken("aaaaaa.0123456789abcdef"))
        let content = ClusterInfo.content(server: "https://192.0.2.1:6443", authorityPEM: pair.certificatePEM)
        let data = ClusterInfo.data([:], content: content, tokens: [try record(token)])
        func discovery(_ token: BootstrapToken, _ hashes: [String]) -> ClusterDiscovery {
            ClusterDiscovery(server: "https://192.0.2.1:6443", token: token, hashes: hashes)
        }
        #expect(try discovery(token, [hash]).check(data) == pair.certificatePEM)
        #expect(try discovery(token, []).check(data) == pair.certificatePEM)
        func failure(_ discovery: ClusterDiscovery, _ data: [String: String]) -> JoinError? {
            do {
                _ = try discovery.check(data)
                return nil
            } catch {
                return error as? JoinError
            }
        }
        let wrongHash = "sha256:" + String(repeating: "0", count: 64)
        #expect(failure(discovery(token, [wrongHash]), data)?.isFinal == true)
        let forged = try #require(BootstrapToken("aaaaaa.0123456789abcdeX".lowercased()))
        #expect(failure(discovery(forged, [hash]), data)?.isFinal == true)
        let unknown = try #require(BootstrapToken("cccccc.0123456789abcdef"))
        #expect(failure(discovery(unknown, [hash]), data)?.isFinal == false)
        var changed = data
        changed["kubeconfig"] = content.replacing("192.0.2.1", with: "192.0.2.6")
        #expect(failure(discovery(token, [hash]), changed)?.isFinal == true)
        #expect(failure(discovery(token, [hash]), [:])?.isFinal == true)
        #expect(failure(discovery(token, [hash]), ["kubeconfig": "\u{0}: ["])?.isFinal == true)
    }

    @Test func `settings survive the way through the ConfigMap`() throws {
        let settings = ClusterSettings(
            clusterCIDR: try #require(CIDR("10.244.0.0/16")),
            serviceCIDR: try #require(CIDR("10.96.0.0/12")),
            clusterDNS: IPAddress("10.96.0.10"),
            clusterDomain: "example.org"
        )
        #expect(try ClusterSettings(data: settings.data) == settings)
        #expect(throws: JoinError.self) { try ClusterSettings(data: ["clusterCIDR": "x"]) }
    }
}
