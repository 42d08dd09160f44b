import Schema
import Values

/// Renders what the server publishes about its API. Pure: the same kinds give the same bytes.
public struct OpenAPI: Sendable {
    /// The kinds served.
    public let kinds: [KindDescriptor]
    private let types: SchemaTable
    private let version: String

    /// Describes a server: its kinds, the types they refer to, and the version it reports.
    public init(kinds: [KindDescriptor], types: SchemaTable, version: String) {
        self.kinds = kinds
        self.types = types
        self.version = version
    }

    /// The group versions that have a served kind, sorted.
    public var groupVersions: [GroupVersion] {
        var found: Set<GroupVersion> = []
        for kind in kinds {
            for version in kind.versions where version.served {
                found.insert(GroupVersion(group: kind.group, version: version.name))
            }
        }
        return found.sorted { ($0.group, $0.version) < ($1.group, $1.version) }
    }

    /// The path of a group version below the root, as the OpenAPI v3 index names it: `api/v1`, `apis/apps/v1`.
    public static func path(of groupVersion: GroupVersion) -> String {
        groupVersion.group.isEmpty ? "api/\(groupVersion.version)" : "apis/\(groupVersion.apiVersion)"
    }

    /// The document at `/openapi/v3`: where each group version's document is, with a hash that clients cache by.
    public static func v3Index(_ entries: [(groupVersion: GroupVersion, hash: String)]) -> JSONValue {
        var paths = JSONObject()
        for entry in entries {
            let path = path(of: entry.groupVersion)
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(entry.hash)")]
        }
        return ["paths": .object(paths)]
    }

    /// The OpenAPI v3 document of one group version.
    public func v3(_ groupVersion: GroupVersion) -> [UInt8] {
        let core = GroupVersion(group: "", version: "v1")
        let schema = OpenAPISchema(dialect: .v3, groupVersions: groupVersion == core ? [core] : [core, groupVersion])
        var out: [UInt8] = []
        out += #"{"components":{"schemas":{"#.utf8
        var closure = OpenAPIClosure(types: types)
        var paths = OpenAPIPaths(dialect: .v3)
        for kind in kinds where kind.group == groupVersion.group {
            guard let version = kind.version(groupVersion.version), version.served else { continue }
            closure.add(kind, version)
            paths.add(kind, version)
        }
        closure.addCommon()
        Self.write(closure.definitions.map { ($0.name, schema.definition($0)) }, to: &out)
        out.append(UInt8(ascii: "}"))
        if kinds.contains(where: { $0.group == groupVersion.group && !$0.isCustom }) {
            out += #","securitySchemes":"#.utf8
            OpenAPISecurity.schemes.encode(into: &out)
        }
        out += #"},"info":"#.utf8
        info.encode(into: &out)
        out += #","openapi":"3.0.0","paths":{"#.utf8
        Self.write(paths.sorted, to: &out)
        out += "}}".utf8
        return out
    }

    /// The OpenAPI v2 document of everything, the parts of documents of other servers included.
    public func v2(merging others: [JSONValue] = []) -> [UInt8] {
        let (definitions, paths) = v2Members(others)
        var out: [UInt8] = []
        out += #"{"definitions":{"#.utf8
        Self.write(definitions, to: &out)
        out += #"},"info":"#.utf8
        info.encode(into: &out)
        out += #","paths":{"#.utf8
        Self.write(paths, to: &out)
        out += #"},"security":"#.utf8
        OpenAPISecurity.required.encode(into: &out)
        out += #","securityDefinitions":"#.utf8
        OpenAPISecurity.schemes.encode(into: &out)
        out += #","swagger":"2.0"}"#.utf8
        return out
    }

    /// The same in protobuf, which is the only form that kubectl asks for.
    public func v2Protobuf(merging others: [JSONValue] = []) -> [UInt8] {
        let (definitions, paths) = v2Members(others)
        return OpenAPIProtobuf.document(info: info, paths: paths, definitions: definitions)
    }

    private func v2Members(_ others: [JSONValue]) -> (definitions: [(String, JSONValue)], paths: [(String, JSONValue)]) {
        let (definitions, paths) = (v2Definitions(), v2Paths().sorted)
        if others.isEmpty { return (definitions, paths) }
        var merge = OpenAPIMerge(definitions: definitions, paths: paths)
        for other in others { merge.add(other) }
        func sorted(_ members: [String: JSONValue]) -> [(String, JSONValue)] {
            members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        return (sorted(merge.definitions), sorted(merge.paths))
    }

    private func v2Definitions() -> [(String, JSONValue)] {
        let schema = OpenAPISchema(dialect: .v2, groupVersions: groupVersions)
        var closure = OpenAPIClosure(types: types)
        for kind in kinds {
            for version in kind.versions where version.served { closure.add(kind, version) }
        }
        closure.addCommon()
        return closure.definitions.map { ($0.name, schema.definition($0)) }
    }

    private func v2Paths() -> OpenAPIPaths {
        var paths = OpenAPIPaths(dialect: .v2)
        for kind in kinds {
            for version in kind.versions where version.served { paths.add(kind, version) }
        }
        return paths
    }

    /// Upstream names the minor version alone: the documents of its patches are the same.
    private var info: JSONValue {
        let minor = version.drop { !$0.isNumber }.split(separator: ".").prefix(2).joined(separator: ".")
        return ["title": "Kubernetes", "version": .string(minor.isEmpty ? version : minor)]
    }

    private static func write(_ members: [(String, JSONValue)], to out: inout [UInt8]) {
        for (index, member) in members.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONValue.string(member.0).encode(into: &out)
            out.append(UInt8(ascii: ":"))
            member.1.encode(into: &out)
        }
    }
}

/// The two dialects.
enum OpenAPIDialect: Sendable {
    case v2, v3

    func reference(_ name: String) -> JSONValue {
        .string(self == .v2 ? "#/definitions/\(name)" : "#/components/schemas/\(name)")
    }
}

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
        for subresource in version.subresources ?? kind.subresources {
            if let node = types.node(subresource.typeName) { visit(node) }
        }
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
        define(OpenAPIDefinition(name: "\(name)List", node: node, kinds: [gvk]))
    }

    /// What every group's operations refer to.
    mutating func addCommon() {
        for name in ["Status", "DeleteOptions", "WatchEvent", "Patch"] {
            if let node = types.node(Self.meta + name) { visit(node) }
        }
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
