import Schema
import Values

/// The few differences between the schema of an old version and today's.
struct SchemaEdit: Sendable {
    /// Fields the old version does not have.
    var removed: Set<String> = []
    /// Fields only the old version has; given today's type.
    var added: (@Sendable (SchemaNode) -> [SchemaField])?
    /// Differences below; lists and maps are passed through to their elements.
    var below: [String: SchemaEdit] = [:]

    /// The old type of a kind.
    func kind(_ node: SchemaNode, package: String, kind: (group: String, version: String, kind: String)) -> SchemaNode {
        let edit = self
        return SchemaNode(shape: node.shape, name: package + kind.kind) {
            // What the past defaulted is done by the hooks, which end with today's rules.
            Self.body(of: node, fields: edit.fields(node, package), kinds: [kind])
        }
    }

    /// The old type of something below a kind.
    private func applied(to node: SchemaNode, _ package: String) -> SchemaNode {
        if node.shape == .list || node.shape == .map {
            guard let element = node.element else { return node }
            return SchemaNode(
                shape: node.shape,
                name: node.name,
                body: Self.body(of: node, fields: node.fields, element: applied(to: element, package))
            )
        }
        let own = node.name.split(separator: ".").last.map { package + $0 } ?? ""
        let edit = self
        return SchemaNode(shape: node.shape, name: own) { Self.body(of: node, fields: edit.fields(node, package)) }
    }

    private func fields(_ node: SchemaNode, _ package: String) -> [SchemaField] {
        var fields: [SchemaField] = []
        for field in node.fields where !removed.contains(field.name) {
            guard let edit = below[field.name] else {
                fields.append(field)
                continue
            }
            let node = edit.applied(to: field.node, package)
            fields.append(SchemaField(name: field.name, node: node, traits: field.traits, order: field.order, rare: field.rare))
        }
        for field in added?(node) ?? [] {
            fields.removeAll { $0.name == field.name }
            fields.append(field)
        }
        return fields.sorted { $0.name < $1.name }
    }

    private static func body(
        of node: SchemaNode,
        fields: [SchemaField],
        element: SchemaNode? = nil,
        kinds: [(group: String, version: String, kind: String)] = []
    ) -> SchemaBody {
        let body = node.body
        return SchemaBody(
            fields: fields,
            element: element ?? body.element,
            format: body.format,
            nullable: body.nullable,
            enumValues: body.enumValues,
            listType: body.listType,
            atomicMap: body.atomicMap,
            preservesUnknownFields: body.preservesUnknownFields,
            description: body.description,
            wire: body.wire,
            kinds: kinds,
            limits: body.limits,
            isBuiltin: body.isBuiltin,
            unions: body.unions
        )
    }
}

extension SchemaField {
    /// A field that only an old version has.
    static func old(_ name: String, _ node: SchemaNode, _ description: String, number: Int = 0, type: String = "") -> SchemaField {
        let rare = Rare(protoNumber: number, protoType: type, description: description)
        return SchemaField(name: name, node: node, traits: [.omitEmpty, .pointer], order: .max, rare: rare)
    }
}

extension JSONValue {
    /// Changes every object of the list at `path`.
    mutating func forEach(at path: [String], _ change: (inout JSONValue) -> Void) {
        guard var items = value(at: path)?.array, !items.isEmpty else { return }
        set(.null, at: path)
        for index in items.indices { change(&items[index]) }
        set(.array(items), at: path)
    }

    /// Sets `value` where there is none.
    mutating func fill(_ path: [String], _ value: JSONValue) {
        switch self.value(at: path) {
        case nil, .null?: set(value, at: path)
        default: return
        }
    }

    /// Takes a member away and returns it.
    mutating func take(_ name: String) -> JSONValue? {
        guard let value = self[name] else { return nil }
        self[name] = nil
        return value.isNull ? nil : value
    }

    /// Gives a member another name.
    mutating func rename(_ name: String, _ other: String) {
        if let value = take(name) { self[other] = value }
    }

    /// Whether there is anything in it.
    var isEmptyObject: Bool { object?.isEmpty ?? true }

    /// Takes an annotation away and returns it; the annotations go when none is left.
    mutating func takeAnnotation(_ key: String) -> String? {
        guard let text = value(at: ["metadata", "annotations", key])?.string else { return nil }
        remove(at: ["metadata", "annotations", key])
        if value(at: ["metadata", "annotations"])?.isEmptyObject == true { remove(at: ["metadata", "annotations"]) }
        return text
    }

    /// Keeps in an annotation what today's version cannot say.
    mutating func annotate(_ key: String, _ text: String) {
        set(.string(text), at: ["metadata", "annotations", key])
    }
}
