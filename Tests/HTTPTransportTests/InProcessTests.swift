import Testing

@testable import HTTPTransport

@Suite struct InProcessTests {
    @Test func `the handler sees the user and the caller the body`() async throws {
        let handler = ClosureHandler { request in
            #expect(request.peer.inProcessUser?.name == "system:kube-scheduler")
            return HTTPResponse(status: 200, body: .chunks([[1], [2, 3]]))
        }
        let transport = InProcessTransport(handler: handler, user: InProcessUser(name: "system:kube-scheduler"))
        let response = try await transport.send(HTTPRequest(path: "/"))
        #expect(try await response.body.collect() == [1, 2, 3])
    }

    @Test func `a stream is held back by its reader and cancelled when dropped`() async throws {
        let written = Counter()
        let ended = Counter()
        let handler = ClosureHandler { _ in
            HTTPResponse(
                status: 200,
                body: .stream { stream in
                    defer { ended.add() }
                    while true {
                        try await stream.write([UInt8](repeating: 0, count: 64 * 1024))
                        written.add()
                    }
                }
            )
        }
        let transport = InProcessTransport(handler: handler, user: InProcessUser(name: "x"))
        do {
            let response = try await transport.send(HTTPRequest(path: "/"))
            try await eventually { written.value > 2 }
            var iterator = response.body.makeAsyncIterator()
            #expect(try await iterator.next() != nil)
            #expect(written.value < 100)
        }
        try await eventually { ended.value == 1 }
    }

    @Test func `an upgrade joins both ends in memory`() async throws {
        let handler = ClosureHandler { _ in
            HTTPResponse(
                status: 101,
                body: .upgrade { stream in
                    while let bytes = try await stream.read() { try await stream.write(bytes.reversed()) }
                }
            )
        }
        let transport = InProcessTransport(handler: handler, user: InProcessUser(name: "x"))
        let (response, stream) = try await transport.upgrade(HTTPRequest(path: "/"))
        #expect(response.status == 101)
        try await stream.write([1, 2, 3])
        #expect(try await stream.read() == [3, 2, 1])
        await stream.closeWrite()
        #expect(try await stream.read() == nil)
    }

    @Test func `a timeout ends the wait`() async throws {
        let handler = ClosureHandler { _ in
            try? await Task.sleep(for: .seconds(60))
            return HTTPResponse(status: 200)
        }
        let transport = InProcessTransport(handler: handler, user: InProcessUser(name: "x"))
        await #expect(throws: TransportError.self) {
            try await transport.send(HTTPRequest(path: "/", timeout: .milliseconds(50)))
        }
    }
}
