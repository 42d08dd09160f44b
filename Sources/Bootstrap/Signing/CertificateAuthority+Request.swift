import Crypto
import FoundationEssentials
import SwiftASN1
import Units
import X509

extension CertificateAuthority {
    /// Signs a request: its subject, its key and its DNS names and addresses, for the usages given, never an authority.
    public func sign(_ request: SigningRequest, usages: [String], lifetime: Duration, now: Timestamp) throws -> String {
        let extended = usages.compactMap { Self.extendedUsages[$0] }
        let names: [GeneralName] =
            request.dnsNames.map { .dnsName($0) }
            + request.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.bytes[...])) }
        let keyUsage = KeyUsage(
            digitalSignature: usages.contains("digital signature"),
            keyEncipherment: usages.contains("key encipherment")
        )
        let extensions = try Certificate.Extensions {
            // Go's parser refuses a key usage that says nothing, and so with it the certificate.
            if keyUsage != KeyUsage() { Critical(keyUsage) }
            if !extended.isEmpty { try ExtendedKeyUsage(extended) }
            Critical(BasicConstraints.notCertificateAuthority)
            AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier)
            if !names.isEmpty { SubjectAlternativeNames(names) }
        }
        return try certificate(request.content.publicKey, request.content.subject, extensions, lifetime: lifetime, now: now)
    }

    private static let extendedUsages: [String: ExtendedKeyUsage.Usage] = [
        "server auth": .serverAuth, "client auth": .clientAuth,
    ]

    /// `sha256:` and the hash of the authority's public key, as a joining machine is given it.
    public var publicKeyHash: String {
        get throws { try Self.publicKeyHash(certificatePEM) }
    }

    /// `sha256:` and the hash of the public key in a certificate. Throws a `PKIError`.
    public static func publicKeyHash(_ certificatePEM: String) throws -> String {
        let certificate = try KeyPair.certificate(certificatePEM, subject: "certificate authority")
        var serializer = DER.Serializer()
        try serializer.serialize(certificate.publicKey)
        return "sha256:" + SHA256.hash(data: serializer.serializedBytes).map { String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    }
}

extension KeyPair {
    /// A new key with a request for a certificate, both PEM.
    static func request(_ wanted: CertificateRequest) throws -> (keyPEM: String, requestPEM: String) {
        let raw = P256.Signing.PrivateKey()
        let subject = try DistinguishedName {
            for organization in wanted.organizations { OrganizationName(organization) }
            CommonName(wanted.commonName)
        }
        let names: [GeneralName] =
            wanted.dnsNames.map { .dnsName($0) }
            + wanted.addresses.map { .ipAddress(ASN1OctetString(contentBytes: $0.bytes[...])) }
        var attributes = CertificateSigningRequest.Attributes()
        if !names.isEmpty {
            let extensions = try Certificate.Extensions { SubjectAlternativeNames(names) }
            try attributes.insert(CertificateSigningRequest.Attribute(ExtensionRequest(extensions: extensions)))
        }
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: subject,
            privateKey: Certificate.PrivateKey(raw),
            attributes: attributes,
            signatureAlgorithm: .ecdsaWithSHA256
        )
        return (raw.pemRepresentation, try request.serializeAsPEM().pemString)
    }
}
