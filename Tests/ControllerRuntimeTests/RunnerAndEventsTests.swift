import APIClient
import APIModel
import APITypes
import Channels
import HTTPTransport
import Synchronization
import Testing
import Units
import Values

@testable import ControllerRuntime

@Suite struct RunnerTests {
    struct Failing: Reconciler {
        final class Box: Sendable {
            let calls = Mutex<[String: Int]>([:])
        }
        let box = Box()

        func reconcile(_ key: String) async throws -> ReconcileResult {
            let count = box.calls.withLock { calls in
                calls[key, default: 0] += 1
                return calls[key] ?? 0
            }
            if key == "later", count == 1 { return .requeue(after: .milliseconds(5)) }
            if key == "bad", count < 3 { throw APIError.internalError("no") }
            return .done
        }
    }

    @Test func `failures are tried again, requeues come back, done is done`() async throws {
        let queue = WorkQueue<String>(name: "test")
        let reconciler = Failing()
        let runner = ReconcileRunner(name: "test", queue: queue, workers: 2, reconciler: reconciler)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await runner.run() }
            for key in ["ok", "bad", "later"] { queue.add(key) }
            try await eventually {
                reconciler.box.calls.withLock { $0 } == ["ok": 1, "bad": 3, "later": 2]
            }
            try await eventually { queue.failures("bad") == 0 }
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}

/// Keeps leases and events as a server would, as far as these tests go.
final class TinyServer: HTTPHandler {
    struct State {
        var objects: [String: JSONValue] = [:]
        var revision = 0
        var log: [String] = []
    }

    let state = Mutex(State())

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        let (status, json) = state.withLock { state -> (Int, JSONValue) in
            state.log.append("\(request.method) \(request.path)")
            let body = (try? JSONParser.parse(request.body)) ?? .null
            let missing = APIError.notFound(GroupResource(group: "", resource: "x"), "x").status()
            switch request.method {
            case "GET": return state.objects[request.path].map { (200, $0) } ?? (404, missing)
            case "POST":
                let path = "\(request.path)/\(body.value(at: ["metadata", "name"])?.string ?? "")"
                return (201, Self.store(&state, path, body))
            case "PUT":
                guard let old = state.objects[request.path] else { return (404, missing) }
                let version = ["metadata", "resourceVersion"]
                guard body.value(at: version) == old.value(at: version) else {
                    return (409, APIError.conflict(GroupResource(group: "", resource: "x"), "x", "changed").status())
                }
                return (200, Self.store(&state, request.path, body))
            case "PATCH":
                guard let old = state.objects[request.path] else { return (404, missing) }
                return (200, Self.store(&state, request.path, MergePatch.apply(body, to: old)))
            default: return (405, missing)
            }
        }
        return HTTPResponse(status: status, body: .bytes(json.encoded()))
    }

    private static func store(_ state: inout State, _ path: String, _ json: JSONValue) -> JSONValue {
        state.revision += 1
        var json = json
        json.set(.string("\(state.revision)"), at: ["metadata", "resourceVersion"])
        state.objects[path] = json
        return json
    }

    var client: APIClient {
        APIClient(transport: InProcessTransport(handler: self, user: InProcessUser(name: "x")))
    }
}

@Suite struct EventTests {
    static let now = Timestamp(unixSeconds: 1_700_000_000, nanoseconds: 5)

    static func event(_ message: String, reason: String = "Failed", object: String = "p") -> Event {
        var event = Event(name: EventRecorder.eventName(object, now), namespace: "ns")
        event.involvedObject = ObjectReference {
            $0.kind = "Pod"
            $0.name = object
            $0.uid = "u-\(object)"
        }
        event.reason = reason
        event.message = message
        event.type = "Warning"
        event.count = 1
        event.firstTimestamp = now
        event.lastTimestamp = now
        return event
    }

    @Test func `the name is the object's and the time in hex`() {
        #expect(EventRecorder.eventName("p", Self.now) == "p.17979cfe362a0005")
    }

    @Test func `events of one moment have names of their own`() {
        let names = (0..<500).map { _ in EventRecorder.eventName("p", EventRecorder.unique(Self.now)) }
        #expect(Set(names).count == names.count)
        #expect(EventRecorder.unique(Self.now).rfc3339Micro == Self.now.rfc3339Micro)
    }

    @Test func `the same event is counted up`() {
        var correlator = EventCorrelator()
        let first = correlator.correlate(Self.event("a"), now: Self.now)
        #expect(first == .create(Self.event("a")))
        let later = Self.now + .seconds(30)
        var again = Self.event("a")
        again.metadata.name = "other"
        again.lastTimestamp = later
        guard case .update(let event, let patch) = correlator.correlate(again, now: later) else {
            Issue.record("not counted")
            return
        }
        #expect(event.name == Self.event("a").name)
        #expect(event.count == 2)
        #expect(patch["count"] == 2)
        #expect(patch["lastTimestamp"]?.string == later.rfc3339)
    }

