import NIOCore
import NIOSSL

/// What a TLS handshake of a client needs, made once and shared by its connections.
struct ClientTLSContext: Sendable {
    let context: NIOSSLContext
    let serverName: String?

    init(_ tls: TLSClient, host: String, protocols: [String]) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        configuration.shutdownTimeout = TLSClose.limit
        do {
            if let ca = tls.caPEM {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(ca.utf8)))
            }
            if let certificate = tls.certificateChainPEM, let key = tls.keyPEM {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map {
                    .certificate($0)
                }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
            }
            if tls.isInsecure {
                configuration.certificateVerification = .none
                // reading the system's authorities takes longer than the request
                configuration.trustRoots = .certificates([])
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TransportError(.badConfiguration, "the client's TLS settings are unusable: \(error)")
        }
        let name = tls.serverName ?? host
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        serverName = isAddress || name.isEmpty ? nil : name
    }

    func makeHandler() throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: serverName)
    }
}
