import Synchronization

/// Tasks that live as long as something else says: started and cancelled by key. Guarded by `state`.
///
/// The owner calls `cancelAll` before it ends, and `waitForAll` to see them out.
final class TaskSet<Key: Hashable & Sendable>: Sendable {
    private struct Entry {
        var task: Task<Void, Never>
        var generation: UInt64
    }

    private struct State {
        var tasks: [Key: Entry] = [:]
        var next: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    var keys: [Key] { state.withLock { Array($0.tasks.keys) } }

    func contains(_ key: Key) -> Bool { state.withLock { $0.tasks[key] != nil } }

    /// Starts `body` unless a task of that key runs. Returns whether it was started.
    @discardableResult
    func start(_ key: Key, _ body: @escaping @Sendable () async -> Void) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.tasks[key] == nil else { return false }
            state.next += 1
            let generation = state.next
            // unstructured: ends by key, not with a scope; the set is the owner and cancels what is left.
            let task = Task {
                await body()
                self.ended(key, generation)
            }
            state.tasks[key] = Entry(task: task, generation: generation)
            return true
        }
    }

    private func ended(_ key: Key, _ generation: UInt64) {
        state.withLock { state in
            if state.tasks[key]?.generation == generation { state.tasks[key] = nil }
        }
    }

    func cancel(_ key: Key) {
        let task = state.withLock { $0.tasks.removeValue(forKey: key)?.task }
        task?.cancel()
    }

    func cancel(where isChosen: (Key) -> Bool) {
        for key in keys where isChosen(key) { cancel(key) }
    }

    /// Cancels all and starts none any more.
    func close() async {
        let tasks = state.withLock { state -> [Task<Void, Never>] in
            state.isClosed = true
            defer { state.tasks = [:] }
            return state.tasks.values.map(\.task)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}