    @Test func `many messages of one reason are combined`() {
        var correlator = EventCorrelator()
        var combined: [String] = []
        for number in 0..<12 {
            let moment = Self.now + .seconds(number)
            switch correlator.correlate(Self.event("message \(number)"), now: moment) {
            case .create(let event), .update(let event, _): combined.append(event.message)
            case .drop: Issue.record("dropped")
            }
        }
        #expect(combined[8] == "message 8")
        #expect(combined[9] == "(combined from similar events): message 9")
        #expect(combined[11].hasPrefix("(combined"))
    }

    @Test func `spam about one object is dropped, others are not`() {
        var correlator = EventCorrelator()
        var written = 0
        for number in 0..<40 {
            let event = Self.event("m", reason: "R\(number)")
            if correlator.correlate(event, now: Self.now) != .drop { written += 1 }
        }
        #expect(written == 25)
        #expect(correlator.correlate(Self.event("m", object: "q"), now: Self.now) != .drop)
        let later = Self.now + .seconds(301)
        #expect(correlator.correlate(Self.event("m", reason: "late"), now: later) != .drop)
    }

    @Test func `events reach the server with the fields kubectl shows`() async throws {
        let server = TinyServer()
        let recorder = EventRecorder(client: server.client, component: "kubelet", host: "node-1")
        var pod = Pod(name: "p", namespace: "ns")
        pod.metadata.uid = "u1"
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await recorder.run() }
            recorder.record(pod, .normal, reason: "Started", "Started container app")
            try await eventually { server.state.withLock { $0.objects.count } == 1 }
            recorder.record(pod, .normal, reason: "Started", "Started container app")
            try await eventually { server.state.withLock { $0.log.count } == 2 }
            group.cancelAll()
        }
        let stored = try #require(server.state.withLock { $0.objects.values.first })
        #expect(stored["involvedObject"]?["uid"] == "u1")
        #expect(stored["source"] == ["component": "kubelet", "host": "node-1"])
        #expect(stored["reportingComponent"] == "kubelet")
        #expect(stored["reportingInstance"] == "node-1")
        #expect(stored["type"] == "Normal")
        #expect(stored["count"] == 2)
        #expect(stored.value(at: ["metadata", "name"])?.string?.hasPrefix("p.") == true)
    }

    @Test func `a bounded memory forgets the oldest`() {
        var memory = BoundedMemory<Int, Int>(capacity: 3)
        for number in 0..<10 { memory[number] = number }
        #expect(memory[6] == nil)
        #expect(memory[7] == 7)
        #expect(memory[9] == 9)
    }
}

@Suite struct LeaderElectionTests {
    static let now = Timestamp(unixSeconds: 1_700_000_000)

    @Test func `a lease is taken when free, kept when ours, and awaited while it moves`() {
        var a = Term(identity: "a", leaseDuration: .seconds(15))
        var b = Term(identity: "b", leaseDuration: .seconds(15))
        var lease = a.first(name: "l", namespace: "kube-system", now: Self.now)
        #expect(b.claim(lease, now: Self.now, monotonic: .seconds(0)) == nil)
        #expect(b.claim(lease, now: Self.now, monotonic: .seconds(14)) == nil)
        lease = a.claim(lease, now: Self.now + .seconds(10), monotonic: .seconds(10)) ?? lease
        #expect(b.claim(lease, now: Self.now, monotonic: .seconds(16)) == nil)
        #expect(b.claim(lease, now: Self.now, monotonic: .seconds(30)) == nil)
        let taken = b.claim(lease, now: Self.now + .seconds(32), monotonic: .seconds(32))
        #expect(taken?.spec.holderIdentity == "b")
        #expect(taken?.spec.leaseTransitions == 1)
        lease.spec.holderIdentity = ""
        #expect(b.claim(lease, now: Self.now, monotonic: .seconds(33)) != nil)
    }

    @Test func `one of two leads and the other follows when it stops`() async throws {
        let server = TinyServer()
        func election(_ identity: String) -> LeaderElection {
            LeaderElection(
                client: server.client,
                name: "l",
                identity: identity,
                leaseDuration: .seconds(2),
                renewDeadline: .seconds(1),
                retryPeriod: .milliseconds(20)
            )
        }
        final class Box: Sendable {
            let leads = Mutex<[String]>([])
        }
        let box = Box()
        // unstructured: each candidate is stopped alone
        let first = Task {
            await election("a").run {
                box.leads.withLock { $0.append("a") }
                try? await Task.sleep(for: .seconds(60))
            }
        }
        try await eventually { box.leads.withLock { $0 } == ["a"] }
        let second = Task {
            await election("b").run { box.leads.withLock { $0.append("b") } }
        }
        first.cancel()
        await first.value
        await second.value
        #expect(box.leads.withLock { $0 } == ["a", "b"])
    }
}
