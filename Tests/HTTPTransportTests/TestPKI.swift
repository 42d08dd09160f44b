import Crypto
import FoundationEssentials
import SwiftASN1
import X509

@testable import HTTPTransport

/// A CA and what it signs, made anew for every suite.
struct TestPKI {
    let caPEM: String
    private let caKey: Certificate.PrivateKey
    private let ca: Certificate

    struct Pair {
        var certificatePEM: String
        var keyPEM: String
    }

    init(name: String = "test-ca") throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName(name) }
        ca = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: Date() - 60,
            notValidAfter: Date() + 3600,
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true))
            },
            issuerPrivateKey: key
        )
        caKey = key
        caPEM = try ca.serializeAsPEM().pemString
    }

    func issue(_ name: String, organizations: [String] = [], usage: ExtendedKeyUsage.Usage) throws -> Pair {
        let raw = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(raw)
        let subject = try DistinguishedName {
            for organization in organizations { OrganizationName(organization) }
            CommonName(name)
        }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: Date() - 60,
            notValidAfter: Date() + 3600,
            issuer: ca.subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([usage])
                SubjectAlternativeNames([
                    .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                ])
            },
            issuerPrivateKey: caKey
        )
        return Pair(certificatePEM: try certificate.serializeAsPEM().pemString, keyPEM: raw.pemRepresentation)
    }
}
