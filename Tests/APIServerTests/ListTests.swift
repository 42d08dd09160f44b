import HTTPTransport
import Store
import Testing
import Values

@testable import APIServer

@Suite struct ListTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    private static func fill(_ cluster: TestCluster, _ count: Int) async throws {
        for index in 0..<count {
            let name = "m\(index < 10 ? "0" : "")\(index)"
            let body: JSONValue = [
                "metadata": ["name": .string(name), "labels": ["parity": index % 2 == 0 ? "even" : "odd"]]
            ]
            _ = try await cluster.post(Self.maps, body)
        }
    }

    private static func names(_ list: TestCluster.Answer) -> [String] {
        list["items"]?.array?.compactMap { $0.value(at: ["metadata", "name"])?.string } ?? []
    }

    @Test func `pages show one state though the world moves on`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 7)
            let first = try await cluster.get(Self.maps + "?limit=3")
            #expect(Self.names(first) == ["m00", "m01", "m02"])
            #expect(first["metadata", "remainingItemCount"] == 4)
            let token = first["metadata", "continue"]?.string ?? ""
            #expect(!token.isEmpty)
            _ = try await cluster.delete(Self.maps + "/m04")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "m03x"]])
            let second = try await cluster.get(Self.maps + "?limit=3&continue=\(token)")
            #expect(Self.names(second) == ["m03", "m04", "m05"])
            #expect(second["metadata", "resourceVersion"] == first["metadata", "resourceVersion"])
            #expect(second["metadata", "remainingItemCount"] == 1)
            let third = try await cluster.get(Self.maps + "?limit=3&continue=\(second["metadata", "continue"]?.string ?? "")")
            #expect(Self.names(third) == ["m06"])
            #expect(third["metadata", "continue"] == nil)
            #expect(third["metadata", "remainingItemCount"] == nil)
        }
    }

    @Test func `a page of a past state says how many follow`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 7)
            let revision = try await cluster.get(Self.maps)["metadata", "resourceVersion"]?.string ?? ""
            for name in ["m00", "m06"] { _ = try await cluster.delete(Self.maps + "/\(name)") }
            // Not the same in another namespace, whose objects do not count.
            _ = try await cluster.post("/api/v1/namespaces/kube-system/configmaps", ["metadata": ["name": "x"]])
            let past = "?resourceVersion=\(revision)&resourceVersionMatch=Exact&limit=2"
            let first = try await cluster.get(Self.maps + past)
            #expect(Self.names(first) == ["m00", "m01"])
            #expect(first["metadata", "remainingItemCount"] == 5)
            var token = first["metadata", "continue"]?.string ?? ""
            for remaining in [3, 1] as [JSONValue] {
                let next = try await cluster.get(Self.maps + "?limit=2&continue=\(token)")
                #expect(next["metadata", "remainingItemCount"] == remaining)
                token = next["metadata", "continue"]?.string ?? ""
            }
            let last = try await cluster.get(Self.maps + "?limit=2&continue=\(token)")
            #expect(Self.names(last) == ["m06"])
            #expect(last["metadata", "remainingItemCount"] == nil)
            let chosen = try await cluster.get(Self.maps + past + "&labelSelector=parity%3Deven")
            #expect(Self.names(chosen) == ["m00", "m02"])
            #expect(chosen["metadata", "continue"] != nil)
            #expect(chosen["metadata", "remainingItemCount"] == nil, "not told where a selector decides")
        }
    }

    @Test func `an expired or broken continue token`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 4)
            let first = try await cluster.get(Self.maps + "?limit=2")
            _ = try await cluster.delete(Self.maps + "/m03")
            let newest = try await cluster.store.currentRevision()
            try await cluster.store.compact(to: newest)
            let expired = try await cluster.get(Self.maps + "?limit=2&continue=\(first["metadata", "continue"]?.string ?? "")")
            #expect(expired.status == 410)
            #expect(expired.reason == "Expired")
            let goOn = expired["metadata", "continue"]?.string ?? ""
            let rest = try await cluster.get(Self.maps + "?limit=2&continue=\(goOn)")
            #expect(Self.names(rest) == ["m02"], "the newest state, from where the first page ended")
            #expect(try await cluster.get(Self.maps + "?continue=garbage").status == 400)
        }
    }

    @Test func `selectors by label and field`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 6)
            #expect(Self.names(try await cluster.get(Self.maps + "?labelSelector=parity%3Dodd")) == ["m01", "m03", "m05"])
            #expect(Self.names(try await cluster.get(Self.maps + "?fieldSelector=metadata.name%3Dm02")) == ["m02"])
            let both = try await cluster.get(Self.maps + "?labelSelector=parity+in+(even)&fieldSelector=metadata.name!%3Dm00")
            #expect(Self.names(both) == ["m02", "m04"])
            let page = try await cluster.get(Self.maps + "?labelSelector=parity%3Dodd&limit=2")
            #expect(Self.names(page) == ["m01", "m03"])
            #expect(page["metadata", "remainingItemCount"] == nil)
        }
    }

    @Test func `resourceVersion and its match`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 2)
            let before = try await cluster.get(Self.maps)
            let revision = before["metadata", "resourceVersion"]?.string ?? ""
            _ = try await cluster.delete(Self.maps + "/m00")
            let exact = try await cluster.get(Self.maps + "?resourceVersion=\(revision)&resourceVersionMatch=Exact")
            #expect(Self.names(exact) == ["m00", "m01"])
            let newer = try await cluster.get(Self.maps + "?resourceVersion=\(revision)&resourceVersionMatch=NotOlderThan")
            #expect(Self.names(newer).contains("m01"))
            #expect(try await cluster.get(Self.maps + "?resourceVersionMatch=Exact").status == 422)
            let future = try await cluster.get(Self.maps + "?resourceVersion=99999999")
            #expect(future.status == 504)
            #expect(future.message.contains("Too large resource version: 99999999"))
        }
    }

    @Test func `a long list is streamed and whole`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 100)
            let list = try await cluster.get(Self.maps)
            #expect(Self.names(list).count == 100)
            #expect(list["items", "0", "metadata", "resourceVersion"]?.string != nil)
        }
    }

    @Test func `tables and partial metadata`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 3)
            let accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
            let table = try await cluster.get(Self.maps, accept: accept)
            #expect(table["kind"] == "Table")
            #expect(table["apiVersion"] == "meta.k8s.io/v1")
            #expect(table["columnDefinitions", "0", "name"] == "Name")
            #expect(table["rows"]?.array?.count == 3)
            #expect(table["rows", "0", "cells", "0"] == "m00")
            #expect(table["rows", "0", "object", "kind"] == "PartialObjectMetadata")
            #expect(table["metadata", "resourceVersion"]?.string != nil)
            let one = try await cluster.get(Self.maps + "/m01", accept: accept)
            #expect(one["rows"]?.array?.count == 1)
            let partial = try await cluster.get(
                Self.maps,
                accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
            )
            #expect(partial["kind"] == "PartialObjectMetadataList")
            #expect(partial["items", "0", "kind"] == "PartialObjectMetadata")
            #expect(partial["items", "0", "metadata", "resourceVersion"]?.string != nil)
        }
    }

    @Test func `pretty JSON when asked for`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 1)
            #expect(try await cluster.get(Self.maps + "/m00?pretty=true").text.contains("\n  \"kind\": \"ConfigMap\""))
        }
    }

    @Test func `events of both groups are the same objects`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(
                "/api/v1/namespaces/default/events",
                [
                    "metadata": ["name": "e1"], "reason": "Started", "message": "hello", "type": "Normal", "count": 1,
                    "involvedObject": ["kind": "Pod", "namespace": "default", "name": "p", "apiVersion": "v1"],
                ]
            )
            #expect(made.status == 201, "\(made.text)")
            let other = try await cluster.get("/apis/events.k8s.io/v1/namespaces/default/events/e1")
            #expect(other["apiVersion"] == "events.k8s.io/v1")
            #expect(other["note"] == "hello")
            #expect(other["regarding", "name"] == "p")
            let chosen = try await cluster.get("/api/v1/events?fieldSelector=involvedObject.name%3Dp")
            #expect(chosen["items"]?.array?.count == 1)
            for (name, count) in [("p", 1), ("q", 0)] {
                let field = "regarding.name%3D\(name)"
                let regarding = try await cluster.get("/apis/events.k8s.io/v1/events?fieldSelector=\(field)")
                #expect(regarding["items"]?.array?.count == count)
            }
        }
    }

    @Test func `kinds with words of their own for an unknown field`() async throws {
        try await withCluster { cluster in
            for (path, words) in [
                ("/apis/batch/v1/jobs", "field label \"x\" not supported for Job"),
                ("/apis/resource.k8s.io/v1/resourceslices", "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: x"),
                ("/api/v1/pods", "field label not supported: x"),
            ] {
                let refused = try await cluster.get(path + "?fieldSelector=x%3Dy")
                #expect(refused.status == 400 && refused.message == words, "\(refused.text)")
            }
        }
    }
}
