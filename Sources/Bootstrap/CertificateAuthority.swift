import Crypto
import FoundationEssentials
import SwiftASN1
import Units
import X509

/// A failure with a certificate or key, with the file it concerns.
public struct PKIError: Error, Sendable, CustomStringConvertible {
    /// The file or certificate.
    public let subject: String
    /// What is wrong.
    public let message: String

    /// A failure.
    public init(_ subject: String, _ message: String) {
        self.subject = subject
        self.message = message
    }

    /// The file and what is wrong with it.
    public var description: String { "\(subject): \(message)" }
}

/// A certificate and its private key, PEM.
public struct KeyPair: Sendable, Hashable {
    /// The certificate.
    public var certificatePEM: String
    /// The private key.
    public var keyPEM: String

    /// A pair.
    public init(certificatePEM: String, keyPEM: String) {
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
    }
}

/// What a certificate is for.
public struct CertificateRequest: Sendable, Hashable {
    /// What the certificate proves.
    public enum Usage: Sendable, Hashable {
        /// A server.
        case server
        /// A client.
        case client
    }

    /// The subject's common name: the user of a client.
    public var commonName: String
    /// The subject's organizations: the groups of a client.
    public var organizations: [String]
    /// What it proves.
    public var usage: Usage
    /// The DNS names of a server.
    public var dnsNames: [String]
    /// The addresses of a server.
    public var addresses: [IPAddress]
    /// How long it is valid.
    public var lifetime: Duration

    /// A year, as upstream's tools issue.
    public static let defaultLifetime = Duration.seconds(365 * 24 * 3600)

    /// A request.
    public init(
        commonName: String,
        organizations: [String] = [],
        usage: Usage,
        dnsNames: [String] = [],
        addresses: [IPAddress] = [],
        lifetime: Duration = CertificateRequest.defaultLifetime
    ) {
        self.commonName = commonName
        self.organizations = organizations
        self.usage = usage
        self.dnsNames = dnsNames
        self.addresses = addresses
        self.lifetime = lifetime
    }
}

/// An authority that signs certificates (ECDSA P-256).
public struct CertificateAuthority: Sendable {
    /// The authority's certificate, PEM.
    public let certificatePEM: String
    let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// Ten years.
    public static let lifetime = Duration.seconds(10 * 365 * 24 * 3600)
    /// Certificates are valid a little before they are made: clocks differ.
    private static let backdated = Duration.seconds(300)

    /// An authority from its files' content. Throws a `PKIError` that names `subject`.
    public init(_ pair: KeyPair, subject: String) throws {
        certificate = try KeyPair.certificate(pair.certificatePEM, subject: subject)
        do {
            key = try Certificate.PrivateKey(pemEncoded: pair.keyPEM)
        } catch {
            throw PKIError(subject, "the private key cannot be read: \(error)")
        }
        guard key.publicKey == certificate.publicKey else {
            throw PKIError(subject, "the private key does not belong to the certificate")
        }
        certificatePEM = pair.certificatePEM
    }

