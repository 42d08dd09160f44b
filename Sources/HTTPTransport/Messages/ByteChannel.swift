import DequeModule
import Synchronization

/// Bytes on their way from one producer to one consumer, bounded by a high-water mark.
///
/// State guarded by `state`; continuations are resumed and callbacks made outside of it.
final class ByteChannel: Sendable {
    /// Above this the producer is told to pause.
    static let defaultHighWater = 256 * 1024
    /// Consumed chunks smaller than this are joined up to it.
    static let joinLimit = 64 * 1024

    private struct State {
        var chunks: Deque<[UInt8]> = []
        var byteCount = 0
        var isFinished = false
        var failure: (any Error)?
        /// The consumer is gone: what is pushed is dropped.
        var isCancelled = false
        /// The producer was told to pause and waits for `onDrain`.
        var isPaused = false
        var reader: CheckedContinuation<[UInt8]?, any Error>?
        var writers: Deque<(id: UInt64, continuation: CheckedContinuation<Void, any Error>)> = []
        var nextWriter: UInt64 = 0
        var cancelledWriters: Set<UInt64> = []
    }

    private let state = Mutex(State())
    private let highWater: Int
    private let onDrain: @Sendable () -> Void
    private let onCancel: @Sendable () -> Void

    /// `onDrain` is called when a paused producer may go on, `onCancel` once when the consumer leaves early.
    init(
        highWater: Int = ByteChannel.defaultHighWater,
        onDrain: @escaping @Sendable () -> Void = {},
        onCancel: @escaping @Sendable () -> Void = {}
    ) {
        self.highWater = highWater
        self.onDrain = onDrain
        self.onCancel = onCancel
    }

    /// Whether the consumer is gone or the end was announced.
    var isClosed: Bool { state.withLock { $0.isCancelled || $0.isFinished } }

    /// Bytes not yet consumed.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// Adds bytes; false tells the producer to pause until `onDrain`.
    func push(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty else { return true }
        let (reader, goOn): (CheckedContinuation<[UInt8]?, any Error>?, Bool) = state.withLock { state in
            guard !state.isCancelled, !state.isFinished else { return (nil, true) }
            if let reader = state.reader {
                state.reader = nil
                return (reader, true)
            }
            state.chunks.append(bytes)
            state.byteCount += bytes.count
            if state.byteCount >= highWater { state.isPaused = true }
            return (nil, !state.isPaused)
        }
        reader?.resume(returning: bytes)
        return goOn
    }

    /// Adds bytes and suspends while the channel is above its mark. Throws when the consumer is gone.
    func send(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        if isClosed { throw TransportError(.closed, "the reader of the stream is gone") }
        if push(bytes) { return }
        try await waitForRoom()
    }

