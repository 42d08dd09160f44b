import Values

/// The type of a JSON value: what it holds, how it is defaulted, pruned, merged and encoded. Immutable and shared;
/// a named type is read from its table the first time someone looks inside.
public final class SchemaNode: Sendable {
    /// The forms a value can take.
    public enum Shape: UInt8, Sendable {
        /// A struct with known fields.
        case object
        /// A map from strings to `element`.
        case map
        /// A list of `element`.
        case list
        /// A string.
        case string
        /// A Boolean.
        case boolean
        /// An integer; `format` tells its width.
        case integer
        /// A number.
        case number
        /// Bytes, in base64.
        case bytes
        /// A quantity such as `500m`.
        case quantity
        /// An integer or a string.
        case intOrString
        /// A time in whole seconds.
        case time
        /// A time in microseconds.
        case microTime
        /// A Go duration such as `1h2m`.
        case duration
        /// Any JSON value, kept as it is.
        case any
        /// Any JSON object, kept as it is.
        case anyObject
        /// A schema or a Boolean (`JSONSchemaPropsOrBool`).
        case schemaOrBool
        /// A schema or a list of schemas.
        case schemaOrList
        /// A schema or a list of strings.
        case schemaOrStrings
    }

    /// The form of the value.
    public let shape: Shape
    /// The OpenAPI name of a named type; empty for anonymous ones.
    public let name: String
    private let loaded = OnceReference<SchemaBody>()
    private let loadedShape = OnceReference<ProtobufShape>()
    private let load: (@Sendable () -> SchemaBody)?

    /// An anonymous type, or one whose contents are at hand.
    public init(shape: Shape, name: String = "", body: SchemaBody = SchemaBody()) {
        self.shape = shape
        self.name = name
        self.load = nil
        _ = loaded.storeIfNil(body)
    }

    /// A named type whose contents are read on first use. `load` may run more than once, when threads race; one
    /// result wins.
    public init(shape: Shape, name: String, load: @escaping @Sendable () -> SchemaBody) {
        self.shape = shape
        self.name = name
        self.load = load
    }

    /// What the type holds.
    public var body: SchemaBody {
        if let body = loaded.load() { return body }
        return loaded.storeIfNil(load?() ?? SchemaBody())
    }

    /// The members of the type's protobuf message, worked out on first use.
    var protobufShape: ProtobufShape {
        if let shape = loadedShape.load() { return shape }
        return loadedShape.storeIfNil(ProtobufShape(self))
    }

    /// The fields of a struct, sorted by name.
    public var fields: [SchemaField] { body.fields }
    /// The type of a list's or map's elements.
    public var element: SchemaNode? { body.element }
    /// Whether null is a value of its own.
    public var nullable: Bool { body.nullable }
    /// The default, as OpenAPI has it.
    public var defaultValue: JSONValue? { body.defaultValue }
    /// How server-side apply sees a list.
    public var listType: SchemaListType { body.listType }

    /// One of the fields.
    public func field(_ name: String) -> SchemaField? { body.field(name) }

    /// A type without contents of its own, shared by all its users.
    public static func scalar(_ shape: Shape, format: String = "") -> SchemaNode {
        switch (shape, format) {
        case (.string, ""): plainString
        case (.boolean, _): plainBoolean
        case (.integer, "int32"): int32
        case (.integer, "int64"): int64
        case (.bytes, _): plainBytes
        default: SchemaNode(shape: shape, body: SchemaBody(format: format))
        }
    }

    private static let plainString = SchemaNode(shape: .string)
    private static let plainBoolean = SchemaNode(shape: .boolean)
    private static let plainBytes = SchemaNode(shape: .bytes, body: SchemaBody(format: "byte"))
    private static let int32 = SchemaNode(shape: .integer, body: SchemaBody(format: "int32"))
    private static let int64 = SchemaNode(shape: .integer, body: SchemaBody(format: "int64"))
    /// Any value at all.
    public static let anything = SchemaNode(shape: .any)
}

/// How server-side apply and validation see a list.
public enum SchemaListType: Sendable, Hashable {
    /// Replaced as a whole.
    case atomic
    /// Distinct scalars.
    case set
    /// Distinct objects, told apart by these keys.
    case map([String])
}

