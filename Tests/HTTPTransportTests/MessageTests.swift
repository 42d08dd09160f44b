import Testing

@testable import HTTPTransport

@Suite struct MessageTests {
    @Test func `header names ignore case and lists are split`() {
        var headers: HeaderFields = ["Content-Type": "a", "X": "1, 2", "x": "3"]
        #expect(headers["content-type"] == "a")
        #expect(headers.elements("X") == ["1", "2", "3"])
        #expect(headers.hasToken("2", in: "x"))
        headers["X"] = "9"
        #expect(headers.all("x") == ["9"])
        headers["x"] = nil
        #expect(headers.count == 1)
        #expect(!HeaderFields.same("a[", "a{"))
    }

    @Test func `queries are decoded and encoded`() {
        let query = QueryItems(parsing: "a=1+2&b=%zz&c&labelSelector=app%3Dx%2Cy&a=3")
        #expect(query.first("a") == "1 2")
        #expect(query.all("a") == ["1 2", "3"])
        #expect(query.first("b") == "%zz")
        #expect(query.first("c") == "")
        #expect(query.first("labelSelector") == "app=x,y")
        #expect(QueryItems(parsing: query.encoded) == query)
    }

    @Test func `urls give host, port and path`() throws {
        #expect(try ServerURL("https://[::1]:6443/x/").host == "::1")
        #expect(try ServerURL("https://[::1]:6443/x/").path == "/x")
        #expect(try ServerURL("http://a").port == 80)
        #expect(try ServerURL("unix:///run/x.sock").path == "/run/x.sock")
        #expect(throws: TransportError.self) { try ServerURL("ftp://a") }
        #expect(throws: TransportError.self) { try ServerURL("https://a:99999") }
        #expect(throws: TransportError.self) { try ServerURL("https://") }
    }

    @Test func `dates are those of the standard`() {
        #expect(HTTPDate.format(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.format(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate.format(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test func `a body is cut and joined into pieces without loss`() {
        let chunks: [[UInt8]] = [[], [1, 2, 3], [4], [], [5, 6, 7, 8, 9, 10, 11], []]
        let pieces = BodyPieces(chunks: chunks, limit: 4).map { $0.bytesArray() }
        #expect(pieces == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11]])
        #expect(Array(BodyPieces(chunks: [[], []], limit: 4)).isEmpty)
    }

    @Test func `a pool opens one multiplexed connection for many and many plain ones`() {
        final class Connection {}
        var limits = HTTPClientConfiguration.Limits()
        limits.streamsPerConnection = 2
        limits.connections = 2
        limits.waiting = 3
        var pool = PoolMachine<Connection, Int>(limits: limits, expectsMultiplexing: true)
        func summary(_ actions: [PoolMachine<Connection, Int>.Action]) -> String {
            actions.map { action in
                switch action {
                case .use(_, let waiter): "use\(waiter)"
                case .connect: "connect"
                case .refuse(let waiter, _): "refuse\(waiter)"
                }
            }.joined(separator: " ")
        }
        #expect(summary(pool.requested(1, id: 1)) == "connect")
        #expect(summary(pool.requested(2, id: 2)) == "")
        #expect(summary(pool.requested(3, id: 3)) == "connect")
        #expect(summary(pool.requested(4, id: 4)) == "refuse4")
        let first = Connection()
        #expect(summary(pool.connected(first, isMultiplexed: true)) == "use1 use2")
        #expect(pool.waiterCancelled(3) == 3)
        #expect(summary(pool.requested(5, id: 5)) == "")
        #expect(summary(pool.freed(first, now: 0)) == "use5")
        #expect(summary(pool.gone(first)) == "")
        #expect(pool.count == 1)
        #expect(summary(pool.requested(6, id: 6)) == "")
        #expect(summary(pool.connectFailed(TransportError(.connectFailed, "x"))) == "refuse6")
        #expect(pool.count == 0)
    }

    @Test func `a byte channel holds its producer back and drains in order`() async throws {
        let channel = ByteChannel(highWater: 10)
        #expect(channel.push([1, 2, 3]))
        #expect(!channel.push([UInt8](repeating: 4, count: 10)))
        async let blocked: Void = channel.waitForRoom()
        #expect(try await channel.next()?.count == 13)
        try await blocked
        channel.finish()
        #expect(try await channel.next() == nil)
        #expect(try await channel.next() == nil)
    }
}
