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
        for topic in Self.openAPI.topics {
            let document = try JSONParser.parse(Self.openAPI.v3(topic))
            let schemas = document["components"]?["schemas"]?.object ?? [:]
            var found: Set<String> = []
            Self.references(document, &found)
            for reference in found {
                let name = reference.dropFirst("#/components/schemas/".count)
                #expect(schemas.contains(String(name)), "\(topic.path) \(reference)")
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

    @Test func `what all operations of a path take stands at the path, and watches have addresses of their own`() throws {
        let paths = try #require(try Self.v3("", "v1")["paths"])
        func names(_ list: JSONValue?) -> [String] { list?.array?.compactMap { $0["name"]?.string } ?? [] }
        let pod = paths["/api/v1/namespaces/{namespace}/pods/{name}"]
        #expect(names(pod?["parameters"]) == ["name", "namespace", "pretty"])
        #expect(pod?["get"]?["parameters"] == nil)
        let binding = paths["/api/v1/namespaces/{namespace}/bindings"]
        #expect(names(binding?["parameters"]) == ["dryRun", "fieldManager", "fieldValidation", "namespace", "pretty"])
        #expect(binding?["post"]?["parameters"] == nil)
        #expect(paths["/api/v1/watch/pods"]?["get"]?["operationId"] == "watchCoreV1PodListForAllNamespaces")
        let one = paths["/api/v1/watch/namespaces/{namespace}/pods/{name}"]
        #expect(one?["get"]?["x-kubernetes-action"] == "watch" && names(one?["parameters"]).contains("shardSelector"))
        #expect(paths["/api/v1/watch/componentstatuses"] == nil)
        let exec = paths["/api/v1/namespaces/{namespace}/pods/{name}/exec"]
        #expect(names(exec?["parameters"]) == ["command", "container", "name", "namespace", "stderr", "stdin", "stdout", "tty"])
        let proxy = paths["/api/v1/nodes/{name}/proxy/{path}"]
        #expect(proxy?["patch"]?["operationId"] == "connectCoreV1PatchNodeProxyWithPath")
        #expect(paths["/api/v1/"]?["get"]?["operationId"] == "getCoreV1APIResources")
    }

    @Test func `shared parameters of version 2 are those that kubectl does not look for`() throws {
        let document = try JSONParser.parse(Self.openAPI.v2())
        let patch = document["paths"]?["/api/v1/namespaces/{namespace}/pods/{name}"]?["patch"]?["parameters"]?.array ?? []
        #expect(patch.count == 5 && patch.compactMap { $0["name"]?.string } == ["dryRun", "fieldValidation"])
        let body = try #require(patch[0]["$ref"]?.string?.split(separator: "/").last.map(String.init))
        #expect(body.hasPrefix("body-"))
        #expect(document["parameters"]?[body]?["schema"] == ["$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Patch"])
    }

    @Test func `lists say that they are atomic where their author does, and maps that they are not`() throws {
        let schemas = try Self.v3("", "v1")["components"]?["schemas"]
        let container = schemas?["io.k8s.api.core.v1.Container"]?["properties"]
        #expect(container?["args"]?["x-kubernetes-list-type"] == "atomic")
        #expect(schemas?["io.k8s.api.core.v1.NodeList"]?["properties"]?["items"]?["x-kubernetes-list-type"] == nil)
        let claim = schemas?["io.k8s.api.core.v1.PersistentVolumeClaimStatus"]?["properties"]
        #expect(claim?["allocatedResourceStatuses"]?["x-kubernetes-map-type"] == "granular")
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
        let parameters = try #require(document["parameters"]?.object)
        for reference in found {
            let name = String(reference.split(separator: "/")[2])
            #expect(reference.hasPrefix("#/parameters/") ? parameters.contains(name) : definitions.contains(name), "\(reference)")
        }
        #expect(document["swagger"] == "2.0")
        let protocolField = definitions["io.k8s.api.core.v1.ServicePort"]?["properties"]?["protocol"]
        #expect(protocolField?["type"] == "string")
    }

    @Test func `the index names every document`() {
        let index = OpenAPI.v3Index([
            (.groupVersion(GroupVersion(group: "", version: "v1")), "AB"), (.group("apps"), "CD"), (.page(.issuer), "EF"),
        ])
        #expect(
            index == [
                "paths": [
                    "api/v1": ["serverRelativeURL": "/openapi/v3/api/v1?hash=AB"],
                    "apis/apps": ["serverRelativeURL": "/openapi/v3/apis/apps?hash=CD"],
                    ".well-known/openid-configuration": [
                        "serverRelativeURL": "/openapi/v3/.well-known/openid-configuration?hash=EF"
                    ],
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
        #expect(fields == [1: 1, 2: 1, 8: 1, 9: 1, 10: 1, 12: 1, 13: 1])
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
