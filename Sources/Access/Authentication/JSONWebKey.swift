import Crypto
import Values
import _CryptoExtras

/// Why a token or key was refused.
public struct TokenError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public var description: String

    /// An error with the words given.
    public init(_ description: String) { self.description = description }
}

/// A key that signs service-account tokens, ECDSA P-256 (ES256) or RSA (RS256).
public struct TokenSigningKey: Sendable {
    enum Material: Sendable {
        case ecdsa(P256.Signing.PrivateKey)
        case rsa(_RSA.Signing.PrivateKey)
    }

    let material: Material
    /// The key's public half.
    public let verification: TokenVerificationKey

    /// A new P-256 key.
    public init() {
        let key = P256.Signing.PrivateKey()
        material = .ecdsa(key)
        verification = TokenVerificationKey(material: .ecdsa(key.publicKey))
    }

    /// The key in a PEM text: PKCS#8, SEC 1 or PKCS#1.
    public init(pem: String) throws(TokenError) {
        if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem) {
            material = .ecdsa(key)
            verification = TokenVerificationKey(material: .ecdsa(key.publicKey))
        } else if let key = try? _RSA.Signing.PrivateKey(pemRepresentation: pem) {
            material = .rsa(key)
            verification = TokenVerificationKey(material: .rsa(key.publicKey))
        } else {
            throw TokenError("the service account signing key is neither a P-256 nor an RSA private key in PEM form")
        }
    }

    /// The key as PEM text.
    public var pem: String {
        switch material {
        case .ecdsa(let key): key.pemRepresentation
        case .rsa(let key): key.pemRepresentation
        }
    }

    func signature(of message: [UInt8]) throws -> [UInt8] {
        switch material {
        case .ecdsa(let key): Array(try key.signature(for: message).rawRepresentation)
        case .rsa(let key): Array(try key.signature(for: message, padding: .insecurePKCS1v1_5).rawRepresentation)
        }
    }
}

/// A key that checks service-account tokens.
public struct TokenVerificationKey: Sendable {
    enum Material: Sendable {
        case ecdsa(P256.Signing.PublicKey)
        case rsa(_RSA.Signing.PublicKey)
    }

    let material: Material
    /// The key's id in token headers: the hash of its public key info, as upstream computes it.
    public let id: String

    init(material: Material) {
        self.material = material
        let der: [UInt8] =
            switch material {
            case .ecdsa(let key): Array(key.derRepresentation)
            case .rsa(let key): Array(key.derRepresentation)
            }
        id = Base64.encodeURL(Array(SHA256.hash(data: der)))
    }

    /// The public key in a PEM text.
    public init(pem: String) throws(TokenError) {
        if let key = try? P256.Signing.PublicKey(pemRepresentation: pem) {
            self.init(material: .ecdsa(key))
        } else if let key = try? _RSA.Signing.PublicKey(pemRepresentation: pem) {
            self.init(material: .rsa(key))
        } else {
            throw TokenError("the service account key is neither a P-256 nor an RSA public key in PEM form")
        }
    }

    /// `ES256` or `RS256`.
    public var algorithm: String {
        switch material {
        case .ecdsa: "ES256"
        case .rsa: "RS256"
        }
    }

    func isValid(signature: [UInt8], of message: [UInt8]) -> Bool {
        switch material {
        case .ecdsa(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: message)
        case .rsa(let key):
            let signature = _RSA.Signing.RSASignature(rawRepresentation: signature)
            return key.isValidSignature(signature, for: message, padding: .insecurePKCS1v1_5)
        }
    }

    /// The key as a JWK, for `/openid/v1/jwks`.
    public var jwk: JSONValue {
        switch material {
        case .ecdsa(let key):
            let point = Array(key.rawRepresentation)
            return [
                "use": "sig", "kty": "EC", "kid": .string(id), "crv": "P-256", "alg": "ES256",
                "x": .string(Base64.encodeURL(Array(point[..<32]))), "y": .string(Base64.encodeURL(Array(point[32...]))),
            ]
        case .rsa(let key):
            guard let numbers = try? key.getKeyPrimitives() else { return [:] }
            return [
                "use": "sig", "kty": "RSA", "kid": .string(id), "alg": "RS256",
                "n": .string(Base64.encodeURL(Array(numbers.modulus))),
                "e": .string(Base64.encodeURL(Array(numbers.publicExponent))),
            ]
        }
    }
}

/// Compact JSON Web Signatures with the two algorithms service-account tokens use.
public enum JSONWebToken {
    /// The largest token looked at.
    public static let sizeLimit = 16 << 10

    /// Signs claims.
    public static func sign(_ claims: JSONValue, with key: TokenSigningKey) throws -> String {
        let header: JSONValue = ["alg": .string(key.verification.algorithm), "kid": .string(key.verification.id)]
        let signed = Base64.encodeURL(header.encoded()) + "." + Base64.encodeURL(claims.encoded())
        return signed + "." + Base64.encodeURL(try key.signature(of: Array(signed.utf8)))
    }

    /// The claims of a token without checking anything, to see whether it is meant for us.
    public static func unverifiedClaims(_ token: String) -> JSONValue? {
        guard token.utf8.count <= sizeLimit else { return nil }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decodeURL(String(parts[1])) else { return nil }
        return try? JSONParser.parse(bytes)
    }

    /// The claims of a token that one of `keys` has signed.
    public static func verify(_ token: String, keys: [TokenVerificationKey]) throws(TokenError) -> JSONValue {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard token.utf8.count <= sizeLimit, parts.count == 3,
            let headerBytes = Base64.decodeURL(parts[0]), let header = try? JSONParser.parse(headerBytes),
            let signature = Base64.decodeURL(parts[2])
        else { throw TokenError("the token is not a compact JSON web signature") }
        let algorithm = header["alg"]?.string
        let id = header["kid"]?.string
        let message = Array((parts[0] + "." + parts[1]).utf8)
        let named = keys.filter { id == nil || id == $0.id }
        guard !named.isEmpty else { throw TokenError("invalid signature, no keys found") }
        guard named.contains(where: { $0.algorithm == algorithm && $0.isValid(signature: signature, of: message) }) else {
            // The words of the library that checks signatures upstream.
            throw TokenError("go-jose/go-jose: error in cryptographic primitive")
        }
        guard let body = Base64.decodeURL(parts[1]), let claims = try? JSONParser.parse(body) else {
            throw TokenError("the token's claims are not JSON")
        }
        return claims
    }
}
