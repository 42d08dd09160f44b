import NIOCore
import NIOSSL

/// What a TLS handshake of a server needs, made once for a certificate and shared by its connections.
final class ServerTLSContext: Sendable {
    let context: NIOSSLContext
    let clients: ClientCertificates

    init(_ tls: TLSServer) throws {
        clients = try ClientCertificates(tls: tls)
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(tls.certificateChainPEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(tls.keyPEM.utf8), format: .pem)
            guard !chain.isEmpty else {
                throw TransportError(.badConfiguration, "the serving certificate is empty")
            }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = tls.protocols
            configuration.shutdownTimeout = TLSClose.limit
            // These are only named to clients, who choose their certificate by them.
            let authorities = [tls.clientCAPEM, tls.requestHeaderCAPEM].compactMap(\.self)
            configuration.trustRoots = .certificates(
                try authorities.flatMap { try NIOSSLCertificate.fromPEMBytes(Array($0.utf8)) }
            )
            configuration.sendCANameList = true
            configuration.certificateVerification = clients.areWanted ? .optionalVerification : .none
            context = try NIOSSLContext(configuration: configuration)
        } catch let error as TransportError {
            throw error
        } catch {
            throw TransportError(.badConfiguration, "the serving certificate or its key is unusable: \(error)")
        }
    }

    /// A handler for one connection. Possession of the key is checked by TLS, the chain by `ClientCertificates`.
    func makeHandler(_ received: ReceivedChain) -> NIOSSLServerHandler {
        guard clients.areWanted else { return NIOSSLServerHandler(context: context) }
        return NIOSSLServerHandler(context: context) { chain, verdict in
            received.certificates = chain
            verdict.succeed(.certificateVerified)
        }
    }
}

/// How long a connection that we close waits for the peer's own close: nothing of value comes after ours.
enum TLSClose {
    static let limit = TimeAmount.seconds(1)
}

/// The chain a client presented during the handshake.
///
/// `@unchecked Sendable`: written and read on the connection's event loop only.
final class ReceivedChain: @unchecked Sendable {
    var certificates: [NIOSSLCertificate] = []
}
