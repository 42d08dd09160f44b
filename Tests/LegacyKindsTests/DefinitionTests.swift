import Testing
import Values

@testable import LegacyKinds

@Suite struct DefinitionTests {
    private static let manifest = """
        apiVersion: apiextensions.k8s.io/v1beta1
        kind: CustomResourceDefinition
        metadata: {name: crontabs.stable.example.com}
        spec:
          group: stable.example.com
          version: v1
          names: {kind: CronTab, plural: crontabs}
          subresources: {status: {}}
          additionalPrinterColumns: [{name: Spec, type: string, JSONPath: .spec.cronSpec}]
          validation:
            openAPIV3Schema:
              properties:
                spec:
                  properties:
                    cronSpec: {type: string, pattern: "^x"}
                    port: {anyOf: [{type: integer}, {type: string}]}
                    list: {items: {}}
                    free: {}
                metadata: {properties: {name: {type: string}}}
        """

    @Test func `what stood at the top goes into the one version, in structural form`() throws {
        let form = try OldForm("apiextensions.k8s.io/v1beta1", "customresourcedefinitions")
        let stored = try form.stored(Self.manifest)
        #expect(form.today.storageSchema?.prunes(stored) == [])
        #expect(stored.value(at: ["spec", "scope"]) == "Namespaced")
        #expect(stored.value(at: ["spec", "names", "singular"]) == "crontab")
        let version = try #require(stored.value(at: ["spec", "versions"])?[0])
        #expect(version["name"] == "v1")
        #expect(version["storage"] == true)
        #expect(version["subresources"] == ["status": [:]])
        #expect(version["additionalPrinterColumns"] == [["jsonPath": ".spec.cronSpec", "name": "Spec", "type": "string"]])
        let schema = try #require(version.value(at: ["schema", "openAPIV3Schema"]))
        #expect(schema["type"] == "object")
        #expect(schema["x-kubernetes-preserve-unknown-fields"] == true)
        #expect(schema.value(at: ["properties", "metadata"]) == ["type": "object"])
        let spec = try #require(schema.value(at: ["properties", "spec", "properties"]))
        #expect(spec["cronSpec"] == ["type": "string", "pattern": "^x"])
        #expect(spec["port"] == ["x-kubernetes-int-or-string": true])
        #expect(spec["list"] == ["type": "array", "items": ["x-kubernetes-preserve-unknown-fields": true]])
        #expect(spec["free"] == ["x-kubernetes-preserve-unknown-fields": true])
        #expect(stored.value(at: ["spec", "preserveUnknownFields"]) == nil)
    }

    @Test func `the old words come back as long as they still hold`() throws {
        let form = try OldForm("apiextensions.k8s.io/v1beta1", "customresourcedefinitions")
        let conversion = try #require(form.version.conversion)
        let (decoded, _) = try form.decoded(Self.manifest)
        var stored = conversion.toStorage(decoded)
        #expect(conversion.fromStorage(stored) == decoded)
        stored.set(
            "^y",
            at: ["spec", "versions", "0", "schema", "openAPIV3Schema", "properties", "spec", "properties", "cronSpec", "pattern"]
        )
        let changed = conversion.fromStorage(stored)
        let pattern = ["spec", "validation", "openAPIV3Schema", "properties", "spec", "properties", "cronSpec", "pattern"]
        #expect(changed.value(at: pattern) == "^y")
        #expect(changed.value(at: ["spec", "preserveUnknownFields"]) == false)
        #expect(form.version.schema.prunes(changed) == [])
    }

    @Test func `a conversion webhook stood beside the strategy`() throws {
        let form = try OldForm("apiextensions.k8s.io/v1beta1", "customresourcedefinitions")
        let stored = try form.stored(
            """
            apiVersion: apiextensions.k8s.io/v1beta1
            kind: CustomResourceDefinition
            metadata: {name: as.b.c}
            spec:
              group: b.c
              names: {kind: A, plural: as}
              scope: Cluster
              preserveUnknownFields: false
              versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}, {name: v2, served: true, storage: false}]
              conversion: {strategy: Webhook, webhookClientConfig: {url: "https://a"}}
            """
        )
        #expect(
            stored.value(at: ["spec", "conversion"])
                == ["strategy": "Webhook", "webhook": ["clientConfig": ["url": "https://a"], "conversionReviewVersions": ["v1beta1"]]]
        )
        // Without a schema nothing is known, so everything is kept.
        let open = stored.value(at: ["spec", "versions", "1", "schema", "openAPIV3Schema"])
        #expect(open == ["type": "object", "x-kubernetes-preserve-unknown-fields": true])
    }

    @Test func `a schema nested without end is cut off`() throws {
        var schema: JSONValue = ["type": "string"]
        for _ in 0..<200 { schema = ["properties": ["a": schema]] }
        let form = StructuralForm(keepsAll: false).root(schema)
        var depth = 0
        var node: JSONValue? = form
        while let next = node?.value(at: ["properties", "a"]) {
            depth += 1
            node = next
        }
        #expect(depth <= 64)
        #expect(node == ["x-kubernetes-preserve-unknown-fields": true])
    }
}
