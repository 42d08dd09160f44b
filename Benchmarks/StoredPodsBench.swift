import APIServer
import Access
import BuiltinKinds
import Channels
import Glibc
import HTTPTransport
import SQLiteStore
import Units
import Values

/// What a stored pod costs the API server alone: its store, watch cache and index, without controllers, scheduler or node.
/// The server runs in this process, so this has to be the first thing a process measures.
struct StoredPodsBench {
    private static let pods = 10_000
    private static let path = "/api/v1/namespaces/default/pods"
    /// Made before the weighing: what is set up once is no pod's.
    private static let warmUp = 200

    func run(_ report: Report) async throws {
        let directory = "/tmp/apus-bench-stored-\(getpid())"
        guard mkdir(directory, 0o700) == 0, let network = CIDR("10.96.0.0/16") else { return }
        defer { for name in ["state.db", "state.db-wal", "state.db-shm", "lock", ""] { remove("\(directory)/\(name)") } }
        let store = try await SQLiteStore.open(directory: directory)
        let random = SystemRandom()
        let server = APIServer(
            store: store,
            descriptors: BuiltinKinds.descriptors(),
            clock: SystemClock(),
            random: random,
            configuration: APIServerConfiguration(serviceCIDR: network, advertiseAddress: "192.168.1.1"),
            security: { lookup in
                APIServer.Security(
                    authenticator: AuthenticatorChain([InProcessAuthenticator()]),
                    authorizer: AuthorizerChain([PrivilegedGroupAuthorizer()]),
                    admission: .builtIn(lookup: lookup, random: random)
                )
            }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.run() }
            try await server.start()
            let transport = InProcessTransport(handler: server, user: InProcessUser(name: "admin", groups: ["system:masters"]))
            try await post(transport, "/api/v1/namespaces/default/serviceaccounts", ["metadata": ["name": "default"]])
            try await fill(transport, 0..<Self.warmUp)
            let own = ProcessFacts(getpid())
            let (memory, bytes) = (own.residentMiB, try await listed(transport))
            try await fill(transport, Self.warmUp..<Self.warmUp + Self.pods)
            let grown = (own.residentMiB - memory) * 1024
            let stored = Double(try await listed(transport) - bytes) / 1024
            report.atMost("resident memory per stored pod, the API server alone", (grown - stored) / Double(Self.pods), "KiB", budget: 1)
            group.cancelAll()
            await store.close()
        }
    }

    private func fill(_ transport: InProcessTransport, _ numbers: Range<Int>) async throws {
        for number in numbers { try await post(transport, Self.path, SamplePod.json("pod-\(number)", node: "no-such-node")) }
    }

    private func post(_ transport: InProcessTransport, _ path: String, _ object: JSONValue) async throws {
        var request = HTTPRequest(method: "POST", path: path, body: object.encoded())
        request.headers.append("Content-Type", "application/json")
        let response = try await transport.send(request)
        let answer = try await response.body.collect()
        guard response.isSuccess else { throw Refused(answer: String(decoding: answer, as: UTF8.self)) }
    }

    /// How many bytes the list of all pods has.
    private func listed(_ transport: InProcessTransport) async throws -> Int {
        var count = 0
        for try await piece in try await transport.send(HTTPRequest(method: "GET", path: Self.path)).body { count += piece.count }
        return count
    }

    private struct Refused: Error {
        let answer: String
    }
}
