import Access
import HTTPTransport
import Testing
import Values

@testable import APIServer

/// What upstream refuses, or shapes, where few look.
@Suite struct WireRemainderTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let apply = "application/apply-patch+yaml"
    private static let table = "application/json;as=Table;g=meta.k8s.io;v=v1"
    private static let partial = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    private static let partials = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

    @Test func `who applies claims no records`() async throws {
        try await withCluster { cluster in
            func applied(_ records: JSONValue) async throws -> TestCluster.Answer {
                let body: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a", "managedFields": records]]
                return try await cluster.patch(Self.maps + "/a?fieldManager=m", body, type: Self.apply)
            }
            for records in [JSONValue.array([]), JSONValue.array([[:]])] {
                let refused = try await applied(records)
                #expect(refused.status == 400)
                #expect(refused.message == "metadata.managedFields must be nil")
            }
            #expect(try await applied(.null).status == 201)
        }
    }

    @Test func `a shape that does not fit is refused`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"]])
            for path in [Self.maps, Self.maps + "/a", Self.maps + "?watch=1&timeoutSeconds=1"] {
                let target = path + (path.contains("?") ? "&" : "?") + "includeObject=Bogus"
                let refused = try await cluster.get(target, accept: Self.table)
                #expect(refused.status == 400, "\(path)")
                #expect(
                    refused.message == "Unable to convert to Table as requested: includeObject: Invalid value: \"Bogus\": "
                        + "must be 'Metadata', 'Object', 'None', or empty"
                )
            }
            #expect(try await cluster.get(Self.maps + "?includeObject=", accept: Self.table).status == 200)
            #expect(try await cluster.get(Self.maps + "?includeObject=Bogus").status == 200)
            let list = try await cluster.get(Self.maps, accept: Self.partial)
            #expect(list.status == 406)
            #expect(list.message == "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)")
            let one = try await cluster.get(Self.maps + "/a", accept: Self.partials)
            #expect(one.status == 406)
            #expect(one.message == "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)")
            #expect(try await cluster.get(Self.maps, accept: Self.partials)["kind"] == "PartialObjectMetadataList")
            #expect(try await cluster.get(Self.maps + "/a", accept: Self.partial)["kind"] == "PartialObjectMetadata")
        }
    }

    @Test func `a scale is a table, too`() async throws {
        try await withCluster { cluster in
            let path = "/apis/apps/v1/namespaces/default/deployments"
            _ = try await cluster.post(path, UpdateTests.deployment)
            let scale = try await cluster.get(path + "/web/scale")
            let answer = try await cluster.get(path + "/web/scale", accept: Self.table)
            #expect(answer["kind"] == "Table")
            #expect(answer["rows", "0", "cells", "0"] == "web")
            #expect(answer["rows", "0", "cells", "1"] == scale["spec", "replicas"])
            #expect(answer["rows", "0", "object", "kind"] == "PartialObjectMetadata")
            #expect(answer["columnDefinitions"]?.array?.compactMap { $0["name"]?.string } == ["Name", "Desired", "Available", "Age"])
            #expect(try await cluster.get(path + "/web/scale", accept: Self.partial)["kind"] == "PartialObjectMetadata")
            let refused = try await cluster.get(path + "/web/scale", accept: Self.partials)
            #expect(refused.message.hasSuffix("the requested object is not a list (*autoscaling.Scale)"))
        }
    }

    @Test func `a scale of a custom resource is shown as a table and never applied`() async throws {
        try await withCluster { cluster in
            let scale: JSONValue = ["specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"]
            let schema = Samples.schema(["n": ["type": "integer"]])
            try await cluster.install(Samples.definition(schema: schema, more: ["subresources": ["scale": scale]]))
            let path = "/apis/apus.test/v1/namespaces/default/widgets"
            _ = try await cluster.post(path, Samples.object("a", ["n": 2]))
            let shown = try await cluster.get(path + "/a/scale", accept: Self.table)
            #expect(shown["rows", "0", "cells", "1"] == 2)
            #expect(shown["columnDefinitions", "3", "type"] == "date")
            let body: JSONValue = [
                "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "a"], "spec": ["replicas": 3],
            ]
            let refused = try await cluster.patch(path + "/a/scale?fieldManager=m&force=true", body, type: Self.apply)
            #expect(refused.status == 500)
            #expect(refused.message.hasSuffix("request to convert CR to an invalid group/version: autoscaling/v1"))
            let missing = try await cluster.patch(path + "/b/scale?fieldManager=m", body, type: Self.apply)
            #expect(missing.status == 404)
            let other = try await cluster.patch(path + "/a/scale?fieldManager=m", Samples.object("a", [:]), type: Self.apply)
            #expect(other.message == "invalid object type: apus.test/v1, Kind=Widget")
            #expect(try await cluster.get(path, accept: Self.partial).message.hasSuffix("(*unstructured.UnstructuredList)"))
            #expect(try await cluster.get(path + "/a", accept: Self.partials).message == "content is not a list")
        }
    }

    @Test(arguments: [
        ("2001-01-01T00:00:00Z", "Z", ".000000"), ("2001-01-01T00:00:00.123Z", ".123Z", ".000000"),
        ("2001-01-01T00:00:00.123456789Z", "789Z", "Z07:00"), ("2001-01-01T00:00:00+01:00", "+01:00", ".000000"),
    ])
    func `a time of microseconds has six digits`(text: String, found: String, wanted: String) async throws {
        try await withCluster { cluster in
            let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
            let refused = try await cluster.post(path, ["metadata": ["name": "l"], "spec": ["renewTime": .string(text)]])
            #expect(refused.status == 400)
            #expect(
                refused.message == "Lease in version \"v1\" cannot be handled as a Lease: parsing time \"\(text)\" as "
                    + "\"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"\(found)\" as \"\(wanted)\""
            )
            let taken = try await cluster.post(
                path,
                ["metadata": ["name": "l"], "spec": ["renewTime": "2001-01-01T00:00:00.123456+01:00"]]
            )
            #expect(taken["spec", "renewTime"] == "2000-12-31T23:00:00.123456Z")
        }
    }

    @Test func `paths with empty or encoded parts lead nowhere`() async throws {
        try await withCluster { cluster in
            for path in [
                "/api/v1//namespaces/default/secrets", "/api/v1/namespaces/default//secrets", "/api/v1/namespaces//secrets",
                "/api/v1/namespaces/default/secrets/a%2Fb", "/api/v1/namespaces/a%2Fb/secrets",
            ] {
                let answer = try await cluster.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(answer.message == "the server could not find the requested resource", "\(path)")
            }
            #expect(try await cluster.get("/api/v1/namespaces/default/secrets//").status == 200)
            let proxied = try await cluster.get("/api/v1/namespaces/default/pods/x/proxy//a")
            #expect(proxied.message == "pods \"x\" not found", "what is proxied may be empty")
        }
    }

    @Test func `finalizers of a namespace name their owner`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post("/api/v1/namespaces", ["metadata": ["name": "n"]])
            func finalize(_ names: JSONValue) async throws -> TestCluster.Answer {
                try await cluster.put("/api/v1/namespaces/n/finalize", ["metadata": ["name": "n"], "spec": ["finalizers": names]])
            }
            let refused = try await finalize(["kubernetes", "bad"])
            #expect(refused.status == 422)
            #expect(
                refused.message == "Namespace \"n\" is invalid: spec.finalizers[1]: Invalid value: \"bad\": "
                    + "name is neither a standard finalizer name nor is it fully qualified"
            )
            #expect(try await finalize(["kubernetes", "example.com/x"]).status == 200)
        }
    }
}
