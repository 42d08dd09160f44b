import Synchronization
import Testing

@testable import HTTPTransport

@Suite struct ServerTests {
    static func tls(_ protocols: [String]) throws -> (TLSServer, TLSClient, TestPKI) {
        let pki = try TestPKI()
        let serving = try pki.issue("server", usage: .serverAuth)
        let admin = try pki.issue("admin", organizations: ["system:masters", "people"], usage: .clientAuth)
        return (
            TLSServer(
                certificateChainPEM: serving.certificatePEM,
                keyPEM: serving.keyPEM,
                clientCAPEM: pki.caPEM,
                protocols: protocols
            ),
            TLSClient(
                caPEM: pki.caPEM,
                certificateChainPEM: admin.certificatePEM,
                keyPEM: admin.keyPEM,
                protocols: protocols
            ),
            pki
        )
    }

    @Test func `plain http answers, keeps the connection and decodes the query`() async throws {
        try await withServer(handler: echo) { server, port in
            let client = try HTTPClient(configuration: .loopback(port))
            for number in 0..<3 {
                let response = try await client.send(
                    HTTPRequest(path: "/a%2Fb", query: ["x": "1 2", "y": "\(number)"], body: [])
                )
                #expect(response.status == 200)
                let body = text(try await response.body.collect())
                #expect(body == "GET /a%2Fb\nHTTP/1.1\nx=1 2\ny=\(number)\nbody 0")
            }
            #expect(server.connectionCount == 1)
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `tls carries the identity of the client certificate`(_ name: String) async throws {
        let (tls, clientTLS, _) = try Self.tls([name])
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { _, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let response = try await client.send(HTTPRequest(method: "POST", path: "/x", body: Array("hello".utf8)))
            let body = text(try await response.body.collect())
            let version = name == "h2" ? "HTTP/2.0" : "HTTP/1.1"
            #expect(body == "POST /x\n\(version)\nuser admin system:masters+people\nbody 5")
            await client.shutDown()
        }
    }

    @Test func `a certificate of a foreign authority is no identity and no broken handshake`() async throws {
        let (tls, ours, _) = try Self.tls(["h2"])
        let foreign = try TestPKI(name: "foreign").issue("admin", organizations: ["system:masters"], usage: .clientAuth)
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { _, port in
            let clientTLS = TLSClient(
                caPEM: ours.caPEM,
                certificateChainPEM: foreign.certificatePEM,
                keyPEM: foreign.keyPEM
            )
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let body = text(try await client.send(HTTPRequest(path: "/")).body.collect())
            #expect(!body.contains("user "))
            #expect(body.contains("problem x509"))
            await client.shutDown()
        }
    }

    @Test func `a server certificate's usage does not make a client`() async throws {
        let (tls, ours, pki) = try Self.tls(["http/1.1"])
        let wrong = try pki.issue("server", usage: .serverAuth)
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { _, port in
            let clientTLS = TLSClient(caPEM: ours.caPEM, certificateChainPEM: wrong.certificatePEM, keyPEM: wrong.keyPEM)
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let body = text(try await client.send(HTTPRequest(path: "/")).body.collect())
            #expect(body.contains("incompatible key usage"))
            await client.shutDown()
        }
    }

    @Test func `a client refuses a server it does not trust`() async throws {
        let (tls, _, _) = try Self.tls(["h2"])
        let other = try TestPKI(name: "other")
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { _, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: TLSClient(caPEM: other.caPEM)))
            await #expect(throws: TransportError.self) { try await client.send(HTTPRequest(path: "/")) }
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `many requests at once share the connections`(_ name: String) async throws {
        let (tls, clientTLS, _) = try Self.tls([name])
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { server, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let response = try await client.send(HTTPRequest(path: "/\(number)"))
                        let body = text(try await response.body.collect())
                        #expect(body.hasPrefix("GET /\(number)\n"))
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.connectionCount <= (name == "h2" ? 1 : 64))
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `large bodies arrive whole both ways`(_ name: String) async throws {
        let (tls, clientTLS, _) = try Self.tls([name])
        let chunks = (0..<500).map { number in [UInt8](repeating: UInt8(number % 251), count: 10_007) }
        try await withServer(
            HTTPServerConfiguration(tls: tls),
            handler: { request in
                #expect(request.body.count == 3 * 1024 * 1024)
                return HTTPResponse(status: 200, body: .chunks(chunks))
            }
        ) { _, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let upload = [UInt8](repeating: 7, count: 3 * 1024 * 1024)
            let response = try await client.send(HTTPRequest(method: "PUT", path: "/", body: upload))
            #expect(response.headers["content-length"] == "5003500")
            let body = try await response.body.collect()
            #expect(body == Array(chunks.joined()))
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `a body beyond the limit is marked and answered`(_ name: String) async throws {
        let (tls, clientTLS, _) = try Self.tls([name])
        var configuration = HTTPServerConfiguration(tls: tls)
        configuration.limits.bodyBytes = 64 * 1024
        configuration.limits.concurrentStreams = 100
        try await withServer(configuration, handler: echo) { _, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let upload = [UInt8](repeating: 7, count: 200_000)
            let response = try await client.send(HTTPRequest(method: "POST", path: "/", body: upload))
            #expect(response.status == 413)
            for _ in 0..<120 {
                // refused streams must not stay open: they would use up the connection
                let again = try await client.send(HTTPRequest(method: "POST", path: "/", body: upload))
                #expect(again.status == 413)
                _ = try await again.body.collect()
                if name == "http/1.1" { break }
            }
            #expect(try await client.send(HTTPRequest(path: "/")).status == 200)
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `a slow reader holds the writer back and the stream ends whole`(_ name: String) async throws {
        let (tls, clientTLS, _) = try Self.tls([name])
        let written = Counter()
        let total = 2_000
        try await withServer(
            HTTPServerConfiguration(tls: tls),
            handler: { _ in
                HTTPResponse(
                    status: 200,
                    body: .stream { stream in
                        for _ in 0..<total {
                            try await stream.write([UInt8](repeating: 1, count: 16 * 1024))
                            written.add()
                        }
                    }
                )
            }
        ) { _, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            let response = try await client.send(HTTPRequest(path: "/"))
            var last = -1
            // nobody reads: the writer must come to rest far below the total
            try await eventually {
                try await Task.sleep(for: .milliseconds(50))
                return true
            }
            while written.value != last {
                last = written.value
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(last < total)
            let body = try await response.body.collect()
            #expect(body.count == total * 16 * 1024)
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `dropping the body cancels the handler`(_ name: String) async throws {
        let (tls, clientTLS, _) = try Self.tls([name])
        let ended = Counter()
        try await withServer(
            HTTPServerConfiguration(tls: tls),
            handler: { _ in
                HTTPResponse(
                    status: 200,
                    body: .stream { stream in
                        defer { ended.add() }
                        try await stream.write(Array("first".utf8))
                        try await Task.sleep(for: .seconds(60))
                    }
                )
            }
        ) { _, port in
            let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
            do {
                let response = try await client.send(HTTPRequest(path: "/"))
                var iterator = response.body.makeAsyncIterator()
                #expect(try await iterator.next() == Array("first".utf8))
            }
            try await eventually { ended.value == 1 }
            await client.shutDown()
        }
    }

    @Test(arguments: ["h2", "http/1.1"])
    func `shutdown lets a request finish and ends a stream whole`(_ name: String) async throws {
        let (tls, clientTLS, _) = try Self.tls([name])
        let started = Counter()
        var configuration = HTTPServerConfiguration(tls: tls)
        configuration.limits.drain = .seconds(120)
        let server = try HTTPServer(
            configuration: configuration,
            handler: ClosureHandler { request in
                if request.path == "/stream" {
                    return HTTPResponse(
                        status: 200,
                        body: .stream { stream in
                            try await stream.write(Array("event".utf8))
                            started.add()
                            try await Task.sleep(for: .seconds(600))
                        }
                    )
                }
                started.add()
                try? await Task.sleep(for: .milliseconds(300))
                return HTTPResponse(status: 200, body: .bytes(Array("done".utf8)))
            }
        )
        // unstructured: the test cancels the server alone
        let running = Task { try await server.run() }
        let port = try await server.listeningPort()
        let client = try HTTPClient(configuration: .loopback(port, tls: clientTLS))
        async let slow = client.send(HTTPRequest(path: "/slow")).body.collect()
        async let stream = client.send(HTTPRequest(path: "/stream")).body.collect()
        try await eventually { started.value == 2 }
        let began = ContinuousClock.now
        running.cancel()
        #expect(text(try await slow) == "done")
        #expect(text(try await stream) == "event")
        try await running.value
        #expect(ContinuousClock.now - began < .seconds(100), "the drain limit was needed")
        #expect(server.connectionCount == 0)
        await client.shutDown()
    }

    @Test func `a new certificate serves the connections to come`() async throws {
        let (first, firstClient, _) = try Self.tls(["h2"])
        let (second, secondClient, _) = try Self.tls(["h2"])
        try await withServer(HTTPServerConfiguration(tls: first), handler: echo) { server, port in
            let before = try HTTPClient(configuration: .loopback(port, tls: firstClient))
            #expect(try await before.send(HTTPRequest(path: "/")).status == 200)
            try server.reloadTLS(second)
            let after = try HTTPClient(configuration: .loopback(port, tls: secondClient))
            #expect(try await after.send(HTTPRequest(path: "/")).status == 200)
            #expect(try await before.send(HTTPRequest(path: "/")).status == 200)
            await before.shutDown()
            await after.shutDown()
        }
    }

    @Test func `an unusable certificate is a clear error`() throws {
        let tls = TLSServer(certificateChainPEM: "garbage", keyPEM: "garbage")
        #expect(throws: TransportError.self) {
            try HTTPServer(configuration: HTTPServerConfiguration(tls: tls), handler: ClosureHandler(body: echo))
        }
    }

    @Test func `a unix socket serves as a port does`() async throws {
        let directory = try HTTPTransportFile.temporaryDirectory()
        var configuration = HTTPServerConfiguration()
        configuration.unixSocketPath = "\(directory)/s"
        try await withServer(configuration, handler: echo) { _, _ in
            let client = try HTTPClient(configuration: HTTPClientConfiguration(url: "unix://\(directory)/s"))
            let body = text(try await client.send(HTTPRequest(path: "/u")).body.collect())
            #expect(body.hasPrefix("GET /u\n"))
            await client.shutDown()
        }
        HTTPTransportFile.remove(directory, ["s"])
    }

    @Test func `a port in use is a clear error`() async throws {
        try await withServer(handler: echo) { _, port in
            let second = try HTTPServer(
                configuration: HTTPServerConfiguration(port: port),
                handler: ClosureHandler(body: echo)
            )
            await #expect {
                try await second.run()
            } throws: { "\($0)".contains("cannot listen on 127.0.0.1:\(port)") }
            await #expect(throws: TransportError.self) { try await second.listeningPort() }
        }
    }

    @Test func `a server that is not there and one that does not answer are told apart`() async throws {
        let gone = try HTTPClient(configuration: .loopback(1))
        await #expect { try await gone.send(HTTPRequest(path: "/")) } throws: { ($0 as? TransportError)?.code == .connectFailed }
        await gone.shutDown()
        try await withServer(
            handler: { _ in
                try? await Task.sleep(for: .seconds(60))
                return HTTPResponse(status: 200)
            }
        ) { _, port in
            let client = try HTTPClient(configuration: .loopback(port))
            await #expect {
                try await client.send(HTTPRequest(path: "/", timeout: .milliseconds(100)))
            } throws: { ($0 as? TransportError)?.code == .timedOut }
            await client.shutDown()
        }
    }
}
