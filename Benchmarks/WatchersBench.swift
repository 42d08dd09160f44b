import APIClient
import APIModel
import Values

/// Very many watchers of one resource: what one costs in memory, and that each hears of a change.
struct WatchersBench {
    let binary: String
    var watchers = 10_000
    private static let namespace = "apus-bench"
    private static let resource = GroupVersionResource(group: "", version: "v1", resource: "configmaps")

    func run(_ report: Report) async throws {
        let server = try RunningServer(binary: binary, arguments: ["--hollow-nodes", "1"])
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
        let clients = try (0..<10).map { _ in try Connections.client(server.kubeconfig) }
        try await BenchNamespace.make(Self.namespace, clients[0])
        let map: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "watched"], "data": ["round": "0"]]
        let created = try await clients[0].create(Self.resource, namespace: Self.namespace, map)
        let revision = created.value(at: ["metadata", "resourceVersion"])?.string ?? ""
        let opened = Tally()
        let heard = Tally()
        try await Task.sleep(for: .seconds(3))
        let before = server.facts.residentMiB
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<watchers {
                let client = clients[index % clients.count]
                group.addTask {
                    var options = ListOptions()
                    options.resourceVersion = revision
                    let watch = try await client.watch(Self.resource, namespace: Self.namespace, options: options)
                    opened.add()
                    for try await _ in watch { heard.add() }
                }
            }
            let wanted = watchers
            try await waitUntil("\(watchers) open watches") { opened.count == wanted }
            try await Task.sleep(for: .seconds(2))
            let each = (server.facts.residentMiB - before) * 1024 / Double(watchers)
            report.atMost("resident memory per watcher, \(watchers) of one resource", each, "KiB", budget: 4)
            let cpu = server.facts.cpuSeconds
            let rounds = 5
            for round in 1...rounds {
                let change: JSONValue = ["data": ["round": .string("\(round)")]]
                _ = try await clients[0].patch(Self.resource, namespace: Self.namespace, name: "watched", type: .merge, change)
                try await waitUntil("event \(round) at every watcher") { heard.count >= wanted * round }
            }
            let perDelivery = (server.facts.cpuSeconds - cpu) * 1e6 / Double(wanted * rounds)
            report.note("server CPU per delivery of a small object, \(watchers) watchers", perDelivery, "µs")
            group.cancelAll()
        }
    }
}
