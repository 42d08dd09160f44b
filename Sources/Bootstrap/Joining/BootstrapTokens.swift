import APIClient
import APIModel
import APITypes
import Access
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Keeps what joining machines need: the signed `cluster-info`, the cluster's settings, and no token beyond its time.
public final class BootstrapTokens: Controller {
    /// The controller's name.
    public let name = "bootstrap-signer-controller"
    /// Between looks when nothing changes: a token may have ended.
    private static let interval = Duration.seconds(10)
    private static let backoff = RetryBackoff(base: .milliseconds(50), limit: .seconds(10))

    private let client: APIClient
    private let content: String
    private let settings: ClusterSettings
    private let secrets: Informer<Secret>
    private let clock: any ClusterClock
    private let log: Logger
    private let changes = Signal(0)

    /// A controller that tells machines to come to `server`, whose authority is given.
    public init(
        client: APIClient,
        source: any ObjectSource,
        server: String,
        authorityPEM: String,
        settings: ClusterSettings,
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "bootstrap-tokens")
    ) {
        self.client = client
        self.settings = settings
        self.clock = clock
        self.log = log
        content = ClusterInfo.content(server: server, authorityPEM: authorityPEM)
        var options = ListOptions()
        options.fieldSelector = "type=\(BootstrapToken.secretType)"
        secrets = Informer(source: source, namespace: BootstrapToken.namespace, options: options, clock: clock, log: log)
    }

    /// Runs until the task is cancelled.
    public func run() async {
        let changes = changes
        secrets.addHandlers(.init { _ in changes.update { $0 += 1 } })
        await withDiscardingTaskGroup { group in
            group.addTask { await self.secrets.run() }
            group.addTask { await self.follow() }
        }
    }

    private func follow() async {
        guard (try? await secrets.waitForSync()) != nil else { return }
        var failures = 0
        while !Task.isCancelled {
            let version = changes.current.version
            var pause = Self.interval
            do {
                try await look()
                failures = 0
            } catch {
                if failures % 10 == 9 { log.warning("what joining machines need is not current", metadata: ["error": "\(error)"]) }
                pause = Self.backoff.delay(failures: failures)
                failures += 1
            }
            let (limit, changes) = (pause, changes)
            _ = try? await withDeadline(limit, clock: clock) { await changes.next(after: version) }
        }
    }

    private func look() async throws {
        let now = clock.now
        var tokens: [BootstrapTokenRecord] = []
        for secret in secrets.list() {
            guard let record = BootstrapTokenRecord(secret.json) else { continue }
            if record.hasExpired(at: now) {
                try await remove(secret)
            } else {
                tokens.append(record)
            }
        }
        try await keep(settings.configMap) { _, wanted in wanted }
        let info = JoinAuthorizer.clusterInfo
        var map = ConfigMap(name: info.name, namespace: info.namespace)
        map.data = ClusterInfo.data([:], content: content, tokens: tokens)
        try await keep(map) { present, _ in ClusterInfo.data(present, content: content, tokens: tokens) }
    }

    private func remove(_ secret: Secret) async throws {
        var options = DeleteOptions()
        options.preconditions = Preconditions { $0.uid = secret.uid }
        do {
            try await client.delete(Secret.self, namespace: secret.namespace, name: secret.name, options: options)
            log.info("bootstrap token expired", metadata: ["secret": "\(secret.name)"])
        } catch let error as APIError where error.isNotFound || error.isConflict {
            return
        }
    }

    private func keep(_ wanted: ConfigMap, _ merge: ([String: String], [String: String]) -> [String: String]) async throws {
        do {
            var map = try await client.get(ConfigMap.self, namespace: wanted.namespace, name: wanted.name)
            let data = merge(map.data, wanted.data)
            guard map.data != data else { return }
            map.data = data
            try await client.update(map)
        } catch let error as APIError where error.isNotFound {
            try await client.create(wanted)
        }
    }
}

/// The administrator's side of bootstrap tokens.
extension BootstrapToken {
    /// The Secret that makes a token known.
    public func secretObject(expiration: Timestamp?, note: String) -> Secret {
        var object = Secret(name: secretName, namespace: Self.namespace)
        object.type = Self.secretType
        var data = [
            "token-id": id, "token-secret": secret, "auth-extra-groups": Self.nodeGroup,
            BootstrapTokenRecord.Usage.authentication.rawValue: "true", BootstrapTokenRecord.Usage.signing.rawValue: "true",
        ]
        if let expiration { data["expiration"] = expiration.rfc3339 }
        if !note.isEmpty { data["description"] = note }
        object.data = data.mapValues { Array($0.utf8) }
        return object
    }
}
