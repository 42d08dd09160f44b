import Crypto
import NIOSSL
import SwiftASN1
import X509

/// Decides whether a client certificate is trusted and whom it names.
///
/// TLS only proves that the client holds the key: a certificate of a foreign authority must lead to 401, not to a
/// broken handshake, so the chain is verified here.
final class ClientCertificates: Sendable {
    private let clientRoots: CertificateStore?
    private let proxyRoots: CertificateStore?

    init(tls: TLSServer) throws {
        clientRoots = try Self.store(tls.clientCAPEM, "client CA")
        proxyRoots = try Self.store(tls.requestHeaderCAPEM, "request-header CA")
    }

    /// Whether a certificate is asked for.
    var areWanted: Bool { clientRoots != nil || proxyRoots != nil }

    /// Adds what the chain says to a peer.
    func identify(_ chain: [NIOSSLCertificate], _ peer: inout Peer) async {
        do {
            let certificates = try chain.map { try Certificate(derEncoded: $0.toDERBytes()) }
            guard let leaf = certificates.first else { return }
            let between = CertificateStore(certificates.dropFirst())
            let identity = try Self.identity(leaf, der: try chain[0].toDERBytes())
            var problem: String? = "x509: certificate signed by unknown authority"
            if let clientRoots {
                problem = await Self.problem(leaf, between, clientRoots)
                if problem == nil { peer.clientCertificate = identity }
            }
            if let proxyRoots, await Self.problem(leaf, between, proxyRoots) == nil {
                peer.proxyCertificate = identity
                problem = nil
            }
            peer.certificateProblem = problem
        } catch {
            peer.certificateProblem = "x509: malformed certificate: \(error)"
        }
    }

    private static func store(_ pem: String?, _ what: String) throws -> CertificateStore? {
        guard let pem else { return nil }
        do {
            let documents = try PEMDocument.parseMultiple(pemString: pem)
            let certificates = try documents.filter { $0.discriminator == "CERTIFICATE" }.map {
                try Certificate(derEncoded: $0.derBytes)
            }
            guard !certificates.isEmpty else {
                throw TransportError(.badConfiguration, "the \(what) holds no certificate")
            }
            return CertificateStore(certificates)
        } catch let error as TransportError {
            throw error
        } catch {
            throw TransportError(.badConfiguration, "the \(what) cannot be read: \(error)")
        }
    }

    private static func problem(
        _ leaf: Certificate,
        _ between: CertificateStore,
        _ roots: CertificateStore
    ) async -> String? {
        var verifier = Verifier(rootCertificates: roots) {
            RFC5280Policy()
            ClientAuthPolicy()
        }
        switch await verifier.validate(leaf: leaf, intermediates: between) {
        case .validCertificate: return nil
        case .couldNotValidate(let failures):
            let reason = failures.last.map { "\($0.policyFailureReason)" } ?? "certificate signed by unknown authority"
            return "x509: \(reason)"
        }
    }

    private static func identity(_ leaf: Certificate, der: [UInt8]) throws -> ClientIdentity {
        var name = ""
        var organizations: [String] = []
        var uid: String?
        let userID: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 57683, 2]
        for attribute in leaf.subject.flatMap({ $0 }) {
            guard let value = String(attribute.value) else { continue }
            switch attribute.type {
            case .RDNAttributeType.commonName: name = value
            case .RDNAttributeType.organizationName: organizations.append(value)
            case userID: uid = value
            default: break
            }
        }
        let digits = Array("0123456789ABCDEF".utf8)
        let hash = SHA256.hash(data: der).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return ClientIdentity(
            commonName: name,
            organizations: organizations,
            uid: uid,
            fingerprint: String(decoding: hash, as: UTF8.self)
        )
    }
}

/// The leaf must be meant for clients, as upstream demands.
private struct ClientAuthPolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.extendedKeyUsage]

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
        guard let usage = try? chain.leaf.extensions.extendedKeyUsage else {
            return .failsToMeetPolicy(reason: "certificate specifies an incompatible key usage")
        }
        if usage.contains(.clientAuth) || usage.contains(.any) { return .meetsPolicy }
        return .failsToMeetPolicy(reason: "certificate specifies an incompatible key usage")
    }
}
