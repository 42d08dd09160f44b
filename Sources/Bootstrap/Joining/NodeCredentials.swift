import APIClient
import Channels
import HTTPTransport
import Logging
import Synchronization
import Units

/// A joined node's own keys and certificates, kept in its data directory and renewed while it runs.
///
/// `kubelet.conf` holds the server's address, its authority and the kubelet's client certificate in one file, replaced in
/// one step; the serving certificate lies in `pki`. Guarded by `pair`.
public final class NodeCredentials: Sendable {
    /// The node's name.
    public let nodeName: String
    /// The API's URL.
    public let server: String
    /// The cluster's authority, PEM.
    public let authorityPEM: String
    /// Requests as the node's user.
    public let client: APIClient
    private let transport: RenewableTransport
    private let directory: String
    private let eventLoops: EventLoopThreads
    private let pair: Mutex<KeyPair>

    private static let userPrefix = "system:node:"
    private static let servingName = "kubelet-serving"
    /// Between looks at whether a certificate is due.
    private static let interval = Duration.seconds(3600)
    private static let backoff = RetryBackoff(base: .milliseconds(200), limit: .seconds(30))

    private init(
        _ directory: String,
        _ nodeName: String,
        server: String,
        authorityPEM: String,
        _ pair: KeyPair,
        _ loops: EventLoopThreads
    ) throws {
        self.directory = directory
        self.nodeName = nodeName
        self.server = server
        self.authorityPEM = authorityPEM
        self.pair = Mutex(pair)
        eventLoops = loops
        transport = RenewableTransport(try Self.connection(server, authorityPEM, pair, loops))
        client = APIClient(transport: transport, userAgent: "kubelet")
    }

    private static func connection(_ server: String, _ ca: String, _ pair: KeyPair, _ loops: EventLoopThreads) throws -> HTTPClient {
        let tls = TLSClient(caPEM: ca, certificateChainPEM: pair.certificatePEM, keyPEM: pair.keyPEM)
        return try HTTPClient(configuration: HTTPClientConfiguration(url: server, tls: tls, eventLoops: loops))
    }

    private static func path(_ directory: String) -> String { "\(directory)/kubelet.conf" }

    /// The credentials of a machine that has joined before. Nil when it has not, or its certificate has expired.
    /// - Parameter server: where the API is now; nil for where it was.
    /// - Throws: an error that names the file when it cannot be used.
    public static func load(directory: String, server: String?, eventLoops: EventLoopThreads, now: Timestamp) throws -> NodeCredentials? {
        let path = path(directory)
        guard let file = try Kubeconfig.load(path) else { return nil }
        guard let context = file.context(file.currentContext), let cluster = try file.cluster(context.cluster), let ca = cluster.caPEM,
            let user = try file.user(context.user), let certificate = user.clientCertificatePEM, let key = user.clientKeyPEM,
            context.user.hasPrefix(userPrefix)
        else { throw PKIError(path, "is not the kubeconfig of a joined node") }
        let pair = KeyPair(certificatePEM: certificate, keyPEM: key)
        guard try pair.validity(subject: path).until > now else { return nil }
        return try NodeCredentials(
            directory,
            String(context.user.dropFirst(userPrefix.count)),
            server: server ?? cluster.server,
            authorityPEM: ca,
            pair,
            eventLoops
        )
    }

    /// Joins: gets a client certificate with the rights of `bootstrap`, and keeps it.
    public static func join(
        directory: String,
        nodeName: String,
        server: String,
        authorityPEM: String,
        bootstrap: APIClient,
        eventLoops: EventLoopThreads
    ) async throws -> NodeCredentials {
        let pair = try await CertificateOrder(client: bootstrap).obtain(clientRequest(nodeName), from: .kubeletClient)
        let credentials = try NodeCredentials(directory, nodeName, server: server, authorityPEM: authorityPEM, pair, eventLoops)
        try credentials.save(pair)
        return credentials
    }

    private static func clientRequest(_ nodeName: String) -> CertificateRequest {
        CertificateRequest(commonName: userPrefix + nodeName, organizations: ["system:nodes"], usage: .client)
    }

    private func save(_ pair: KeyPair) throws {
        try AtomicFile.makeDirectory(directory)
        let file = Kubeconfig(
            name: "apus",
            cluster: Kubeconfig.Cluster(server: server, caPEM: authorityPEM),
            user: Kubeconfig.User(clientCertificatePEM: pair.certificatePEM, clientKeyPEM: pair.keyPEM),
            userName: Self.userPrefix + nodeName
        )
        try AtomicFile.write(Self.path(directory), file.encoded())
    }

    // MARK: running

    /// Keeps both certificates good until the task is cancelled; `serving` is given the serving side whenever it is new.
    public func run(
        addresses: [IPAddress],
        serving: Signal<TLSServer?>,
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "certificates")
    ) async {
        var failures = 0
        while !Task.isCancelled {
            var pause = Self.interval
            do {
                if try await renew(now: clock.now) { log.info("client certificate renewed") }
                try await serve(addresses, serving, now: clock.now)
                failures = 0
            } catch {
                if Task.isCancelled { return }
                log.warning("certificates not renewed yet", metadata: ["error": "\(error)"])
                pause = Self.backoff.delay(failures: failures)
                failures += 1
            }
            do { try await clock.sleep(for: pause) } catch { return }
        }
    }

    /// Ends every connection.
    public func close() async {
        await transport.shutDown()
    }

    /// Renews the client certificate when it is due; true when it was.
    func renew(now: Timestamp) async throws -> Bool {
        let old = pair.withLock { $0 }
        guard PKIDirectory.isDue(try old.validity(subject: Self.path(directory)), now: now) else { return false }
        let new = try await CertificateOrder(client: client).obtain(Self.clientRequest(nodeName), from: .kubeletClient)
        let connection = try Self.connection(server, authorityPEM, new, eventLoops)
        try save(new)
        pair.withLock { $0 = new }
        await transport.replace(connection)
        return true
    }

    private func serve(_ addresses: [IPAddress], _ serving: Signal<TLSServer?>, now: Timestamp) async throws {
        let files = PKIDirectory(path: "\(directory)/pki")
        let wanted = CertificateRequest(
            commonName: Self.userPrefix + nodeName,
            organizations: ["system:nodes"],
            usage: .server,
            dnsNames: [nodeName],
            addresses: addresses
        )
        var good: KeyPair?
        if let found = try? files.load(Self.servingName), let validity = try? found.validity(subject: Self.servingName),
            !PKIDirectory.isDue(validity, now: now),
            (try? found.matches(wanted, ofAuthority: authorityPEM, subject: Self.servingName)) == true
        {
            good = found
        }
        if let good {
            if serving.value?.certificateChainPEM != good.certificatePEM { serving.set(tls(good)) }
            return
        }
        let pair = try await CertificateOrder(client: client).obtain(wanted, from: .kubeletServing)
        try AtomicFile.makeDirectory(files.path)
        try files.save(Self.servingName, pair, isDurable: false)
        serving.set(tls(pair))
    }

    private func tls(_ pair: KeyPair) -> TLSServer {
        TLSServer(certificateChainPEM: pair.certificatePEM, keyPEM: pair.keyPEM, clientCAPEM: authorityPEM)
    }
}
