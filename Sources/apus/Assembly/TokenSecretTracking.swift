import APIClient
import APIModel
import APITypes
import Channels
import Logging
import Synchronization
import Units
import Values

/// Notes on secrets with service-account tokens on which day they were used last, and in a config map since when that is noted,
/// so that those that nobody uses can be found (KEP-2799).
final class TokenSecretTracking: Sendable {
    static let configMap = "kube-apiserver-legacy-service-account-token-tracking"
    static let label = "kubernetes.io/legacy-token-last-used"
    /// So many secrets wait to be labelled; one that finds no place is labelled when its token is used again.
    private static let waiting = 256
    /// How long to wait before a write that failed is tried again.
    private static let pause = Duration.seconds(10)

    private struct Use: Sendable {
        let namespace: String
        let name: String
        let uid: String
        let day: String
    }

    private let uses: AsyncStream<Use>
    private let continuation: AsyncStream<Use>.Continuation
    private let clock: any ClusterClock
    /// The day that was noted last, by the secret's uid: the label is known here a moment later.
    private let noted = Mutex<[String: String]>([:])
    private let logger = Logger(label: "token-tracking")

    init(clock: any ClusterClock) {
        self.clock = clock
        (uses, continuation) = AsyncStream.makeStream(of: Use.self, bufferingPolicy: .bufferingOldest(Self.waiting))
    }

    /// Takes note of a use; whoever asks for the token's owner does not wait.
    func note(_ secret: JSONValue) {
        let day = today
        let metadata = secret["metadata"]
        guard metadata?.value(at: ["labels", Self.label])?.string != day, let uid = metadata?["uid"]?.string,
            let namespace = metadata?["namespace"]?.string, let name = metadata?["name"]?.string
        else { return }
        let isKnown = noted.withLock { noted in
            if noted[uid] == day { return true }
            if noted.count >= Self.waiting { noted.removeAll() }
            noted[uid] = day
            return false
        }
        if !isKnown { continuation.yield(Use(namespace: namespace, name: name, uid: uid, day: day)) }
    }

    /// Writes what was noted, until cancelled.
    func run(_ client: APIClient) async {
        while !Task.isCancelled, await !begin(client) { try? await clock.sleep(for: Self.pause) }
        for await use in uses {
            let patch: JSONValue = ["metadata": ["uid": .string(use.uid), "labels": [Self.label: .string(use.day)]]]
            do {
                try await client.patch(Secret.self, namespace: use.namespace, name: use.name, type: .merge, patch)
            } catch {
                noted.withLock { $0[use.uid] = nil }
                logger.warning("secret \(use.namespace)/\(use.name): the day of its token's last use was not noted: \(error)")
            }
        }
    }

    /// Says since when uses are noted, unless that is said already. Returns whether it is.
    private func begin(_ client: APIClient) async -> Bool {
        do {
            let known = try? await client.get(ConfigMap.self, namespace: "kube-system", name: Self.configMap)
            if known?.data["since"].flatMap({ Timestamp($0 + "T00:00:00Z") }) != nil { return true }
            var map = known ?? ConfigMap(name: Self.configMap, namespace: "kube-system")
            map.data["since"] = today
            if known == nil { try await client.create(map) } else { try await client.update(map) }
            return true
        } catch {
            logger.warning("config map kube-system/\(Self.configMap) was not written: \(error)")
            return false
        }
    }

    private var today: String { String(clock.now.description.prefix(10)) }
}
