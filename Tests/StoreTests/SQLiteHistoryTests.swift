import Store
import Testing

@testable import SQLiteStore

/// History that is read while it is being forgotten.
@Suite struct SQLiteHistoryTests {
    /// A commit removes rows a moment before memory knows that it has compacted; a reader in between must not take what is
    /// left for all there was.
    @Test func `history whose rows are gone is refused, even before memory knows of the compaction`() async throws {
        let directory = ScratchDirectory()
        var options = SQLiteStore.Options()
        options.recentEvents = 1
        let store = try await SQLiteStore.open(directory: directory.path, options: options)
        let start = try await store.currentRevision()
        for number in 0..<6 { _ = try await store.put("/a/x", bytes("\(number)"), if: .none) }
        _ = try await store.delete("/a/x", if: .none)
        let end = try await store.put("/a/y", bytes("y"), if: .none)

        // What the writer does in one commit, and tells memory afterwards.
        let writer = try Connection(path: directory.path + "/" + LogFile.fileName, readOnly: false)
        let gone = end.rawValue - 1
        try writer.execute(
            "BEGIN; UPDATE bookkeeping SET compacted = \(gone), swept = \(gone); DELETE FROM log WHERE revision <= \(gone); COMMIT"
        )
        writer.close()

        let watch = try await store.watch(prefix: "/a/", from: start)
        let failure = await #expect(throws: StoreError.self) { try await watch.next() }
        guard case .compacted = failure?.code else {
            Issue.record("\(String(describing: failure))")
            return
        }
        await #expect(throws: StoreError.self) { try await store.list(prefix: "/a/", at: start.next, after: nil, limit: 0) }
        // From the compacted revision on all is there.
        let later = try await store.watch(prefix: "/a/", from: Revision(gone))
        #expect(try await later.next()?.map(\.key) == ["/a/y"])
        await store.close()
    }
}