    /// Suspends while the channel is above its mark, after a `push` that said so.
    func waitForRoom() async throws {
        let id = state.withLock { state -> UInt64 in
            state.nextWriter += 1
            return state.nextWriter
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelledWriters.remove(id) != nil { return .failure(CancellationError()) }
                    if state.isCancelled { return .failure(TransportError(.closed, "the reader of the stream is gone")) }
                    if !state.isPaused { return .success(()) }
                    state.writers.append((id, continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiting = state.withLock { state -> CheckedContinuation<Void, any Error>? in
                guard let index = state.writers.firstIndex(where: { $0.id == id }) else {
                    state.cancelledWriters.insert(id)
                    return nil
                }
                return state.writers.remove(at: index).continuation
            }
            waiting?.resume(throwing: CancellationError())
        }
        state.withLock { _ = $0.cancelledWriters.remove(id) }
    }

    /// Announces the end, after what was pushed, or a failure.
    func finish(throwing failure: (any Error)? = nil) {
        let (reader, writers) = state.withLock { state in
            guard !state.isFinished else {
                return (CheckedContinuation<[UInt8]?, any Error>?.none, [CheckedContinuation<Void, any Error>]())
            }
            state.isFinished = true
            state.failure = failure
            let reader = state.reader
            state.reader = nil
            let writers = state.writers.map(\.continuation)
            state.writers.removeAll()
            if reader != nil { state.failure = nil }
            return (reader, writers)
        }
        if let failure {
            reader?.resume(throwing: failure)
        } else {
            reader?.resume(returning: nil)
        }
        for writer in writers { writer.resume(throwing: TransportError(.closed, "the stream has ended")) }
    }

    /// The next bytes; nil at the end. One consumer at a time.
    func next() async throws -> [UInt8]? {
        if let ready = try takeReady() { return ready.bytes }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state -> Result<Ready?, any Error>? in
                    if state.isCancelled || Task.isCancelled { return .failure(CancellationError()) }
                    if let ready = take(&state) { return ready.map { $0 } }
                    state.reader = continuation
                    return nil
                }
                guard let outcome else { return }
                switch outcome {
                case .success(let ready):
                    continuation.resume(returning: ready?.bytes)
                    resume(ready)
                case .failure(let failure): continuation.resume(throwing: failure)
                }
            }
        } onCancel: {
            let reader = state.withLock { state in
                let reader = state.reader
                state.reader = nil
                return reader
            }
            reader?.resume(throwing: CancellationError())
        }
    }

    /// All that is queued, for a consumer that reads no further.
    func takeAll() -> [[UInt8]] {
        state.withLock { state in
            defer {
                state.chunks.removeAll()
                state.byteCount = 0
                state.isPaused = false
            }
            return Array(state.chunks)
        }
    }

    /// The consumer leaves: what is queued is dropped and the producer is told.
    func cancel() {
        let (tell, reader, writers) = state.withLock { state in
            let tell = !state.isCancelled && !state.isFinished
            state.isCancelled = true
            state.chunks.removeAll()
            state.byteCount = 0
            let reader = state.reader
            state.reader = nil
            let writers = state.writers.map(\.continuation)
            state.writers.removeAll()
            return (tell, reader, writers)
        }
        reader?.resume(throwing: CancellationError())
        for writer in writers { writer.resume(throwing: TransportError(.closed, "the reader of the stream is gone")) }
        if tell { onCancel() }
    }

    private struct Ready {
        var bytes: [UInt8]?
        var drained = false
        var writers: [CheckedContinuation<Void, any Error>] = []
    }

    private func takeReady() throws -> Ready? {
        let outcome = state.withLock { take(&$0) }
        guard let outcome else { return nil }
        let ready = try outcome.get()
        resume(ready)
        return ready
    }

    private func resume(_ ready: Ready?) {
        guard let ready else { return }
        for writer in ready.writers { writer.resume() }
        if ready.drained { onDrain() }
    }

    /// What a reader gets now, or nil when it must wait.
    private func take(_ state: inout State) -> Result<Ready, any Error>? {
        guard var bytes = state.chunks.popFirst() else {
            guard state.isFinished else { return nil }
            if let failure = state.failure {
                state.failure = nil
                return .failure(failure)
            }
            return .success(Ready(bytes: nil))
        }
        while let next = state.chunks.first, bytes.count + next.count <= ByteChannel.joinLimit {
            bytes += next
            state.chunks.removeFirst()
        }
        state.byteCount -= bytes.count
        var ready = Ready(bytes: bytes)
        if state.isPaused, state.byteCount <= highWater / 2 {
            state.isPaused = false
            ready.drained = true
            ready.writers = state.writers.map(\.continuation)
            state.writers.removeAll()
        }
        return .success(ready)
    }
}

extension ByteChannel {
    /// A bounded queue of elements from one producer to one consumer. State guarded by `state`.
    final class Queue<Element: Sendable>: Sendable {
        private struct State {
            var elements: Deque<Element> = []
            var isFinished = false
            var reader: CheckedContinuation<Element?, any Error>?
        }

        private let state = Mutex(State())
        private let limit: Int

        init(limit: Int) {
            self.limit = limit
        }

        /// Adds an element; beyond the limit it is dropped.
        func push(_ element: Element) {
            let reader = state.withLock { state -> CheckedContinuation<Element?, any Error>? in
                if let reader = state.reader {
                    state.reader = nil
                    return reader
                }
                if !state.isFinished, state.elements.count < limit { state.elements.append(element) }
                return nil
            }
            reader?.resume(returning: element)
        }

        func finish() {
            let reader = state.withLock { state in
                state.isFinished = true
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }

        /// The next element; nil at the end.
        func next() async throws -> Element? {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let outcome = state.withLock { state -> Result<Element?, any Error>? in
                        if let element = state.elements.popFirst() { return .success(element) }
                        if state.isFinished { return .success(nil) }
                        if Task.isCancelled { return .failure(CancellationError()) }
                        state.reader = continuation
                        return nil
                    }
                    if let outcome { continuation.resume(with: outcome) }
                }
            } onCancel: {
                let reader = state.withLock { state in
                    defer { state.reader = nil }
                    return state.reader
                }
                reader?.resume(throwing: CancellationError())
            }
        }
    }
}
