import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct DeleteTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test func `a deletion answers with a Status that names the object`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            let gone = try await cluster.delete(Self.maps + "/a")
            #expect(gone.status == 200)
            #expect(gone["status"] == "Success")
            #expect(gone["details", "name"] == "a")
            #expect(gone["details", "kind"] == "configmaps")
            #expect(gone["details", "uid"] == made["metadata", "uid"])
            #expect(try await cluster.delete(Self.maps + "/a").status == 404)
        }
    }

    @Test func `finalizers keep the object until they are gone`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a", "finalizers": ["example.com/hold"]]])
            let marked = try await cluster.delete(Self.maps + "/a")
            #expect(marked.status == 200)
            #expect(marked["kind"] == "ConfigMap")
            #expect(marked["metadata", "deletionTimestamp"]?.string != nil)
            #expect(marked["metadata", "deletionGracePeriodSeconds"] == 0)
            let added = try await cluster.patch(
                Self.maps + "/a",
                ["metadata": ["finalizers": ["example.com/hold", "example.com/more"]]]
            )
            #expect(added.status == 422)
            #expect(added.message.contains("no new finalizers can be added if the object is being deleted"))
            let freed = try await cluster.patch(Self.maps + "/a", ["metadata": ["finalizers": .null]])
            #expect(freed.status == 200)
            #expect(try await cluster.get(Self.maps + "/a").status == 404)
        }
    }

    @Test func `preconditions are checked`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            let uid = try await cluster.delete(Self.maps + "/a", ["preconditions": ["uid": "other"]])
            #expect(uid.status == 409)
            #expect(uid.message.contains("the UID in the precondition (other) does not match the UID in record"))
            let version = try await cluster.delete(Self.maps + "/a", ["preconditions": ["resourceVersion": "1"]])
            #expect(version.status == 409)
        }
    }

    @Test func `propagation sets the finalizers of the garbage collector`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            let foreground = try await cluster.delete(Self.maps + "/a?propagationPolicy=Foreground")
            #expect(foreground["metadata", "finalizers"] == ["foregroundDeletion"])
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "b"]])
            let orphan = try await cluster.delete(Self.maps + "/b", ["propagationPolicy": "Orphan"])
            #expect(orphan["metadata", "finalizers"] == ["orphan"])
            let wrong = try await cluster.delete(Self.maps + "/b", ["propagationPolicy": "Sometimes"])
            #expect(wrong.status == 422)
        }
    }

    @Test func `deletecollection deletes what the selector selects`() async throws {
        try await withCluster { cluster in
            for name in ["a", "b", "c"] {
                let label = name == "c" ? "keep" : "drop"
                _ = try await cluster.post(Self.maps, ["metadata": ["name": .string(name), "labels": ["x": .string(label)]]])
            }
            let gone = try await cluster.delete(Self.maps + "?labelSelector=x%3Ddrop")
            #expect(gone.status == 200)
            #expect(gone["items"]?.array?.count == 2)
            #expect(try await cluster.get(Self.maps)["items"]?.array?.count == 1)
        }
    }

    @Test func `a namespace goes when its finalizers have gone`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "x"], "spec": ["finalizers": ["kubernetes"]]])
            let refused = try await cluster.delete("/api/v1/namespaces/default")
            #expect(refused.status == 403)
            #expect(refused.message == "namespaces \"default\" is forbidden: this namespace may not be deleted")
            var going = try await cluster.delete("/api/v1/namespaces/x").json
            going.set([], at: ["spec", "finalizers"])
            let finalized = try await cluster.put("/api/v1/namespaces/x/finalize", going)
            #expect(finalized.status == 200, "\(finalized.text)")
            #expect(try await cluster.get("/api/v1/namespaces/x").status == 404)
        }
    }
}
