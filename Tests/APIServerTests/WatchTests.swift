import Channels
import HTTPTransport
import Store
import Testing
import Values

@testable import APIServer

@Suite struct WatchTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test func `a watch tells what happens in order`() async throws {
        try await withCluster { cluster in
            let list = try await cluster.get(Self.maps)
            let revision = list["metadata", "resourceVersion"]?.string ?? ""
            var watch = try await cluster.watch(Self.maps + "?watch=1&resourceVersion=\(revision)")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            _ = try await cluster.patch(Self.maps + "/a", ["data": ["k": "v"]])
            _ = try await cluster.delete(Self.maps + "/a")
            let added = try await watch.next()
            #expect(added?["type"] == "ADDED")
            #expect(added?.value(at: ["object", "kind"]) == "ConfigMap")
            #expect(try await watch.line() == "MODIFIED a")
            let deleted = try await watch.next()
            #expect(deleted?["type"] == "DELETED")
            let first = Int(added?.value(at: ["object", "metadata", "resourceVersion"])?.string ?? "") ?? 0
            let last = Int(deleted?.value(at: ["object", "metadata", "resourceVersion"])?.string ?? "") ?? 0
            #expect(last > first)
            #expect(deleted?.value(at: ["object", "data", "k"]) == "v")
        }
    }

    @Test func `a watch goes on where another ended`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "b"]])
            let revision = made["metadata", "resourceVersion"]?.string ?? ""
            var watch = try await cluster.watch(Self.maps + "?watch=true&resourceVersion=\(revision)")
            #expect(try await watch.line() == "ADDED b")
        }
    }

    @Test func `without a revision a watch begins with what exists`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            var watch = try await cluster.watch(Self.maps + "?watch=true")
            #expect(try await watch.line() == "ADDED a")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "b"]])
            #expect(try await watch.line() == "ADDED b")
        }
    }

    @Test func `a watch-list marks the end of what existed`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            var watch = try await cluster.watch(
                Self.maps + "?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
            )
            #expect(try await watch.line() == "ADDED a")
            let bookmark = try await watch.next()
            #expect(bookmark?["type"] == "BOOKMARK")
            #expect(
                bookmark?.value(at: ["object", "metadata", "annotations", "k8s.io/initial-events-end"]) == "true"
            )
            let refused = try await cluster.get(Self.maps + "?watch=1&sendInitialEvents=true")
            #expect(refused.status == 422)
        }
    }

    @Test func `selectors turn changes into additions and deletions`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a", "labels": ["on": "no"]]])
            var watch = try await cluster.watch(Self.maps + "?watch=1&labelSelector=on%3Dyes")
            _ = try await cluster.patch(Self.maps + "/a", ["metadata": ["labels": ["on": "yes"]]])
            #expect(try await watch.line() == "ADDED a")
            _ = try await cluster.patch(Self.maps + "/a", ["metadata": ["labels": ["on": "no"]]])
            #expect(try await watch.line() == "DELETED a")
        }
    }

    @Test func `one named object can be watched`() async throws {
        try await withCluster { cluster in
            var watch = try await cluster.watch(Self.maps + "?watch=1&fieldSelector=metadata.name%3Db")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "b"]])
            #expect(try await watch.line() == "ADDED b")
        }
    }

    @Test func `too old a revision ends in 410`() async throws {
        try await withCluster { configuration in
            configuration.cacheHistory = 2
        } _: { cluster in
            for index in 0..<8 { _ = try await cluster.post(Self.maps, ["metadata": ["name": "m\(index)"]]) }
            let newest = try await cluster.store.currentRevision()
            try await cluster.store.compact(to: newest)
            var watch = try await cluster.watch(Self.maps + "?watch=1&resourceVersion=2")
            let event = try await watch.next()
            #expect(event?["type"] == "ERROR")
            #expect(event?.value(at: ["object", "code"]) == 410)
            #expect(event?.value(at: ["object", "reason"]) == "Expired")
            #expect(try await watch.next() == nil)
        }
    }

    @Test func `a client that does not read is closed`() async throws {
        try await withCluster { configuration in
            configuration.watchCapacity = 8
        } _: { cluster in
            let watch = try await cluster.transport().send(cluster.request("GET", Self.maps + "?watch=1"))
            let padding = String(repeating: "x", count: 200_000)
            for index in 0..<40 {
                _ = try await cluster.post(Self.maps, ["metadata": ["name": "m\(index)"], "data": ["p": .string(padding)]])
            }
            var reader = WatchReader(watch.body)
            var count = 0
            while try await reader.next() != nil { count += 1 }
            #expect(count < 40)
        }
    }

    @Test func `timeoutSeconds ends a watch quietly and bookmarks come on time`() async throws {
        let clock = ManualClock()
        try await withCluster(clock: clock) { cluster in
            var watch = try await cluster.watch(Self.maps + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=90")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            // The end of the initial events is marked, before or after the object as the race has it.
            let opening = Set([try await watch.line(), try await watch.line()])
            #expect(opening == ["ADDED a", "BOOKMARK "])
            async let first: Void = Self.advance(clock, 61)
            let event = try await watch.next()
            await first
            #expect(event?["type"] == "BOOKMARK")
            #expect(event?.value(at: ["object", "metadata", "resourceVersion"])?.string != nil)
            let elsewhere = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "elsewhere"]])
            // Two seconds before the end comes where to go on from, of writes elsewhere too.
            async let second: Void = Self.advance(clock, 27)
            let farewell = try await watch.next()
            await second
            #expect(farewell?["type"] == "BOOKMARK")
            let revision = { (object: JSONValue?) in object?.value(at: ["metadata", "resourceVersion"])?.string.flatMap { UInt64($0) } }
            #expect(try #require(revision(farewell?["object"])) >= #require(revision(elsewhere.json)))
            async let third: Void = Self.advance(clock, 4)
            let last = try await watch.next()
            #expect(last == nil, "\(last?.description ?? "")")
            await third
        }
    }

    private static func advance(_ clock: ManualClock, _ seconds: Int) async {
        for _ in 0..<seconds {
            // The ticking, the minutely upkeep and the look at API services.
            await clock.waitForSleepers(3)
            clock.advance(by: .seconds(1))
        }
    }

    @Test func `tables are watched with columns in the first event only`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            let request = cluster.request(
                "GET",
                Self.maps + "?watch=1",
                [],
                nil,
                "application/json;as=Table;v=v1;g=meta.k8s.io"
            )
            let response = try await cluster.transport().send(request)
            var watch = WatchReader(response.body)
            let first = try await watch.next()
            #expect(first?.value(at: ["object", "kind"]) == "Table")
            #expect(first?.value(at: ["object", "columnDefinitions", "0", "name"]) == "Name")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "b"]])
            let second = try await watch.next()
            #expect(second?.value(at: ["object", "rows", "0", "cells", "0"]) == "b")
            #expect(second?.value(at: ["object", "columnDefinitions"])?.isNull == true)
        }
    }

    @Test func `ages in a watched table are counted from the event, not from the request`() async throws {
        let clock = ManualClock()
        try await withCluster(clock: clock) { cluster in
            let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
            let request = cluster.request("GET", Self.maps + "?watch=1&fieldSelector=metadata.name%3Da", [], nil, table)
            var watch = WatchReader(try await cluster.transport().send(request).body)
            clock.advance(by: .seconds(10))
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            #expect(try await watch.next()?.value(at: ["object", "rows", "0", "cells"]) == ["a", 0, "0s"])
            clock.advance(by: .seconds(5))
            _ = try await cluster.patch(Self.maps + "/a", ["data": ["k": "v"]])
            #expect(try await watch.next()?.value(at: ["object", "rows", "0", "cells"]) == ["a", 1, "5s"])
        }
    }

    @Test func `a watch from a revision of the future passes over what comes before it`() async throws {
        try await withCluster { cluster in
            let text = try await cluster.get(Self.maps)["metadata", "resourceVersion"]?.string ?? ""
            let far = (UInt64(text) ?? 0) + 1000
            var waiting = try await cluster.watch(Self.maps + "?watch=1&resourceVersion=\(far)")
            var initial = try await cluster.watch(
                Self.maps + "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=\(far)"
            )
            // Initial events of a state that is not there yet cannot be sent.
            let refusal = try await initial.next()
            #expect(refusal?["type"] == "ERROR" && refusal?.value(at: ["object", "code"]) == 504)
            #expect(refusal?.value(at: ["object", "details", "retryAfterSeconds"]) == 1)
            #expect(try await initial.next() == nil)

            var reached: UInt64 = 0
            while reached <= far {
                let made = try await cluster.post(Self.maps, ["metadata": ["generateName": "m-"]])
                reached = made["metadata", "resourceVersion"]?.string.flatMap { UInt64($0) } ?? .max
            }
            let event = try await waiting.next()
            let revision = event?.value(at: ["object", "metadata", "resourceVersion"])?.string.flatMap { UInt64($0) }
            #expect(event?["type"] == "ADDED" && revision == far + 1, "\(event?.description ?? "")")
        }
    }

    @Test func `a watch that is asked for as a list ends where its first event would have come`() async throws {
        try await withCluster { cluster in
            let list = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
            let target = Self.maps + "?watch=1"
            let silent = try await cluster.transport().send(cluster.request("GET", target + "&labelSelector=x", [], nil, list))
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a", "labels": ["x": "y"]]])
            for response in [silent, try await cluster.transport().send(cluster.request("GET", target, [], nil, list))] {
                #expect(response.status == 200)
                #expect(try await response.body.collect() == [])
            }
        }
    }

    @Test func `a bookmark among tables is the row of an empty object`() async throws {
        try await withCluster { cluster in
            let query = "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&includeObject=None"
            let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
            let response = try await cluster.transport().send(cluster.request("GET", Self.maps + query, [], nil, table))
            var watch = WatchReader(response.body)
            let mark = try await watch.next()
            #expect(mark?["type"] == "BOOKMARK")
            #expect(mark?.value(at: ["object", "columnDefinitions", "0", "name"]) == "Name")
            let row = mark?.value(at: ["object", "rows", "0"])
            #expect(row?["cells"] == ["", 0, "<unknown>"])
            #expect(row?.value(at: ["object", "metadata", "annotations"]) == ["k8s.io/initial-events-end": "true"])
        }
    }
}
