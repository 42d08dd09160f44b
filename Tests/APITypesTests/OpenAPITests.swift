import APIModel
import APITypes
import Schema
import Testing
import Values

@Suite struct OpenAPITests {
    static let openAPI = OpenAPI(kinds: BuiltinResources.all, types: BuiltinSchema.table(), version: "v1.36.0")

    static func references(_ value: JSONValue, _ found: inout Set<String>) {
        switch value {
        case .object(let object):
            for (key, item) in object {
                if key == "$ref", case .string(let text) = item { found.insert(text) }
                references(item, &found)
            }
        case .array(let list): for item in list { references(item, &found) }
        default: break
        }
    }

    static func v3(_ group: String, _ version: String) throws -> JSONValue {
        try JSONParser.parse(openAPI.v3(GroupVersion(group: group, version: version)))
    }

    @Test func `every group version's document is closed: all references resolve`() throws {
        for groupVersion in Self.openAPI.groupVersions {
            let document = try JSONParser.parse(Self.openAPI.v3(groupVersion))
            let schemas = try #require(document["components"]?["schemas"]?.object)
            var found: Set<String> = []
            Self.references(document, &found)
            for reference in found {
                let name = reference.dropFirst("#/components/schemas/".count)
                #expect(schemas.contains(String(name)), "\(groupVersion) \(reference)")
            }
            #expect(document["openapi"] == "3.0.0")
            #expect(document["paths"]?.object?.isEmpty == false)
        }
    }

    @Test func `a kind can be found, patched with field validation, and explained`() throws {
        let document = try Self.v3("apps", "v1")
        let path = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        let patch = try #require(document["paths"]?[path]?["patch"])
        #expect(patch["x-kubernetes-group-version-kind"] == ["group": "apps", "kind": "Deployment", "version": "v1"])
        #expect(patch["x-kubernetes-action"] == "patch")
        #expect(patch["operationId"] == "patchAppsV1NamespacedDeployment")
        let names = patch["parameters"]?.array?.compactMap { $0["name"]?.string } ?? []
        #expect(names.contains("fieldValidation") && names.contains("force") && names.contains("dryRun"))
        let deployment = document["components"]?["schemas"]?["io.k8s.api.apps.v1.Deployment"]
        #expect(
            deployment?["x-kubernetes-group-version-kind"]
                == [["group": "apps", "kind": "Deployment", "version": "v1"]]
        )
        #expect(
            deployment?["properties"]?["spec"]
                == [
                    "allOf": [["$ref": "#/components/schemas/io.k8s.api.apps.v1.DeploymentSpec"]], "default": [:],
                    "description": "What is wanted.",
                ]
        )
        let list = document["paths"]?["/apis/apps/v1/deployments"]?["get"]
        #expect(list?["operationId"] == "listAppsV1DeploymentForAllNamespaces")
        let collection = document["paths"]?["/apis/apps/v1/namespaces/{namespace}/deployments"]?["delete"]
        #expect(collection?["operationId"] == "deleteAppsV1CollectionNamespacedDeployment")
    }

    @Test func `lists carry their merge keys`() throws {
        let document = try Self.v3("", "v1")
        let spec = document["components"]?["schemas"]?["io.k8s.api.core.v1.PodSpec"]
        let containers = spec?["properties"]?["containers"]
        #expect(containers?["x-kubernetes-patch-merge-key"] == "name")
        #expect(containers?["x-kubernetes-patch-strategy"] == "merge")
        #expect(containers?["x-kubernetes-list-type"] == "map")
        #expect(containers?["x-kubernetes-list-map-keys"] == ["name"])
        #expect(spec?["required"] == ["containers"])
        let volumes = spec?["properties"]?["volumes"]
        #expect(volumes?["x-kubernetes-patch-strategy"] == "merge,retainKeys")
        #expect(document["paths"]?["/api/v1/namespaces/{namespace}/pods/{name}/exec"]?["post"] != nil)
        #expect(document["paths"]?["/api/v1/nodes/{name}"]?["get"]?["operationId"] == "readCoreV1Node")
    }

    @Test func `version 2 has every definition and resolves`() throws {
        let document = try JSONParser.parse(Self.openAPI.v2())
        let definitions = try #require(document["definitions"]?.object)
        var found: Set<String> = []
        Self.references(document, &found)
        for reference in found { #expect(definitions.contains(String(reference.dropFirst("#/definitions/".count)))) }
        #expect(document["swagger"] == "2.0")
        let protocolField = definitions["io.k8s.api.core.v1.ServicePort"]?["properties"]?["protocol"]
        #expect(protocolField?["type"] == "string")
    }

    @Test func `the index names every document`() {
        let index = OpenAPI.v3Index([
            (GroupVersion(group: "", version: "v1"), "AB"), (GroupVersion(group: "apps", version: "v1"), "CD"),
        ])
        #expect(
            index == [
                "paths": [
                    "api/v1": ["serverRelativeURL": "/openapi/v3/api/v1?hash=AB"],
                    "apis/apps/v1": ["serverRelativeURL": "/openapi/v3/apis/apps/v1?hash=CD"],
                ]
            ]
        )
    }

    @Test func `the protobuf form is well-formed to the last byte`() {
        let bytes = Self.openAPI.v2Protobuf()
        var fields: [Int: Int] = [:]
        var offset = 0
        func varint() -> Int {
            var result = 0
            var shift = 0
            while offset < bytes.count {
                let byte = bytes[offset]
                offset += 1
                result |= Int(byte & 0x7F) << shift
                if byte & 0x80 == 0 { break }
                shift += 7
            }
            return result
        }
        while offset < bytes.count {
            let tag = varint()
            #expect(tag & 7 == 2)
            let length = varint()
            fields[tag >> 3, default: 0] += 1
            offset += length
        }
        #expect(offset == bytes.count)
        #expect(fields == [1: 1, 2: 1, 8: 1, 9: 1, 12: 1, 13: 1])
    }

    @Test func `a custom resource is published like a built-in one`() throws {
        let spec = SchemaNode(
            shape: .object,
            body: SchemaBody(fields: [
                SchemaField(name: "size", node: .scalar(.integer, format: "int64"), traits: [.required])
            ])
        )
        let root = SchemaNode(shape: .object, body: SchemaBody(fields: [SchemaField(name: "spec", node: spec)]))
        let kind = KindDescriptor(
            group: "example.com",
            kind: "Widget",
            plural: "widgets",
            namespaced: true,
            verbs: ["get", "list", "create", "patch"],
            versions: [KindVersion(name: "v1", schema: root)],
            storageVersion: "v1"
        )
        let openAPI = OpenAPI(kinds: [kind], types: BuiltinSchema.table(), version: "v1.36.0")
        let document = try JSONParser.parse(openAPI.v3(GroupVersion(group: "example.com", version: "v1")))
        let schemas = document["components"]?["schemas"]
        #expect(
            schemas?["com.example.v1.Widget"]?["properties"]?["spec"]
                == ["type": "object", "properties": ["size": ["type": "integer", "format": "int64"]], "required": ["size"]]
        )
        #expect(schemas?["com.example.v1.WidgetList"]?["x-kubernetes-group-version-kind"] != nil)
        #expect(document["paths"]?["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]?["patch"] != nil)
    }
}
