import Testing
import Values

@testable import BuiltinKinds

/// The warnings about secrets for TLS, in the words of Go's `tls.X509KeyPair`.
@Suite struct KeyPairTests {
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
        -----END PRIVATE KEY-----

        """

    private static func warnings(_ certificate: String, _ key: String) throws -> [String] {
        func encoded(_ text: String) -> JSONValue { .string(Base64.encode(Array(text.utf8))) }
        let secret: JSONValue = [
            "metadata": ["name": "s"], "type": "kubernetes.io/tls",
            "data": ["tls.crt": encoded(certificate), "tls.key": encoded(key)],
        ]
        return try Subject("secrets").warnings(secret)
    }

    @Test func `what is no PEM at all`() throws {
        #expect(try Self.warnings("x", Self.key) == ["tls: failed to find any PEM data in certificate input"])
        #expect(try Self.warnings(TestCertificates.authority, "x") == ["tls: failed to find any PEM data in key input"])
    }

    @Test func `what was switched`() throws {
        let words =
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"
        #expect(try Self.warnings(Self.key, TestCertificates.authority) == [words])
        let other = "tls: found a certificate rather than a key in the PEM for the private key"
        #expect(try Self.warnings(TestCertificates.authority, TestCertificates.authority) == [other])
    }

    @Test func `a key of somebody else`() throws {
        #expect(try Self.warnings(TestCertificates.authority, Self.key) == ["tls: private key does not match public key"])
    }

    @Test func `other secrets are not asked`() throws {
        #expect(try Subject("secrets").warnings(["metadata": ["name": "s"], "data": ["tls.crt": "eA=="]]) == [])
    }
}
