import Glibc
import SQLiteStore
import Store
import Testing

/// What the embedded store survives: being killed, a torn log, a full disk, a second owner, damage.
@Suite(.serialized) struct SQLiteDurabilityTests {
    // MARK: kill -9

    /// The part of the killed server: acknowledges on descriptor 3 what the store has acknowledged to it.
    @Test func `child role writer`() async throws {
        guard let directory = Child.parameter("APUS_TEST_WRITER") else { return }
        var options = SQLiteStore.Options()
        options.checkpointPages = 40
        options.retainedRevisions = 200
        let store = try await SQLiteStore.open(directory: directory, options: options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<16 {
                group.addTask {
                    var number = 0
                    while true {
                        number += 1
                        let key = "/w/\(writer)/\(number % 50)"
                        let value = bytes("\(number) " + String(repeating: "x", count: (number * 37) % 3_000))
                        let revision = try await store.put(key, value, if: .none)
                        Child.report("\(writer) \(number) \(revision)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(arguments: [3_000, 9_000, 40_000])
    func `nothing acknowledged is lost when the server is killed`(_ bytesBeforeKill: Int) async throws {
        let directory = ScratchDirectory()
        var acknowledged: [Int: (number: Int, revision: UInt64)] = [:]
        for _ in 0..<2 {
            let child = try #require(Child(role: "child role writer", environment: ["APUS_TEST_WRITER": directory.path]))
            var output: [UInt8] = []
            while output.count < bytesBeforeKill {
                let part = child.read()
                if part.isEmpty { break }
                output += part
            }
            child.kill()
            output += bytes(child.readToEnd())
            child.wait()
            acknowledged = [:]
            for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count == 3, let writer = Int(fields[0]), let number = Int(fields[1]),
                    let revision = UInt64(fields[2])
                else { continue }
                acknowledged[writer] = (number, revision)
            }
            #expect(acknowledged.count > 4)
            let store = try await SQLiteStore.open(directory: directory.path)
            #expect(store.damaged.isEmpty)
            for (writer, last) in acknowledged {
                let entry = try #require(try await store.get("/w/\(writer)/\(last.number % 50)").entry)
                let number = try #require(Int(String(decoding: entry.value.prefix { $0 != 32 }, as: UTF8.self)))
                #expect(number >= last.number)
                #expect(entry.revision.rawValue >= last.revision)
            }
            await store.close()
        }
    }

    // MARK: Torn log

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `a log torn anywhere gives back a prefix of what was written`(_ seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let directory = ScratchDirectory()
        let torn = ScratchDirectory()
        let store = try await SQLiteStore.open(directory: directory.path)
        var history: [Revision: [String: [UInt8]]] = [.initial: [:]]
        var state: [String: [UInt8]] = [:]
        for _ in 0..<120 {
            let key = "/k/\(Int.random(in: 0..<10, using: &random))"
            let value = [UInt8](repeating: UInt8.random(in: 0...255, using: &random), count: Int.random(in: 0..<4_000, using: &random))
            state[key] = value
            history[try await store.put(key, value, if: .none)] = state
        }
        let database = try contents(directory.path + "/state.db")
        var log = try contents(directory.path + "/state.db-wal")
        await store.close()
        log.removeLast(Int.random(in: 0..<log.count, using: &random))
        if let index = log.indices.randomElement(using: &random), seed % 2 == 0 { log[index] ^= 0x40 }
        try write(database, torn.path + "/state.db")
        try write(log, torn.path + "/state.db-wal")
        let reopened = try await SQLiteStore.open(directory: torn.path)
        let list = try await reopened.list(prefix: "/k/", at: nil, after: nil, limit: 0)
        let expected = try #require(history[list.revision])
        #expect(Dictionary(uniqueKeysWithValues: list.entries.map { ($0.key, $0.value) }) == expected)
        let next = try await reopened.put("/k/after", [], if: .absent)
        #expect(next == list.revision.next)
        await reopened.close()
    }

    // MARK: A full disk

    /// On a tmpfs of its own: fills it, reports what happened.
    @Test func `child role full disk`() async throws {
        guard let directory = Child.parameter("APUS_TEST_FULL") else { return }
        guard mount("tmpfs", directory, "tmpfs", 0, "size=3m") == 0 else { return Child.report("skip") }
        defer { umount2(directory, 2) }
        let ballast = directory + "/ballast"
        try write([UInt8](repeating: 1, count: 1 << 20), ballast)
        let store = try await SQLiteStore.open(directory: directory + "/data")
        var written = 0
        var failure: StoreError.Code?
        while failure == nil && written < 5_000 {
            let key = "/k/\(written)"
            failure = await storeError { _ = try await store.put(key, [UInt8](repeating: 3, count: 3_000), if: .absent) }
            if failure == nil { written += 1 }
        }
        Child.report("full \(failure == .full) after \(written > 10)")
        let listed = try await store.list(prefix: "/k/", at: nil, after: nil, limit: 0).entries.count
        Child.report("readable \(listed == written)")
        unlink(ballast)
        let again = await storeError { _ = try await store.put("/k/again", bytes("x"), if: .absent) }
        Child.report("recovered \(again == nil)")
        await store.close()
        let reopened = try await SQLiteStore.open(directory: directory + "/data")
        let kept = try await reopened.list(prefix: "/k/", at: nil, after: nil, limit: 0).entries.count
        Child.report("kept \(kept == written + 1)")
        await reopened.close()
    }

    @Test func `a full disk is reported, reads go on, and writes recover`() async throws {
        let directory = ScratchDirectory()
        let child = try #require(
            Child(
                role: "child role full disk",
                environment: ["APUS_TEST_FULL": directory.path],
                wrapper: ["unshare", "--mount", "--propagation", "private"]
            )
        )
        let report = child.readToEnd()
        child.wait()
        // Without the right to mount there is nothing to fill.
        guard getuid() == 0, report != "skip\n" else { return }
        #expect(report == "full true after true\nreadable true\nrecovered true\nkept true\n")
    }

    // MARK: Locking

    @Test func `a directory in use is refused with its name and the owner's pid`() async throws {
        let directory = ScratchDirectory()
        let store = try await SQLiteStore.open(directory: directory.path)
        do throws(StoreError) {
            _ = try await SQLiteStore.open(directory: directory.path)
            Issue.record("the directory was opened twice")
        } catch {
            #expect(error.code == .locked(pid: getpid()))
            #expect(error.message == "data directory \(directory.path) is in use by process \(getpid())")
        }
        await store.close()
        let again = try await SQLiteStore.open(directory: directory.path)
        await again.close()
    }

    // MARK: Damage

    @Test func `a damaged value is reported and kept`() async throws {
        let directory = ScratchDirectory()
        let store = try await SQLiteStore.open(directory: directory.path)
        let marker = bytes("MARKER-MARKER-MARKER")
        let revision = try await store.put("/k/a", marker, if: .none)
        _ = try await store.put("/k/b", bytes("fine"), if: .none)
        await store.close()
        var file = try contents(directory.path + "/state.db")
        let place = try #require(file.indices.first { file[$0...].starts(with: marker) })
        file[place] = UInt8(ascii: "m")
        try write(file, directory.path + "/state.db")
        let reopened = try await SQLiteStore.open(directory: directory.path)
        #expect(reopened.damaged.map(\.key) == ["/k/a"])
        #expect(reopened.damaged.map(\.revision) == [revision])
        #expect(text(try await reopened.get("/k/a").entry?.value) == "mARKER-MARKER-MARKER")
        #expect(text(try await reopened.get("/k/b").entry?.value) == "fine")
        await reopened.close()
    }

    @Test func `unreadable pages cost only the rows on them`() async throws {
        let directory = ScratchDirectory()
        let store = try await SQLiteStore.open(directory: directory.path)
        for index in 0..<400 { _ = try await store.put("/k/\(index)", [UInt8](repeating: 5, count: 1_500), if: .absent) }
        await store.close()
        var file = try contents(directory.path + "/state.db")
        let page = 4_096 * 100
        for index in page..<(page + 4_096) { file[index] = 0xAA }
        try write(file, directory.path + "/state.db")
        let reopened = try await SQLiteStore.open(directory: directory.path)
        #expect(!reopened.damaged.isEmpty)
        let kept = try await reopened.list(prefix: "/k/", at: nil, after: nil, limit: 0).entries.count
        #expect(kept >= 390 && kept < 400)
        await reopened.close()
    }

    @Test func `a file that is no database is refused and left alone`() async throws {
        let directory = ScratchDirectory()
        let garbage = [UInt8](repeating: 0x42, count: 8_192)
        try write(garbage, directory.path + "/state.db")
        await expectError(.corrupt) { _ = try await SQLiteStore.open(directory: directory.path) }
        #expect(try contents(directory.path + "/state.db") == garbage)
    }

    /// Whatever is flipped, opening ends: with a store that reads and writes, or with an error. Never in a crash, and never
    /// in a changed file when it is refused.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `a file with flipped bytes opens or is refused`(_ seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let directory = ScratchDirectory()
        let store = try await SQLiteStore.open(directory: directory.path)
        for index in 0..<60 {
            _ = try await store.put("/k/\(index % 25)", [UInt8](repeating: UInt8(index), count: index * 40), if: .none)
        }
        await store.close()
        let healthy = try contents(directory.path + "/state.db")
        var opened = 0
        for _ in 0..<25 {
            let victim = ScratchDirectory()
            var file = healthy
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                file[Int.random(in: 0..<file.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try write(file, victim.path + "/state.db")
            var options = SQLiteStore.Options()
            options.logger.logLevel = .critical
            guard let reopened = try? await SQLiteStore.open(directory: victim.path, options: options) else { continue }
            opened += 1
            let before = try await reopened.list(prefix: "", at: nil, after: nil, limit: 0)
            #expect(before.entries.count <= 60)
            _ = try? await reopened.put("/k/new", bytes("x"), if: .none)
            try? await reopened.compact(to: before.revision)
            await reopened.close()
        }
        #expect(opened > 0)
    }

    // MARK: Bounds

    @Test func `history, log and file stay bounded under endless overwriting`() async throws {
        let directory = ScratchDirectory()
        var options = SQLiteStore.Options()
        options.retainedRevisions = 500
        options.checkpointPages = 200
        let store = try await SQLiteStore.open(directory: directory.path, options: options)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<32 {
                group.addTask {
                    for step in 0..<200 {
                        _ = try await store.put("/k/\(writer)", [UInt8](repeating: UInt8(step), count: 3_000), if: .none)
                    }
                }
            }
            try await group.waitForAll()
        }
        // 6,400 writes of 3 KB are 19 MB; about 500 to 1,500 of them may still be there.
        #expect(try await store.size() < .mebibytes(10))
        #expect(try contents(directory.path + "/state.db-wal").count < 16 << 20)
        let versions = try await store.versions(of: "/k/7", limit: 5)
        #expect(versions.count == 5)
        #expect(versions.last?.value == [UInt8](repeating: 199, count: 3_000))
        await store.close()
    }

    // MARK: Files

    private func contents(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        try #require(file >= 0)
        defer { Glibc.close(file) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count <= 0 { return all }
            all += buffer[..<count]
        }
    }

    private func write(_ bytes: [UInt8], _ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        try #require(file >= 0)
        defer { Glibc.close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            try #require(count > 0)
            done += count
        }
    }
}
