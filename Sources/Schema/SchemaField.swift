import Values

/// One field of a struct. A class so that looking at it costs one reference count.
public final class SchemaField: Sendable {
    /// How Go declares the field; decides what decoding and encoding keep.
    public struct Traits: OptionSet, Sendable, Hashable {
        /// The bits, as in the schema blob.
        public let rawValue: UInt8
        /// Makes traits from their bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Left out when empty.
        public static let omitEmpty = Traits(rawValue: 1)
        /// Left out when zero, even as a struct.
        public static let omitZero = Traits(rawValue: 2)
        /// A pointer: absent is different from zero.
        public static let pointer = Traits(rawValue: 4)
        /// Must be there, says OpenAPI.
        public static let required = Traits(rawValue: 8)
        /// `kind` or `apiVersion`.
        public static let typeMeta = Traits(rawValue: 16)
        /// A list of which OpenAPI says that it is atomic; that others are goes without saying.
        public static let declaredAtomic = Traits(rawValue: 32)
        /// A map of which OpenAPI says that it is granular.
        public static let declaredGranular = Traits(rawValue: 64)
    }

    /// The JSON name.
    public let name: String
    /// The field's type.
    public let node: SchemaNode
    /// How Go declares it.
    public let traits: Traits
    /// Its place among the fields, in order of declaration.
    public let order: Int
    /// What few fields have.
    public let rare: Rare?
    /// The field as a step of a path that server-side apply tracks.
    let step: String

    /// The attributes that few fields have.
    public final class Rare: Sendable {
        /// The default, as OpenAPI has it. Built-in kinds are defaulted by `DefaultRules` instead.
        public let defaultValue: JSONValue?
        /// The allowed values, as OpenAPI has them.
        public let enumValues: [String]
        /// Strategic merge: `merge`, `replace`, `retainKeys`.
        public let patchStrategies: [String]
        /// Strategic merge: the key that tells elements apart.
        public let patchMergeKey: String
        /// The number in protobuf; zero when it has none.
        public let protoNumber: Int
        /// The protobuf type, such as `repeated string`.
        public let protoType: String
        /// The protobuf name, where it differs from the JSON name.
        public let protoName: String
        /// The path of the inlined message the field belongs to in protobuf.
        public let inlineVia: String
        /// What the field is for.
        public var description: String { text.string }
        private let text: SchemaText

        /// Describes rare attributes.
        public convenience init(
            defaultValue: JSONValue? = nil,
            enumValues: [String] = [],
            patchStrategies: [String] = [],
            patchMergeKey: String = "",
            protoNumber: Int = 0,
            protoType: String = "",
            protoName: String = "",
            inlineVia: String = "",
            description: String = ""
        ) {
            self.init(
                defaultValue: defaultValue,
                enumValues: enumValues,
                patchStrategies: patchStrategies,
                patchMergeKey: patchMergeKey,
                protoNumber: protoNumber,
                protoType: protoType,
                protoName: protoName,
                inlineVia: inlineVia,
                text: .given(description)
            )
        }

        init(
            defaultValue: JSONValue?,
            enumValues: [String],
            patchStrategies: [String],
            patchMergeKey: String,
            protoNumber: Int,
            protoType: String,
            protoName: String,
            inlineVia: String,
            text: SchemaText
        ) {
            self.defaultValue = defaultValue
            self.enumValues = enumValues
            self.patchStrategies = patchStrategies
            self.patchMergeKey = patchMergeKey
            self.protoNumber = protoNumber
            self.protoType = protoType
            self.protoName = protoName
            self.inlineVia = inlineVia
            self.text = text
        }
    }

    /// Describes a field.
    public init(name: String, node: SchemaNode, traits: Traits = [.omitEmpty], order: Int = 0, rare: Rare? = nil) {
        self.name = name
        self.node = node
        self.traits = traits
        self.order = order
        self.rare = rare
        step = "f:" + name
    }

    /// Whether absent differs from zero.
    public var isPointer: Bool { traits.contains(.pointer) }
}

/// A type's place in protobuf.
public final class SchemaWire: Sendable {
    /// The message's name.
    public let message: String
    /// Messages that hold fields which JSON has inline: path, number, message.
    public let inlines: [(path: String, number: Int, message: String)]
    /// Members without a JSON field: name, number, type.
    public let wireOnly: [(name: String, number: Int, type: String)]

    /// Describes a place in protobuf.
    public init(
        message: String,
        inlines: [(path: String, number: Int, message: String)] = [],
        wireOnly: [(name: String, number: Int, type: String)] = []
    ) {
        self.message = message
        self.inlines = inlines
        self.wireOnly = wireOnly
    }
}
