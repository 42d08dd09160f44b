/// The API under load: hollow, so that nothing but the server is measured.
struct ServerBench {
    let binary: String

    func run(_ report: Report) async throws {
        let server = try RunningServer(binary: binary, arguments: ["--hollow-nodes", "1"])
        do {
            _ = try await server.time { try await $0.isReady() }
            let shape = try LoadShape.parse([])
            try await APILoad(kubeconfig: server.kubeconfig, server: server.facts, shape: shape).run(report)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }
}