/// What a type holds. Built once, never changed.
public final class SchemaBody: Sendable {
    /// The fields of a struct, sorted by name.
    public let fields: [SchemaField]
    /// The names of the fields, in the same order.
    private let names: [String]
    /// The fields that Go's encoder prints even when nothing was given.
    let alwaysEncoded: [SchemaField]
    /// The type of a list's or map's elements; for the schema-or-… forms, of the schema.
    public let element: SchemaNode?
    /// The OpenAPI format, such as `int32`.
    public let format: String
    /// Whether null is a value of its own.
    public let nullable: Bool
    /// The allowed values; empty when all are.
    public let enumValues: [JSONValue]
    /// The default.
    public let defaultValue: JSONValue?
    /// How server-side apply sees a list.
    public let listType: SchemaListType
    /// Whether server-side apply replaces a map or struct as a whole.
    public let atomicMap: Bool
    /// Whether fields that are not in the schema stay.
    public let preservesUnknownFields: Bool
    /// What it is for.
    public let description: String
    /// The type's place in protobuf.
    public let wire: SchemaWire?
    /// The kinds that have this type, as (group, version, kind).
    public let kinds: [(group: String, version: String, kind: String)]
    /// Whether the type serves as its kind in every group and version (`DeleteOptions`).
    public let isKindOfEveryVersion: Bool
    /// Defaults by path, for the types of kinds.
    public let defaultRules: DefaultRules?
    /// Whether the type is upstream's own: Go's rules hold for it rather than OpenAPI's.
    public let isBuiltin: Bool
    /// Whether `defaultValue` counts, here or below: true for custom resources only.
    public let hasSchemaDefaults: Bool
    /// Limits on the value.
    public let limits: SchemaLimits?
    /// What a custom resource's schema says besides; nil for built-in types.
    public let structural: StructuralFacts?
    /// Unions, as the OpenAPI extension has them.
    public let unions: JSONValue?

    /// Describes what a type holds.
    public init(
        fields: [SchemaField] = [],
        element: SchemaNode? = nil,
        format: String = "",
        nullable: Bool = false,
        enumValues: [JSONValue] = [],
        defaultValue: JSONValue? = nil,
        listType: SchemaListType = .atomic,
        atomicMap: Bool = false,
        preservesUnknownFields: Bool = false,
        description: String = "",
        wire: SchemaWire? = nil,
        kinds: [(group: String, version: String, kind: String)] = [],
        isKindOfEveryVersion: Bool = false,
        defaultRules: DefaultRules? = nil,
        limits: SchemaLimits? = nil,
        isBuiltin: Bool = false,
        hasSchemaDefaults: Bool = false,
        structural: StructuralFacts? = nil,
        unions: JSONValue? = nil
    ) {
        self.fields = fields
        self.names = fields.map(\.name)
        self.alwaysEncoded = fields.filter(\.isAlwaysEncoded)
        self.element = element
        self.isBuiltin = isBuiltin
        self.hasSchemaDefaults = hasSchemaDefaults
        self.structural = structural
        self.format = format
        self.nullable = nullable
        self.enumValues = enumValues
        self.defaultValue = defaultValue
        self.listType = listType
        self.atomicMap = atomicMap
        self.preservesUnknownFields = preservesUnknownFields
        self.description = description
        self.wire = wire
        self.kinds = kinds
        self.isKindOfEveryVersion = isKindOfEveryVersion
        self.defaultRules = defaultRules
        self.limits = limits
        self.unions = unions
    }

    /// One of the fields, by binary search.
    func field(_ name: String) -> SchemaField? {
        names.position(ofSorted: name).map { fields[$0] }
    }
}

/// Limits on a value, as OpenAPI has them. Custom resources use these.
public final class SchemaLimits: Sendable {
    /// Names of fields that must be there.
    public let required: [String]
    /// A regular expression a string must match.
    public let pattern: String?
    /// The least length of a string, number of elements or of properties.
    public let minimumCount: Int?
    /// The greatest length of a string, number of elements or of properties.
    public let maximumCount: Int?
    /// The least number.
    public let minimum: Double?
    /// The greatest number.
    public let maximum: Double?
    /// Whether the least number itself is refused.
    public let exclusiveMinimum: Bool
    /// Whether the greatest number itself is refused.
    public let exclusiveMaximum: Bool

    /// Describes limits.
    public init(
        required: [String] = [],
        pattern: String? = nil,
        minimumCount: Int? = nil,
        maximumCount: Int? = nil,
        minimum: Double? = nil,
        maximum: Double? = nil,
        exclusiveMinimum: Bool = false,
        exclusiveMaximum: Bool = false
    ) {
        self.required = required
        self.pattern = pattern
        self.minimumCount = minimumCount
        self.maximumCount = maximumCount
        self.minimum = minimum
        self.maximum = maximum
        self.exclusiveMinimum = exclusiveMinimum
        self.exclusiveMaximum = exclusiveMaximum
    }
}
