import HTTPTransport

/// Runs `body` with a client that reaches the cluster as the administrator over HTTP/1.1 on a loopback port.
func withLoopback(_ cluster: TestCluster, _ body: @Sendable @escaping (HTTPClient) async throws -> Void) async throws {
    let configuration = HTTPServerConfiguration(host: "127.0.0.1", port: 0)
    let server = try HTTPServer(configuration: configuration, handler: Administrated(server: cluster.server))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        let address = HTTPClientConfiguration.Address.tcp(host: "127.0.0.1", port: try await server.listeningPort())
        let client = try HTTPClient(configuration: HTTPClientConfiguration(address: address))
        try await body(client)
        group.cancelAll()
    }
}

/// Everybody who connects is the administrator.
private struct Administrated: HTTPHandler {
    let server: any HTTPHandler

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        var request = request
        request.peer.inProcessUser = TestCluster.admin
        return await server.respond(to: request)
    }
}
