import Values

/// What the schema of a custom resource says about a value, besides what every type has: the keywords of OpenAPI v3 and
/// the extensions of Kubernetes.
///
/// Source: apiextensions `JSONSchemaProps`.
public final class StructuralFacts: Sendable {
    /// `type`; empty when none is given.
    public let type: String
    /// The value is a whole object with `apiVersion`, `kind` and `metadata`.
    public let isEmbeddedResource: Bool
    /// What the author says about `metadata`, whose own type is that of every kind.
    public let metadata: SchemaNode?
    /// Names of members that must be there.
    public let required: [String]
    /// A regular expression (RE2) a string must match; empty for none.
    public let pattern: String
    /// The numbers that bound the value.
    public let bounds: StructuralBounds?
    /// Schemas that all must hold.
    public let allOf: [SchemaNode]
    /// Schemas of which one must hold.
    public let anyOf: [SchemaNode]
    /// Schemas of which exactly one must hold.
    public let oneOf: [SchemaNode]
    /// A schema that must not hold.
    public let not: SchemaNode?
    /// Rules in the Common Expression Language.
    public let rules: [StructuralRule]
    /// Whether the value or one below it has rules.
    public let hasRules: Bool

    /// Collects what a schema says.
    public init(
        type: String = "",
        isEmbeddedResource: Bool = false,
        metadata: SchemaNode? = nil,
        required: [String] = [],
        pattern: String = "",
        bounds: StructuralBounds? = nil,
        allOf: [SchemaNode] = [],
        anyOf: [SchemaNode] = [],
        oneOf: [SchemaNode] = [],
        not: SchemaNode? = nil,
        rules: [StructuralRule] = [],
        hasRules: Bool = false
    ) {
        self.type = type
        self.isEmbeddedResource = isEmbeddedResource
        self.metadata = metadata
        self.required = required
        self.pattern = pattern
        self.bounds = bounds
        self.allOf = allOf
        self.anyOf = anyOf
        self.oneOf = oneOf
        self.not = not
        self.rules = rules
        self.hasRules = hasRules
    }
}

/// The numbers that bound a value.
public final class StructuralBounds: Sendable {
    /// The least number.
    public let minimum: Double?
    /// The greatest number.
    public let maximum: Double?
    /// Whether the least number itself is refused.
    public let excludesMinimum: Bool
    /// Whether the greatest number itself is refused.
    public let excludesMaximum: Bool
    /// The number must be a multiple of this.
    public let multipleOf: Double?
    /// The least number of characters.
    public let minLength: Int?
    /// The greatest number of characters.
    public let maxLength: Int?
    /// The least number of elements.
    public let minItems: Int?
    /// The greatest number of elements.
    public let maxItems: Int?
    /// The least number of members.
    public let minProperties: Int?
    /// The greatest number of members.
    public let maxProperties: Int?
    /// Whether elements must differ.
    public let uniqueItems: Bool

    /// Reads the keywords of a schema; nil when it has none of them.
    public init?(_ schema: JSONObject) {
        minimum = schema["minimum"]?.double
        maximum = schema["maximum"]?.double
        excludesMinimum = schema["exclusiveMinimum"]?.bool ?? false
        excludesMaximum = schema["exclusiveMaximum"]?.bool ?? false
        multipleOf = schema["multipleOf"]?.double
        minLength = schema["minLength"]?.int.map { Int($0) }
        maxLength = schema["maxLength"]?.int.map { Int($0) }
        minItems = schema["minItems"]?.int.map { Int($0) }
        maxItems = schema["maxItems"]?.int.map { Int($0) }
        minProperties = schema["minProperties"]?.int.map { Int($0) }
        maxProperties = schema["maxProperties"]?.int.map { Int($0) }
        uniqueItems = schema["uniqueItems"]?.bool ?? false
        let numbers: [Any?] = [minimum, maximum, multipleOf]
        let counts: [Int?] = [minLength, maxLength, minItems, maxItems, minProperties, maxProperties]
        guard numbers.contains(where: { $0 != nil }) || counts.contains(where: { $0 != nil }) || uniqueItems else { return nil }
    }
}

/// One rule of `x-kubernetes-validations`.
public struct StructuralRule: Sendable, Hashable {
    /// The expression that must be true.
    public var rule: String
    /// What to say when it is not.
    public var message: String
    /// An expression that yields what to say.
    public var messageExpression: String
    /// Which kind of issue it is, such as `FieldValueForbidden`; empty means invalid.
    public var reason: String
    /// The field the issue is about, relative to the value.
    public var fieldPath: String
    /// Whether a rule about changes also holds for values that are new.
    public var optionalOldSelf: Bool?

    /// Reads a rule.
    public init(_ json: JSONValue) {
        rule = json["rule"]?.string ?? ""
        message = json["message"]?.string ?? ""
        messageExpression = json["messageExpression"]?.string ?? ""
        reason = json["reason"]?.string ?? ""
        fieldPath = json["fieldPath"]?.string ?? ""
        optionalOldSelf = json["optionalOldSelf"]?.bool
    }
}
