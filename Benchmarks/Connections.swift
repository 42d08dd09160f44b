import APIClient

/// Clients from a kubeconfig; each has one connection of its own.
enum Connections {
    static func client(_ kubeconfig: String) throws -> APIClient {
        APIClient(transport: try Kubeconfig.load(path: kubeconfig).makeTransport(), userAgent: "apus-bench")
    }
}
