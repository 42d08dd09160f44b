import Crypto
import FoundationEssentials
import SwiftASN1
import X509
import _CryptoExtras

/// The key that a pod asks a certificate for.
enum RequestedKey {
    case edwards(Curve25519.Signing.PublicKey)
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
    case rsa(_RSA.Signing.PublicKey)

    private static let modulusSizes = [3072, 4096]

    /// Recognises a key; nil when it is of another kind.
    init?(_ key: Certificate.PublicKey) {
        if let key = Curve25519.Signing.PublicKey(key) {
            self = .edwards(key)
        } else if let key = P256.Signing.PublicKey(key) {
            self = .p256(key)
        } else if let key = P384.Signing.PublicKey(key) {
            self = .p384(key)
        } else if let key = P521.Signing.PublicKey(key) {
            self = .p521(key)
        } else if let key = _RSA.Signing.PublicKey(key) {
            self = .rsa(key)
        } else {
            return nil
        }
    }

    /// The size of an RSA key that is too weak or of an odd size; nil when there is nothing to say.
    var oddModulus: Int? {
        guard case .rsa(let key) = self, !Self.modulusSizes.contains(key.keySizeInBits) else { return nil }
        return key.keySizeInBits
    }

    /// Whether the key's owner signed the text.
    func verifies(_ signature: [UInt8], of text: String) -> Bool {
        let bytes = Data(text.utf8)
        let digest = SHA256.hash(data: bytes)
        switch self {
        case .edwards(let key): return key.isValidSignature(signature, for: bytes)
        case .p256(let key):
            return (try? P256.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) } ?? false
        case .p384(let key):
            return (try? P384.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) } ?? false
        case .p521(let key):
            return (try? P521.Signing.ECDSASignature(derRepresentation: signature)).map { key.isValidSignature($0, for: digest) } ?? false
        case .rsa(let key):
            return key.isValidSignature(_RSA.Signing.RSASignature(rawRepresentation: Data(signature)), for: digest, padding: .PSS)
        }
    }
}
