import APITypes
import Schema
import Synchronization
import Values

/// The schemas of one CustomResourceDefinition, each distinct subtree once, as short records of JSON in which references
/// stand for the schemas below. A `SchemaNode` is made of a record when someone looks inside it, so an installed kind that
/// nobody uses costs its records only, and one in use the nodes its objects have.
///
/// Descriptions, titles and examples are not kept; OpenAPI reads them from the definition.
public final class StructuralTable: Sendable {
    /// Keys of records that no schema has.
    enum Mark {
        static let hasDefaults = "~d"
        static let hasRules = "~r"
        static let preserves = "~p"
        static let isRoot = "~o"
    }

    private let text: [UInt8]
    private let ends: [UInt32]
    private let shapes: [UInt8]
    private let nodes = Mutex<[UInt32: WeakNode]>([:])

    private struct WeakNode {
        weak var node: SchemaNode?
    }

    init(_ records: [[UInt8]], shapes: [UInt8]) {
        var text: [UInt8] = []
        text.reserveCapacity(records.reduce(0) { $0 + $1.count })
        var ends: [UInt32] = []
        ends.reserveCapacity(records.count)
        for record in records {
            text += record
            ends.append(UInt32(text.count))
        }
        self.text = text
        self.ends = ends
        self.shapes = shapes
    }

    /// How many distinct schemas there are.
    public var count: Int { ends.count }
    /// What they take in memory before any is looked into.
    public var byteCount: Int { text.count + ends.count * 5 }

    /// One of the schemas.
    func node(_ index: UInt32) -> SchemaNode {
        guard index < ends.count else { return .undescribed }
        return nodes.withLock { nodes in
            if let known = nodes[index]?.node { return known }
            let shape = SchemaNode.Shape(rawValue: shapes[Int(index)]) ?? .any
            // The node keeps the table, the table does not keep the node: else neither would ever go.
            let node = SchemaNode(shape: shape, name: "") { self.body(index) }
            nodes[index] = WeakNode(node: node)
            return node
        }
    }

    private func record(_ index: UInt32) -> JSONObject {
        let start = index == 0 ? 0 : Int(ends[Int(index) - 1])
        let value = try? JSONParser.parse(Array(text[start..<Int(ends[Int(index)])]))
        return value?.object ?? [:]
    }

    private func body(_ index: UInt32) -> SchemaBody {
        let record = record(index)
        let isResource = record["x-kubernetes-embedded-resource"]?.bool == true || record[Mark.isRoot] != nil
        let required = record["required"]?.array?.compactMap(\.string) ?? []
        let counts = Self.counts(record)
        return SchemaBody(
            fields: fields(record, isResource: isResource, required: Set(required)),
            element: element(record),
            format: record["format"]?.string ?? "",
            nullable: record["nullable"]?.bool ?? false,
            enumValues: record["enum"]?.array ?? [],
            defaultValue: record["default"],
            listType: Self.listType(record),
            atomicMap: record["x-kubernetes-map-type"]?.string == "atomic",
            preservesUnknownFields: record["x-kubernetes-preserve-unknown-fields"]?.bool == true || record[Mark.preserves] != nil,
            limits: SchemaLimits(
                required: required,
                pattern: record["pattern"]?.string,
                minimumCount: counts.least,
                maximumCount: counts.most,
                minimum: record["minimum"]?.double,
                maximum: record["maximum"]?.double
            ),
            hasSchemaDefaults: record[Mark.hasDefaults] != nil,
            structural: facts(record, isResource: isResource, required: required)
        )
    }

    private func facts(_ record: JSONObject, isResource: Bool, required: [String]) -> StructuralFacts {
        func schemas(_ key: String) -> [SchemaNode] {
            (record[key]?.array ?? []).compactMap { reference($0).map(node) }
        }
        return StructuralFacts(
            type: record["type"]?.string ?? "",
            isEmbeddedResource: record["x-kubernetes-embedded-resource"]?.bool == true,
            metadata: isResource ? reference(record["properties"]?["metadata"]).map(node) : nil,
            required: required,
            pattern: record["pattern"]?.string ?? "",
            bounds: StructuralBounds(record),
            allOf: schemas("allOf"),
            anyOf: schemas("anyOf"),
            oneOf: schemas("oneOf"),
            not: reference(record["not"]).map(node),
            rules: (record["x-kubernetes-validations"]?.array ?? []).map { StructuralRule($0) },
            hasRules: record[Mark.hasRules] != nil
        )
    }

    private func reference(_ value: JSONValue?) -> UInt32? { value?.int.flatMap { UInt32(exactly: $0) } }

    private func fields(_ record: JSONObject, isResource: Bool, required: Set<String>) -> [SchemaField] {
        var found: [String: SchemaNode] = [:]
        for (name, value) in record["properties"]?.object ?? [:] { found[name] = reference(value).map(node) }
        if isResource {
            found["metadata"] = Self.objectMeta
            for name in ["apiVersion", "kind"] where found[name] == nil { found[name] = .scalar(.string) }
        }
        return found.keys.sorted().compactMap { name in
            guard let node = found[name] else { return nil }
            let isRequired = required.contains(name)
            return SchemaField(name: name, node: node, traits: isRequired ? [.omitEmpty, .pointer, .required] : [.omitEmpty, .pointer])
        }
    }

    private static let objectMeta = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")

    private func element(_ record: JSONObject) -> SchemaNode? {
        if let items = reference(record["items"]) { return node(items) }
        if let values = reference(record["additionalProperties"]) { return node(values) }
        return record["additionalProperties"]?.bool == true ? .undescribed : nil
    }

    private static func listType(_ record: JSONObject) -> SchemaListType {
        switch record["x-kubernetes-list-type"]?.string {
        case "set": .set
        case "map": .map(record["x-kubernetes-list-map-keys"]?.array?.compactMap(\.string) ?? [])
        default: .atomic
        }
    }

    private static func counts(_ record: JSONObject) -> (least: Int?, most: Int?) {
        func count(_ keys: String...) -> Int? { keys.lazy.compactMap { record[$0]?.int }.first.map { Int($0) } }
        return (count("minLength", "minItems", "minProperties"), count("maxLength", "maxItems", "maxProperties"))
    }
}
