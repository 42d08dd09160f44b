import HTTPTransport
import Testing
import Values

@testable import APIServer

@Suite struct ApplyTests {
    private static let path = "/apis/apps/v1/namespaces/default/deployments/web"

    private static func configuration(_ replicas: Int64?, image: String = "web:1") -> JSONValue {
        var object = UpdateTests.deployment
        object["apiVersion"] = "apps/v1"
        object["kind"] = "Deployment"
        if let replicas { object.set(.integer(replicas), at: ["spec", "replicas"]) } else { object.remove(at: ["spec", "replicas"]) }
        object.set(.string(image), at: ["spec", "template", "spec", "containers", "0", "image"])
        return object
    }

    private static func apply(
        _ cluster: TestCluster,
        _ object: JSONValue,
        by manager: String,
        _ more: String = ""
    ) async throws -> TestCluster.Answer {
        try await cluster.patch(path + "?fieldManager=\(manager)\(more)", object, type: "application/apply-patch+yaml")
    }

    @Test func `apply creates, owns, conflicts and forces`() async throws {
        try await withCluster { cluster in
            let made = try await Self.apply(cluster, Self.configuration(2), by: "a")
            #expect(made.status == 201, "\(made.text)")
            #expect(made["metadata", "managedFields", "0", "manager"] == "a")
            #expect(made["metadata", "managedFields", "0", "operation"] == "Apply")
            let same = try await Self.apply(cluster, Self.configuration(2), by: "a")
            #expect(same["metadata", "resourceVersion"] == made["metadata", "resourceVersion"])
            let conflict = try await Self.apply(cluster, Self.configuration(3), by: "b")
            #expect(conflict.status == 409)
            #expect(conflict.message == "Apply failed with 1 conflict: conflict with \"a\": .spec.replicas")
            let forced = try await Self.apply(cluster, Self.configuration(3), by: "b", "&force=true")
            #expect(forced.status == 200, "\(forced.text)")
            #expect(forced["spec", "replicas"] == 3)
        }
    }

    @Test func `what is no longer applied goes`() async throws {
        try await withCluster { cluster in
            var object = Self.configuration(2)
            object.set(["x": "y"], at: ["metadata", "labels"])
            _ = try await Self.apply(cluster, object, by: "a")
            let without = try await Self.apply(cluster, Self.configuration(2), by: "a")
            #expect(without.status == 200)
            #expect(without["metadata", "labels", "x"] == nil)
        }
    }

    @Test func `an update of an applied object takes ownership`() async throws {
        try await withCluster { cluster in
            _ = try await Self.apply(cluster, Self.configuration(2), by: "a")
            let scaled = try await cluster.patch(Self.path + "?fieldManager=hand", ["spec": ["replicas": 9]])
            #expect(scaled["spec", "replicas"] == 9)
            let conflict = try await Self.apply(cluster, Self.configuration(2), by: "a")
            #expect(conflict.status == 409, "\(conflict.text)")
            #expect(conflict.message.contains("\"hand\" using apps/v1"))
        }
    }

    @Test func `apply says what it needs`() async throws {
        try await withCluster { cluster in
            let nobody = try await cluster.patch(Self.path, Self.configuration(1), type: "application/apply-patch+yaml")
            #expect(nobody.status == 422)
            #expect(nobody.message.contains("fieldManager: Required value: is required for apply patch"))
            var wrong = Self.configuration(1)
            wrong.set("x", at: ["spec", "color"])
            let strict = try await Self.apply(cluster, wrong, by: "a", "&fieldValidation=Strict")
            #expect(strict.status == 500)
            #expect(
                strict.message
                    == "failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.color: field not declared in schema"
            )
        }
    }
}