    /// Makes a new authority that signs itself.
    public static func make(commonName: String, now: Timestamp) throws -> KeyPair {
        let raw = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(raw)
        let subject = try DistinguishedName { CommonName(commonName) }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: date(now - backdated),
            notValidAfter: date(now + lifetime),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(digitalSignature: true, keyEncipherment: true, keyCertSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
                SubjectAlternativeNames([.dnsName(commonName)])
            },
            issuerPrivateKey: key
        )
        return KeyPair(certificatePEM: try certificate.serializeAsPEM().pemString, keyPEM: raw.pemRepresentation)
    }

    /// Makes a new key and signs a certificate for it.
    public func issue(_ request: CertificateRequest, now: Timestamp) throws -> KeyPair {
        let raw = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(raw)
        return KeyPair(certificatePEM: try sign(key.publicKey, request, now: now), keyPEM: raw.pemRepresentation)
    }

    private func sign(_ publicKey: Certificate.PublicKey, _ request: CertificateRequest, now: Timestamp) throws -> String {
        let subject = try DistinguishedName {
            for organization in request.organizations { OrganizationName(organization) }
            CommonName(request.commonName)
        }
        let names: [GeneralName] =
            request.dnsNames.map { .dnsName($0) }
            + request.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.bytes[...])) }
        let usage: ExtendedKeyUsage.Usage = request.usage == .server ? .serverAuth : .clientAuth
        let extensions = try Certificate.Extensions {
            Critical(KeyUsage(digitalSignature: true, keyEncipherment: true))
            try ExtendedKeyUsage([usage])
            Critical(BasicConstraints.notCertificateAuthority)
            AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier)
            if !names.isEmpty { SubjectAlternativeNames(names) }
        }
        return try certificate(publicKey, subject, extensions, lifetime: request.lifetime, now: now)
    }

    /// Signs a certificate that does not outlive its authority; PEM.
    func certificate(
        _ publicKey: Certificate.PublicKey,
        _ subject: DistinguishedName,
        _ extensions: Certificate.Extensions,
        lifetime: Duration,
        now: Timestamp
    ) throws -> String {
        let signed = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: publicKey,
            notValidBefore: max(Self.date(now - Self.backdated), certificate.notValidBefore),
            notValidAfter: min(Self.date(now + lifetime), certificate.notValidAfter),
            issuer: certificate.subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: extensions,
            issuerPrivateKey: key
        )
        return try signed.serializeAsPEM().pemString
    }

    static func date(_ time: Timestamp) -> Date {
        Date(timeIntervalSince1970: Double(time.unixSeconds))
    }
}

extension KeyPair {
    /// The first certificate of a PEM text. Throws a `PKIError` that names `subject`.
    static func certificate(_ pem: String, subject: String) throws -> Certificate {
        do {
            guard let document = try PEMDocument.parseMultiple(pemString: pem).first(where: { $0.discriminator == "CERTIFICATE" })
            else { throw PKIError(subject, "holds no certificate") }
            return try Certificate(derEncoded: document.derBytes)
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError(subject, "is no valid certificate: \(error)")
        }
    }

    /// Whether a certificate says what a request asks for and comes from the authority.
    func matches(_ request: CertificateRequest, of authority: CertificateAuthority, subject: String) throws -> Bool {
        try matches(request, ofKey: authority.certificate.publicKey, subject: subject)
    }

    /// As above for an authority of which only the certificate is known.
    func matches(_ request: CertificateRequest, ofAuthority pem: String, subject: String) throws -> Bool {
        try matches(request, ofKey: Self.certificate(pem, subject: "certificate authority").publicKey, subject: subject)
    }

    private func matches(_ request: CertificateRequest, ofKey key: Certificate.PublicKey, subject: String) throws -> Bool {
        let certificate = try Self.certificate(certificatePEM, subject: subject)
        guard key.isValidSignature(certificate.signature, for: certificate) else { return false }
        let wanted = try DistinguishedName {
            for organization in request.organizations { OrganizationName(organization) }
            CommonName(request.commonName)
        }
        guard certificate.subject == wanted else { return false }
        let names = try certificate.extensions.subjectAlternativeNames.map { Array($0) } ?? []
        var dns: Set<String> = []
        var addresses: Set<[UInt8]> = []
        for name in names {
            switch name {
            case .dnsName(let text): dns.insert(text)
            case .ipAddress(let bytes): addresses.insert(Array(bytes.bytes))
            default: break
            }
        }
        return dns.isSuperset(of: request.dnsNames) && addresses.isSuperset(of: request.addresses.map(\.bytes))
    }

    /// When the certificate begins and ends to be valid.
    func validity(subject: String) throws -> (from: Timestamp, until: Timestamp) {
        let certificate = try Self.certificate(certificatePEM, subject: subject)
        return (
            Timestamp(unixSeconds: Int64(certificate.notValidBefore.timeIntervalSince1970)),
            Timestamp(unixSeconds: Int64(certificate.notValidAfter.timeIntervalSince1970))
        )
    }

    /// Throws when the key does not belong to the certificate.
    func checkKey(subject: String) throws {
        let certificate = try Self.certificate(certificatePEM, subject: subject)
        let key: Certificate.PrivateKey
        do {
            key = try Certificate.PrivateKey(pemEncoded: keyPEM)
        } catch {
            throw PKIError(subject, "the private key cannot be read: \(error)")
        }
        guard key.publicKey == certificate.publicKey else {
            throw PKIError(subject, "the private key does not belong to the certificate")
        }
    }
}
