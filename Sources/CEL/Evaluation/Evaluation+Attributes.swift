/// Variables with selections and indexes.
extension Evaluation {
    func value(of attribute: AttributePlan) throws(CELError) -> CELValue {
        if attribute.baseCost > 0 { try charge(attribute.baseCost) }
        let base = try base(of: attribute)
        return attribute.qualifiers.isEmpty ? base : try qualify(base, attribute.qualifiers)
    }

    private func base(of attribute: AttributePlan) throws(CELError) -> CELValue {
        switch attribute.base {
        case .variable(let name): return try variable(name)
        case .local(let slot): return try local(slot)
        case .operand(let plan): return try value(of: plan)
        case .conditional(let condition, let yes, let no):
            guard case .bool(let isTrue) = try value(of: condition) else { throw .noSuchOverload }
            return try value(of: isTrue ? yes : no)
        }
    }

    private func qualify(_ base: CELValue, _ qualifiers: [AttributePlan.Qualifier]) throws(CELError) -> CELValue {
        var value = base
        var isOptional = false
        if case .optional(let optional) = base {
            guard let held = optional.value else {
                if case .test? = qualifiers.last { return .bool(false) }
                return base
            }
            value = held
            isOptional = true
        }
        for qualifier in qualifiers {
            switch qualifier {
            case .test(let field):
                // A value of its own follows: whether the field is there.
                try charge(1)
                return .bool(try isPresent(field, in: value))
            case .constant(let key, let optional):
                isOptional = isOptional || optional
                guard let next = try member(key, of: value, isOptional: isOptional) else { return missing(qualifiers) }
                value = next
            case .computed(let plan, let optional):
                isOptional = isOptional || optional
                let key = try key(plan)
                guard let next = try member(key, of: value, isOptional: isOptional) else { return missing(qualifiers) }
                value = next
            }
        }
        return isOptional ? .optional(CELOptional(value)) : value
    }

    private func missing(_ qualifiers: [AttributePlan.Qualifier]) -> CELValue {
        if case .test? = qualifiers.last { return .bool(false) }
        return .optional(.none)
    }

    private func key(_ plan: Plan) throws(CELError) -> CELValue {
        do {
            return try value(of: plan)
        } catch {
            if !error.isFatal { try charge(1) }
            throw error
        }
    }

    /// The member `key`; nil when it is absent and may be. What is there costs one, and so does what should be.
    private func member(_ key: CELValue, of value: CELValue, isOptional: Bool) throws(CELError) -> CELValue? {
        if !isOptional { try charge(1) }
        guard let found = try find(key, in: value) else {
            if isOptional { return nil }
            // An object that an expression made has every field; what was not given is null.
            if case .object(let object) = value, object is CELMessage { return .null }
            throw absent(key, in: value)
        }
        if isOptional { try charge(1) }
        return found
    }

    private func absent(_ key: CELValue, in value: CELValue) -> CELError {
        let text = ValueText.plain(key)
        if case .list = value { return CELError("index out of bounds: \(text)") }
        return CELError("no such key: \(text)")
    }

    private func find(_ key: CELValue, in value: CELValue) throws(CELError) -> CELValue? {
        switch value {
        case .map(let map): return try map.find(key)
        case .list(let list):
            let index = try Self.index(key)
            guard index >= 0, index < Int64(list.count) else { return nil }
            return try list.element(Int(index))
        case .object(let object):
            guard let message = object as? CELMessage, case .string(let field) = key else { return nil }
            return message[field]
        default: return nil
        }
    }

    /// The position that a value stands for.
    static func index(_ key: CELValue) throws(CELError) -> Int64 {
        switch key {
        case .int(let index): return index
        case .uint(let index):
            if let whole = Int64(exactly: index) { return whole }
        case .double(let index):
            if let whole = Int64(exactly: index) { return whole }
        default: throw CELError("unsupported index type '\(key.type.name)' in list")
        }
        throw CELError("unsupported index value \(ValueText.plain(key)) in list")
    }

    private func isPresent(_ field: String, in value: CELValue) throws(CELError) -> Bool {
        if case .object(let object) = value, let message = object as? CELMessage { return message[field] != nil }
        if case .list = value { _ = try Self.index(.string(field)) }
        guard case .map(let map) = value else { return false }
        return try map.find(.string(field)) != nil
    }
}
