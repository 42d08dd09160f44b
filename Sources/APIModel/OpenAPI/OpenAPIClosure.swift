import Schema

/// One definition: a type under the name by which others refer to it.
struct OpenAPIDefinition {
    let name: String
    let node: SchemaNode
    /// The kinds it is, when the node itself does not know.
    var kinds: [GroupVersionKind] = []
    /// The schema as its author wrote it, for custom resources.
    var document: SchemaDocument?
    /// The fields by which its objects can be selected.
    var selectable: [SelectableField] = []
}

/// Collects the types that kinds refer to, sorted by name.
struct OpenAPIClosure {
    private let types: SchemaTable
    private var found: [String: OpenAPIDefinition] = [:]
    private static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1."

    init(types: SchemaTable) { self.types = types }

    var definitions: [OpenAPIDefinition] { found.values.sorted { $0.name < $1.name } }

    /// The name under which a kind's type is defined: its own, or, for a custom resource, one made from its group.
    static func name(_ kind: KindDescriptor, _ version: KindVersion) -> String {
        if !version.schema.name.isEmpty { return version.schema.name }
        let group = kind.group.split(separator: ".").reversed().joined(separator: ".")
        return "\(group).\(version.name).\(kind.kind)"
    }

    mutating func add(_ kind: KindDescriptor, _ version: KindVersion) {
        let name = Self.name(kind, version)
        let gvk = GroupVersionKind(group: kind.group, version: version.name, kind: kind.kind)
        var definition = OpenAPIDefinition(name: name, node: version.schema, kinds: version.schema.name.isEmpty ? [gvk] : [])
        definition.document = version.document
        definition.selectable = version.selectableFields ?? []
        define(definition)
        if kind.verbs.contains("list") { addList(kind, version, name) }
    }

    /// A type that operations refer to.
    mutating func add(_ name: String) {
        if found[name] == nil, let node = types.node(name) ?? OpenAPIOldTypes.node(name, types) { visit(node) }
    }

    private mutating func addList(_ kind: KindDescriptor, _ version: KindVersion, _ name: String) {
        if let list = types.node("\(name)List") { return visit(list) }
        // Stands for the definition made above, and is never looked into.
        let item = SchemaNode(shape: version.schema.shape, name: name) { version.schema.body }
        let string = SchemaNode.scalar(.string)
        let fields = [
            SchemaField(name: "apiVersion", node: string, traits: [.omitEmpty, .typeMeta]),
            SchemaField(
                name: "items",
                node: SchemaNode(shape: .list, body: SchemaBody(element: item)),
                traits: [.required]
            ),
            SchemaField(name: "kind", node: string, traits: [.omitEmpty, .typeMeta]),
            SchemaField(name: "metadata", node: types.node("\(Self.meta)ListMeta") ?? .anything),
        ]
        let gvk = GroupVersionKind(group: kind.group, version: version.name, kind: kind.listKind)
        let node = SchemaNode(shape: .object, body: SchemaBody(fields: fields))
        var list = OpenAPIDefinition(name: "\(name)List", node: node, kinds: [gvk])
        list.selectable = kind.isCustom ? version.selectableFields ?? [] : []
        define(list)
    }

    private mutating func define(_ definition: OpenAPIDefinition) {
        guard found[definition.name] == nil else { return }
        found[definition.name] = definition
        // A custom resource refers to nothing else; looking into its schema would only load it.
        guard definition.document == nil else {
            if let metadata = types.node(Self.meta + "ObjectMeta") { visit(metadata) }
            return
        }
        inside(definition.node)
    }

    private mutating func visit(_ node: SchemaNode) {
        guard !node.name.isEmpty else { return inside(node) }
        define(OpenAPIDefinition(name: node.name, node: node))
    }

    private mutating func inside(_ node: SchemaNode) {
        let body = node.body
        for field in body.fields { visit(field.node) }
        if let element = body.element { visit(element) }
    }
}
