import Channels
import Glibc
import Store
import Synchronization
import Testing

/// The watch cache over a memory store.
@Suite struct ResourceCacheTests {
    /// Keys are `/r/<namespace>/<name>`, values `label=value,…`; field `f` is the label `f`.
    @Sendable private static func index(_ entry: StoredEntry) -> CachedObject {
        let parts = entry.key.split(separator: "/").map(String.init)
        var labels: [String: String] = [:]
        for pair in String(decoding: entry.value, as: UTF8.self).split(separator: ",") {
            let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
            if sides.count == 2 { labels[String(sides[0])] = String(sides[1]) }
        }
        let damage = entry.value == bytes("broken") ? "cannot decode" : nil
        return CachedObject(
            key: entry.key,
            namespace: parts.count > 2 ? parts[1] : "",
            name: parts.last ?? "",
            revision: entry.revision,
            bytes: entry.value,
            splice: 0,
            index: ObjectIndex(labels: labels, fields: ["f": labels["f"] ?? ""], damage: damage)
        )
    }

    private func withCache(
        history: Int = 1_000,
        storeHistory: Int = 10_000,
        watchCapacity: Int = 1_024,
        _ body: (MemoryStore, ResourceCache) async throws -> Void
    ) async throws {
        let store = MemoryStore(history: storeHistory, watchCapacity: watchCapacity)
        let cache = ResourceCache(prefix: "/r/", store: store, indexer: Self.index, historyCapacity: history)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cache.run() }
            try await body(store, cache)
            await store.close()
            try await group.waitForAll()
        }
    }

    private func take(_ count: Int, _ watch: CacheWatch) async throws -> [CacheEvent] {
        var events: [CacheEvent] = []
        while events.count < count {
            guard let batch = try await watch.next() else { return events }
            events += batch
        }
        return events
    }

    private func describe(_ events: [CacheEvent]) -> [String] {
        events.map { "\($0.type) \($0.object?.key ?? "-")" }
    }

    @Test func `reads see every write that was waited for`() async throws {
        try await withCache { store, cache in
            for index in 0..<50 {
                let revision = try await store.put("/r/ns/\(index)", bytes("a=\(index)"), if: .none)
                try await cache.waitUntil(revision)
                #expect(cache.get("/r/ns/\(index)")?.index.labels == ["a": "\(index)"])
                #expect(cache.count == index + 1)
            }
        }
    }

    @Test func `waiting for a write elsewhere does not need a change here`() async throws {
        try await withCache { store, cache in
            let revision = try await store.put("/other/x", [], if: .none)
            try await cache.waitUntil(revision)
            #expect(cache.revision >= revision)
            #expect(cache.snapshot().revision >= revision)
        }
    }

    @Test func `waiting for a revision that does not come ends at the deadline`() async throws {
        try await withCache { _, cache in
            let clock = ManualClock()
            async let outcome = storeError { try await cache.waitUntil(Revision(99), within: .seconds(3), clock: clock) }
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(4))
            #expect(await outcome == .unavailable)
        }
    }

    @Test func `a snapshot is ordered, of one revision, and undisturbed by later writes`() async throws {
        try await withCache { store, cache in
            for name in ["b", "a", "c"] { _ = try await store.put("/r/n1/\(name)", bytes("v=1"), if: .none) }
            let revision = try await store.put("/r/n2/a", bytes("v=1"), if: .none)
            try await cache.waitUntil(revision)
            let snapshot = cache.snapshot()
            _ = try await store.put("/r/n1/a", bytes("v=2"), if: .none)
            try await cache.waitUntil(try await store.delete("/r/n1/b", if: .none).revision)
            #expect(snapshot.map(\.key) == ["/r/n1/a", "/r/n1/b", "/r/n1/c", "/r/n2/a"])
            #expect(snapshot.allSatisfy { $0.index.labels == ["v": "1"] })
            #expect(snapshot.revision == revision)
            #expect(cache.snapshot(namespace: "n1").map(\.name) == ["a", "c"])
            #expect(cache.snapshot(namespace: "n").count == 0)
            #expect(cache.snapshot().after("/r/n1/a").map(\.key) == ["/r/n1/c", "/r/n2/a"])
            let page = cache.list(namespace: "n1", after: nil, limit: 1)
            #expect(page.objects.map(\.name) == ["a"])
            #expect(page.more)
        }
    }

    @Test func `a snapshot of many objects in random order agrees with a sorted array`() async throws {
        try await withCache(watchCapacity: 10_000) { store, cache in
            var random = SplitMix(state: 11)
            var expected: Set<String> = []
            for _ in 0..<4_000 {
                let key = "/r/\(Int.random(in: 0..<9, using: &random))/\(Int.random(in: 0..<300, using: &random))"
                if Int.random(in: 0..<3, using: &random) == 0 {
                    _ = try await store.delete(key, if: .none)
                    expected.remove(key)
                } else {
                    _ = try await store.put(key, [], if: .none)
                    expected.insert(key)
                }
            }
            try await cache.waitUntil(try await store.currentRevision())
            #expect(cache.snapshot().map(\.key) == expected.sorted())
            #expect(cache.snapshot(namespace: "4").map(\.key) == expected.filter { $0.hasPrefix("/r/4/") }.sorted())
            #expect(cache.count == expected.count)
        }
    }

    @Test func `selectors turn changes into added, modified and deleted`() async throws {
        try await withCache { store, cache in
            try await cache.waitUntil(.initial)
            let watch = try cache.watch(from: nil) { $0.index.labels["app"] == "web" }
            _ = try await store.put("/r/ns/a", bytes("app=db"), if: .none)
            _ = try await store.put("/r/ns/a", bytes("app=web"), if: .none)
            _ = try await store.put("/r/ns/a", bytes("app=web,v=2"), if: .none)
            let left = try await store.put("/r/ns/a", bytes("app=db"), if: .none)
            _ = try await store.put("/r/ns/b", bytes("app=web"), if: .none)
            let gone = try await store.delete("/r/ns/b", if: .none).revision
            let events = try await take(5, watch)
            #expect(events.map(\.type) == [.added, .modified, .deleted, .added, .deleted])
            #expect(events[2].object?.index.labels == ["app": "web", "v": "2"])
            #expect(events[2].object?.revision == left)
            #expect(events[4].object?.revision == gone)
            #expect(events[4].object?.bytes == bytes("app=web"))
        }
    }

    @Test func `scopes find exactly their watchers`() async throws {
        try await withCache { store, cache in
            try await cache.waitUntil(.initial)
            let scopes: [(WatchScope, [String])] = [
                (.all, ["added /r/n1/a", "added /r/n2/a", "added /r/n1/b", "modified /r/n1/b", "deleted /r/n1/a"]),
                (.namespace("n1"), ["added /r/n1/a", "added /r/n1/b", "modified /r/n1/b", "deleted /r/n1/a"]),
                (.object(namespace: "n1", name: "b"), ["added /r/n1/b", "modified /r/n1/b"]),
                (.name("a"), ["added /r/n1/a", "added /r/n2/a", "deleted /r/n1/a"]),
                (.field("f", "x"), ["added /r/n1/b", "deleted /r/n1/b"]),
                (.field("f", "y"), ["added /r/n1/b"]),
            ]
            let before = cache.revision
            let live = try scopes.map { (try cache.watch(from: nil, scope: $0.0), $0.1) }
            #expect(cache.watcherCount == scopes.count)
            _ = try await store.put("/r/n1/a", [], if: .none)
            _ = try await store.put("/r/n2/a", [], if: .none)
            _ = try await store.put("/r/n1/b", bytes("f=x"), if: .none)
            _ = try await store.put("/r/n1/b", bytes("f=y"), if: .none)
            let last = try await store.delete("/r/n1/a", if: .none).revision
            for (watch, expected) in live { #expect(describe(try await take(expected.count, watch)) == expected) }
            try await cache.waitUntil(last)
            for (scope, expected) in scopes {
                let replayed = try cache.watch(from: before, scope: scope)
                #expect(describe(try await take(expected.count, replayed)) == expected, "replay of \(scope)")
            }
            for (watch, _) in live { watch.cancel() }
            #expect(cache.watcherCount == 0)
        }
    }

    @Test func `watches that start while writes go on miss and repeat nothing`() async throws {
        try await withCache(watchCapacity: 10_000) { store, cache in
            try await cache.waitUntil(.initial)
            let total = 800
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for index in 0..<total { _ = try await store.put("/r/ns/\(index)", [], if: .none) }
                }
                for round in 0..<12 {
                    group.addTask {
                        let (snapshot, watch) = try cache.snapshotAndWatch(scope: round % 2 == 0 ? .all : .namespace("ns"))
                        let events = try await self.take(total - snapshot.count, watch)
                        let keys = snapshot.map(\.key) + events.compactMap { $0.object?.key }
                        #expect(keys.count == total && Set(keys).count == total)
                        let again = try cache.watch(from: snapshot.revision)
                        #expect(try await self.take(events.count, again).map(\.revision) == events.map(\.revision))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `a watch is refused until the cache is filled, because it would miss what the first list finds`() async throws {
        let store = MemoryStore()
        _ = try await store.put("/r/ns/a", [], if: .none)
        let cache = ResourceCache(prefix: "/r/", store: store, indexer: Self.index)
        await expectError(.unavailable) { _ = try cache.watch(from: nil) }
        await expectError(.unavailable) { _ = try cache.snapshotAndWatch() }
        await expectError(.unavailable) { _ = try await cache.resume(from: .zero) }
        #expect(cache.watcherCount == 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cache.run() }
            try await cache.waitUntil(.initial)
            let (snapshot, watch) = try cache.snapshotAndWatch()
            #expect(snapshot.map(\.name) == ["a"])
            _ = try await store.put("/r/ns/b", [], if: .none)
            #expect(describe(try await take(1, watch)) == ["added /r/ns/b"])
            await store.close()
            try await group.waitForAll()
        }
    }

    @Test func `many objects that went while the feed was lost are all reported`() async throws {
        let isOpen = Mutex(false)
        let store = MemoryStore(watchCapacity: 4)
        let gated: @Sendable (StoredEntry) -> CachedObject = { entry in
            while entry.key == "/r/ns/gate", !isOpen.withLock({ $0 }) { usleep(1_000) }
            return Self.index(entry)
        }
        let cache = ResourceCache(prefix: "/r/", store: store, indexer: gated)
        for index in 0..<10 { _ = try await store.put("/r/ns/\(index)", [], if: .none) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cache.run() }
            try await cache.waitUntil(.initial)
            let watch = try cache.watch(from: nil)
            _ = try await store.put("/r/ns/gate", [], if: .none)
            for index in 0..<10 { _ = try await store.delete("/r/ns/\(index)", if: .none) }
            isOpen.withLock { $0 = true }
            let seen = describe(try await take(11, watch))
            #expect(Set(seen) == Set((0..<10).map { "deleted /r/ns/\($0)" } + ["added /r/ns/gate"]))
            await store.close()
            try await group.waitForAll()
        }
    }

    @Test func `progress asked for while history is read is answered once the watch is live`() async throws {
        let buffer = WatchBuffer(prefix: "/r/", from: Revision(1), capacity: 8)
        let source = StoreWatch.Source(
            backlog: { buffer, _ in
                _ = buffer.reportProgress(Revision(5))
                buffer.goLive(with: [], at: Revision(5))
                return .attached
            },
            detach: { _ in },
            currentRevision: { Revision(5) },
            requestProgress: { _ in }
        )
        let watch = StoreWatch(buffer: buffer, source: source)
        let batch = try await withDeadline(.seconds(30)) { try await watch.next() }
        #expect(batch?.isEmpty == true)
        #expect(watch.progress == Revision(5))
    }

    @Test func `a slow watcher is closed and the others go on`() async throws {
        try await withCache { store, cache in
            try await cache.waitUntil(.initial)
            let slow = try cache.watch(from: nil, capacity: 10)
            let quick = try cache.watch(from: nil)
            for index in 0..<30 { _ = try await store.put("/r/ns/\(index)", [], if: .none) }
            #expect(try await take(30, quick).count == 30)
            await expectError(.slow) { while try await slow.next() != nil {} }
        }
    }

    @Test func `what the cache has forgotten is resumed from the store, or refused`() async throws {
        try await withCache(history: 10, storeHistory: 200) { store, cache in
            let start = try await store.currentRevision()
            try await cache.waitUntil(start)
            for index in 0..<100 { _ = try await store.put("/r/ns/\(index)", bytes("f=\(index % 2)"), if: .none) }
            try await cache.waitUntil(try await store.currentRevision())
            await expectError(.compacted(Revision(91))) { _ = try cache.watch(from: start) }
            let watch = try await cache.resume(from: start, scope: .field("f", "1")) { $0.index.fields["f"] == "1" }
            _ = try await store.put("/r/ns/100", bytes("f=1"), if: .none)
            let names = try await take(51, watch).compactMap { $0.object?.name }
            #expect(names == (0...100).filter { $0 % 2 == 1 || $0 == 100 }.map { "\($0)" })
            for index in 0..<300 { _ = try await store.put("/r/ns/x", bytes("\(index)"), if: .none) }
            let code = await storeError { _ = try await cache.resume(from: start) }
            guard case .compacted = code else {
                Issue.record("\(String(describing: code))")
                return
            }
        }
    }

    @Test func `bookmarks carry the newest revision, also of writes elsewhere`() async throws {
        try await withCache { store, cache in
            try await cache.waitUntil(.initial)
            let watch = try cache.watch(from: nil, wantsBookmarks: true)
            let plain = try cache.watch(from: nil)
            let elsewhere = try await store.put("/q/a", [], if: .none)
            cache.requestBookmarks()
            let bookmark = try #require(try await take(1, watch).first)
            #expect(bookmark.type == .bookmark)
            #expect(bookmark.revision >= elsewhere)
            _ = try await store.put("/r/ns/a", [], if: .none)
            #expect(describe(try await take(1, plain)) == ["added /r/ns/a"])
        }
    }

    @Test func `a bookmark comes to those alone it is asked for`() async throws {
        try await withCache { store, cache in
            try await cache.waitUntil(.initial)
            let (parting, staying) = (try cache.watch(from: nil, wantsBookmarks: true), try cache.watch(from: nil, wantsBookmarks: true))
            let elsewhere = try await store.put("/q/a", [], if: .none)
            cache.requestBookmarks(for: [parting])
            let bookmark = try #require(try await take(1, parting).first)
            #expect(bookmark.type == .bookmark && bookmark.revision >= elsewhere)
            _ = try await store.put("/r/ns/a", [], if: .none)
            #expect(describe(try await take(1, staying)) == ["added /r/ns/a"])
        }
    }

    @Test func `a frame is encoded once for all watchers of a format`() async throws {
        try await withCache { store, cache in
            try await cache.waitUntil(.initial)
            let watches = try (0..<20).map { _ in try cache.watch(from: nil) }
            _ = try await store.put("/r/ns/a", bytes("v=1"), if: .none)
            let made = Mutex(0)
            for watch in watches {
                let event = try #require(try await take(1, watch).first)
                let frame = event.frame(FrameEncoding(1)) { event in
                    made.withLock { $0 += 1 }
                    return event.object?.bytes ?? []
                }
                #expect(frame == bytes("v=1"))
                #expect(event.frame(FrameEncoding(2)) { _ in [2] } == [2])
            }
            #expect(made.withLock { $0 } == 1)
        }
    }

    @Test func `one object that cannot be decoded is kept and the rest is served`() async throws {
        try await withCache { store, cache in
            _ = try await store.put("/r/ns/a", bytes("v=1"), if: .none)
            let revision = try await store.put("/r/ns/b", bytes("broken"), if: .none)
            try await cache.waitUntil(revision)
            #expect(cache.snapshot().map(\.name) == ["a", "b"])
            #expect(cache.get("/r/ns/b")?.index.damage == "cannot decode")
        }
    }

    @Test func `a cache that lost its feed lists again and reports only the differences`() async throws {
        try await withCache(watchCapacity: 4) { store, cache in
            try await cache.waitUntil(.initial)
            let watch = try cache.watch(from: nil)
            for index in 0..<500 { _ = try await store.put("/r/ns/\(index % 20)", bytes("v=\(index)"), if: .none) }
            for index in 0..<5 { _ = try await store.delete("/r/ns/\(index)", if: .none) }
            try await cache.waitUntil(try await store.currentRevision())
            var seen: [String: String] = [:]
            while seen.count != 15 || !seen.values.allSatisfy({ (Int($0) ?? 0) >= 480 }) {
                for event in try await take(1, watch) {
                    guard let object = event.object else { continue }
                    seen[object.name] = event.type == .deleted ? nil : object.index.labels["v"]
                }
            }
            #expect(cache.snapshot().count == 15)
        }
    }
}
