import Schema
import Values

/// A map or an object: entries at hand, JSON that is looked into when asked, or members that are computed.
public struct CELMap: Sendable {
    enum Storage: Sendable {
        case entries(CELEntries)
        case json(JSONObject, SchemaNode?)
        case fields(any CELFields)
    }

    var storage: Storage

    init(_ entries: CELEntries) { storage = .entries(entries) }
    init(json members: JSONObject, schema: SchemaNode?) { storage = .json(members, schema) }
    /// Members that are computed when asked for.
    public init(_ fields: any CELFields) { storage = .fields(fields) }
    /// A map from text.
    public init(_ members: [(String, CELValue)]) {
        var entries = CELEntries()
        for (name, value) in members { entries.set(.string(name), value) }
        storage = .entries(entries)
    }

    /// The number of entries.
    public var count: Int {
        switch storage {
        case .entries(let entries): entries.keys.count
        case .json(let members, _): members.count
        case .fields(let fields): fields.names.count
        }
    }

    /// The value of `key`; nil when there is none.
    public func find(_ key: CELValue) throws(CELError) -> CELValue? {
        switch storage {
        case .entries(let entries):
            guard let key = CELMapKey(key) else { return nil }
            return entries.values[key]
        case .fields(let fields):
            guard case .string(let name) = key else { throw .noSuchOverload }
            guard let found = fields.field(name) else { return nil }
            return try found.get()
        case .json(let members, let schema):
            guard let schema else {
                guard case .string(let name) = key, let value = members[name] else { return nil }
                return CELValue.untyped(value)
            }
            guard case .string(let name) = key else { throw .noSuchOverload }
            return try Self.member(name, of: members, schema)
        }
    }

    private static func member(_ name: String, of members: JSONObject, _ schema: SchemaNode) throws(CELError) -> CELValue? {
        guard !schema.fields.isEmpty else {
            guard let element = schema.element, let value = members[name] else { return nil }
            return try CELValue(value, schema: element)
        }
        guard let field = FieldEscape.unescape(name), let value = members[field] else { return nil }
        // Null stands for an absent field, whatever the schema says.
        if case .null = value { return nil }
        guard let node = schema.field(field)?.node ?? identityNode(field) else { return nil }
        return try CELValue(value, schema: node)
    }

    /// What every object has, also where its schema does not say so.
    private static func identityNode(_ field: String) -> SchemaNode? {
        switch field {
        case "kind", "apiVersion": .scalar(.string)
        case "metadata": metadata
        default: nil
        }
    }

    private static let metadata = SchemaNode(
        shape: .object,
        body: SchemaBody(fields: [
            SchemaField(name: "generateName", node: .scalar(.string)), SchemaField(name: "name", node: .scalar(.string)),
        ])
    )

    /// The keys in a fixed order; of an object, the names that expressions use.
    public func keys() -> [CELValue] {
        switch storage {
        case .entries(let entries): return entries.keys
        case .fields(let fields): return fields.names.map { .string($0) }
        case .json(let members, let schema):
            guard let schema, !schema.fields.isEmpty else { return members.map { .string($0.key) } }
            return members.compactMap { member in
                guard schema.field(member.key) != nil || Self.identityNode(member.key) != nil else { return nil }
                return FieldEscape.escape(member.key).map { .string($0) } ?? .string(member.key)
            }
        }
    }
}

/// The entries of a map in order of insertion.
struct CELEntries: Sendable {
    private(set) var keys: [CELValue] = []
    private(set) var values: [CELMapKey: CELValue] = [:]

    /// Adds or replaces an entry; false when the key cannot be one.
    @discardableResult
    mutating func set(_ key: CELValue, _ value: CELValue) -> Bool {
        guard let id = CELMapKey(key) else { return false }
        if values.updateValue(value, forKey: id) == nil { keys.append(key) }
        return true
    }
}

/// A key as maps compare it: equal numbers are one key, whatever their type.
enum CELMapKey: Hashable, Sendable {
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case text([UInt8])

    init?(_ value: CELValue) {
        switch value {
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .uint(let value): self = Int64(exactly: value).map { .int($0) } ?? .uint(value)
        case .double(let value):
            if let whole = Int64(exactly: value) {
                self = .int(whole)
            } else if let whole = UInt64(exactly: value) {
                self = .uint(whole)
            } else {
                self = .double(value)
            }
        case .string(let value): self = .text(Array(value.utf8))
        default: return nil
        }
    }
}
