import Synchronization

/// Whether the server lives and is ready. Guarded by its mutex.
final class ServerHealth: Sendable {
    /// The server's life. Starting leads to serving, serving to stopping.
    enum Phase: Sendable { case starting, serving, stopping }

    private let phase = Mutex(Phase.starting)
    private let problems = Mutex(["controller-manager": "not started", "scheduler": "not started"])

    /// What is wrong with a component; nil when it works.
    func set(_ component: String, problem: String?) { problems.withLock { $0[component] = problem } }
    func problem(_ component: String) -> String? { problems.withLock { $0[component] } }

    func started() { phase.withLock { if $0 == .starting { $0 = .serving } } }
    func stopping() { phase.withLock { $0 = .stopping } }

    var isStarted: Bool { phase.withLock { $0 != .starting } }
    var isStopping: Bool { phase.withLock { $0 == .stopping } }
}
