/// The types that expressions can name.
enum TypeNames {
    static let url = CELType.named("kubernetes.URL")
    static let ip = CELType.opaque("net.IP", [])
    static let cidr = CELType.opaque("net.CIDR", [])
    static let quantity = CELType.named("kubernetes.Quantity")
    static let semver = CELType.named("kubernetes.Semver")
    static let format = CELType.named("kubernetes.NamedFormat")
    static let authorizer = CELType.named("kubernetes.authorization.Authorizer")
    static let pathCheck = CELType.named("kubernetes.authorization.PathCheck")
    static let groupCheck = CELType.named("kubernetes.authorization.GroupCheck")
    static let resourceCheck = CELType.named("kubernetes.authorization.ResourceCheck")
    static let decision = CELType.named("kubernetes.authorization.Decision")

    static let byName: [String: CELType] = {
        var types: [String: CELType] = [
            "bool": .bool, "bytes": .bytes, "double": .double, "int": .int, "uint": .uint, "string": .string,
            "null_type": .null, "list": .list(.dyn), "map": .map(.dyn, .dyn), "type": .type(nil), "dyn": .dyn,
            "google.protobuf.Timestamp": .timestamp, "google.protobuf.Duration": .duration,
            "optional_type": .optional(.dyn),
        ]
        for type in [ip, cidr] { types[type.name] = type }
        types["dyn"] = nil
        return types
    }()
}

/// Kinds of messages that expressions can make, such as the `Object` of a mutating admission policy.
public protocol CELStructures: Sendable {
    /// The message called `name`; nil when there is none.
    func structure(named name: String) -> CELStructure?
}

/// A kind of message that expressions can make.
public struct CELStructure: Sendable {
    /// Its name.
    public let name: String
    /// The type of a field; nil when there is no such field.
    public let fieldType: @Sendable (String) -> CELType?

    /// Describes a message.
    public init(name: String, fieldType: @escaping @Sendable (String) -> CELType?) {
        self.name = name
        self.fieldType = fieldType
    }
}

extension CELStructures {
    func type(named name: String) -> CELType? { structure(named: name).map { .named($0.name) } }
}
