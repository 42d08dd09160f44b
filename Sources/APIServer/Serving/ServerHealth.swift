import Synchronization

/// Whether the server lives and is ready. Guarded by its mutex.
final class ServerHealth: Sendable {
    /// The server's life. Starting leads to serving, serving to stopping.
    enum Phase: Sendable { case starting, serving, stopping }

    private let phase = Mutex(Phase.starting)
    private let problems = Mutex(["controller-manager": "not started", "scheduler": "not started"])

    /// What a check said so far.
    struct Tally: Sendable {
        var isPassing: Bool
        var passed = 0
        var failed = 0
    }

    /// By endpoint and name of the check; as many as there are checks.
    private let tallies = Mutex<[String: [String: Tally]]>([:])

    /// A check of `/healthz`, `/livez` or `/readyz` was made.
    func note(_ endpoint: String, _ results: [(name: String, isPassing: Bool)]) {
        tallies.withLock { tallies in
            for result in results {
                var tally = tallies[endpoint]?[result.name] ?? Tally(isPassing: true)
                tally.isPassing = result.isPassing
                if result.isPassing { tally.passed += 1 } else { tally.failed += 1 }
                tallies[endpoint, default: [:]][result.name] = tally
            }
        }
    }

    var results: [String: [String: Tally]] { tallies.withLock { $0 } }

    /// What is wrong with a component; nil when it works.
    func set(_ component: String, problem: String?) { problems.withLock { $0[component] = problem } }
    func problem(_ component: String) -> String? { problems.withLock { $0[component] } }

    func started() { phase.withLock { if $0 == .starting { $0 = .serving } } }
    func stopping() { phase.withLock { $0 = .stopping } }

    var isStarted: Bool { phase.withLock { $0 != .starting } }
    var isStopping: Bool { phase.withLock { $0 == .stopping } }
}
