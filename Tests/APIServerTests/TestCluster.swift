import APIModel
import APITypes
import Access
import BuiltinKinds
import Channels
import HTTPTransport
import LegacyKinds
import Proxying
import Store
import Testing
import Units
import Values

@testable import APIServer

/// A server over a memory store, spoken to through its handler.
struct TestCluster: Sendable {
    let server: APIServer
    let store: MemoryStore
    let clock: any ClusterClock

    /// What a request was answered.
    struct Answer: Sendable {
        var status: Int
        var headers: HeaderFields
        var bytes: [UInt8]

        var json: JSONValue { (try? JSONParser.parse(bytes)) ?? .null }
        var text: String { String(decoding: bytes, as: UTF8.self) }
        var message: String { json["message"]?.string ?? "" }
        var reason: String { json["reason"]?.string ?? "" }
        var warnings: [String] { headers.all("warning") }

        subscript(_ path: String...) -> JSONValue? { json.value(at: path) }
    }

    static let admin = InProcessUser(name: "admin", groups: ["system:masters"])

    func transport(_ user: InProcessUser? = TestCluster.admin) -> InProcessTransport {
        if let user { return InProcessTransport(handler: server, user: user) }
        return InProcessTransport(handler: server, peer: Peer(remoteAddress: "127.0.0.1:1"))
    }

    func send(
        _ method: String,
        _ target: String,
        _ body: [UInt8] = [],
        type: String? = nil,
        accept: String? = nil,
        user: InProcessUser? = TestCluster.admin,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        let response = try await transport(user).send(request(method, target, body, type, accept, headers))
        return Answer(status: response.status, headers: response.headers, bytes: try await response.body.collect())
    }

    func request(
        _ method: String,
        _ target: String,
        _ body: [UInt8] = [],
        _ type: String? = nil,
        _ accept: String? = nil,
        _ headers: [String: String] = [:]
    ) -> HTTPRequest {
        let parts = target.split(separator: "?", maxSplits: 1)
        var request = HTTPRequest(method: method, path: String(parts[0]), body: body)
        if parts.count == 2 { request.query = QueryItems(parsing: parts[1]) }
        if let type { request.headers.append("Content-Type", type) }
        if let accept { request.headers.append("Accept", accept) }
        for (name, value) in headers { request.headers.append(name, value) }
        return request
    }

    func get(_ target: String, accept: String? = nil, user: InProcessUser? = TestCluster.admin) async throws -> Answer {
        try await send("GET", target, accept: accept, user: user)
    }

    func post(_ target: String, _ body: JSONValue, user: InProcessUser? = TestCluster.admin) async throws -> Answer {
        try await send("POST", target, body.encoded(), type: "application/json", user: user)
    }

    func put(_ target: String, _ body: JSONValue, user: InProcessUser? = TestCluster.admin) async throws -> Answer {
        try await send("PUT", target, body.encoded(), type: "application/json", user: user)
    }

    func patch(_ target: String, _ body: JSONValue, type: String = "application/merge-patch+json") async throws -> Answer {
        try await send("PATCH", target, body.encoded(), type: type)
    }

    func delete(_ target: String, _ body: JSONValue? = nil) async throws -> Answer {
        try await send("DELETE", target, body?.encoded() ?? [], type: "application/json")
    }

    /// Reads a watch line by line.
    func watch(_ target: String, user: InProcessUser? = TestCluster.admin) async throws -> WatchReader {
        let response = try await transport(user).send(request("GET", target))
        #expect(response.status == 200)
        return WatchReader(response.body)
    }

    /// Creates the default service account, as the controller manager would.
    func addServiceAccount(_ namespace: String = "default") async throws {
        _ = try await post("/api/v1/namespaces/\(namespace)/serviceaccounts", ["metadata": ["name": "default"]])
    }
}

/// The lines of a watch.
struct WatchReader {
    private var iterator: ResponseBody.AsyncIterator
    private var buffer: [UInt8] = []

    init(_ body: ResponseBody) { iterator = body.makeAsyncIterator() }

    /// The next event; nil at the end.
    mutating func next() async throws -> JSONValue? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[..<end])
                buffer.removeFirst(end + 1)
                return try JSONParser.parse(line)
            }
            guard let chunk = try await iterator.next() else { return nil }
            buffer += chunk
        }
    }

    /// The next event as "TYPE name".
    mutating func line() async throws -> String? {
        guard let event = try await next() else { return nil }
        return "\(event["type"]?.string ?? "") \(event.value(at: ["object", "metadata", "name"])?.string ?? "")"
    }
}

/// Runs `body` with a started server and stops the server afterwards.
func withCluster(
    clock: any ClusterClock = SystemClock(),
    configure: (inout APIServerConfiguration) -> Void = { _ in },
    key: TokenSigningKey? = nil,
    kubelet: (any KubeletDialer)? = nil,
    serviceProxy: (any ServiceDialer)? = nil,
    _ body: @Sendable @escaping (TestCluster) async throws -> Void
) async throws {
    let store = MemoryStore()
    guard let network = CIDR("10.96.0.0/16") else { return }
    var configuration = APIServerConfiguration(serviceCIDR: network, advertiseAddress: "192.168.1.1")
    configure(&configuration)
    let random = SeededRandom(seed: 42)
    let issuer = key.map {
        ServiceAccountTokenIssuer(issuer: configuration.serviceAccountIssuer, key: $0, clock: clock, random: random)
    }
    let server = APIServer(
        store: store,
        descriptors: TestKinds.all,
        clock: clock,
        random: random,
        configuration: configuration,
        security: { lookup in
            let tokens = ServiceAccountAuthenticator(
                issuers: [configuration.serviceAccountIssuer],
                audiences: [configuration.serviceAccountIssuer],
                keys: key.map { [$0.verification] } ?? [],
                lookup: lookup,
                clock: clock
            )
            let roles = RBACAuthorizer(lookup: lookup)
            let authorizer = AuthorizerChain([
                PrivilegedGroupAuthorizer(), NodeAuthorizer(lookup: lookup), ComponentAuthorizer(), BasicAuthorizer(), roles,
            ])
            return APIServer.Security(
                authenticator: AuthenticatorChain([
                    InProcessAuthenticator(), ClientCertificateAuthenticator(), BearerTokenAuthenticator([tokens]),
                ]),
                tokenAuthenticator: tokens,
                authorizer: authorizer,
                admission: .builtIn(lookup: lookup, random: random, authorizer: authorizer)
                    .followed(by: RoleEscalation(authorizer: roles, others: authorizer))
            )
        },
        tokens: issuer,
        kubelet: kubelet,
        serviceProxy: serviceProxy
    )
    let cluster = TestCluster(server: server, store: store, clock: clock)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await server.run() }
        try await server.start()
        do {
            try await body(cluster)
        } catch {
            group.cancelAll()
            await store.close()
            throw error
        }
        group.cancelAll()
        await store.close()
    }
}

/// The kinds the tests serve: what the product serves.
enum TestKinds {
    static let all: [KindDescriptor] = LegacyKinds.extend(BuiltinKinds.descriptors())
}
