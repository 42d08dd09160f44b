import Channels

extension ResourceCache {
    /// Everything up to this revision is in the cache.
    public var revision: Revision { state.withLock { $0.revision } }

    /// The cache was filled once.
    public var isReady: Bool { state.withLock { $0.isReady } }

    /// How many objects there are.
    public var count: Int { state.withLock { $0.entries.count } }

    /// The object of a key as of now.
    public func get(_ key: String) -> CachedObject? {
        state.withLock { $0.entries[key] }
    }

    /// All objects of the resource at one revision.
    public func snapshot() -> CacheSnapshot {
        state.withLock { $0.snapshot(prefix: nil) }
    }

    /// The objects of one namespace (all when nil) at one revision.
    public func snapshot(namespace: String?) -> CacheSnapshot {
        state.withLock { $0.snapshot(prefix: namespace.map { prefix + $0 + "/" }) }
    }

    /// A page of objects in key order, whether more follow, and the revision of the page.
    public func list(
        namespace: String?,
        after: String?,
        limit: Int
    ) -> (objects: [CachedObject], more: Bool, revision: Revision) {
        let (entries, revision) = state.withLock { ($0.entries, $0.revision) }
        let page = entries.page(prefix: namespace.map { prefix + $0 + "/" } ?? prefix, after: after, limit: limit)
        return (page.entries, page.more, revision)
    }

    /// Returns once everything up to `revision` is in the cache: reads then see it.
    ///
    /// - Throws: `.closed` when the cache shuts down; `.unavailable` when the task is cancelled.
    public func waitUntil(_ revision: Revision) async throws(StoreError) {
        let (isThere, feed) = state.withLock { ($0.isReady && $0.revision >= revision, $0.feed) }
        if isThere { return }
        if let feed, feed.isCaughtUp(with: revision) {
            // Nothing of ours is among the writes up to there.
            settle(revision)
            return
        }
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        let result: Result<Void, StoreError> = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                wait(Waiter(id: id, revision: revision, continuation: continuation))
            }
        } onCancel: {
            abandon(id)
        }
        try result.get()
    }

    /// As `waitUntil(_:)`, but gives up after `limit`.
    ///
    /// - Throws: `.unavailable` when the time is over before the revision is reached.
    public func waitUntil(
        _ revision: Revision,
        within limit: Duration,
        clock: any ClusterClock = SystemClock()
    ) async throws(StoreError) {
        if state.withLock({ $0.isReady && $0.revision >= revision }) { return }
        let result: Result<Void, StoreError>
        do {
            result = try await withDeadline(limit, clock: clock) { [self] in
                do throws(StoreError) { return .success(try await waitUntil(revision)) } catch { return .failure(error) }
            }
        } catch {
            throw StoreError(.unavailable, "revision \(revision) of \(prefix) was not reached within \(limit)")
        }
        try result.get()
    }

    private func settle(_ revision: Revision) {
        let due = state.withLock { $0.advance(to: revision) }
        for waiter in due { waiter.continuation.resume(returning: .success(())) }
    }

    private func wait(_ waiter: Waiter) {
        typealias Outcome = Result<Void, StoreError>
        let (outcome, feed): (Outcome?, StoreWatch?) = state.withLock { state in
            if state.isClosed { return (.failure(.closed), nil) }
            if state.isReady && state.revision >= waiter.revision { return (.success(()), nil) }
            if Task.isCancelled { return (.failure(Self.abandoned(waiter.revision)), nil) }
            state.waiters.append(waiter)
            return (nil, state.feed)
        }
        if let outcome { waiter.continuation.resume(returning: outcome) }
        feed?.requestProgress()
    }

    private func abandon(_ id: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        guard let waiter else { return }
        waiter.continuation.resume(returning: .failure(Self.abandoned(waiter.revision)))
    }

    private static func abandoned(_ revision: Revision) -> StoreError {
        StoreError(.unavailable, "waiting for revision \(revision) was cancelled")
    }
}

extension ResourceCache.State {
    func snapshot(prefix: String?) -> CacheSnapshot {
        let range = prefix.map { entries.range(prefix: $0) } ?? entries.start..<entries.end
        return CacheSnapshot(entries: entries, range: range, revision: revision)
    }
}
