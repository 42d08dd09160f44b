/// Lists, maps and messages that expressions make.
extension Evaluation {
    func list(_ elements: [Plan], _ optionals: Set<Int>) throws(CELError) -> CELValue {
        try charge(CostRule.listBase)
        try allocate(elements.count)
        var values: [CELValue] = []
        values.reserveCapacity(elements.count)
        for (index, plan) in elements.enumerated() {
            let value = try value(of: plan)
            guard optionals.contains(index) else {
                values.append(value)
                continue
            }
            guard case .optional(let optional) = value else {
                throw CELError("cannot initialize optional list element from non-optional value \(ValueText.plain(value))")
            }
            if let held = optional.value { values.append(held) }
        }
        return .list(CELList(values))
    }

    func map(_ entries: [(key: Plan, value: Plan, isOptional: Bool)]) throws(CELError) -> CELValue {
        try charge(CostRule.mapBase)
        try allocate(entries.count)
        var made = CELEntries()
        for entry in entries {
            let key = try value(of: entry.key)
            let value = try value(of: entry.value)
            guard let held = try Self.held(value, entry.isOptional, ValueText.plain(key)) else { continue }
            guard made.set(key, held) else { throw CELError("unsupported key type: \(key.type.name)") }
        }
        return .map(CELMap(made))
    }

    func message(_ name: String, _ fields: [(name: String, value: Plan, isOptional: Bool)]) throws(CELError) -> CELValue {
        try charge(CostRule.messageBase)
        var made: [(String, CELValue)] = []
        for field in fields {
            let value = try value(of: field.value)
            guard let held = try Self.held(value, field.isOptional, field.name) else { continue }
            made.append((field.name, held))
        }
        return .object(CELMessage(name: name, fields: made))
    }

    private static func held(_ value: CELValue, _ isOptional: Bool, _ name: String) throws(CELError) -> CELValue? {
        guard isOptional else { return value }
        guard case .optional(let optional) = value else {
            throw CELError("cannot initialize optional entry '\(name)' from non-optional value \(ValueText.plain(value))")
        }
        return optional.value
    }
}

/// A message that an expression made, such as the `Object` or `JSONPatch` of a mutating admission policy.
public struct CELMessage: CELObject {
    /// The name of its kind.
    public let name: String
    /// Its fields, in the order they were written.
    public let fields: [(name: String, value: CELValue)]

    init(name: String, fields: [(String, CELValue)]) {
        self.name = name
        self.fields = fields.map { (name: $0.0, value: $0.1) }
    }

    /// Its type.
    public var type: CELType { .named(name) }

    /// Messages are equal when they are of one kind and have equal JSON.
    public func isEqual(to other: any CELObject) -> Bool {
        guard let other = other as? CELMessage, name == other.name, let a = try? CELValue.object(self).json() else { return false }
        return a == (try? CELValue.object(other).json())
    }

    /// A field, if it was given.
    public subscript(field: String) -> CELValue? { fields.last { $0.name == field }?.value }
}
