/// Optional values, and what goes with them. Source: cel-go cel/library.go, version 2.
extension FunctionTable {
    mutating func addOptionals() {
        let v = CELType.parameter("V")
        let optional = CELType.optional(v)
        global("optional.of", "optional_of", [v], optional) { arguments, _ throws(CELError) in
            .optional(CELOptional(arguments[0]))
        }
        global("optional.ofNonZeroValue", "optional_ofNonZeroValue", [v], optional) { arguments, _ throws(CELError) in
            .optional(arguments[0].isZero ? .none : CELOptional(arguments[0]))
        }
        global("optional.none", "optional_none", [], optional) { _, _ throws(CELError) in .optional(.none) }
        member("value", "optional_value", [optional], v) { arguments, _ throws(CELError) in
            guard case .optional(let held) = arguments[0] else { throw .noSuchOverload }
            guard let value = held.value else { throw CELError("optional.none() dereference") }
            return value
        }
        member("hasValue", "optional_hasValue", [optional], .bool) { arguments, _ throws(CELError) in
            guard case .optional(let held) = arguments[0] else { throw .noSuchOverload }
            return .bool(held.value != nil)
        }
        builtin("or", "optional_or_optional", [optional, optional], optional, isMember: true)
        builtin("orValue", "optional_orValue_value", [optional, v], v, isMember: true)
        builtin(OperatorName.optionalSelect, "select_optional_field", [.dyn, .string], optional)
        addOptionalLists(v, optional)
    }

    private mutating func addOptionalLists(_ v: CELType, _ optional: CELType) {
        member("first", "list_first", [.list(v)], optional) { arguments, _ throws(CELError) in
            guard case .list(let list) = arguments[0] else { throw .noSuchOverload }
            return .optional(list.count == 0 ? .none : CELOptional(try list.element(0)))
        }
        member("last", "list_last", [.list(v)], optional) { arguments, _ throws(CELError) in
            guard case .list(let list) = arguments[0] else { throw .noSuchOverload }
            return .optional(list.count == 0 ? .none : CELOptional(try list.element(list.count - 1)))
        }
        let unwrap: FunctionBody = { arguments, evaluation throws(CELError) in
            guard case .list(let list) = arguments[0] else { throw .noSuchOverload }
            try evaluation.allocate(list.count)
            var values: [CELValue] = []
            for value in try list.values() {
                guard case .optional(let held) = value else { throw CELError("value \(ValueText.plain(value)) is not optional") }
                if let value = held.value { values.append(value) }
            }
            return .list(CELList(values))
        }
        global("optional.unwrap", "optional_unwrap", [.list(optional)], .list(v), unwrap)
        member("unwrapOpt", "optional_unwrapOpt", [.list(optional)], .list(v), unwrap)
        addMapInsertion()
    }

    private mutating func addMapInsertion() {
        let map = CELType.map(.parameter("K"), .parameter("V"))
        global("cel.@mapInsert", "@mapInsert_map_key_value", [map, .parameter("K"), .parameter("V")], map) {
            arguments,
            evaluation throws(CELError) in
            guard case .map(let target) = arguments[0] else { throw .noSuchOverload }
            return .map(try MapInsertion.insert(target, [(arguments[1], arguments[2])], evaluation))
        }
        global("cel.@mapInsert", "@mapInsert_map_map", [map, map], map) { arguments, evaluation throws(CELError) in
            guard case .map(let target) = arguments[0], case .map(let update) = arguments[1] else { throw .noSuchOverload }
            var pairs: [(CELValue, CELValue)] = []
            for key in update.keys() {
                if let value = try update.find(key) { pairs.append((key, value)) }
            }
            return .map(try MapInsertion.insert(target, pairs, evaluation))
        }
    }
}

/// What `transformMap` and `transformMapEntry` build their maps with.
enum MapInsertion {
    static func insert(_ map: CELMap, _ pairs: [(CELValue, CELValue)], _ evaluation: Evaluation) throws(CELError) -> CELMap {
        var entries: CELEntries
        if case .entries(let known) = map.storage {
            entries = known
        } else {
            entries = CELEntries()
            for key in map.keys() {
                if let value = try map.find(key) { entries.set(key, value) }
            }
        }
        // The map is copied: a long one pays for all its entries.
        try evaluation.allocate(entries.keys.count)
        for (key, value) in pairs { try add(&entries, key, value, evaluation) }
        return CELMap(entries)
    }

    /// Inserts a key and a value, or all entries of a map.
    static func insert(_ entries: inout CELEntries, _ parts: [CELValue], _ evaluation: Evaluation) throws(CELError) {
        if parts.count == 2 {
            try add(&entries, parts[0], parts[1], evaluation)
            return
        }
        guard case .map(let update)? = parts.first else { throw .noSuchOverload }
        for key in update.keys() {
            if let value = try update.find(key) { try add(&entries, key, value, evaluation) }
        }
    }

    private static func add(_ entries: inout CELEntries, _ key: CELValue, _ value: CELValue, _ evaluation: Evaluation) throws(CELError) {
        try evaluation.allocate(1)
        guard let id = CELMapKey(key) else { throw CELError("unsupported key type: \(key.type.name)") }
        if entries.values[id] != nil { throw CELError("insert failed: key \(ValueText.plain(key)) already exists") }
        entries.set(key, value)
    }
}

extension CELValue {
    /// Whether the value is its type's zero or empty.
    var isZero: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .uint(let value): value == 0
        case .double(let value): value == 0
        case .string(let value): value.isEmpty
        case .bytes(let value): value.isEmpty
        case .duration(let value): value == 0
        case .timestamp(let value): value.unixSeconds == -62_135_596_800 && value.nanoseconds == 0
        case .list(let list): list.count == 0
        case .map(let map): map.count == 0
        case .optional(let optional): optional.value?.isZero ?? true
        case .type, .object: false
        }
    }
}
