import APIModel
import Store
import Values

/// One page of a list: where its objects come from, and what its metadata says.
struct ListPage: Sendable {
    /// The objects in key order.
    enum Objects: Sendable {
        case snapshot(CacheSnapshot, FieldSelection)
        case chosen([CachedObject])
    }

    var objects: Objects
    var revision: Revision
    var continueToken = ""
    var remaining: Int?

    /// Calls `body` for each object.
    func forEach(_ body: (CachedObject) throws -> Void) rethrows {
        switch objects {
        case .chosen(let list): for object in list { try body(object) }
        case .snapshot(let snapshot, let selection):
            for object in snapshot where selection.matches(object) { try body(object) }
        }
    }

    /// Whether rendering it object by object takes long.
    var isLong: Bool {
        switch objects {
        case .chosen(let list): list.count > 128
        case .snapshot(let snapshot, _): snapshot.count > 128
        }
    }

    private static let muchBytes = 256 << 10
    private static let muchObjects = 64

    /// Whether it is too much to be held whole for each client that takes it, however slowly.
    var isMuch: Bool {
        if case .snapshot(let snapshot, _) = objects, snapshot.count > Self.muchObjects { return true }
        return holds(moreThan: Self.muchBytes)
    }

    /// Whether its objects take more than so many bytes, as they are stored.
    func holds(moreThan limit: Int) -> Bool {
        switch objects {
        case .chosen(let list): Self.hold(list, moreThan: limit)
        case .snapshot(let snapshot, _): Self.hold(snapshot, moreThan: limit)
        }
    }

    private static func hold(_ objects: some Sequence<CachedObject>, moreThan limit: Int) -> Bool {
        var bytes = 0
        for object in objects {
            bytes += object.bytes.count
            if bytes > limit { return true }
        }
        return false
    }

    /// The list's metadata.
    var metadata: JSONValue {
        var metadata: JSONValue = ["resourceVersion": .string(revision.description)]
        if !continueToken.isEmpty { metadata["continue"] = .string(continueToken) }
        if let remaining, remaining > 0 { metadata["remainingItemCount"] = .integer(Int64(remaining)) }
        return metadata
    }
}

extension ResourceEngine {
    /// How long a read waits for a revision the cache has not seen.
    static let catchUpLimit = Duration.seconds(3)

    /// The page a query asks for.
    func page(_ query: ListQuery, namespace: String) async throws(APIError) -> ListPage {
        switch query.at {
        case .exactly(let revision):
            let snapshot = cache.snapshot(namespace: namespace.isEmpty ? nil : namespace)
            guard snapshot.revision == revision else { return try await past(query, revision, namespace) }
            return cut(snapshot.after(query.after), query, revision)
        case .newest: try await catchUp()
        case .notOlderThan(let revision): try await catchUp(to: revision)
        case .any: try await ready()
        }
        let snapshot = cache.snapshot(namespace: namespace.isEmpty ? nil : namespace)
        if let single = single(query, namespace, in: snapshot) {
            return ListPage(objects: .chosen(single), revision: snapshot.revision)
        }
        return cut(snapshot.after(query.after), query, snapshot.revision)
    }

    /// Waits until the cache has seen everything acknowledged so far.
    func catchUp() async throws(APIError) {
        do throws(StoreError) {
            let newest = try await environment.store.currentRevision()
            try await cache.waitUntil(newest, within: Self.catchUpLimit, clock: environment.clock)
        } catch {
            throw StoreFailure.apiError(error)
        }
    }

    /// Waits until the cache has seen `revision`.
    func catchUp(to revision: Revision) async throws(APIError) {
        if cache.isReady, cache.revision >= revision { return }
        do throws(StoreError) {
            let newest = try await environment.store.currentRevision()
            guard revision <= newest else {
                throw StoreError(.futureRevision(newest), "revision \(revision) does not exist yet")
            }
            try await cache.waitUntil(revision, within: Self.catchUpLimit, clock: environment.clock)
        } catch {
            throw .tooLargeResourceVersion(asked: revision.rawValue, current: cache.revision.rawValue)
        }
    }

    private func ready() async throws(APIError) {
        guard !cache.isReady else { return }
        try await catchUp()
    }

