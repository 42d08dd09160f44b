import APIModel
import APITypes
import Channels
import Synchronization
import Testing
import Units
import Values

@testable import ControllerRuntime

@Suite struct InformerTests {
    /// What handlers were told, in order.
    final class Journal: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }

        func add(_ line: String) { lines.withLock { $0.append(line) } }

        func watch(_ informer: Informer<Pod>) {
            informer.addHandlers(
                Informer<Pod>.Handlers(
                    onAdd: { self.add("+\($0.name)@\($0.resourceVersion)") },
                    onUpdate: { self.add("~\($1.name)@\($0.resourceVersion)>\($1.resourceVersion)") },
                    onDelete: { self.add("-\($0.name)") }
                )
            )
        }
    }

    static func running(
        _ informer: Informer<Pod>,
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await informer.run() }
            try await body()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test func `the content follows the source, decoded on demand, with indices`() async throws {
        let source = ScriptedSource()
        source.put("a", ScriptedSource.object("a", labels: ["app": "x"], owner: "rs-1"))
        let informer = Informer<Pod>(source: source, indexers: ["app": { $0.summary.labels["app"].map { [$0] } ?? [] }])
        let journal = Journal()
        journal.watch(informer)
        #expect(!informer.hasSynced)
        try await Self.running(informer) {
            try await informer.waitForSync()
            #expect(informer.get("ns", "a")?.resourceVersion == "2")
            source.put("b", ScriptedSource.object("b", labels: ["app": "y"]))
            source.put("a", ScriptedSource.object("a", labels: ["app": "y"]))
            source.delete("b")
            try await eventually { journal.all.count == 4 }
            #expect(journal.all == ["+a@2", "+b@3", "~a@2>4", "-b"])
            #expect(informer.byIndex("app", "y").map(\.name) == ["a"])
            #expect(informer.byIndex("app", "x").isEmpty)
            #expect(informer.controlled(by: "rs-1").isEmpty)
            #expect(informer.list("ns").map(\.name) == ["a"])
            #expect(informer.list("other").isEmpty)
            #expect(informer.list(selector: try LabelSelector.parse("app=y")).count == 1)
            let late = Journal()
            late.watch(informer)
            #expect(late.all == ["+a@4"])
        }
    }

    @Test func `an expired watch lists again and tells only differences`() async throws {
        let source = ScriptedSource()
        source.put("keep", ScriptedSource.object("keep"))
        source.put("lost", ScriptedSource.object("lost"))
        let informer = Informer<Pod>(source: source)
        let journal = Journal()
        journal.watch(informer)
        try await Self.running(informer) {
            try await informer.waitForSync()
            try await eventually { source.state.withLock { $0.open.count } == 1 }
            source.change { state in
                state.objects["lost"] = nil
                state.revision = 50
                state.objects["new"] = (ScriptedSource.object("new").encoded(), 50)
            }
            source.endWatches(throwing: APIError.expired("too old"))
            try await eventually { journal.all.count == 4 }
            #expect(Set(journal.all) == ["+keep@2", "+lost@3", "+new@50", "-lost"])
            #expect(source.state.withLock { $0.lists } == 2)
            try await eventually { source.state.withLock { $0.watches.last } == "50" }
        }
    }

    @Test func `a watch that ends is resumed where it was, after a pause, without listing`() async throws {
        let source = ScriptedSource()
        let clock = ManualClock()
        let informer = Informer<Pod>(source: source, clock: clock, random: SeededRandom(seed: 1))
        try await Self.running(informer) {
            try await eventually { source.state.withLock { $0.open.count } == 1 }
            source.put("a", ScriptedSource.object("a"))
            try await eventually { informer.count == 1 }
            source.endWatches()
            await clock.waitForSleepers(1)
            clock.advance(by: .seconds(2))
            try await eventually { source.state.withLock { $0.watches } == ["1", "2"] }
            #expect(source.state.withLock { $0.lists } == 1)
        }
    }

    @Test func `a bad object is left out and nothing stops`() async throws {
        let source = ScriptedSource()
        source.change { $0.objects["bad"] = (Array("{not json".utf8), 1) }
        source.put("good", ScriptedSource.object("good"))
        let informer = Informer<Pod>(source: source)
        try await Self.running(informer) {
            try await informer.waitForSync()
            #expect(informer.list().map(\.name) == ["good"])
            try await eventually { source.state.withLock { $0.open.count } == 1 }
            source.put("worse", [1, 2, 3])
            source.put("fine", ScriptedSource.object("fine"))
            try await eventually { informer.count == 2 }
        }
    }

    @Test func `shared informers are one a kind, also when asked for late`() async throws {
        let source = ScriptedSource()
        source.put("a", ScriptedSource.object("a"))
        let shared = SharedInformers(source: source)
        let pods = shared.informer(Pod.self)
        #expect(shared.informer(Pod.self) === pods)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await shared.run() }
            try await shared.waitForSync()
            let nodes = shared.informer(Node.self)
            try await nodes.waitForSync()
            #expect(shared.hasSynced)
            group.cancelAll()
        }
    }
}
