import APIClient
import APIModel
import HTTPTransport
import Synchronization
import Values

/// Load on one API server, phase by phase, all on pods of a namespace of its own.
struct APILoad: Sendable {
    let clients: [APIClient]
    let server: ProcessFacts?
    let shape: LoadShape
    private let namespace = "apus-bench"
    private static let pods = GroupVersionResource(group: "", version: "v1", resource: "pods")
    private static let namespaces = GroupVersionResource(group: "", version: "v1", resource: "namespaces")

    init(kubeconfig: String, server: ProcessFacts?, shape: LoadShape) throws {
        var clients: [APIClient] = []
        for _ in 0..<shape.connections { clients.append(try Connections.client(kubeconfig)) }
        self.clients = clients
        self.server = server
        self.shape = shape
    }

    /// All phases; the namespace is deleted at the end.
    func run(_ report: Report) async throws {
        try await prepare()
        if shape.wants("create") { try await createAndWeigh(report) }
        if shape.wants("get") { try await get(report) }
        if shape.wants("patch") { try await patch(report) }
        if shape.wants("list") { try await list(report) }
        if shape.wants("watch") { try await watch(report) }
        if shape.only.isEmpty { _ = try? await clients[0].delete(Self.namespaces, namespace: nil, name: namespace) }
    }

    /// What is told of an API server that has the process to itself; the budgets are the whole cluster's.
    func runAlone(_ report: Report) async throws {
        try await prepare()
        let created = try await phase(shape.pods, create)
        report.note("the API server alone: create a pod, rate", created.rate, "/s")
        created.cpu.map { report.note("the API server alone: create a pod, CPU", $0, "ms") }
        let patched = try await phase(shape.requests, patch)
        patched.cpu.map { report.note("the API server alone: merge-patch a pod, CPU", $0, "ms") }
    }

    private func createAndWeigh(_ report: Report) async throws {
        let empty = server?.residentMiB ?? 0
        try await create(report)
        guard let server else { return }
        report.atMost("resident memory, \(shape.pods) pods stored", server.residentMiB, "MiB", budget: 150)
        let each = (server.residentMiB - empty) * 1024 / Double(shape.pods) - (try await storedBytes()) / 1024
        report.atMost("resident memory per stored pod, beyond its bytes", each, "KiB", budget: 1)
    }

