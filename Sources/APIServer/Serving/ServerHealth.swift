import Synchronization

/// Whether the server lives and is ready. Guarded by its mutex.
final class ServerHealth: Sendable {
    /// The server's life. Starting leads to serving, serving to stopping.
    enum Phase: Sendable { case starting, serving, stopping }

    private let phase = Mutex(Phase.starting)

    func started() { phase.withLock { if $0 == .starting { $0 = .serving } } }
    func stopping() { phase.withLock { $0 = .stopping } }

    var isStarted: Bool { phase.withLock { $0 != .starting } }
    var isStopping: Bool { phase.withLock { $0 == .stopping } }
}
