import Synchronization
import Testing

@testable import HTTPTransport

/// Bodies that are asked for instead of being written.
@Suite struct FeedTests {
    /// What a test gives it. Guarded by `state`.
    final class TestFeed: ResponseFeed {
        private struct State {
            var pieces: [[UInt8]] = []
            var isEndless = false
            var isOver = false
            var isCancelled = false
            var asked = 0
            var wake: (@Sendable () -> Void)?
        }

        private let state = Mutex(State())

        /// Whether a piece that nothing follows says so.
        private let tellsLast: Bool

        init(endless: Bool = false, tellsLast: Bool = false) {
            self.tellsLast = tellsLast
            state.withLock { $0.isEndless = endless }
        }

        var isCancelled: Bool { state.withLock { $0.isCancelled } }
        var asked: Int { state.withLock { $0.asked } }

        func push(_ text: String) { change { $0.pieces.append(Array(text.utf8)) } }
        func finish() { change { $0.isOver = true } }

        func next() -> ResponseFeedStep {
            state.withLock { state in
                state.asked += 1
                if state.isOver || state.isCancelled { return .end }
                if state.isEndless { return .bytes([UInt8](repeating: 0x61, count: 64 * 1024)) }
                guard let piece = state.pieces.first else { return .wait }
                state.pieces.removeFirst()
                return tellsLast && state.pieces.isEmpty ? .lastBytes(piece) : .bytes(piece)
            }
        }

        func onReady(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }
        func cancel() { change { $0.isCancelled = true } }

        private func change(_ body: (inout State) -> Void) {
            let wake = state.withLock { state in
                body(&state)
                return state.wake
            }
            wake?()
        }
    }

    private static func serving(_ feed: TestFeed) -> @Sendable (HTTPRequest) async -> HTTPResponse {
        { _ in
            HTTPResponse(
                status: 200,
                body: .stream { stream in
                    try await stream.write(Array("begun".utf8))
                    stream.handOver(feed)
                }
            )
        }
    }

    @Test(arguments: ["h2", "http/1.1"], [false, true])
    func `a body goes on with its feed and ends with it`(_ name: String, _ tellsLast: Bool) async throws {
        let (tls, clientTLS, _) = try ServerTests.tls([name])
        let feed = TestFeed(tellsLast: tellsLast)
        try await withServer(HTTPServerConfiguration(tls: tls), handler: Self.serving(feed)) { server, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            var body = try await client.send(HTTPRequest(path: "/")).body.makeAsyncIterator()
            #expect(text(try await body.next() ?? []) == "begun")
            for word in ["one", "two"] {
                feed.push(word)
                #expect(text(try await body.next() ?? []) == word)
            }
            feed.finish()
            #expect(try await body.next() == nil)
            try await eventually { feed.isCancelled }
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `a feed is held back by its reader and cancelled when the reader goes`(_ name: String) async throws {
        let (tls, clientTLS, _) = try ServerTests.tls([name])
        let feed = TestFeed(endless: true)
        try await withServer(HTTPServerConfiguration(tls: tls), handler: Self.serving(feed)) { _, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let response = try await client.send(HTTPRequest(path: "/"))
            try await eventually { feed.asked > 4 }
            // Unread, it comes to rest.
            try await eventually {
                let before = feed.asked
                try await Task.sleep(for: .milliseconds(50))
                return before == feed.asked
            }
            #expect(feed.asked < 1_000)
            response.body.cancel()
            try await eventually { feed.isCancelled }
            await client.shutDown()
        }
    }

    @Test func `shutdown ends a feed and its body whole`() async throws {
        let (tls, clientTLS, _) = try ServerTests.tls(["h2"])
        let feed = TestFeed()
        let server = try HTTPServer(configuration: HTTPServerConfiguration(tls: tls), handler: ClosureHandler(body: Self.serving(feed)))
        // unstructured: the test cancels the server alone
        let running = Task { try await server.run() }
        let client = try HTTPClient(configuration: .loopback(try await server.listeningPort(), tls: clientTLS))
        var body = try await client.send(HTTPRequest(path: "/")).body.makeAsyncIterator()
        #expect(text(try await body.next() ?? []) == "begun")
        running.cancel()
        #expect(try await body.next() == nil)
        try await running.value
        await client.shutDown()
    }

    @Test(arguments: [false, true])
    func `in process a feed is read like any body`(_ tellsLast: Bool) async throws {
        let feed = TestFeed(tellsLast: tellsLast)
        let transport = InProcessTransport(handler: ClosureHandler(body: Self.serving(feed)), user: InProcessUser(name: "a"))
        var body = try await transport.send(HTTPRequest(path: "/")).body.makeAsyncIterator()
        #expect(text(try await body.next() ?? []) == "begun")
        feed.push("one")
        #expect(text(try await body.next() ?? []) == "one")
        feed.finish()
        #expect(try await body.next() == nil)
    }
}
