extension ResourceCache {
    /// The changes after a revision (from now when nil), as seen through a scope and a filter.
    ///
    /// - Parameters:
    ///   - scope: What the filter is known to be restricted to; it makes the watch cheap and must not contradict it.
    ///   - filter: What the watcher sees; an object that begins or ceases to pass is reported as ADDED or DELETED.
    ///     nil when the scope alone decides nothing away (`.all`, `.namespace`, `.object`, `.name`).
    /// - Throws: `.compacted` when the cache no longer knows what happened since; see `resume`. `.unavailable` before the
    ///   cache is filled: see `waitUntil`.
    public func watch(
        from revision: Revision?,
        scope: WatchScope = .all,
        wantsBookmarks: Bool = false,
        capacity: Int = CacheWatch.defaultCapacity,
        filter: (@Sendable (CachedObject) -> Bool)? = nil
    ) throws(StoreError) -> CacheWatch {
        let watcher = makeWatcher(scope, filter, wantsBookmarks, capacity)
        table.withLock { $0.watchers.add(watcher) }
        let outcome: Result<Revision, StoreError> = state.withLock { state in
            if let refusal = state.refusal(prefix: self.prefix) { return .failure(refusal) }
            let start = revision ?? state.revision
            guard start >= state.history.floor else {
                return .failure(.compacted(start, oldest: state.history.floor))
            }
            watcher.goLive(replaying: state.history.after(start), after: max(start, state.revision))
            return .success(start)
        }
        return try finish(watcher, outcome)
    }

    /// The objects as they are, and the changes from there on: nothing is missed or repeated in between.
    ///
    /// - Throws: `.unavailable` before the cache is filled: see `waitUntil`.
    public func snapshotAndWatch(
        namespace: String? = nil,
        scope: WatchScope = .all,
        wantsBookmarks: Bool = false,
        capacity: Int = CacheWatch.defaultCapacity,
        filter: (@Sendable (CachedObject) -> Bool)? = nil
    ) throws(StoreError) -> (snapshot: CacheSnapshot, watch: CacheWatch) {
        let watcher = makeWatcher(scope, filter, wantsBookmarks, capacity)
        table.withLock { $0.watchers.add(watcher) }
        let prefix = namespace.map { self.prefix + $0 + "/" }
        let outcome: Result<CacheSnapshot, StoreError> = state.withLock { state in
            if let refusal = state.refusal(prefix: self.prefix) { return .failure(refusal) }
            watcher.goLive(replaying: [], after: state.revision)
            return .success(state.snapshot(prefix: prefix))
        }
        let watch = try finish(watcher, outcome.map(\.revision))
        return (try outcome.get(), watch)
    }

    /// As `watch`, but reads what the cache has forgotten from the store's history.
    ///
    /// - Throws: `.compacted` when the store has forgotten it too.
    public func resume(
        from revision: Revision,
        scope: WatchScope = .all,
        wantsBookmarks: Bool = false,
        capacity: Int = CacheWatch.defaultCapacity,
        filter: (@Sendable (CachedObject) -> Bool)? = nil
    ) async throws(StoreError) -> CacheWatch {
        if revision >= state.withLock({ $0.history.floor }) {
            return try watch(from: revision, scope: scope, wantsBookmarks: wantsBookmarks, capacity: capacity, filter: filter)
        }
        let feed = try await store.watch(prefix: prefix, from: revision)
        var older: [CacheChange] = []
        var reached = revision
        while reached < state.withLock({ $0.history.floor }) {
            if feed.isCaughtUp(with: self.revision) { feed.requestProgress() }
            guard let events = try await feed.next() else { throw .closed }
            for event in events {
                let change = CacheChange(
                    current: event.current.map(indexer),
                    previous: event.previous.map(indexer),
                    revision: event.revision
                )
                if scope.admits(change), change.type(filter: filter) != nil { older.append(change) }
            }
            reached = max(feed.progress, events.last?.revision ?? reached)
            guard older.count <= Self.replayLimit else { throw .compacted(revision, oldest: reached) }
        }
        feed.cancel()
        let watcher = makeWatcher(scope, filter, wantsBookmarks, capacity)
        table.withLock { $0.watchers.add(watcher) }
        let outcome: Result<Revision, StoreError> = state.withLock { [older, reached] state in
            if let refusal = state.refusal(prefix: self.prefix) { return .failure(refusal) }
            guard reached >= state.history.floor else { return .failure(.compacted(revision, oldest: state.history.floor)) }
            watcher.goLive(replaying: older + state.history.after(reached), after: max(reached, state.revision))
            return .success(revision)
        }
        return try finish(watcher, outcome)
    }

    /// How many changes a resumed watch may have missed.
    private static var replayLimit: Int { 50_000 }

    /// Makes every watch that wants bookmarks receive one soon, with the store's newest revision.
    public func requestBookmarks() {
        let isWanted = table.withLock { table in
            table.isBookmarkDue = table.watchers.count > 0
            return table.isBookmarkDue
        }
        if isWanted { state.withLock { $0.feed }?.requestProgress() }
    }

    /// Makes some watches of this cache receive a bookmark soon, as `requestBookmarks()` does for all.
    public func requestBookmarks(for watches: [CacheWatch]) {
        guard let feed = state.withLock({ $0.feed }) else { return }
        table.withLock { $0.dueBookmarks += watches.map(\.watcher) }
        feed.requestProgress()
    }

    /// How many watches there are.
    public var watcherCount: Int { table.withLock { $0.watchers.count } }

    private func makeWatcher(
        _ scope: WatchScope,
        _ filter: (@Sendable (CachedObject) -> Bool)?,
        _ wantsBookmarks: Bool,
        _ capacity: Int
    ) -> Watcher {
        var decisive = filter
        if filter == nil, case .field(let label, let value) = scope {
            decisive = { $0.index.fields[label] ?? "" == value }
        }
        return Watcher(scope: scope, filter: decisive, wantsBookmarks: wantsBookmarks, capacity: capacity)
    }

    private func finish(
        _ watcher: Watcher,
        _ outcome: Result<Revision, StoreError>
    ) throws(StoreError) -> CacheWatch {
        let detach: @Sendable (Watcher) -> Void = { [weak self] watcher in
            self?.table.withLock { $0.watchers.remove(watcher) }
        }
        do throws(StoreError) {
            return CacheWatch(watcher: watcher, start: try outcome.get(), detach: detach)
        } catch {
            detach(watcher)
            throw error
        }
    }
}

extension ResourceCache.State {
    /// Why no watch can start; nil when one can.
    ///
    /// What the first list finds is dispatched to nobody, so a watch from before it would miss those objects for good.
    fileprivate func refusal(prefix: String) -> StoreError? {
        if isClosed { return .closed }
        return isReady ? nil : StoreError(.unavailable, "the cache of \(prefix) is not filled yet")
    }
}
