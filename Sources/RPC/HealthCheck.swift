import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// One call of the standard gRPC health check, on a connection of its own.
public enum HealthCheck {
    /// What the server answered.
    public enum Answer: Sendable, Hashable {
        /// It serves.
        case serving
        /// It answered, but does not serve; the status as on the wire.
        case notServing(String)
        /// It answered with an error, or not at all; gRPC's words.
        case failed(code: String, message: String)
    }

    /// Asks the server at `host`:`port` about `service` ("" for the server as a whole).
    public static func check(host: String, port: Int, service: String, timeout: Duration) async -> Answer {
        do {
            let isIPv6 = host.utf8.contains(UInt8(ascii: ":"))
            let transport: HTTP2ClientTransport.Posix =
                isIPv6
                ? try .http2NIOPosix(target: .ipv6(address: host, port: port), transportSecurity: .plaintext)
                : try .http2NIOPosix(target: .ipv4(address: host, port: port), transportSecurity: .plaintext)
            return try await withGRPCClient(transport: transport) { client in
                var options = CallOptions.defaults
                options.timeout = timeout
                options.waitForReady = false
                let response = try await HealthHealth.Client(wrapping: client)
                    .check(.with { $0.service = service }, options: options)
                return answer(response.status)
            }
        } catch let error as RPCError {
            return .failed(code: error.code.description, message: error.message)
        } catch {
            return .failed(code: "unknown", message: "\(error)")
        }
    }

    private static func answer(_ status: HealthHealthCheckResponse.ServingStatus) -> Answer {
        switch status {
        case .serving: .serving
        case .notServing: .notServing("NOT_SERVING")
        case .serviceUnknown: .notServing("SERVICE_UNKNOWN")
        default: .notServing("UNKNOWN")
        }
    }
}
