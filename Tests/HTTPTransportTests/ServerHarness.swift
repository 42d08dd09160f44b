import Logging
import Synchronization
import Testing

@testable import HTTPTransport

/// A handler made of a closure.
struct ClosureHandler: HTTPHandler {
    let body: @Sendable (HTTPRequest) async -> HTTPResponse

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        await body(request)
    }
}

/// Runs a server around `body` and stops it afterwards.
func withServer<Result: Sendable>(
    _ configuration: HTTPServerConfiguration = HTTPServerConfiguration(),
    handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
    _ body: @escaping @Sendable (HTTPServer, Int) async throws -> Result
) async throws -> Result {
    let server = try HTTPServer(configuration: configuration, handler: ClosureHandler(body: handler))
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            try await server.run()
            return nil
        }
        do {
            let port = try await server.listeningPort()
            let result = try await body(server, port)
            group.cancelAll()
            while try await group.next() != nil {}
            return result
        } catch {
            group.cancelAll()
            throw error
        }
    }
}

/// Waits until a condition holds; throws after the deadline.
func eventually(
    within limit: Duration = .seconds(60),
    _ condition: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    throw TimedOut()
}

struct TimedOut: Error {}

/// A latched count for tests.
final class Counter: Sendable {
    private let state = Mutex(0)
    var value: Int { state.withLock { $0 } }
    func add(_ number: Int = 1) { state.withLock { $0 += number } }
}

extension HTTPClientConfiguration {
    static func loopback(_ port: Int, tls: TLSClient? = nil) -> HTTPClientConfiguration {
        HTTPClientConfiguration(address: .tcp(host: "127.0.0.1", port: port), tls: tls)
    }
}

/// Echoes what the tests need to see.
@Sendable func echo(_ request: HTTPRequest) async -> HTTPResponse {
    var lines = ["\(request.method) \(request.path)", request.version.rawValue]
    for item in request.query { lines.append("\(item.name)=\(item.value)") }
    if let identity = request.peer.clientCertificate {
        lines.append("user \(identity.commonName) \(identity.organizations.joined(separator: "+"))")
    }
    if let problem = request.peer.certificateProblem { lines.append("problem \(problem)") }
    if request.isBodyTooLarge { return HTTPResponse(status: 413, body: .bytes(Array("too large".utf8))) }
    lines.append("body \(request.body.count)")
    return HTTPResponse(
        status: 200,
        headers: ["Content-Type": "text/plain"],
        body: .bytes(Array(lines.joined(separator: "\n").utf8))
    )
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
