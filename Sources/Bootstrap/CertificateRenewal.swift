import Channels
import Logging

/// Renews certificates while the process runs, so that no cluster dies of an expired one.
public struct CertificateRenewal: Sendable {
    /// Between looks.
    public static let interval = Duration.seconds(12 * 3600)

    private let pki: ClusterPKI
    private let clock: any ClusterClock
    private let log: Logger
    private let renewed: @Sendable ([ClusterPKI.Leaf]) async -> Void

    /// A renewal; `renewed` is told which certificates are new, to reload servers and rewrite kubeconfigs.
    public init(
        pki: ClusterPKI,
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "certificates"),
        renewed: @escaping @Sendable ([ClusterPKI.Leaf]) async -> Void
    ) {
        self.pki = pki
        self.clock = clock
        self.log = log
        self.renewed = renewed
    }

    /// Looks now and then until the task is cancelled.
    public func run() async {
        while !Task.isCancelled {
            do { try await clock.sleep(for: Self.interval) } catch { return }
            do {
                let made = try pki.renew(now: clock.now)
                guard !made.isEmpty else { continue }
                log.info("certificates renewed", metadata: ["names": "\(made.map(\.rawValue).joined(separator: ", "))"])
                await renewed(made)
            } catch {
                log.error("certificates not renewed", metadata: ["error": "\(error)"])
            }
        }
    }
}
