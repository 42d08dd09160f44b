import APIClient
import APITypes

/// Clients from a kubeconfig; each has one connection of its own.
enum Connections {
    static func client(_ kubeconfig: String) throws -> APIClient {
        guard let loaded = try Kubeconfig.load(kubeconfig) else { throw BenchError(message: "no kubeconfig at \(kubeconfig)") }
        return try loaded.makeClient(userAgent: "apus-bench")
    }
}

extension APIClient {
    /// Whether the server's `/readyz` answers ok.
    func isReady() async throws -> Bool {
        try await raw(.init(method: "GET", path: "/readyz")).isSuccess
    }
}

extension Node {
    /// Whether the condition Ready is True.
    var isReady: Bool { status.conditions.contains { $0.type == "Ready" && $0.status == "True" } }
}
