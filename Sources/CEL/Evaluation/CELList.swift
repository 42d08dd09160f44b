import Schema
import Values

/// A list: elements at hand, or JSON that is looked into when asked.
public struct CELList: Sendable {
    enum Storage: Sendable {
        case values([CELValue])
        case json([JSONValue], SchemaNode?)
    }

    var storage: Storage

    /// A list of values.
    public init(_ values: [CELValue]) { storage = .values(values) }
    init(json elements: [JSONValue], schema: SchemaNode?) { storage = .json(elements, schema) }

    /// The number of elements.
    public var count: Int {
        switch storage {
        case .values(let values): values.count
        case .json(let elements, _): elements.count
        }
    }

    /// The element at `index`, which must be in range. Data that does not fit its schema is an error.
    public func element(_ index: Int) throws(CELError) -> CELValue {
        switch storage {
        case .values(let values): return values[index]
        case .json(let elements, let schema):
            guard let schema else { return CELValue.untyped(elements[index]) }
            guard let item = schema.element else {
                throw CELError("invalid array type, expected Items with a non-empty Schema")
            }
            return try CELValue(elements[index], schema: item)
        }
    }

    /// How server-side apply sees the list; sets and maps compare without order.
    var listType: SchemaListType {
        if case .json(_, let schema?) = storage { schema.listType } else { .atomic }
    }

    /// All elements.
    public func values() throws(CELError) -> [CELValue] {
        if case .values(let values) = storage { return values }
        var all: [CELValue] = []
        all.reserveCapacity(count)
        for index in 0..<count { all.append(try element(index)) }
        return all
    }
}
