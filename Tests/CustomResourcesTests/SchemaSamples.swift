import Schema
import Values

@testable import CustomResources

/// Compiles a schema as the schema of a whole kind.
func compiled(_ schema: JSONValue) -> SchemaNode {
    var compiler = StructuralCompiler()
    let root = compiler.addRoot(schema)
    return compiler.table().node(root)
}

/// A schema of an object with a spec of these properties.
func kindSchema(_ spec: JSONValue, required: [String] = []) -> JSONValue {
    var inner: JSONValue = ["type": "object", "properties": spec]
    if !required.isEmpty { inner["required"] = JSONValue(required) }
    return ["type": "object", "properties": ["spec": inner]]
}

/// A definition with one version and this schema, as the server sees it: defaulted and prepared.
func definition(_ schema: JSONValue, edit: (inout JSONValue) -> Void = { _ in }) -> JSONValue {
    var object: JSONValue = [
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": ["name": "widgets.apus.test", "uid": "u"],
        "spec": [
            "group": "apus.test", "scope": "Namespaced", "names": ["plural": "widgets", "kind": "Widget"],
            "versions": [["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]],
        ],
    ]
    edit(&object)
    let hooks = DefinitionHooks()
    hooks.defaults(&object)
    return object
}