    private func prepare() async throws {
        let object: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)]]
        do { _ = try await clients[0].create(Self.namespaces, namespace: nil, object) } catch let error as APIError where error.code == 409
        {}
        let account: JSONValue = ["apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": "default"]]
        let accounts = GroupVersionResource(group: "", version: "v1", resource: "serviceaccounts")
        do { _ = try await clients[0].create(accounts, namespace: namespace, account) } catch let error as APIError where error.code == 409
        {}
    }

    private func create(_ report: Report) async throws {
        let result = try await phase(shape.pods, create)
        report.atLeast("create a pod, durable: rate", result.rate, "/s", budget: 3_000)
        result.cpu.map { report.atMost("create a pod: server CPU", $0, "ms", budget: 0.3) }
        report.atMost("create a pod: p99", result.latencies.milliseconds(at: 0.99), "ms", budget: 60)
    }

    private func create(_ client: APIClient, _ index: Int) async throws {
        // On a node that does not exist: nothing else takes part.
        let pod = SamplePod.json("pod-\(index)", namespace: namespace, node: "no-such-node")
        _ = try await client.create(Self.pods, namespace: namespace, pod)
    }

    private func get(_ report: Report) async throws {
        let count = shape.pods
        let result = try await phase(shape.requests) { client, index in
            _ = try await client.bytes(HTTPRequest(method: "GET", path: "/api/v1/namespaces/\(namespace)/pods/pod-\(index % count)"))
        }
        report.note("GET a pod: rate", result.rate, "/s")
        result.cpu.map { report.atMost("GET a pod: server CPU", $0, "ms", budget: 0.06) }
        report.note("GET a pod: p99", result.latencies.milliseconds(at: 0.99), "ms")
    }

    private func patch(_ report: Report) async throws {
        let result = try await phase(shape.requests, patch)
        report.note("merge-patch a pod, durable: rate", result.rate, "/s")
        result.cpu.map { report.atMost("merge-patch a pod: server CPU", $0, "ms", budget: 0.4) }
        report.note("merge-patch a pod: p99", result.latencies.milliseconds(at: 0.99), "ms")
    }

    private func patch(_ client: APIClient, _ index: Int) async throws {
        let change: JSONValue = ["metadata": ["annotations": ["example.org/round": .string("\(index)")]]]
        _ = try await client.patch(Self.pods, namespace: namespace, name: "pod-\(index % shape.pods)", type: .merge, change)
    }

    /// The bytes of one pod as it is stored.
    private func storedBytes() async throws -> Double {
        let path = "/api/v1/namespaces/\(namespace)/pods/pod-0"
        return Double(try await clients[0].bytes(HTTPRequest(method: "GET", path: path)).count)
    }

    private func list(_ report: Report) async throws {
        _ = try await clients[0].bytes(HTTPRequest(method: "GET", path: "/api/v1/namespaces/\(namespace)/pods"))
        server?.resetPeak()
        let before = server?.residentMiB ?? 0
        let start = server?.cpuSeconds ?? 0
        let rounds = 10
        var size = 0
        for _ in 0..<rounds {
            size = try await clients[0].bytes(HTTPRequest(method: "GET", path: "/api/v1/namespaces/\(namespace)/pods")).count
        }
        report.note("LIST \(shape.pods) pods: size", Double(size) / 1_048_576, "MiB")
        guard let server else { return }
        report.atMost("LIST \(shape.pods) pods: server CPU", (server.cpuSeconds - start) * 1000 / Double(rounds), "ms", budget: 40)
        report.atMost("LIST \(shape.pods) pods: growth in memory, at its peak", server.peakMiB - before, "MiB", budget: 4)
    }

    /// `watchers` watches of the whole namespace; every change goes to each of them.
    private func watch(_ report: Report) async throws {
        let seen = Deliveries()
        let revision = try await clients[0].list(Self.pods, namespace: namespace, options: limited).resourceVersion
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<shape.watchers {
                let client = clients[index % clients.count]
                group.addTask {
                    var options = ListOptions()
                    options.resourceVersion = revision
                    for try await _ in try await client.watch(Self.pods, namespace: namespace, options: options) { seen.delivered() }
                }
            }
            try await change("warm-up")
            try await seen.wait(for: shape.watchers)
            let start = ContinuousClock.now
            let cpu = server?.cpuSeconds ?? 0
            var slowest: [Duration] = []
            for event in 0..<shape.events {
                let sent = ContinuousClock.now
                try await change("event \(event)")
                try await seen.wait(for: shape.watchers * (event + 2))
                slowest.append(ContinuousClock.now - sent)
            }
            let seconds = (ContinuousClock.now - start) / .microseconds(1) / 1e6
            let deliveries = Double(shape.watchers * shape.events)
            report.note("watch: deliveries", deliveries / seconds, "/s")
            if let server {
                report.atMost("watch: server CPU per delivery", (server.cpuSeconds - cpu) * 1e6 / deliveries, "µs", budget: 5)
            }
            report.atMost("watch: one event to all \(shape.watchers), p99", Latencies(slowest).milliseconds(at: 0.99), "ms", budget: 30)
            group.cancelAll()
        }
    }

    private var limited: ListOptions {
        var options = ListOptions()
        options.limit = 1
        return options
    }

    private func change(_ text: String) async throws {
        let change: JSONValue = ["metadata": ["annotations": ["example.org/watched": .string(text)]]]
        _ = try await clients[0].patch(Self.pods, namespace: namespace, name: "pod-0", type: .merge, change)
    }

    /// What one phase took.
    private struct PhaseResult {
        let rate: Double
        let cpu: Double?
        let latencies: Latencies
    }

    private func phase(_ count: Int, _ body: @escaping @Sendable (APIClient, Int) async throws -> Void) async throws -> PhaseResult {
        let start = ContinuousClock.now
        let cpu = server?.cpuSeconds
        let latencies = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for worker in 0..<shape.clients {
                group.addTask {
                    let client = clients[worker % clients.count]
                    var mine: [Duration] = []
                    for index in stride(from: worker, to: count, by: shape.clients) {
                        let sent = ContinuousClock.now
                        try await body(client, index)
                        mine.append(ContinuousClock.now - sent)
                    }
                    return mine
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let seconds = (ContinuousClock.now - start) / .microseconds(1) / 1e6
        let perRequest = cpu.flatMap { before in server.map { ($0.cpuSeconds - before) * 1000 / Double(count) } }
        return PhaseResult(rate: Double(count) / seconds, cpu: perRequest, latencies: Latencies(latencies))
    }
}

/// Counts watch events over all watchers.
private final class Deliveries: Sendable {
    private let count = Atomic<Int>(0)

    func delivered() {
        count.add(1, ordering: .relaxed)
    }

    /// Waits until `total` events have come, or throws after half a minute.
    func wait(for total: Int) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while count.load(ordering: .relaxed) < total {
            guard ContinuousClock.now < end else {
                throw BenchError(message: "only \(count.load(ordering: .relaxed)) of \(total) watch events came")
            }
            try await Task.sleep(for: .microseconds(200))
        }
    }
}

/// A benchmark that could not be taken.
struct BenchError: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}
