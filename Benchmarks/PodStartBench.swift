import APIClient
import APIModel
import APITypes
import Containerd
import Glibc
import Values

/// Real containers on a real node: how soon a pod runs and a Deployment is available. For root only.
struct PodStartBench {
    let binary: String
    private static let namespace = "default"
    private static let replicas = 30
    private static let rounds = 5
    private static let pods = GroupVersionResource(group: "", version: "v1", resource: "pods")
    private static let deployments = GroupVersionResource(group: "apps", version: "v1", resource: "deployments")

    func run(_ report: Report) async throws {
        guard geteuid() == 0 else {
            report.missing("one pod, created → seen Running", "needs root")
            report.missing("a Deployment of \(Self.replicas), applied → available", "needs root")
            return
        }
        let network = 100 + Int(getpid()) % 100
        let server = try RunningServer(
            binary: binary,
            arguments: ["--cluster-cidr", "10.\(network).0.0/16", "--service-cidr", "172.\(16 + network % 14).0.0/16"]
        )
        do {
            _ = try await server.time { client in try await client.list(Node.self).items.contains { $0.isReady } }
            try await measure(server, report)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    private func measure(_ server: RunningServer, _ report: Report) async throws {
        let client = try Connections.client(server.kubeconfig)
        try await BenchNamespace.make(Self.namespace, client)
        var times: [Duration] = []
        for round in 0..<Self.rounds { times.append(try await onePod(client, "one-\(round)")) }
        let median = times.sorted()[times.count / 2]
        report.atMost("one pod, created → seen Running (image cached)", median / .seconds(1), "s", budget: 0.4)
        let deployment = try await deploy(client)
        report.atMost("a Deployment of \(Self.replicas), applied → available", deployment / .seconds(1), "s", budget: 4.5)
        try await Task.sleep(for: .seconds(5))
        report.atMost("resident memory, \(Self.replicas) pods running", server.facts.residentMiB, "MiB", budget: 100)
        try await client.delete(Self.deployments, namespace: Self.namespace, name: "web")
        try await waitUntil("the Deployment's pods to go", within: .seconds(90), every: .milliseconds(200)) {
            try await client.list(Self.pods, namespace: Self.namespace, options: ListOptions()).items.isEmpty
        }
    }

    /// From the request that creates the pod until a watch shows it Running.
    private func onePod(_ client: APIClient, _ name: String) async throws -> Duration {
        var options = ListOptions()
        options.fieldSelector = "metadata.name=\(name)"
        options.resourceVersion = try await client.list(Self.pods, namespace: Self.namespace, options: options).resourceVersion
        let watch = try await client.watch(Self.pods, namespace: Self.namespace, options: options)
        let began = ContinuousClock.now
        _ = try await client.create(Self.pods, namespace: Self.namespace, Self.pod(name))
        var took: Duration?
        for try await event in watch {
            let phase = try JSONParser.parse(event.object).value(at: ["status", "phase"])?.string
            if phase == "Running" {
                took = ContinuousClock.now - began
                break
            }
        }
        try await client.delete(Self.pods, namespace: Self.namespace, name: name)
        guard let took else { throw BenchError(message: "the watch of \(name) ended before it ran") }
        try await waitUntil("\(name) to go") {
            try await client.list(Self.pods, namespace: Self.namespace, options: ListOptions()).items.isEmpty
        }
        return took
    }

    private func deploy(_ client: APIClient) async throws -> Duration {
        let labels: JSONValue = ["app": "web"]
        let deployment: JSONValue = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web"],
            "spec": [
                "replicas": .integer(Int64(Self.replicas)), "selector": ["matchLabels": labels],
                "template": ["metadata": ["labels": labels], "spec": Self.spec],
            ],
        ]
        let began = ContinuousClock.now
        _ = try await client.create(Self.deployments, namespace: Self.namespace, deployment)
        try await waitUntil("\(Self.replicas) available replicas", within: .seconds(120)) {
            let object = try await client.get(Self.deployments, namespace: Self.namespace, name: "web")
            return object.value(at: ["status", "availableReplicas"])?.int == Int64(Self.replicas)
        }
        return ContinuousClock.now - began
    }

    private static let spec: JSONValue = [
        "terminationGracePeriodSeconds": 1,
        "containers": [["name": "main", "image": .string(PauseImage.reference), "imagePullPolicy": "Never"]],
    ]

    private static func pod(_ name: String) -> JSONValue {
        ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": .string(name)], "spec": spec]
    }
}
