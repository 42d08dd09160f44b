import PodKinds
import SwiftASN1
import Values
import X509

/// Whether a certificate and a key belong together, in the words of Go's `tls.X509KeyPair`.
enum KeyPairCheck {
    private static let certificate = "CERTIFICATE"
    private static let keySuffix = "PRIVATE KEY"

    /// What is wrong with the pair that a secret for TLS holds; nil when nothing is, or when nothing can be said.
    static func problem(_ secret: JSONValue) -> String? {
        let (certificates, keys) = (blocks(secret, "tls.crt"), blocks(secret, "tls.key"))
        guard let first = certificates.first(where: { $0.type == certificate }) else { return words(noCertificateIn: certificates) }
        guard let key = keys.first(where: { $0.type == keySuffix || $0.type.hasSuffix(" " + keySuffix) }) else {
            return words(noKeyIn: keys)
        }
        guard let parsed = try? Certificate(derEncoded: first.bytes) else { return nil }
        guard let own = try? Certificate.PrivateKey(pemDocument: PEMDocument(type: key.type, derBytes: key.bytes)) else {
            return "tls: failed to parse private key"
        }
        return own.publicKey == parsed.publicKey ? nil : "tls: private key does not match public key"
    }

    private static func blocks(_ secret: JSONValue, _ key: String) -> [PEMBlock] {
        guard let bytes = secret["data"]?[key]?.string.flatMap(Base64.decode) else { return [] }
        return PEMBlock.all(in: String(decoding: bytes, as: UTF8.self))
    }

    private static func words(noCertificateIn blocks: [PEMBlock]) -> String {
        if blocks.isEmpty { return "tls: failed to find any PEM data in certificate input" }
        if blocks.count == 1, blocks[0].type.hasSuffix(keySuffix) {
            return "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
                + "PEM inputs may have been switched"
        }
        return "tls: failed to find \"CERTIFICATE\" PEM block in certificate input after skipping PEM blocks of the following types: "
            + types(blocks)
    }

    private static func words(noKeyIn blocks: [PEMBlock]) -> String {
        if blocks.isEmpty { return "tls: failed to find any PEM data in key input" }
        if blocks.count == 1, blocks[0].type == certificate {
            return "tls: found a certificate rather than a key in the PEM for the private key"
        }
        return "tls: failed to find PEM block with type ending in \"PRIVATE KEY\" in key input after skipping PEM blocks of the "
            + "following types: \(types(blocks))"
    }

    private static func types(_ blocks: [PEMBlock]) -> String { "[\(blocks.map(\.type).joined(separator: " "))]" }
}
