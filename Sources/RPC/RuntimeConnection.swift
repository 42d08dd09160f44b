public import GRPCCore
public import GRPCNIOTransportHTTP2Posix
import NIOCore

/// One gRPC connection to a container runtime's unix socket, with both services of the Container Runtime Interface.
///
/// `run()` owns the connection: it reconnects with a short back-off until it is cancelled or `shutDown()` is called,
/// so a runtime that is restarted is found again within two seconds.
public final class RuntimeConnection: Sendable {
    /// The transport both clients share.
    public typealias Transport = HTTP2ClientTransport.Posix

    /// The largest message accepted from the runtime (a list of thousands of containers).
    public static let maximumResponseBytes = 16 << 20

    /// The socket's path, for messages.
    public let socketPath: String
    /// Sandboxes and containers.
    public let runtime: CRIRuntimeService.Client<Transport>
    /// Images.
    public let images: CRIImageService.Client<Transport>
    private let client: GRPCClient<Transport>

    /// A connection to `socketPath` (a path, or an address that starts with `unix://`).
    ///
    /// - Throws: when the transport cannot be set up; the socket need not exist yet.
    public init(socketPath: String) throws {
        let path = socketPath.hasPrefix("unix://") ? String(socketPath.dropFirst(7)) : socketPath
        self.socketPath = path
        let transport = try HTTP2ClientTransport.Posix(
            target: .unixDomainSocket(path: path, authority: "localhost"),
            transportSecurity: .plaintext,
            config: .defaults { config in
                config.backoff = .init(
                    initial: .milliseconds(50),
                    max: .seconds(2),
                    multiplier: 1.6,
                    jitter: 0.2
                )
                config.http2.authority = "localhost"
                config.connection.flushCoalescing = nil
                config.channelDebuggingCallbacks.onCreateTCPConnection = { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(PingAnswering(), position: .first)
                    }
                }
                config.channelDebuggingCallbacks.onCreateHTTP2Stream = { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(UnaryFraming(), position: .first)
                    }
                }
            }
        )
        client = GRPCClient(transport: transport)
        runtime = CRIRuntimeService.Client(wrapping: client)
        images = CRIImageService.Client(wrapping: client)
    }

    /// Keeps the connection until cancelled or shut down. Calls wait for it; call it exactly once.
    public func run() async throws {
        try await withTaskCancellationHandler {
            try await client.runConnections()
        } onCancel: {
            client.beginGracefulShutdown()
        }
    }

    /// Lets calls in flight end and then closes.
    public func shutDown() {
        client.beginGracefulShutdown()
    }

    /// What every call carries: it waits for a connection, up to its deadline.
    public static func options(timeout: Duration?) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = timeout
        options.waitForReady = true
        options.maxResponseMessageBytes = maximumResponseBytes
        return options
    }
}
