import Schema
import Synchronization

/// What a schema tells of the values in a place: their type, their fields, and how large they can be.
/// Used while compiling only; programs do not keep it. Immutable; fields are looked up when first asked for.
public final class CELDeclType: Sendable {
    /// The largest request that is accepted, in bytes; a bound of everything that has none of its own.
    public static let maxRequestBytes: Int64 = 3 * 1024 * 1024

    /// The type's name, unique by place: `self.spec.containers.@idx`.
    public let name: String
    /// Most elements, properties, or bytes of text.
    public let maxElements: UInt64
    /// Fewest bytes that a value takes in a request.
    public let minSerializedSize: Int64
    /// The elements of a list or the values of a map.
    public let element: CELDeclType?
    /// The keys of a map.
    public let key: CELDeclType?
    private let scalar: CELType?
    private let loadFields: (@Sendable () -> [String: CELDeclType])?
    private let loaded = AtomicLazyReference<Fields>()

    private final class Fields: Sendable {
        let byName: [String: CELDeclType]
        init(_ byName: [String: CELDeclType]) { self.byName = byName }
    }

    init(
        name: String,
        scalar: CELType? = nil,
        key: CELDeclType? = nil,
        element: CELDeclType? = nil,
        maxElements: UInt64 = 0,
        minSerializedSize: Int64,
        fields: (@Sendable () -> [String: CELDeclType])? = nil
    ) {
        self.name = name
        self.scalar = scalar
        self.key = key
        self.element = element
        self.maxElements = maxElements
        self.minSerializedSize = minSerializedSize
        self.loadFields = fields
    }

    /// The fields of an object, by the name expressions use.
    public var fields: [String: CELDeclType] {
        guard let loadFields else { return [:] }
        if let known = loaded.load() { return known.byName }
        return loaded.storeIfNil(Fields(loadFields())).byName
    }

    /// The field that expressions call `name`: words of the language need no escape after a dot.
    func field(calledBy name: String) -> CELDeclType? {
        fields[name] ?? (FieldEscape.reserved.contains(name) ? fields["__\(name)__"] : nil)
    }

    /// Whether the values have fields of their own.
    public var isObject: Bool { loadFields != nil }

    /// The type for the checker.
    public var celType: CELType {
        if let scalar { return scalar }
        guard let element else { return .object(self) }
        return key == nil ? .list(element.celType) : .map(.string, element.celType)
    }
}

extension CELDeclType: Hashable {
    /// Two places have two types, as upstream names types by place.
    public static func == (a: CELDeclType, b: CELDeclType) -> Bool { a === b }
    /// Hashes the identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

extension CELDeclType {
    /// A type without fields and bounds.
    public static func scalar(_ type: CELType, maxElements: UInt64 = 0, minSerializedSize: Int64 = 1) -> CELDeclType {
        CELDeclType(name: type.name, scalar: type, maxElements: maxElements, minSerializedSize: minSerializedSize)
    }

    /// Text of at most a request's size.
    public static let string = scalar(.string, maxElements: UInt64(maxRequestBytes - 2), minSerializedSize: 2)
    /// True or false.
    public static let bool = scalar(.bool, minSerializedSize: 4)
    /// An integer.
    public static let int = scalar(.int)
    /// A number.
    public static let double = scalar(.double)
    /// Any value.
    public static let dyn = scalar(.dyn)

    /// A list of `element`, of at most `maxItems` elements (as many as a request holds when nil).
    public static func list(_ element: CELDeclType, maxItems: UInt64? = nil) -> CELDeclType {
        CELDeclType(
            name: "list",
            element: element,
            maxElements: maxItems ?? UInt64((maxRequestBytes - 2) / (element.minSerializedSize + 1)),
            minSerializedSize: 2
        )
    }

    /// A map from text to `element`, of at most `maxProperties` (as many as a request holds when nil).
    public static func map(_ element: CELDeclType, maxProperties: UInt64? = nil) -> CELDeclType {
        CELDeclType(
            name: "map",
            // Keys count no size, as upstream has it.
            key: .scalar(.string, minSerializedSize: 2),
            element: element,
            maxElements: maxProperties ?? UInt64((maxRequestBytes - 2) / (element.minSerializedSize + 6)),
            minSerializedSize: 2
        )
    }

    /// An object with these fields.
    public static func object(_ name: String, _ fields: [String: CELDeclType]) -> CELDeclType {
        CELDeclType(name: name, minSerializedSize: 2, fields: { fields })
    }
}
