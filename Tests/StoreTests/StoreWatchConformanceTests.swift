import Store
import Testing

/// The watch part of the contract, run over every engine.
@Suite struct StoreWatchConformanceTests {
    @Test(arguments: Engine.allCases)
    func `a watch delivers later changes under its prefix, in order, with previous values`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let before = try await store.put("/p/a", bytes("0"), if: .none)
            let watch = try await store.watch(prefix: "/p/", from: before)
            let changed = try await store.put("/p/a", bytes("1"), if: .none)
            _ = try await store.put("/q/a", bytes("1"), if: .none)
            let created = try await store.put("/p/b", bytes("1"), if: .none)
            let deleted = try await store.delete("/p/a", if: .none).revision
            let events = try await watch.take(3)
            let old = StoredEntry(key: "/p/a", value: bytes("0"), revision: before, createRevision: before)
            let new = StoredEntry(key: "/p/a", value: bytes("1"), revision: changed, createRevision: before)
            let other = StoredEntry(key: "/p/b", value: bytes("1"), revision: created, createRevision: created)
            #expect(events == [.put(new, previous: old), .put(other, previous: nil), .deleted(key: "/p/a", previous: new, at: deleted)])
            #expect(watch.progress == deleted)
        }
    }

    @Test(arguments: Engine.allCases, [4, 2_048])
    func `a watch from the past is given all that happened since`(_ engine: Engine, _ recent: Int) async throws {
        try await withStore(engine, StoreLimits(recentEvents: recent)) { store in
            let start = try await store.currentRevision()
            for index in 0..<1_500 { _ = try await store.put("/p/\(index % 7)", bytes("\(index)"), if: .none) }
            let watch = try await store.watch(prefix: "/p/", from: start)
            _ = try await store.put("/p/x", bytes("last"), if: .none)
            let events = try await watch.take(1_501)
            #expect(events.count == 1_501)
            #expect(events.map(\.revision) == events.map(\.revision).sorted())
            #expect(events.prefix(1_500).map { text($0.current?.value) } == (0..<1_500).map { "\($0)" })
            for (event, index) in zip(events.prefix(1_500), 0...) {
                #expect(text(event.previous?.value) == (index < 7 ? nil : "\(index - 7)"))
            }
        }
    }

    @Test(arguments: Engine.allCases, [4, 2_048])
    func `a watch from before the compaction is refused`(_ engine: Engine, _ recent: Int) async throws {
        try await withStore(engine, StoreLimits(recentEvents: recent)) { store in
            let start = try await store.currentRevision()
            for index in 0..<20 { _ = try await store.put("/p/\(index)", [], if: .none) }
            let newest = try await store.currentRevision()
            try await store.compact(to: newest)
            await expectError(.compacted(newest)) { _ = try await store.watch(prefix: "/p/", from: start) }
            let watch = try await store.watch(prefix: "/p/", from: newest)
            _ = try await store.put("/p/y", [], if: .none)
            #expect(try await watch.take(1).map(\.key) == ["/p/y"])
        }
    }

    @Test(arguments: Engine.allCases)
    func `a watch from the future is refused`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            await expectError(.futureRevision(.initial)) { _ = try await store.watch(prefix: "/", from: Revision(50)) }
        }
    }

    @Test(arguments: Engine.allCases)
    func `a slow watcher is closed, not buffered`(_ engine: Engine) async throws {
        try await withStore(engine, StoreLimits(watchCapacity: 16)) { store in
            let slow = try await store.watch(prefix: "/", from: .initial)
            for index in 0..<40 { _ = try await store.put("/\(index)", [], if: .none) }
            await expectError(.slow) { while try await slow.next() != nil {} }
        }
    }

    @Test(arguments: Engine.allCases)
    func `a cancelled watch ends quietly`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let watch = try await store.watch(prefix: "/", from: .initial)
            watch.cancel()
            #expect(try await watch.next() == nil)
            let other = try await store.watch(prefix: "/", from: .initial)
            let task = Task { try await other.next() }
            task.cancel()
            #expect(try await task.value == nil)
        }
    }

    @Test(arguments: Engine.allCases)
    func `progress covers writes under other prefixes`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let watch = try await store.watch(prefix: "/p/", from: .initial)
            let elsewhere = try await store.put("/q/a", [], if: .none)
            watch.requestProgress()
            #expect(try await watch.next() == [])
            #expect(watch.progress >= elsewhere)
            let here = try await store.put("/p/a", [], if: .none)
            #expect(!watch.isCaughtUp(with: here))
            #expect(try await watch.take(1).map(\.revision) == [here])
            watch.requestProgress()
            _ = try await watch.next()
            #expect(!watch.isCaughtUp(with: here.next))
        }
    }

    @Test(arguments: Engine.allCases)
    func `many watchers of nested prefixes each get exactly their part`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let prefixes = ["/", "/a", "/a/", "/a/b/", "/a/b/c", "/b/", "/ab", "/a/b/"]
            var watches: [(String, StoreWatch)] = []
            for prefix in prefixes { watches.append((prefix, try await store.watch(prefix: prefix, from: .initial))) }
            let keys = ["/a", "/a/x", "/a/b/c", "/a/b/cd", "/a/b", "/b/x", "/ab/c", "/c", "/a/b/b", "/a0"]
            for key in keys { _ = try await store.put(key, [], if: .none) }
            for (prefix, watch) in watches {
                let expected = keys.filter { $0.hasPrefix(prefix) }
                #expect(try await watch.take(expected.count).map(\.key) == expected, "prefix \(prefix)")
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func `watchers that start while writers write miss and repeat nothing`(_ engine: Engine) async throws {
        try await withStore(engine, StoreLimits(recentEvents: 32, watchCapacity: 10_000)) { store in
            let total = 600
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<6 {
                    group.addTask {
                        for step in 0..<(total / 6) { _ = try await store.put("/p/\(writer)-\(step)", [], if: .absent) }
                    }
                }
                for _ in 0..<10 {
                    group.addTask {
                        let start = try await store.list(prefix: "/p/", at: nil, after: nil, limit: 0)
                        let watch = try await store.watch(prefix: "/p/", from: start.revision)
                        let events = try await watch.take(total - start.entries.count)
                        let keys = start.entries.map(\.key) + events.map(\.key)
                        #expect(Set(keys).count == total)
                        #expect(keys.count == total)
                        #expect(zip(events, events.dropFirst()).allSatisfy { $0.revision < $1.revision })
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
