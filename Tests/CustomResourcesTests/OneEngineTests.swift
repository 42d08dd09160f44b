import APIModel
import APITypes
import Schema
import Testing
import Units
import Values

@testable import CustomResources

/// A built-in kind is treated like a custom resource with the same schema.
@Suite struct OneEngineTests {
    private static let deployment: JSONValue = [
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": ["name": "d", "labels": ["app": "x"]],
        "spec": [
            "replicas": 2, "selector": ["matchLabels": ["app": "x"]],
            "template": [
                "metadata": ["labels": ["app": "x"]],
                "spec": [
                    "containers": [
                        [
                            "name": "c", "image": "i", "ports": [["containerPort": 80, "protocol": "TCP"]],
                            "env": [["name": "A", "value": "1"]], "resources": ["limits": ["cpu": "1"]],
                        ]
                    ],
                    "volumes": [["name": "v", "emptyDir": ["sizeLimit": "1Gi"]]],
                ],
            ],
        ],
    ]

    private func both(_ type: String) -> (builtin: SchemaNode, custom: SchemaNode) {
        let builtin = BuiltinSchema.node(type)
        var writer = BuiltinAsCustom()
        return (builtin, compiled(writer.schema(of: builtin)))
    }

    @Test(arguments: [
        "io.k8s.api.apps.v1.Deployment", "io.k8s.api.core.v1.Pod", "io.k8s.api.core.v1.Service", "io.k8s.api.batch.v1.Job",
        "io.k8s.api.networking.v1.Ingress", "io.k8s.api.core.v1.PersistentVolume",
    ])
    func `schemas of built-in kinds are accepted as definitions`(_ type: String) {
        var writer = BuiltinAsCustom()
        let schema = writer.schema(of: BuiltinSchema.node(type))
        let issues = KindSchemaCheck(schema, hasStatus: true, isUnchanged: false).issues(at: FieldPath("spec.validation"))
        #expect(issues.map(\.message) == [])
    }

    @Test func `unknown fields are found and removed alike`() throws {
        let (builtin, custom) = both("io.k8s.api.apps.v1.Deployment")
        var object = Self.deployment
        object.set(1, at: ["spec", "template", "spec", "containers", "0", "bogus"])
        object.set("x", at: ["metadata", "wrong"])
        object.set(["deep": 1], at: ["spec", "other"])
        var asBuiltin = object
        var asCustom = object
        let found = try builtin.decode(&asBuiltin)
        let foundCustom = try custom.decode(&asCustom)
        #expect(Set(found) == Set(foundCustom))
        #expect(
            asCustom.value(at: ["spec", "template", "spec", "containers"])
                == Self.deployment.value(at: ["spec", "template", "spec", "containers"])
        )
        #expect(asCustom["metadata"] == asBuiltin["metadata"])
        #expect(asCustom.value(at: ["spec", "replicas"]) == asBuiltin.value(at: ["spec", "replicas"]))
    }

    @Test func `wrong types are found alike`() {
        let (builtin, custom) = both("io.k8s.api.apps.v1.Deployment")
        var object = Self.deployment
        object.set("three", at: ["spec", "replicas"])
        object.set(5, at: ["spec", "template", "spec", "nodeName"])
        let asBuiltin = builtin.validate(object, path: .root).map(\.message)
        let asCustom = StructuralValidator.issues(object, custom, at: nil).map(\.message)
        #expect(asBuiltin.sorted() == asCustom.sorted())
        #expect(asCustom.count == 2)
    }

    @Test func `a large schema takes little memory`() {
        // The shape of an operator's definition: a spec with several whole pods in it, every field described.
        var writer = BuiltinAsCustom()
        writer.describes = true
        let pod = BuiltinSchema.node("io.k8s.api.core.v1.PodSpec")
        var properties = JSONObject()
        for name in ["primary", "replica", "proxy", "backup", "migration", "debug", "reader", "writer", "cache"] {
            properties[name] = writer.schema(of: pod, level: 1)
        }
        let schema: JSONValue = ["type": "object", "properties": ["spec": ["type": "object", "properties": .object(properties)]]]
        #expect(writer.nodes > 10_000, "\(writer.nodes)")
        var compiler = StructuralCompiler()
        _ = compiler.addRoot(schema)
        let table = compiler.table()
        #expect(table.byteCount < 64 << 10, "\(table.byteCount) bytes for \(table.count) of \(writer.nodes) schemas")
    }
}
