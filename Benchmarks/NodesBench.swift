import APIClient
import APIModel
import Values

/// Pods created and bound, end to end: API, store, watch and scheduler together, on nodes that only exist as objects, as
/// in upstream's scheduler_perf.
struct NodesBench {
    let binary: String
    var nodes = 1_000
    var pods = 10_000
    private static let namespace = "apus-bench"

    func run(_ report: Report) async throws {
        // Wide ranges: every node is given a /24.
        let server = try RunningServer(
            binary: binary,
            arguments: ["--hollow-nodes", "1", "--cluster-cidr", "10.0.0.0/8", "--service-cidr", "172.30.0.0/16"]
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
        try await BenchNamespace.make(Self.namespace, clients[0])
        let nodesResource = GroupVersionResource(group: "", version: "v1", resource: "nodes")
        try await Parallel.run(nodes, clients: clients) { client, index in
            _ = try await client.create(nodesResource, namespace: nil, Self.node("bench-\(index)"))
        }
        let first = clients[0]
        let wanted = nodes
        try await waitUntil("\(nodes) schedulable nodes", every: .milliseconds(200)) {
            let list = try await first.list(nodesResource, namespace: nil, options: ListOptions())
            return list.items.count { $0.value(at: ["spec", "taints"]) == nil } >= wanted
        }
        let (seconds, cpu) = try await createAndBind(server, clients)
        report.atLeast("pods created and bound, \(nodes) nodes", Double(pods) / seconds, "/s", budget: 2_000)
        report.atMost("pods created and bound: server CPU per pod", cpu * 1000 / Double(pods), "ms", budget: 0.8)
    }

    private func createAndBind(_ server: RunningServer, _ clients: [APIClient]) async throws -> (seconds: Double, cpu: Double) {
        let resource = GroupVersionResource(group: "", version: "v1", resource: "pods")
        let bound = Tally()
        let wanted = pods
        var options = ListOptions()
        options.fieldSelector = "spec.nodeName!="
        let start = try await clients[0].list(resource, namespace: Self.namespace, options: options)
        options.resourceVersion = start.resourceVersion
        let watch = try await clients[0].watch(resource, namespace: Self.namespace, options: options)
        let began = ContinuousClock.now
        let cpu = server.facts.cpuSeconds
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for try await event in watch where event.type == .added {
                    if bound.add() >= wanted { return }
                }
                throw BenchError(message: "the watch ended after \(bound.count) bound pods")
            }
            group.addTask {
                try await Parallel.run(wanted, clients: clients) { client, index in
                    _ = try await client.create(
                        resource,
                        namespace: Self.namespace,
                        SamplePod.json("pod-\(index)", namespace: Self.namespace)
                    )
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(120))
                throw BenchError(message: "only \(bound.count) of \(wanted) pods were bound in two minutes")
            }
            for _ in 0..<2 { try await group.next() }
            group.cancelAll()
            return ((ContinuousClock.now - began) / .microseconds(1) / 1e6, server.facts.cpuSeconds - cpu)
        }
    }

    private static func node(_ name: String) -> JSONValue {
        let amounts: JSONValue = ["cpu": "32", "memory": "256Gi", "pods": "110"]
        return [
            "apiVersion": "v1", "kind": "Node",
            "metadata": ["name": .string(name), "labels": ["kubernetes.io/hostname": .string(name)]],
            "status": [
                "capacity": amounts, "allocatable": amounts,
                "conditions": [["type": "Ready", "status": "True", "reason": "Bench", "message": "an object only"]],
            ],
        ]
    }
}

/// The namespace of a benchmark, with the service account its pods run as.
enum BenchNamespace {
    static func make(_ name: String, _ client: APIClient) async throws {
        let namespaces = GroupVersionResource(group: "", version: "v1", resource: "namespaces")
        let accounts = GroupVersionResource(group: "", version: "v1", resource: "serviceaccounts")
        let namespace: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(name)]]
        let account: JSONValue = ["apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": "default"]]
        try await unlessThere { _ = try await client.create(namespaces, namespace: nil, namespace) }
        try await unlessThere { _ = try await client.create(accounts, namespace: name, account) }
    }

    private static func unlessThere(_ create: () async throws -> Void) async throws {
        do { try await create() } catch let error as APIError where error.code == 409 {}
    }
}
