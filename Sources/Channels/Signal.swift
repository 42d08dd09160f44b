import Synchronization

/// A latest value that others wait on: a reader never sees a value twice and may miss those in between.
///
/// Guarded by `state`; waiters are resumed after the lock is released.
public final class Signal<Value: Sendable>: Sendable {
    private struct Waiter {
        let id: UInt64
        let after: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var value: Value
        var version: UInt64 = 1
        var nextID: UInt64 = 0
        var waiters: [Waiter] = []
    }

    private let state: Mutex<State>

    /// A signal that holds `value` as version 1.
    public init(_ value: Value) {
        state = Mutex(State(value: value))
    }

    /// The latest value and its version.
    public var current: (value: Value, version: UInt64) {
        state.withLock { ($0.value, $0.version) }
    }

    /// The latest value.
    public var value: Value { state.withLock { $0.value } }

    /// Replaces the value and wakes every waiter.
    public func set(_ value: Value) {
        update { $0 = value }
    }

    /// Changes the value in place and wakes every waiter.
    public func update(_ change: (inout Value) -> Void) {
        let waiters = state.withLock { state in
            change(&state.value)
            state.version += 1
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        waiters.forEach { $0.continuation.resume() }
    }

    /// Waits for a version later than `version`.
    /// - Returns: the latest value and its version; when the task is cancelled, those of that moment.
    public func next(after version: UInt64) async -> (value: Value, version: UInt64) {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.version > version || Task.isCancelled { return true }
                    state.waiters.append(Waiter(id: id, after: version, continuation: continuation))
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume()
        }
        return current
    }

    /// Waits until `condition` holds of the value.
    /// - Throws: `CancellationError`.
    @discardableResult
    public func wait(until condition: (Value) -> Bool) async throws -> Value {
        var (value, version) = current
        while !condition(value) {
            try Task.checkCancellation()
            (value, version) = await next(after: version)
        }
        return value
    }
}
