import Testing
import Values

@testable import APIServer

/// Resources that are no stored objects: component statuses, bindings, reviews in namespaces.
@Suite struct OddResourceTests {
    private static let statuses = "/api/v1/componentstatuses"

    private static func names(_ answer: TestCluster.Answer) -> [String] {
        (answer["items"]?.array ?? []).map { $0.value(at: ["metadata", "name"])?.string ?? "" }
    }

    @Test func `component statuses are listed by selectors, as items without kinds`() async throws {
        try await withCluster { cluster in
            let all = try await cluster.get(Self.statuses)
            #expect(Self.names(all) == ["controller-manager", "etcd-0", "scheduler"])
            #expect(all["items", "0", "kind"] == nil && all["items", "0", "apiVersion"] == nil)
            let one = try await cluster.get("\(Self.statuses)?fieldSelector=metadata.name%3Detcd-0")
            #expect(Self.names(one) == ["etcd-0"])
            #expect(Self.names(try await cluster.get("\(Self.statuses)?fieldSelector=metadata.name!%3Detcd-0")).count == 2)
            #expect(Self.names(try await cluster.get("\(Self.statuses)?labelSelector=a%3Db")) == [])
            #expect(Self.names(try await cluster.get("\(Self.statuses)?labelSelector=!a")).count == 3)
            let unknown = try await cluster.get("\(Self.statuses)?fieldSelector=x%3Dy")
            #expect(unknown.status == 400)
            #expect(unknown.message == "\"x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        }
    }

    @Test func `component statuses are not watched`() async throws {
        try await withCluster { cluster in
            let watch = try await cluster.get("\(Self.statuses)?watch=1")
            #expect(watch.status == 405)
            #expect(watch.message == "watch is not supported on resources of kind \"componentstatuses\"")
        }
    }

    @Test func `what is posted to a namespace lies there`() async throws {
        let words = "the namespace of the provided object does not match the namespace sent on the request"
        try await withCluster { cluster in
            let binding: JSONValue = ["metadata": ["name": "p", "namespace": "other"], "target": ["name": "n"]]
            let review: JSONValue = [
                "metadata": ["namespace": "other"],
                "spec": ["user": "u", "resourceAttributes": ["verb": "get", "resource": "pods", "namespace": "default"]],
            ]
            for (path, body) in [
                ("/api/v1/namespaces/default/bindings", binding), ("/api/v1/namespaces/default/pods/p/binding", binding),
                ("/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", review),
            ] {
                let answer = try await cluster.post(path, body)
                #expect(answer.status == 400, "\(path)")
                #expect(answer.message == words, "\(path)")
            }
        }
    }
}
