import HTTPTransport
import Testing
import Values

@testable import APIServer

/// The paths of before `?watch=1`, which old clients still use.
@Suite struct WatchPathTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"

    @Test(arguments: [
        "/api/v1/watch/configmaps", "/api/v1/watch/namespaces/default/configmaps", "/api/v1/watch/namespaces/default/configmaps/a",
        "/api/v1/watch/configmaps?watch=0",
    ])
    func `a path of old is a watch, whatever its query says`(_ path: String) async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            var watch = try await cluster.watch(path)
            #expect(try await watch.line() == "ADDED a")
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "b"]])
            _ = try await cluster.delete(Self.maps + "/a")
            let next = try await watch.line()
            #expect(next == (path.hasSuffix("/a") ? "DELETED a" : "ADDED b"))
        }
    }

    @Test func `one object by its name, of the cluster too`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "other"]])
            var watch = try await cluster.watch("/api/v1/watch/namespaces/other")
            #expect(try await watch.line() == "ADDED other")
            let asked = "/api/v1/watch/namespaces/default/configmaps/a?fieldSelector=metadata.name%3Db"
            let refused = try await cluster.get(asked)
            #expect(refused.status == 400 && refused.message == "fieldSelector metadata.name doesn't match requested name")
            #expect(try await cluster.get("/api/v1/watch/namespaces/default/pods/p/status").status == 404)
        }
    }

    @Test func `it ends with its time, and only GET leads to it`() async throws {
        try await withCluster { cluster in
            var watch = try await cluster.watch("/api/v1/watch/configmaps?resourceVersion=0&timeoutSeconds=1")
            while let event = try await watch.next() { #expect(event["type"] != "ERROR") }
            for method in ["POST", "PUT", "DELETE", "PATCH"] {
                let answer = try await cluster.send(method, "/api/v1/watch/configmaps", Array("{}".utf8), type: "application/json")
                #expect(answer.status == 405, "\(method)")
            }
        }
    }
}
