import APIModel
import APIServer
import Access
import ArgumentParser
import Bootstrap
import BuiltinKinds
import CAllocator
import Channels
import Glibc
import HTTPTransport
import LegacyKinds
import SQLiteStore
import Units

/// The API server without controllers, scheduler and node: what upstream's figures of its API server are comparable with.
/// Certificates, TLS, authorization, admission and the store are those of the product.
struct LoneServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lone-server",
        abstract: "Serves the API alone until killed: a process of its own for `lone` to measure.",
        shouldDisplay: false
    )

    @Option(help: "A directory that is empty or does not exist.")
    var dataDir: String

    @Option(help: "The port.")
    var httpsPort: Int

    func run() async throws {
        apus_tune_allocator(CommandLine.unsafeArgv)
        _ = mkdir(dataDir, 0o700)
        guard let network = CIDR("10.96.0.0/16") else { return }
        let pki = try ClusterPKI(PKIConfiguration(directory: dataDir + "/pki", nodeName: "lone"), now: SystemClock().now)
        let store = try await SQLiteStore.open(directory: dataDir + "/store")
        let random = SystemRandom()
        let server = APIServer(
            store: store,
            descriptors: LegacyKinds.extend(BuiltinKinds.descriptors()),
            clock: SystemClock(),
            random: random,
            configuration: APIServerConfiguration(serviceCIDR: network, advertiseAddress: "192.168.1.1"),
            security: { lookup in
                let roles = RBACAuthorizer(lookup: lookup)
                let authorizer = AuthorizerChain([PrivilegedGroupAuthorizer(), BasicAuthorizer(), roles])
                return APIServer.Security(
                    authenticator: AuthenticatorChain([ClientCertificateAuthenticator()]),
                    authorizer: authorizer,
                    admission: .builtIn(lookup: lookup, random: random, authorizer: authorizer)
                )
            }
        )
        let listener = try HTTPServer(
            configuration: HTTPServerConfiguration(host: "127.0.0.1", port: httpsPort, tls: pki.apiServerTLS, name: "api"),
            handler: server
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.run() }
            group.addTask { try await listener.run() }
            try await server.start()
            _ = try await listener.listeningPort()
            try KubeconfigFiles(dataDirectory: dataDir).write(pki, server: "https://127.0.0.1:\(httpsPort)")
            while try await group.next() != nil {}
        }
    }
}

/// `create` and `patch` on the API server alone.
struct LoneServerBench {
    func run(_ report: Report) async throws {
        let server = try RunningServer(binary: CommandLine.arguments[0], command: "lone-server")
        do {
            _ = try await server.time { try await $0.isReady() }
            try await APILoad(kubeconfig: server.kubeconfig, server: server.facts, shape: try LoadShape.parse([])).runAlone(report)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }
}
