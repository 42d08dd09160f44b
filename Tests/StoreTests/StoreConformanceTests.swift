import SQLiteStore
import Store
import Testing

/// The contract of `Store`, run over every engine.
@Suite struct StoreConformanceTests {
    @Test(arguments: Engine.allCases)
    func `a fresh store is empty at the initial revision`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let (entry, revision) = try await store.get("/a")
            #expect(entry == nil)
            #expect(revision == .initial)
            #expect(try await store.list(prefix: "", at: nil, after: nil, limit: 0).entries.isEmpty)
        }
    }

    @Test(arguments: Engine.allCases)
    func `a write is read back with its revisions`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let first = try await store.put("/a", bytes("1"), if: .absent)
            let second = try await store.put("/a", bytes("2"), if: .revision(first))
            let (entry, revision) = try await store.get("/a")
            #expect(second > first)
            #expect(revision == second)
            #expect(entry == StoredEntry(key: "/a", value: bytes("2"), revision: second, createRevision: first))
        }
    }

    @Test(arguments: Engine.allCases)
    func `a value may be empty and a key may hold any unicode`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let composed = "/r/caf\u{e9}"
            let decomposed = "/r/cafe\u{301}"
            _ = try await store.put(composed, [], if: .absent)
            _ = try await store.put(decomposed, bytes("x"), if: .absent)
            #expect(try await store.get(composed).entry?.value == [])
            #expect(try await store.get(decomposed).entry?.value == bytes("x"))
            #expect(try await store.list(prefix: "/r/", at: nil, after: nil, limit: 0).entries.count == 2)
        }
    }

    @Test(arguments: Engine.allCases)
    func `preconditions that do not hold are conflicts with what is there`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let first = try await store.put("/a", bytes("1"), if: .none)
            let there = StoredEntry(key: "/a", value: bytes("1"), revision: first, createRevision: first)
            await expectError(.conflict(current: there)) { _ = try await store.put("/a", [], if: .absent) }
            await expectError(.conflict(current: there)) { _ = try await store.put("/a", [], if: .revision(first.next)) }
            await expectError(.conflict(current: nil)) { _ = try await store.put("/b", [], if: .revision(first)) }
            await expectError(.conflict(current: there)) { _ = try await store.delete("/a", if: .revision(first.next)) }
            await expectError(.conflict(current: nil)) { _ = try await store.delete("/b", if: .revision(first)) }
            #expect(try await store.currentRevision() == first)
        }
    }

    @Test(arguments: Engine.allCases)
    func `a deleted key is gone, its revision counts, and it can be created anew`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let created = try await store.put("/a", bytes("1"), if: .none)
            let (previous, deleted) = try await store.delete("/a", if: .revision(created))
            #expect(previous?.value == bytes("1"))
            #expect(deleted > created)
            #expect(try await store.get("/a").entry == nil)
            let nothing = try await store.delete("/a", if: .none)
            #expect(nothing.previous == nil)
            #expect(nothing.revision == deleted)
            let again = try await store.put("/a", bytes("2"), if: .absent)
            #expect(try await store.get("/a").entry?.createRevision == again)
        }
    }

    @Test(arguments: Engine.allCases)
    func `a list is ordered by bytes, cut by prefix and paged`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            for key in ["/p/b", "/p/a", "/p/a-b", "/p/a/x", "/pp/a", "/o/z", "/p/c"] {
                _ = try await store.put(key, bytes(key), if: .absent)
            }
            let all = try await store.list(prefix: "/p/", at: nil, after: nil, limit: 0)
            #expect(all.entries.map(\.key) == ["/p/a", "/p/a-b", "/p/a/x", "/p/b", "/p/c"])
            #expect(!all.more)
            let page = try await store.list(prefix: "/p/", at: nil, after: "/p/a", limit: 2)
            #expect(page.entries.map(\.key) == ["/p/a-b", "/p/a/x"])
            #expect(page.more)
            let last = try await store.list(prefix: "/p/", at: all.revision, after: "/p/a/x", limit: 2)
            #expect(last.entries.map(\.key) == ["/p/b", "/p/c"])
            #expect(!last.more)
            #expect(try await store.list(prefix: "/q/", at: nil, after: nil, limit: 5).entries.isEmpty)
        }
    }

    @Test(arguments: Engine.allCases, [4, 2_048])
    func `a list shows the past until it is compacted`(_ engine: Engine, _ recent: Int) async throws {
        try await withStore(engine, StoreLimits(recentEvents: recent)) { store in
            _ = try await store.put("/a", bytes("1"), if: .none)
            let past = try await store.put("/b", bytes("1"), if: .none)
            _ = try await store.put("/a", bytes("2"), if: .none)
            _ = try await store.delete("/b", if: .none)
            for index in 0..<10 { _ = try await store.put("/c", bytes("\(index)"), if: .none) }
            let then = try await store.list(prefix: "/", at: past, after: nil, limit: 0)
            #expect(then.entries.map { text($0.value) } == ["1", "1"])
            #expect(then.entries.map(\.key) == ["/a", "/b"])
            #expect(then.revision == past)
            let newest = try await store.currentRevision()
            await expectError(.futureRevision(newest)) { _ = try await store.list(prefix: "/", at: newest.next, after: nil, limit: 0) }
            try await store.compact(to: past.next)
            await expectError(.compacted(past.next)) { _ = try await store.list(prefix: "/", at: past, after: nil, limit: 0) }
            #expect(try await store.list(prefix: "/", at: past.next, after: nil, limit: 0).entries.map { text($0.value) } == ["2", "1"])
        }
    }

    @Test(arguments: Engine.allCases)
    func `compaction of the future is refused and of the past does nothing`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let revision = try await store.put("/a", [], if: .none)
            await expectError(.futureRevision(revision)) { try await store.compact(to: revision.next) }
            try await store.compact(to: revision)
            try await store.compact(to: .zero)
            #expect(try await store.get("/a").entry != nil)
        }
    }

    @Test(arguments: Engine.allCases)
    func `concurrent compare-and-set writers never lose an update`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            _ = try await store.put("/n", bytes("0"), if: .absent)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<25 { try await Self.increment("/n", in: store) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(text(try await store.get("/n").entry?.value) == "200")
        }
    }

    private static func increment(_ key: String, in store: any Store) async throws {
        while true {
            guard let entry = try await store.get(key).entry, let number = text(entry.value).flatMap({ Int($0) }) else { return }
            do throws(StoreError) {
                _ = try await store.put(key, bytes("\(number + 1)"), if: .revision(entry.revision))
                return
            } catch {
                guard case .conflict = error.code else { throw error }
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func `an acknowledged write is seen by every later read`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<16 {
                    group.addTask {
                        for step in 0..<20 {
                            let revision = try await store.put("/w/\(worker)", bytes("\(step)"), if: .none)
                            let read = try await store.get("/w/\(worker)")
                            #expect(read.entry?.revision == revision)
                            #expect(try await store.currentRevision() >= revision)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: Engine.allCases)
    func `a closed store says so and ends its watches`(_ engine: Engine) async throws {
        try await withStore(engine) { store in
            let watch = try await store.watch(prefix: "/", from: .initial)
            await store.close()
            await expectError(.closed) { _ = try await store.get("/a") }
            await expectError(.closed) { _ = try await store.put("/a", [], if: .none) }
            await expectError(.closed) { _ = try await store.watch(prefix: "/", from: .initial) }
            await expectError(.closed) { _ = try await watch.next() }
            await store.close()
        }
    }

    @Test(arguments: Engine.allCases)
    func `a full store refuses puts, still reads and deletes, and recovers`(_ engine: Engine) async throws {
        try await withStore(engine, StoreLimits(maximumSize: ByteCount(400_000))) { store in
            let value = [UInt8](repeating: 7, count: 10_000)
            var written: [String] = []
            var failure: StoreError.Code?
            while failure == nil && written.count < 1_000 {
                let key = "/k/\(written.count)"
                failure = await storeError { _ = try await store.put(key, value, if: .absent) }
                if failure == nil { written.append(key) }
            }
            #expect(failure == .full)
            #expect(try await store.list(prefix: "/k/", at: nil, after: nil, limit: 0).entries.count == written.count)
            for key in written.prefix(written.count / 2) { _ = try await store.delete(key, if: .none) }
            try await store.compact(to: try await store.currentRevision())
            var isAccepted = false
            for _ in 0..<200 where !isAccepted {
                isAccepted = await storeError { _ = try await store.put("/k/again", value, if: .none) } == nil
                if !isAccepted { _ = try await store.delete("/nothing", if: .none) }
            }
            #expect(isAccepted)
        }
    }
}
