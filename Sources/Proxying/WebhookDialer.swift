import APIModel
import Access
import Channels
import HTTPTransport
import Synchronization
import Values

/// Reaches webhooks: at an address of their own, or behind a service of the cluster. Keeps one client per webhook; guarded
/// by its mutex.
public final class WebhookDialer: Sendable {
    /// Why a webhook did not answer.
    public struct Problem: Error {
        /// What happened, in the words of upstream's client.
        public var message: String
        /// The code of the answer; 503 when there was none.
        public var code = 503
    }

    private static let maxClients = 128
    private static let answerLimit = 16 << 20
    private static let conversionSeconds = 30
    private let lookup: @Sendable () -> any ClusterLookup
    private let clock: any ClusterClock
    private let state = Mutex(State())

    private struct State {
        var clients: [Key: HTTPClient] = [:]
        /// One thread serves the connections of all clients.
        var threads: EventLoopThreads?
    }

    private struct Key: Hashable {
        let host: String
        let port: Int
        let name: String
        let authorities: String
    }

    /// Calls webhooks, finding services with `lookup`.
    public init(clock: any ClusterClock = SystemClock(), lookup: @escaping @Sendable () -> any ClusterLookup) {
        self.clock = clock
        self.lookup = lookup
    }

    /// Posts JSON to a conversion webhook and reads its answer.
    public func post(_ body: JSONValue, to endpoint: WebhookEndpoint) async throws(Problem) -> JSONValue {
        let bytes = try await post(body.encoded(), to: endpoint, seconds: Self.conversionSeconds)
        do throws(JSONParseError) { return try JSONParser.parse(bytes) } catch {
            throw Problem(message: "couldn't decode the answer: \(error.message)")
        }
    }

    /// Posts JSON to a webhook and returns the body of an answer that succeeded. Redirects are not followed.
    ///
    /// - Parameter seconds: How long all of it may take; the webhook is told, too.
    public func post(_ body: [UInt8], to endpoint: WebhookEndpoint, seconds: Int) async throws(Problem) -> [UInt8] {
        let route = try WebhookRoute(endpoint.place)
        var request = HTTPRequest(method: "POST", path: route.path, body: body, timeout: .seconds(seconds))
        request.query = QueryItems(parsing: "timeout=\(seconds)s")
        request.headers.append("Content-Type", "application/json")
        request.headers.append("Accept", "application/json, */*")
        func failed(_ why: String) -> Problem { Problem(message: "Post \"\(route.url)?timeout=\(seconds)s\": \(why)") }
        let place: (host: String, port: Int)
        do throws(Problem) { place = try route.place(lookup()) } catch { throw failed(error.message) }
        do {
            let client = try client(route, place, endpoint.authorities)
            let (status, type, bytes) = try await within(seconds) { [request] in
                let response = try await client.send(request)
                return (response.status, response.headers["content-type"] ?? "", try await response.body.collect(upTo: Self.answerLimit))
            }
            guard (200..<300).contains(status) else { throw WebhookAnswer.problem(status, type, bytes) }
            guard !bytes.isEmpty else {
                throw Problem(message: "0-length response with status code: \(status) and content type: \(type)")
            }
            return bytes
        } catch let problem as Problem {
            throw problem
        } catch {
            throw failed(WebhookAnswer.words(error, host: place.host, port: place.port))
        }
    }

    /// Runs a call, and gives it up when its time is over.
    private func within<Answer: Sendable>(
        _ seconds: Int,
        _ call: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let clock = clock
        return try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask { try await call() }
            group.addTask {
                try await clock.sleep(for: .seconds(seconds))
                throw WebhookAnswer.Late()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw WebhookAnswer.Late() }
            return first
        }
    }

    private func client(_ route: WebhookRoute, _ place: (host: String, port: Int), _ authorities: String) throws -> HTTPClient {
        let key = Key(host: place.host, port: place.port, name: route.name, authorities: authorities)
        let (known, threads) = state.withLock { state in
            let threads = state.threads ?? EventLoopThreads(count: 1)
            state.threads = threads
            return (state.clients[key], threads)
        }
        if let known { return known }
        let tls = TLSClient(caPEM: authorities.isEmpty ? nil : authorities, serverName: route.name)
        var configuration = HTTPClientConfiguration(address: .tcp(host: place.host, port: place.port), tls: tls, eventLoops: threads)
        configuration.authority = route.authority
        let made = try HTTPClient(configuration: configuration)
        return state.withLock { state in
            if let known = state.clients[key] { return known }
            if state.clients.count >= Self.maxClients { state.clients.removeAll() }
            state.clients[key] = made
            return made
        }
    }

    /// Closes all connections.
    public func shutDown() async {
        let state = state.withLock { state in
            defer { state = State() }
            return state
        }
        for client in state.clients.values { await client.shutDown() }
        await state.threads?.shutDown()
    }
}
