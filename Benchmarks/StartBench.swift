import APIClient
import APITypes
import Channels
import Glibc

/// Size, start-up times and idle cost of the binary, with a real node when run as root.
struct StartBench {
    let binary: String

    func run(_ report: Report) async throws {
        var facts = stat()
        if stat(binary, &facts) == 0 { report.atMost("the binary", Double(facts.st_size) / 1e6, "MB", budget: 60) }
        let isRoot = geteuid() == 0
        let server = try RunningServer(binary: binary, arguments: isRoot ? [] : ["--hollow-nodes", "1"])
        do {
            try await measure(server, report, isRoot: isRoot)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    private func measure(_ server: RunningServer, _ report: Report, isRoot: Bool) async throws {
        let api = try await server.time { try await $0.isReady() }
        report.atMost("start: API ready", api / .seconds(1), "s", budget: 0.5)
        let node = try await server.time { client in try await client.list(Node.self).items.contains { $0.isReady } }
        report.atMost("start: node Ready", node / .seconds(1), "s", budget: 3)
        try await Task.sleep(for: .seconds(10))
        report.atMost("resident memory, idle", server.facts.residentMiB, "MiB", budget: 64)
        let before = server.facts.cpuSeconds
        try await Task.sleep(for: .seconds(30))
        report.atMost("idle CPU", (server.facts.cpuSeconds - before) / 30 * 100, "% of a core", budget: 1)
    }
}
