/// The changes under a prefix, in order, in batches: one batch and one wake-up for each group of writes.
///
/// One task iterates it. It ends by throwing `.compacted` (history it needed is gone), `.slow` (it fell behind) or
/// `.closed`; dropping it or calling `cancel()` ends it quietly. A batch may be empty: then only `progress` moved.
public final class StoreWatch: AsyncSequence, Sendable {
    /// One batch.
    public typealias Element = [StoreEvent]
    /// Why the sequence ends early.
    public typealias Failure = StoreError

    /// What a page of history turned out to be.
    package enum Backlog: Sendable {
        /// Changes after the revision asked for, and how far they reach.
        case page([StoreEvent], through: Revision)
        /// The buffer is attached to the live stream.
        case attached
    }

    /// What the watch needs from the store it belongs to.
    package struct Source: Sendable {
        package var backlog: @Sendable (WatchBuffer, Revision) async throws(StoreError) -> Backlog
        package var detach: @Sendable (WatchBuffer) -> Void
        package var currentRevision: @Sendable () -> Revision
        package var requestProgress: @Sendable (WatchBuffer) -> Void

        package init(
            backlog: @escaping @Sendable (WatchBuffer, Revision) async throws(StoreError) -> Backlog,
            detach: @escaping @Sendable (WatchBuffer) -> Void,
            currentRevision: @escaping @Sendable () -> Revision,
            requestProgress: @escaping @Sendable (WatchBuffer) -> Void
        ) {
            self.backlog = backlog
            self.detach = detach
            self.currentRevision = currentRevision
            self.requestProgress = requestProgress
        }
    }

    /// How many undelivered events a watch may have before it is closed as slow.
    public static let defaultCapacity = 8192

    let buffer: WatchBuffer
    let source: Source

    package init(buffer: WatchBuffer, source: Source) {
        self.buffer = buffer
        self.source = source
    }

    deinit {
        cancel()
    }

    /// Every change up to this revision was handed to the iterator.
    public var progress: Revision { buffer.progress }

    /// Whether the iterating task has handled everything written up to `revision`.
    public func isCaughtUp(with revision: Revision) -> Bool {
        // The store publishes before it acknowledges, so an empty buffer after this reading means all was taken.
        source.currentRevision() >= revision && buffer.isDrained
    }

    /// Makes the iterator return soon, with an empty batch if there is nothing new, so that `progress` is current.
    public func requestProgress() {
        source.requestProgress(buffer)
    }

    /// Ends the watch quietly.
    public func cancel() {
        buffer.close(nil)
        source.detach(buffer)
    }

    /// Takes the batches, for one task.
    public func makeAsyncIterator() -> Iterator {
        Iterator(watch: self)
    }

    /// Takes the batches of one watch.
    public struct Iterator: AsyncIteratorProtocol {
        let watch: StoreWatch

        /// The next element; nil at the end.
        public mutating func next() async throws(StoreError) -> [StoreEvent]? {
            try await watch.next()
        }

        /// The next batch; nil when the watch was cancelled.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(StoreError) -> [StoreEvent]? {
            try await watch.next()
        }
    }

    /// The next batch; nil when the watch was cancelled or the task was.
    public func next() async throws(StoreError) -> [StoreEvent]? {
        while true {
            switch buffer.next() {
            case .deliver(let events):
                return events
            case .end(let error):
                source.detach(buffer)
                if let error { throw error }
                return nil
            case .load(let revision):
                if case .page(let events, let through) = try await source.backlog(buffer, revision) {
                    buffer.backlogLoaded(through: through, events)
                }
            case .wait:
                let buffer = buffer
                await withTaskCancellationHandler {
                    await withUnsafeContinuation { buffer.park($0) }
                } onCancel: {
                    buffer.close(nil)
                }
            }
        }
    }
}
