import Crypto
import FoundationEssentials
import HTTPTransport
import SwiftASN1
import Synchronization
import Testing
import Values
import X509

/// An authority of the tests and what it signs.
struct TestAuthority {
    let certificatePEM: String
    private let key: Certificate.PrivateKey
    private let certificate: Certificate

    struct Pair: Sendable {
        var certificatePEM: String
        var keyPEM: String
    }

    init(_ name: String) throws {
        key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName(name) }
        certificate = try Certificate(
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
        certificatePEM = try certificate.serializeAsPEM().pemString
    }

    func issue(_ name: String, dnsNames: [String] = [], usage: ExtendedKeyUsage.Usage) throws -> Pair {
        let raw = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(name) }
        let signed = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PrivateKey(raw).publicKey,
            notValidBefore: Date() - 60,
            notValidAfter: Date() + 3600,
            issuer: certificate.subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([usage])
                SubjectAlternativeNames(dnsNames.isEmpty ? [.dnsName("none.invalid")] : dnsNames.map { .dnsName($0) })
            },
            issuerPrivateKey: key
        )
        return Pair(certificatePEM: try signed.serializeAsPEM().pemString, keyPEM: raw.pemRepresentation)
    }
}

/// A small server of `metrics.k8s.io`, over TLS, that believes its front proxy.
final class MetricsServer: HTTPHandler {
    /// What the last request said of who asks.
    struct Seen: Sendable {
        var path = ""
        var user = ""
        var groups: [String] = []
        var extra: [String: String] = [:]
        var proxy = ""
        var authorization: String?
    }

    private let state = Mutex(Seen())
    private let broken = Mutex(false)
    private let documented = Mutex(JSONValue.null)

    var seen: Seen { state.withLock { $0 } }
    func document(_ document: JSONValue) { documented.withLock { $0 = document } }
    func breakDown(_ isBroken: Bool) { broken.withLock { $0 = isBroken } }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        state.withLock { seen in
            seen.path = request.path
            seen.user = request.headers["x-remote-user"] ?? ""
            seen.groups = request.headers.all("x-remote-group")
            seen.extra = [:]
            for field in request.headers where field.name.lowercased().hasPrefix("x-remote-extra-") {
                seen.extra[field.name.lowercased()] = field.value
            }
            seen.proxy = request.peer.proxyCertificate?.commonName ?? ""
            seen.authorization = request.headers["authorization"]
        }
        if broken.withLock({ $0 }) { return HTTPResponse(status: 500) }
        guard request.peer.proxyCertificate?.commonName == "front-proxy-client" else { return HTTPResponse(status: 401) }
        switch request.path {
        case "/apis/metrics.k8s.io/v1beta1": return json(Self.resources)
        case "/apis/metrics.k8s.io/v1beta1/nodes":
            return json(["kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "items": []])
        case "/apis/metrics.k8s.io/v1beta1/elsewhere": return HTTPResponse(status: 302, headers: ["Location": "https://169.254.169.254/"])
        case "/apis/metrics.k8s.io/v1beta1/upgrade": return HTTPResponse(status: 403, body: .bytes(Array("no".utf8)))
        case "/openapi/v3":
            return json([
                "paths": ["apis/metrics.k8s.io/v1beta1": ["serverRelativeURL": "/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=AB12"]]
            ])
        case "/openapi/v3/apis/metrics.k8s.io/v1beta1": return json(["openapi": "3.0.0", "paths": [:]])
        case "/openapi/v2":
            let document = documented.withLock { $0 }
            let tag = "\"\(document.description.utf8.count)\""
            if request.headers["if-none-match"] == tag { return HTTPResponse(status: 304, headers: ["ETag": tag]) }
            var response = json(document)
            response.headers.append("ETag", tag)
            return response
        default: return HTTPResponse(status: 404)
        }
    }

    private static let resources: JSONValue = [
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "metrics.k8s.io/v1beta1",
        "resources": [
            ["name": "nodes", "singularName": "", "namespaced": false, "kind": "NodeMetrics", "verbs": ["get", "list"]],
            ["name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics", "verbs": ["get", "list"]],
        ],
    ]

    private func json(_ value: JSONValue) -> HTTPResponse {
        HTTPResponse(status: 200, headers: ["Content-Type": "application/json"], body: .bytes(value.encoded()))
    }
}

/// Runs an HTTP server around `body`.
func withHTTPServer<Result: Sendable>(
    tls: TLSServer? = nil,
    host: String = "127.0.0.1",
    _ handler: any HTTPHandler,
    _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> Result {
    let server = try HTTPServer(configuration: HTTPServerConfiguration(host: host, port: 0, tls: tls), handler: handler)
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            try await server.run()
            return nil
        }
        let port = try await server.listeningPort()
        let result: Result
        do { result = try await body(port) } catch {
            group.cancelAll()
            throw error
        }
        group.cancelAll()
        while try await group.next() != nil {}
        return result
    }
}
