import APIModel
import APITypes
import Channels
import HTTPTransport
import Synchronization
import Testing
import Values

@testable import APIClient

/// Answers from a closure and remembers what was asked.
final class RecordingHandler: HTTPHandler {
    let requests = Mutex<[HTTPRequest]>([])
    private let answer: @Sendable (HTTPRequest, Int) -> HTTPResponse

    init(_ answer: @escaping @Sendable (HTTPRequest, Int) -> HTTPResponse) {
        self.answer = answer
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let count = requests.withLock { requests in
            requests.append(request)
            return requests.count
        }
        return answer(request, count)
    }

    var last: HTTPRequest? { requests.withLock { $0.last } }
}

func client(_ handler: RecordingHandler, clock: any ClusterClock = SystemClock()) -> APIClient {
    APIClient(
        transport: InProcessTransport(handler: handler, user: InProcessUser(name: "test")),
        userAgent: "tester",
        clock: clock
    )
}

func response(_ json: JSONValue, _ status: Int = 200) -> HTTPResponse {
    HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(json.encoded()))
}

@Suite struct APIClientTests {
    static let pod: JSONValue = [
        "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "a", "namespace": "ns", "resourceVersion": "7"],
        "spec": ["futureField": [1, 2]],
    ]

    @Test func `typed verbs ask for the right paths and keep unknown fields`() async throws {
        let handler = RecordingHandler { _, _ in response(Self.pod) }
        let api = client(handler)
        let pod = try await api.get(Pod.self, namespace: "ns", name: "a")
        #expect(handler.last?.target == "/api/v1/namespaces/ns/pods/a")
        #expect(handler.last?.headers["user-agent"] == "tester")
        #expect(handler.last?.headers["accept"] == "application/json")
        try await api.updateStatus(pod)
        #expect(handler.last?.method == "PUT")
        #expect(handler.last?.path == "/api/v1/namespaces/ns/pods/a/status")
        let sent = try JSONParser.parse(handler.last?.body ?? [])
        #expect(sent["spec"]?["futureField"] == [1, 2])
        try await api.patch(Pod.self, namespace: "ns", name: "a", type: .strategic, ["metadata": [:]])
        #expect(handler.last?.headers["content-type"] == "application/strategic-merge-patch+json")
        try await api.patch(Pod.self, namespace: "ns", name: "a", type: .apply, ["metadata": [:]], options: WriteOptions(force: true))
        #expect(handler.last?.query.first("fieldManager") == "tester")
        #expect(handler.last?.query.first("force") == "true")
        try await api.create(subresource: "binding", of: Pod.self, namespace: "ns", name: "a", [:])
        #expect(handler.last?.path == "/api/v1/namespaces/ns/pods/a/binding")
        try await api.delete(Pod.self, namespace: "ns", name: "a", options: DeleteOptions { $0.gracePeriodSeconds = 0 })
        #expect(try JSONParser.parse(handler.last?.body ?? [])["gracePeriodSeconds"] == 0)
        _ = try await api.get(Node.resource, name: "n/../x")
        #expect(handler.last?.path == "/api/v1/nodes/n%2F..%2Fx")
    }

    @Test func `a list gives its items their kind and skips what is none`() async throws {
        let list: JSONValue = [
            "kind": "PodList", "apiVersion": "v1", "metadata": ["resourceVersion": "9", "continue": "t"],
            "items": [["metadata": ["name": "a"]], 5, ["kind": "Other", "metadata": ["name": "b"]]],
        ]
        let api = client(RecordingHandler { _, _ in response(list) })
        let found = try await api.list(Pod.self, options: ListOptions(labelSelector: "a=b", limit: 5))
        #expect(found.items.map(\.name) == ["a"])
        #expect(found.resourceVersion == "9")
        #expect(found.continue == "t")
    }

    @Test func `a status becomes the error it means`() async throws {
        let error = APIError.notFound(GroupResource(group: "", resource: "pods"), "x")
        let api = client(RecordingHandler { _, _ in response(error.status(), 404) })
        await #expect(throws: error) { try await api.get(Pod.self, namespace: "n", name: "x") }
        let html = client(RecordingHandler { _, _ in HTTPResponse(status: 503, body: .bytes(Array("<html>".utf8))) })
        await #expect {
            try await html.get(Pod.self, namespace: "n", name: "x")
        } throws: { ($0 as? APIError)?.code == 503 }
    }

    @Test func `a server that asks for patience gets it`() async throws {
        let clock = ManualClock()
        let handler = RecordingHandler { _, count in
            if count < 3 { return HTTPResponse(status: 429, headers: ["Retry-After": "5"]) }
            return response(Self.pod)
        }
        async let pod = client(handler, clock: clock).get(Pod.self, namespace: "ns", name: "a")
        for _ in 0..<2 {
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(5))
        }
        #expect(try await pod.name == "a")
        #expect(handler.requests.withLock { $0.count } == 3)
    }

    @Test func `a conflict is tried again, another error is not`() async throws {
        let conflict = APIError.conflict(GroupResource(group: "", resource: "pods"), "x", "changed")
        let handler = RecordingHandler { _, count in
            count < 3 ? response(conflict.status(), 409) : response(Self.pod)
        }
        let api = client(handler)
        let pod = Pod(name: "a", namespace: "ns")
        let stored = try await api.retryOnConflict { try await api.update(pod) }
        #expect(stored.resourceVersion == "7")
        let forbidden = RecordingHandler { _, _ in HTTPResponse(status: 403) }
        await #expect(throws: APIError.self) {
            try await client(forbidden).retryOnConflict { try await client(forbidden).update(pod) }
        }
        #expect(forbidden.requests.withLock { $0.count } == 1)
    }

    @Test func `a watch yields events, skips the unreadable, and throws what ERROR says`() async throws {
        let gone = APIError.expired("too old resource version: 1 (9)")
        let lines: [[UInt8]] = [
            Array(#"{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}"#.utf8) + [10],
            Array(#"{"object":{"metadata":{"name":"b"}},"#.utf8), Array("\"type\":\"MODIFIED\"}\n\n".utf8),
            Array(#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"5"}}}"#.utf8)
                + [10],
            Array(#"{"type":"DELETED","object":7}"#.utf8) + [10],
            (["type": "ERROR", "object": gone.status()] as JSONValue).encoded() + [10],
        ]
        let handler = RecordingHandler { _, _ in
            HTTPResponse(status: 200, body: .stream { stream in for line in lines { try await stream.write(line) } })
        }
        let watch = try await client(handler).watch(Pod.self, options: ListOptions(resourceVersion: "1"))
        #expect(handler.last?.query.first("watch") == "true")
        var seen: [String] = []
        await #expect(throws: gone) {
            for try await event in watch { seen.append("\(event.type.rawValue) \(event.object.name)") }
        }
        #expect(seen == ["ADDED a", "MODIFIED b", "BOOKMARK "])
    }

    @Test func `watch frames are cut wherever the bytes are`() throws {
        let text = "{\"a\":1}\n\n{\"b\":2}\r\n  \n{\"c\":3}"
        for size in 1...text.utf8.count {
            var frames = WatchFrames()
            var seen: [String] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                frames.append(Array(bytes[start..<min(start + size, bytes.count)]))
                while let frame = try frames.next() { seen.append(String(decoding: frame, as: UTF8.self)) }
            }
            if let rest = frames.rest() { seen.append(String(decoding: rest, as: UTF8.self)) }
            #expect(seen == ["{\"a\":1}", "{\"b\":2}\r", "{\"c\":3}"])
        }
    }
}
