import Testing
import Values

@testable import APIServer

@Suite struct CustomResourceDocumentTests {
    private static func address(_ cluster: TestCluster, _ path: String) async throws -> String? {
        try await cluster.get("/openapi/v3")["paths", path, "serverRelativeURL"]?.string
    }

    private static let schema: JSONValue = [
        "type": "object", "description": "A widget.",
        "properties": [
            "spec": [
                "type": "object", "description": "What it is like.",
                "properties": [
                    "size": ["type": "integer", "description": "How large.", "default": 3, "minimum": 1],
                    "pod": ["type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true],
                    "port": ["x-kubernetes-int-or-string": true],
                    "either": ["x-kubernetes-int-or-string": true, "anyOf": [["type": "integer"], ["type": "string"]]],
                ],
            ]
        ],
    ]

    @Test func `documents follow the definitions at once`() async throws {
        try await withCluster { cluster in
            let path = "apis/apus.test/v1"
            #expect(try await Self.address(cluster, path) == nil)
            let v2 = try await cluster.get("/openapi/v2").headers["etag"]
            try await cluster.install(Samples.definition(schema: Self.schema, status: true))
            let address = try #require(try await Self.address(cluster, path))
            let answer = try await cluster.get(address)
            #expect(answer.status == 200)
            #expect(answer.headers["cache-control"] == "public, immutable")
            let tag = answer.headers["etag"] ?? ""
            let same = try await cluster.send("GET", "/openapi/v3/\(path)", headers: ["If-None-Match": tag])
            #expect(same.status == 304)
            let kind = answer["components", "schemas", "test.apus.v1.Widget"]
            #expect(kind?["description"] == "A widget.")
            #expect(
                kind?["x-kubernetes-group-version-kind"] == [["group": "apus.test", "kind": "Widget", "version": "v1"]]
            )
            #expect(kind?.value(at: ["properties", "spec", "properties", "size", "default"]) == 3)
            #expect(
                kind?.value(at: ["properties", "metadata", "allOf", "0", "$ref"])
                    == "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
            )
            #expect(kind?.value(at: ["properties", "spec", "properties", "pod", "properties", "kind", "type"]) == "string")
            #expect(kind?.value(at: ["properties", "spec", "properties", "pod", "required"]) == ["kind", "apiVersion"])
            let either: JSONValue = [["type": "integer"], ["type": "string"]]
            #expect(kind?.value(at: ["properties", "spec", "properties", "port", "anyOf"]) == either)
            let operation = answer.json.value(at: ["paths", "/apis/apus.test/v1/namespaces/{namespace}/widgets", "post"])
            #expect(operation?["operationId"] == "createApusTestV1NamespacedWidget")
            #expect(operation?["x-kubernetes-action"] == "post")
            #expect(operation?.value(at: ["requestBody", "content"])?.object?.keys == ["application/json", "application/yaml"])
            let patch = answer.json.value(at: ["paths", "/apis/apus.test/v1/namespaces/{namespace}/widgets/{name}", "patch"])
            #expect(patch?.value(at: ["requestBody", "content", "application/strategic-merge-patch+json"]) == nil)
            #expect(answer.json.value(at: ["paths", "/apis/apus.test/v1/namespaces/{namespace}/widgets/{name}/status"]) != nil)

            let all = try await cluster.get("/openapi/v2")
            #expect(all.headers["etag"] != v2)
            let plain = all["definitions", "test.apus.v1.Widget", "properties", "spec", "properties"]
            #expect(plain?["size"] == ["type": "integer", "description": "How large.", "minimum": 1])
            #expect(plain?["either"] == ["x-kubernetes-int-or-string": true])
            #expect(plain?["port"] == plain?["either"])
            #expect(plain?["pod"] == ["x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true])

            var changed = Self.schema
            changed.set("How very large.", at: ["properties", "spec", "properties", "size", "description"])
            let versions: JSONValue = [["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": changed]]]
            _ = try await cluster.patch("\(Samples.definitions)/widgets.apus.test", ["spec": ["versions": versions]])
            try await cluster.waitFor("another address") { try await Self.address(cluster, path) != address }
            // Who still has the old address is sent to the new one.
            let moved = try await cluster.get(address)
            #expect(moved.status == 301)
            let location = moved.headers["location"]
            #expect(location == (try await Self.address(cluster, path)))
        }
    }

    @Test func `legacy and aggregated discovery tell the same`() async throws {
        try await withCluster { cluster in
            try await cluster.install(Samples.definition(schema: Self.schema, status: true))
            for version in ["v2", "v2beta1"] {
                let accept = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
                let all = try await cluster.get("/apis", accept: accept)
                #expect(all["apiVersion"]?.string == "apidiscovery.k8s.io/\(version)")
                let tag = all.headers["etag"] ?? ""
                let same = try await cluster.send("GET", "/apis", accept: accept, headers: ["If-None-Match": tag])
                #expect(same.status == 304)
                for group in all["items"]?.array ?? [] {
                    let name = group.value(at: ["metadata", "name"])?.string ?? ""
                    for entry in group["versions"]?.array ?? [] {
                        let list = try await cluster.get("/apis/\(name)/\(entry["version"]?.string ?? "")")
                        let plain = list["resources"]?.array?.compactMap { $0["name"]?.string }.filter { !$0.contains("/") } ?? []
                        let shown = entry["resources"]?.array?.compactMap { $0["resource"]?.string } ?? []
                        #expect(plain.sorted() == shown.sorted(), "\(name)")
                    }
                }
            }
        }
    }
}
