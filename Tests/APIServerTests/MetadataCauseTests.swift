import Testing
import Values

@testable import APIServer

/// How often a changed object's causes name what is wrong with its metadata: as often as upstream looks at it.
@Suite struct MetadataCauseTests {
    private static let labels: JSONValue = ["metadata": ["labels": ["bad key": "x"]]]

    private static func fields(_ answer: TestCluster.Answer) -> [String] {
        (answer["details", "causes"]?.array ?? []).map { $0["field"]?.string ?? "" }
    }

    @Test func `a label that is wrong is named three times, and more by kinds that look again`() async throws {
        try await withCluster { cluster in
            let space = "/api/v1/namespaces/default"
            _ = try await cluster.post("\(space)/configmaps", ["metadata": ["name": "a"]])
            _ = try await cluster.post("\(space)/services", ServiceTests.service("a"))
            let revisions = "/apis/apps/v1/namespaces/default/controllerrevisions"
            _ = try await cluster.post(revisions, ["metadata": ["name": "a"], "revision": 1, "data": ["a": "b"]])
            for (place, count) in [
                ("\(space)/services/a", 3), ("\(space)/services/a/status", 3), ("\(space)/configmaps/a", 4), ("\(revisions)/a", 5),
            ] {
                let answer = try await cluster.patch(place, Self.labels)
                #expect(answer.status == 422, "\(place): \(answer.text)")
                #expect(Self.fields(answer) == Array(repeating: "metadata.labels", count: count), "\(place)")
            }
        }
    }

    @Test func `what may not change is named twice`() async throws {
        try await withCluster { cluster in
            let place = "/api/v1/namespaces/default/configmaps"
            let made = try await cluster.post(place, ["metadata": ["name": "a"]])
            var object = made.json
            object.set("2001-01-01T00:00:00Z", at: ["metadata", "deletionTimestamp"])
            let answer = try await cluster.put("\(place)/a", object)
            #expect(Self.fields(answer) == ["metadata.deletionTimestamp", "metadata.deletionTimestamp"])
        }
    }

    @Test func `the writer of a deployment's status does not change its labels`() async throws {
        try await withCluster { cluster in
            let place = "/apis/apps/v1/namespaces/default/deployments"
            let template: JSONValue = ["metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i"]]]]
            let spec: JSONValue = ["selector": ["matchLabels": ["a": "b"]], "template": template]
            _ = try await cluster.post(place, ["metadata": ["name": "d", "labels": ["k": "v"]], "spec": spec])
            let answer = try await cluster.patch("\(place)/d/status", Self.labels)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer["metadata", "labels"] == ["k": "v"])
        }
    }
}
