import APIClient
import APIModel
import APITypes
import HTTPTransport
import Values

/// A large hollow cluster in one process: the API's latencies while it fills, and what it takes.
struct ScaleBench {
    let binary: String
    var nodes = 5_000
    var pods = 150_000
    private static let namespace = "apus-bench"
    private static let resource = GroupVersionResource(group: "", version: "v1", resource: "pods")
    /// Between two requests of the prober.
    private static let pause = Duration.milliseconds(20)

    func run(_ report: Report) async throws {
        let server = try RunningServer(
            binary: binary,
            arguments: ["--hollow-nodes", String(nodes), "--cluster-cidr", "10.0.0.0/8", "--service-cidr", "172.30.0.0/16"]
        )
        do {
            _ = try await server.time { try await $0.isReady() }
            try await measure(server, report)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    private func measure(_ server: RunningServer, _ report: Report) async throws {
        let clients = try (0..<8).map { _ in try Connections.client(server.kubeconfig) }
        let began = ContinuousClock.now
        let wanted = nodes
        try await waitUntil("\(nodes) Ready nodes", within: .seconds(120), every: .milliseconds(500)) {
            try await clients[0].list(Node.self).items.count { $0.isReady } >= wanted
        }
        report.note("hollow cluster: \(nodes) nodes Ready", (ContinuousClock.now - began) / .seconds(1), "s")
        try await BenchNamespace.make(Self.namespace, clients[0])
        let prober = try Connections.client(server.kubeconfig)
        let cpu = server.facts.cpuSeconds
        let (latencies, seconds) = try await fill(clients, prober)
        let label = "hollow cluster, \(nodes) nodes, \(pods) pods"
        report.atMost("\(label): API p99", latencies.milliseconds(at: 0.99), "ms", budget: 100)
        report.note("\(label): API p50", latencies.milliseconds(at: 0.5), "ms")
        report.note("\(label): pods Running", Double(pods) / seconds, "/s")
        report.note("\(label): server CPU per pod", (server.facts.cpuSeconds - cpu) * 1000 / Double(pods), "ms")
        report.note("\(label): resident memory", server.facts.residentMiB, "MiB")
    }

    /// Creates all pods and waits until they run, while single requests are timed.
    private func fill(_ clients: [APIClient], _ prober: APIClient) async throws -> (Latencies, seconds: Double) {
        let began = ContinuousClock.now
        let running = Tally()
        let wanted = pods
        var options = ListOptions()
        options.fieldSelector = "status.phase=Running"
        let revision = try await clients[0].list(Self.resource, namespace: Self.namespace, options: options).resourceVersion
        return try await withThrowingTaskGroup(of: [Duration]?.self) { group in
            group.addTask {
                try await Self.count(running, wanted, revision, clients[0])
                return nil
            }
            group.addTask {
                // Fewer at once than the server could take: latencies of a full queue say nothing.
                try await Parallel.run(wanted, workers: 16, clients: clients) { client, index in
                    _ = try await client.create(Self.resource, namespace: Self.namespace, Self.pod(index))
                }
                return nil
            }
            group.addTask { try await Self.probe(prober, while: { running.count < wanted }) }
            var latencies: [Duration] = []
            for try await result in group { latencies += result ?? [] }
            return (Latencies(latencies), (ContinuousClock.now - began) / .microseconds(1) / 1e6)
        }
    }

    /// Counts the pods that run, by a watch that is opened again where it ended.
    private static func count(_ running: Tally, _ wanted: Int, _ revision: String, _ client: APIClient) async throws {
        var revision = revision
        while running.count < wanted {
            var options = ListOptions()
            options.fieldSelector = "status.phase=Running"
            options.resourceVersion = revision
            for try await event in try await client.watch(resource, namespace: namespace, options: options) {
                guard event.type == .added else { continue }
                if running.add() >= wanted { return }
                if running.count.isMultiple(of: 1_000) {
                    revision = try JSONParser.parse(event.object).value(at: ["metadata", "resourceVersion"])?.string ?? revision
                }
            }
        }
    }

    /// What a user does: get, patch, a page of a list.
    private static func probe(_ client: APIClient, while isFilling: () -> Bool) async throws -> [Duration] {
        var latencies: [Duration] = []
        let map: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "probe"], "data": ["round": "0"]]
        let maps = GroupVersionResource(group: "", version: "v1", resource: "configmaps")
        _ = try await client.create(maps, namespace: namespace, map)
        var round = 0
        while isFilling() {
            round += 1
            let sent = ContinuousClock.now
            switch round % 3 {
            case 0: _ = try await client.get(maps, namespace: namespace, name: "probe")
            case 1:
                let change: JSONValue = ["data": ["round": .string("\(round)")]]
                _ = try await client.patch(maps, namespace: namespace, name: "probe", type: .merge, change)
            default:
                _ = try await client.bytes(
                    HTTPRequest(path: "/api/v1/namespaces/\(namespace)/pods", query: QueryItems([.init(name: "limit", value: "100")]))
                )
            }
            latencies.append(ContinuousClock.now - sent)
            try await Task.sleep(for: pause)
        }
        return latencies
    }

    private static func pod(_ index: Int) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string("pod-\(index)"), "labels": ["app": "scale"]],
            "spec": [
                "containers": [
                    ["name": "main", "image": "registry.example/app:1", "resources": ["requests": ["cpu": "10m", "memory": "16Mi"]]]
                ]
            ],
        ]
    }
}
