import APIModel
import HTTPTransport
import Synchronization
import Values

/// The servers behind this one: where they are, how they are reached, what they said they serve. Guarded by its mutex.
final class AggregatedServices: Sendable {
    /// What the check of a server brought.
    struct Discovered: Sendable {
        /// The entry of aggregated discovery, when the server answered.
        var resources: [JSONValue]
        /// The hash in the address of its OpenAPI v3 document; nil when it has none.
        var documentHash: String?
    }

    private struct Target: Hashable {
        let api: String
        let host: String
        let port: Int
        let caPEM: String
        let isInsecure: Bool
        let certificatePEM: String
    }

    private struct State {
        var apis = RemoteAPIs()
        var clients: [Target: HTTPClient] = [:]
        var discovered: [GroupVersion: Discovered] = [:]
        var documents: [GroupVersion: RemoteDocument] = [:]
    }

    private static let maxClients = 64
    /// How a server is given up that does not answer at all.
    private static let connectLimit = Duration.seconds(5)

    private let state = Mutex(State())
    private let isUsed = Atomic(false)

    /// False as long as no other server is known: then nothing has to be looked at.
    var isEmpty: Bool { !isUsed.load(ordering: .relaxed) }

    var apis: RemoteAPIs { state.withLock { $0.apis } }

    func replace(_ apis: RemoteAPIs) {
        state.withLock { state in
            state.apis = apis
            state.discovered = state.discovered.filter { apis.all[$0.key] != nil }
            state.documents = state.documents.filter { apis.all[$0.key] != nil }
        }
        isUsed.store(!apis.isEmpty, ordering: .relaxed)
    }

    /// The other server of a group version.
    func remote(group: String, version: String) -> RemoteAPI? {
        if isEmpty { return nil }
        return state.withLock { $0.apis.all[GroupVersion(group: group, version: version)] }
    }

    /// Takes note of what a server serves; what is known stays when it did not answer. An answer that comes after the server
    /// was withdrawn is nobody's.
    func note(_ groupVersion: GroupVersion, _ discovered: Discovered?) {
        guard let discovered else { return }
        state.withLock { state in
            guard state.apis.all[groupVersion] != nil else { return }
            state.discovered[groupVersion] = discovered
        }
    }

    func discovered(_ groupVersion: GroupVersion) -> Discovered? {
        state.withLock { $0.discovered[groupVersion] }
    }

    /// Its part of the OpenAPI v2 document; nil when it has none.
    func document(_ groupVersion: GroupVersion) -> RemoteDocument? {
        state.withLock { $0.documents[groupVersion] }
    }

    func note(_ groupVersion: GroupVersion, document: RemoteDocument?) {
        state.withLock { state in
            guard state.apis.all[groupVersion] != nil else { return }
            state.documents[groupVersion] = document
        }
    }

    /// A way to the server at `host`, with the certificate of the front proxy; kept for the next request.
    func transport(_ api: RemoteAPI, host: String, port: Int, identity: TLSClient?) throws -> HTTPClient {
        let target = Target(
            api: api.serverName,
            host: host,
            port: port,
            caPEM: api.caPEM,
            isInsecure: api.isInsecure,
            certificatePEM: identity?.certificateChainPEM ?? ""
        )
        if let known = state.withLock({ $0.clients[target] }) { return known }
        let tls = TLSClient(
            caPEM: api.caPEM.isEmpty ? nil : api.caPEM,
            certificateChainPEM: identity?.certificateChainPEM,
            keyPEM: identity?.keyPEM,
            serverName: api.serverName,
            isInsecure: api.isInsecure
        )
        var limits = HTTPClientConfiguration.Limits()
        limits.connect = Self.connectLimit
        let client = try HTTPClient(configuration: HTTPClientConfiguration(address: .tcp(host: host, port: port), tls: tls, limits: limits))
        return state.withLock { state in
            if let known = state.clients[target] { return known }
            if state.clients.count >= Self.maxClients { state.clients.removeAll() }
            state.clients[target] = client
            return client
        }
    }
}
