import APITypes
import Access
import HTTPTransport
import Schema
import Store
import Testing
import Units
import Values

@testable import APIServer

/// Watches over WebSockets.
@Suite struct WatchSocketTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let list = "&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"

    private static func open(
        _ transport: any APITransport,
        _ cluster: TestCluster,
        _ target: String,
        accept: String? = nil,
        origin: String? = "https://dashboard.example",
        subprotocols: [String] = []
    ) async throws -> (connection: WebSocketConnection, subprotocol: String) {
        var request = cluster.request("GET", target, [], nil, accept)
        request.headers["Origin"] = origin
        return try await WebSocketHandshake.connect(transport, request, subprotocols: subprotocols)
    }

    /// The event of the next message, which has to be one line of text.
    private static func event(_ connection: WebSocketConnection) async throws -> JSONValue? {
        guard let message = try await connection.receive() else { return nil }
        guard case .text(let bytes) = message else {
            Issue.record("not a text: \(message)")
            return nil
        }
        #expect(bytes.last == UInt8(ascii: "\n"))
        return try JSONParser.parse(bytes)
    }

    private static func line(_ connection: WebSocketConnection) async throws -> String {
        let event = try await event(connection)
        return "\(event?["type"]?.string ?? "") \(event?.value(at: ["object", "metadata", "name"])?.string ?? "")"
    }

    @Test func `every event is one text message`() async throws {
        try await withCluster { cluster in
            for name in ["a", "b", "c"] { _ = try await cluster.post(Self.maps, ["metadata": ["name": .string(name)]]) }
            try await withLoopback(cluster) { client in
                let (socket, subprotocol) = try await Self.open(client, cluster, Self.maps + "?watch=1" + Self.list)
                #expect(subprotocol.isEmpty)
                for name in ["a", "b", "c"] { #expect(try await Self.line(socket) == "ADDED \(name)") }
                let mark = try await Self.event(socket)
                #expect(mark?["type"] == "BOOKMARK")
                #expect(mark?.value(at: ["object", "metadata", "annotations", "k8s.io/initial-events-end"]) == "true")
                _ = try await cluster.patch(Self.maps + "/a", ["data": ["k": "v"]])
                _ = try await cluster.delete(Self.maps + "/b")
                #expect(try await Self.line(socket) == "MODIFIED a")
                #expect(try await Self.line(socket) == "DELETED b")
                // What a client says is not listened to.
                try await socket.send(text: "hello")
                _ = try await cluster.delete(Self.maps + "/c")
                #expect(try await Self.line(socket) == "DELETED c")
                await socket.close()
            }
        }
    }

    @Test(arguments: [nil, "", "null", "http://a b", "dashboard", "1http://x"])
    func `a client that does not say where it comes from is refused`(_ origin: String?) async throws {
        try await withCluster { cluster in
            let failure = await #expect(throws: TransportError.self) {
                _ = try await Self.open(cluster.transport(), cluster, Self.maps + "?watch=1", origin: origin)
            }
            #expect(failure?.message.contains("answered 403") == true, "\(String(describing: failure))")
            let (socket, _) = try await Self.open(cluster.transport(), cluster, Self.maps + "?watch=1", origin: "/any")
            await socket.close()
        }
    }

    @Test func `it is closed when its time is over`() async throws {
        try await withCluster { cluster in
            try await withLoopback(cluster) { client in
                let target = Self.maps + "?watch=1&resourceVersion=0&timeoutSeconds=1"
                let (socket, _) = try await Self.open(client, cluster, target)
                while try await socket.receive() != nil {}
                #expect(socket.peerClose?.code == 1000)
            }
        }
    }

    @Test func `the watch ends with its client`() async throws {
        try await withCluster { cluster in
            let (socket, _) = try await Self.open(cluster.transport(), cluster, Self.maps + "?watch=1")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            #expect(try await Self.line(socket) == "ADDED a")
            let gauge = "apiserver_longrunning_requests"
            func watches() async throws -> [Substring] {
                let text = try await cluster.get("/metrics").text
                return text.split(separator: "\n").filter {
                    $0.hasPrefix(gauge) && $0.contains("\"configmaps\"") && !$0.hasSuffix(" 0")
                }
            }
            #expect(try await watches().count == 1)
            await socket.close()
            let clock = ContinuousClock()
            let end = clock.now + .seconds(90)
            while try await !watches().isEmpty, clock.now < end { await Task.yield() }
            #expect(try await watches().isEmpty)
        }
    }

    @Test func `an expired revision is told before the end`() async throws {
        try await withCluster { cluster in
            let first = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "b"]])
            try await cluster.store.compact(to: try await cluster.store.currentRevision())
            let revision = first["metadata", "resourceVersion"]?.string ?? ""
            let plain = try await cluster.watch(Self.maps + "?watch=1&resourceVersion=\(revision)")
            var reader = plain
            let expected = try await reader.next()
            let (socket, _) = try await Self.open(cluster.transport(), cluster, Self.maps + "?watch=1&resourceVersion=\(revision)")
            #expect(try await Self.event(socket) == expected)
        }
    }

    @Test func `protobuf and CBOR are binary messages without a length`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(FormatsTests.maps, FormatsTests.map)
            let target = Self.maps + "?watch=1"
            let accept = "\(FormatsTests.protobuf);stream=watch"
            let (proto, _) = try await Self.open(cluster.transport(), cluster, target, accept: accept)
            guard case .binary(let bytes) = try await proto.receive() else {
                Issue.record("no binary message")
                return
            }
            let length = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bytes.count >> $0) }
            var frames = FormatsWatchTests.Frames(ResponseBody(length + bytes))
            let event = try await frames.next(FormatsTests.node("ConfigMap"))
            #expect(event.type == "ADDED" && event.object["data"] == ["one": "1", "two": "2"])
            await proto.close()
            let (cbor, _) = try await Self.open(cluster.transport(), cluster, target, accept: "application/cbor")
            guard case .binary(let item) = try await cbor.receive() else {
                Issue.record("no binary message")
                return
            }
            #expect(try CBOR.decode(item).value(at: ["object", "metadata", "name"]) == "a")
            await cbor.close()
        }
    }

    @Test func `a subprotocol is repeated, of two none is chosen`() async throws {
        try await withCluster { cluster in
            let one = try await Self.open(
                cluster.transport(),
                cluster,
                Self.maps + "?watch=1",
                subprotocols: ["base64.binary.k8s.io"]
            )
            #expect(one.subprotocol == "base64.binary.k8s.io")
            await one.connection.close()
            await #expect(throws: TransportError.self) {
                _ = try await Self.open(cluster.transport(), cluster, Self.maps + "?watch=1", subprotocols: ["a", "b"])
            }
            await #expect(throws: TransportError.self, "options are checked before the handshake") {
                _ = try await Self.open(cluster.transport(), cluster, Self.maps + "?watch=1&sendInitialEvents=true")
            }
        }
    }

    @Test func `a browser sends its token among the subprotocols`() async throws {
        try await withCluster(key: TokenSigningKey()) { cluster in
            try await cluster.addServiceAccount()
            let issued = try await cluster.post("/api/v1/namespaces/default/serviceaccounts/default/token", [:])
            let carrier = "base64url.bearer.authorization.k8s.io."
            let token = carrier + Base64.encodeURL(Array((issued["status", "token"]?.string ?? "").utf8))
            func refusal(_ offered: [String]) async throws -> TestCluster.Answer {
                let headers = [
                    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": offered.joined(separator: ", "),
                ]
                return try await cluster.send("GET", Self.maps + "?watch=1", user: nil, headers: headers)
            }
            // Known by its token, and not allowed anything yet.
            let known = try await refusal(["base64.binary.k8s.io", token])
            #expect(known.status == 403 && known.message.contains("\"system:serviceaccount:default:default\""), "\(known.text)")
            #expect(try await refusal([token]).status == 401, "nothing is left to be answered")
            #expect(try await refusal(["base64.binary.k8s.io"]).status == 403, "nobody in particular")
            #expect(try await refusal(["base64.binary.k8s.io", carrier + "!"]).status == 401)
            var request = HTTPRequest(path: "/")
            request.headers = [
                "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Protocol": "\(token), base64.binary.k8s.io",
            ]
            let stripped = BearerTokenAuthenticator.withoutToken(request)
            #expect(stripped.headers.all("sec-websocket-protocol") == ["base64.binary.k8s.io"])
        }
    }

    @Test func `headers of a watch come once`() async throws {
        try await withCluster { cluster in
            let target = "/apis/networking.k8s.io/v1beta1/ingresses?watch=1"
            let response = try await cluster.transport().send(cluster.request("GET", target))
            #expect(response.headers.all("x-kubernetes-pf-flowschema-uid").count == 1)
            #expect(response.headers.all("x-kubernetes-pf-prioritylevel-uid").count == 1)
            #expect(response.headers.all("warning").count == 1)
        }
    }
}
