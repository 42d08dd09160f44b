import APIModel
import Channels
import HTTPTransport
import Store
import Testing
import Values

@testable import APIServer

@Suite struct UpkeepTests {
    @Test func `the revision of long ago`() {
        let history = RevisionHistory(span: .seconds(3600))
        for minute in 0...70 { history.note(Revision(UInt64(minute)), at: .seconds(60 * minute)) }
        let now = Duration.seconds(60 * 70)
        #expect(history.revision(olderThan: .seconds(300), at: now) == Revision(65))
        #expect(history.revision(olderThan: .seconds(3600), at: now) == Revision(10))
        #expect(history.revision(olderThan: .seconds(7200), at: now) == nil)
    }

    @Test func `events end after an hour, written ones live on`() async throws {
        try await withCluster { cluster in
            let events = "/api/v1/namespaces/default/events"
            for name in ["old", "renewed"] {
                let made = try await cluster.post(
                    events,
                    [
                        "metadata": ["name": .string(name)], "reason": "R", "type": "Normal",
                        "involvedObject": ["kind": "Pod", "namespace": "default", "name": "p"],
                    ]
                )
                #expect(made.status == 201, "\(made.text)")
            }
            await cluster.server.upkeep(now: .seconds(1_000_000))
            let renewed = try await cluster.patch(events + "/renewed", ["count": 2])
            #expect(renewed.status == 200, "\(renewed.text)")
            try await cluster.server.resources.engines[.core("events")]?.catchUp()
            await cluster.server.upkeep(now: .seconds(1_003_600))
            try await cluster.server.resources.engines[.core("events")]?.catchUp()
            let left = try await cluster.get(events)
            #expect(left["items"]?.array?.count == 1)
            #expect(left["items", "0", "metadata", "name"] == "renewed")
        }
    }

    @Test func `a write whose time is over is answered`() async {
        let deadlines = WriteDeadlines()
        let hung = Signal()
        async let answer = deadlines.run(until: .seconds(10)) {
            await hung.wait()
            return .success(HTTPResponse(status: 200))
        }
        while deadlines.count == 0 { await Task.yield() }
        deadlines.sweep(now: .seconds(9))
        #expect(deadlines.count == 1)
        deadlines.sweep(now: .seconds(10))
        guard case .failure(let error) = await answer else {
            Issue.record("answered")
            return
        }
        #expect(error.code == 504)
        hung.open()
    }

    /// Something to wait for.
    private final class Signal: Sendable {
        private let channel = BoundedChannel<Bool>(capacity: 1, overflow: .dropOldest)
        func open() { channel.finish() }
        func wait() async {
            var iterator = channel.makeAsyncIterator()
            _ = try? await iterator.next()
        }
    }
}