    /// The one object a `metadata.name` selector can mean, as it is at the revision of the list.
    private func single(_ query: ListQuery, _ namespace: String, in snapshot: CacheSnapshot) -> [CachedObject]? {
        guard let name = query.selection.required("metadata.name") else { return nil }
        let space = namespace.isEmpty ? query.selection.required("metadata.namespace") ?? "" : namespace
        guard !descriptor.namespaced || !space.isEmpty else { return nil }
        return [snapshot.object(key(namespace: space, name: name))].compactMap { $0 }.filter(query.selection.matches)
    }

    private func cut(_ snapshot: CacheSnapshot, _ query: ListQuery, _ revision: Revision) -> ListPage {
        guard query.limit > 0 else {
            return ListPage(objects: .snapshot(snapshot, query.selection), revision: revision)
        }
        var chosen: [CachedObject] = []
        for object in snapshot where query.selection.matches(object) {
            if chosen.count == query.limit { break }
            chosen.append(object)
        }
        var page = ListPage(objects: .chosen(chosen), revision: revision)
        guard chosen.count == query.limit, let last = chosen.last else { return page }
        let rest = snapshot.after(last.key)
        // Like upstream, this does not look whether what follows is selected.
        guard rest.count > 0 else { return page }
        if query.selection.isEverything { page.remaining = rest.count }
        page.continueToken = token(revision, last.key, page.remaining)
        return page
    }

    private func token(_ revision: Revision, _ key: String, _ remaining: Int?) -> String {
        let start = String(key.dropFirst(prefix.count))
        return ContinueToken(revision: Int64(revision.rawValue), start: start, remaining: remaining).encoded
    }

    /// A page of a past state, from the store's history.
    private func past(_ query: ListQuery, _ revision: Revision, _ namespace: String) async throws(APIError) -> ListPage {
        let scope = namespace.isEmpty ? prefix : "\(prefix)\(namespace)/"
        let step = query.limit > 0 ? max(query.limit, 128) : 0
        var chosen: [CachedObject] = []
        var after = query.after
        do throws(StoreError) {
            while true {
                let found = try await environment.store.list(prefix: scope, at: revision, after: after, limit: step)
                for entry in found.entries {
                    let object = indexer(entry)
                    guard query.selection.matches(object) else { continue }
                    if query.limit > 0, chosen.count == query.limit {
                        let remaining = try await remaining(after: chosen, query, revision, scope)
                        return paged(chosen, revision, remaining)
                    }
                    chosen.append(object)
                }
                guard found.more, let last = found.entries.last else { break }
                after = last.key
            }
        } catch {
            throw expired(error, query)
        }
        return ListPage(objects: .chosen(chosen), revision: revision)
    }

    private func paged(_ chosen: [CachedObject], _ revision: Revision, _ remaining: Int?) -> ListPage {
        var page = ListPage(objects: .chosen(chosen), revision: revision, remaining: remaining)
        if let last = chosen.last { page.continueToken = token(revision, last.key, remaining) }
        return page
    }

    /// The store's history is counted in steps of so many entries.
    private static let countedStep = 512

    /// How many objects follow a page of the past; nil when a selector decides about them, as upstream has it. The first
    /// page counts, the others reckon from what the token says.
    private func remaining(
        after page: [CachedObject],
        _ query: ListQuery,
        _ revision: Revision,
        _ scope: String
    ) async throws(StoreError) -> Int? {
        guard query.selection.isEverything else { return nil }
        // At least one follows, or this would be the last page.
        if let before = query.remaining { return max(1, before - page.count) }
        var count = 0
        var after = page.last?.key
        while true {
            let found = try await environment.store.list(prefix: scope, at: revision, after: after, limit: Self.countedStep)
            count += found.entries.count
            guard found.more, let last = found.entries.last else { return count }
            after = last.key
        }
    }

    private func expired(_ error: StoreError, _ query: ListQuery) -> APIError {
        if case .futureRevision(let current) = error.code, case .exactly(let asked) = query.at {
            return .tooLargeResourceVersion(asked: asked.rawValue, current: current.rawValue)
        }
        guard case .compacted = error.code else { return StoreFailure.apiError(error) }
        guard query.after != nil else { return .expired("The resourceVersion for the provided list is too old.") }
        var error = APIError.expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
                + "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
                + "the results. Continuing with the provided token results in an inconsistent list - objects that were "
                + "created, modified, or deleted between the time the first chunk was returned and now may show up in the list."
        )
        let start = String((query.after ?? prefix).dropFirst(prefix.count))
        error.continueToken = ContinueToken(revision: -1, start: start).encoded
        return error
    }
}
