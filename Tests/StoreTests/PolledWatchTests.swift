import Channels
import Store
import Testing

/// Watches whose owner has a loop of its own: asked, and rung for.
@Suite struct PolledWatchTests {
    private func withCache(_ body: (MemoryStore, ResourceCache) async throws -> Void) async throws {
        let store = MemoryStore()
        let cache = ResourceCache(prefix: "/r/", store: store) { entry in
            CachedObject(
                key: entry.key,
                namespace: "",
                name: entry.key,
                revision: entry.revision,
                bytes: entry.value,
                splice: 0,
                index: ObjectIndex()
            )
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cache.run() }
            try await cache.waitUntil(.initial)
            try await body(store, cache)
            await store.close()
            try await group.waitForAll()
        }
    }

    /// What a poll found, in words.
    private func found(_ watch: CacheWatch) -> String {
        switch watch.poll() {
        case .wait: "wait"
        case .end(let error): "end \(error == nil ? "quietly" : "with an error")"
        case .events(let events, let hasMore):
            events.map { $0.object?.key ?? "-" }.joined(separator: " ") + (hasMore ? " and more" : "")
        }
    }

    @Test func `a ring follows a poll that found nothing, and one that said there was no more`() async throws {
        try await withCache { store, cache in
            let watch = try cache.watch(from: nil)
            let rings = Signal(0)
            watch.onReady { rings.update { $0 += 1 } }
            #expect(found(watch) == "wait")
            _ = try await store.put("/r/a", [], if: .none)
            try await rings.wait { $0 == 1 }
            #expect(found(watch) == "/r/a")
            // Not asked again: what was given was all.
            _ = try await store.put("/r/b", [], if: .none)
            try await rings.wait { $0 == 2 }
            #expect(found(watch) == "/r/b")
            #expect(found(watch) == "wait")
            watch.cancel()
            try await rings.wait { $0 == 3 }
            #expect(found(watch) == "end quietly")
        }
    }

    @Test func `events in a row come together, and other watchers of them get no more than theirs`() async throws {
        try await withCache { store, cache in
            let (late, prompt) = (try cache.watch(from: nil), try cache.watch(from: nil))
            let rings = Signal(0)
            prompt.onReady { rings.update { $0 += 1 } }
            #expect(found(prompt) == "wait")
            for (count, name) in ["/r/a", "/r/b", "/r/c"].enumerated() {
                _ = try await store.put(name, [], if: .none)
                try await rings.wait { $0 == count + 1 }
                #expect(found(prompt) == name)
            }
            #expect(found(late) == "/r/a /r/b /r/c")
        }
    }

    @Test func `a watch that ended says so after its last events`() async throws {
        try await withCache { store, cache in
            let (watch, witness) = (try cache.watch(from: nil), try cache.watch(from: nil))
            _ = try await store.put("/r/a", [], if: .none)
            _ = try await witness.next()
            watch.cancel()
            #expect(found(watch) == "/r/a and more")
            #expect(found(watch) == "end quietly")
        }
    }
}
