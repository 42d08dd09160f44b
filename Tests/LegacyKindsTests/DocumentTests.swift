import APIModel
import APITypes
import Testing
import Values

/// The documents of old versions name the types of their time.
@Suite struct DocumentTests {
    private static let openAPI = OpenAPI(kinds: OldForm.all, types: BuiltinSchema.table(), version: "v1.36.0")

    private static func document(_ version: String) throws -> JSONValue {
        try JSONParser.parse(openAPI.v3(try #require(GroupVersion(apiVersion: version))))
    }

    @Test(arguments: ["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"])
    func `workloads of the past have a scale of their version`(version: String) throws {
        let document = try Self.document(version)
        let group = version.split(separator: "/").map(String.init)
        let package = "io.k8s.api.\(group[0]).\(group[1])."
        let path = "/apis/\(version)/namespaces/{namespace}/deployments/{name}/scale"
        let reference: JSONValue = ["$ref": .string("#/components/schemas/\(package)Scale")]
        let put = document.value(at: ["paths", path, "put"])
        #expect(put?.value(at: ["responses", "200", "content", "application/json", "schema"]) == reference)
        #expect(put?.value(at: ["requestBody", "content", "*/*", "schema"]) == reference)
        let kind: JSONValue = ["group": .string(group[0]), "kind": "Scale", "version": .string(group[1])]
        #expect(put?["x-kubernetes-group-version-kind"] == kind)
        let schemas = try #require(document.value(at: ["components", "schemas"]))
        #expect(schemas[package + "Scale"]?["x-kubernetes-group-version-kind"] == [kind])
        let members = (schemas[package + "Scale"]?["properties"]?.object ?? [:]).map { $0.key }
        #expect(members.sorted() == ["apiVersion", "kind", "metadata", "spec", "status"])
        let status = schemas[package + "ScaleStatus"]
        #expect(status?["required"] == ["replicas"])
        #expect(status?["properties"]?["selector"]?["additionalProperties"]?["type"] == "string")
        #expect(status?["properties"]?["targetSelector"]?["type"] == "string")
        #expect(schemas[package + "ScaleSpec"]?["properties"]?["replicas"]?["format"] == "int32")
        #expect(schemas["io.k8s.api.autoscaling.v1.Scale"] == nil)
    }

    @Test(arguments: ["extensions/v1beta1", "apps/v1beta1"])
    func `deployments of the past are rolled back`(version: String) throws {
        let document = try Self.document(version)
        let package = "io.k8s.api.\(version.replacing("/", with: "."))."
        let path = "/apis/\(version)/namespaces/{namespace}/deployments/{name}/rollback"
        let post = document.value(at: ["paths", path, "post"])
        let sent: JSONValue = ["$ref": .string("#/components/schemas/\(package)DeploymentRollback")]
        #expect(post?.value(at: ["requestBody", "content", "*/*", "schema"]) == sent)
        let answered: JSONValue = ["$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Status"]
        #expect(post?.value(at: ["responses", "201", "content", "application/json", "schema"]) == answered)
        #expect(post?["operationId"]?.string?.hasSuffix("V1beta1NamespacedDeploymentRollback") == true)
        let schemas = try #require(document.value(at: ["components", "schemas"]))
        #expect(schemas[package + "DeploymentRollback"]?["required"] == ["name", "rollbackTo"])
        let target: JSONValue = [["$ref": .string("#/components/schemas/\(package)RollbackConfig")]]
        #expect(schemas[package + "DeploymentRollback"]?["properties"]?["rollbackTo"]?["allOf"] == target)
        #expect(schemas[package + "DeploymentSpec"]?["properties"]?["rollbackTo"]?["allOf"] == target)
        #expect(schemas[package + "RollbackConfig"]?["properties"]?["revision"]?["format"] == "int64")
    }

    @Test func `later versions are not rolled back`() throws {
        let schemas = try Self.document("apps/v1beta2").value(at: ["components", "schemas"])?.object ?? [:]
        let isRolledBack = schemas.contains { $0.key.contains("Rollback") }
        #expect(!schemas.isEmpty)
        #expect(!isRolledBack)
    }

    @Test func `all references of the document of everything resolve`() throws {
        let document = try JSONParser.parse(Self.openAPI.v2())
        let definitions = document["definitions"]?.object ?? [:]
        for name in ["io.k8s.api.extensions.v1beta1.Scale", "io.k8s.api.apps.v1beta1.DeploymentRollback"] {
            #expect(definitions.contains(name))
        }
        var found: Set<String> = []
        Self.references(document, &found)
        for reference in found {
            guard reference.hasPrefix("#/definitions/") else { continue }
            #expect(definitions.contains(String(reference.dropFirst("#/definitions/".count))), "\(reference)")
        }
        #expect(found.count > 500)
    }

    private static func references(_ value: JSONValue, _ found: inout Set<String>) {
        switch value {
        case .object(let object):
            for (key, item) in object {
                if key == "$ref", let text = item.string { found.insert(text) }
                references(item, &found)
            }
        case .array(let list): for item in list { references(item, &found) }
        default: return
        }
    }
}
