/// Functions of lists. Source: cel-go ext/lists.go, version 3, and apiserver/pkg/cel/library/lists.go.
enum ListFunctions {
    /// The types whose values have an order.
    static let comparableTypes: [CELType] = [.int, .uint, .double, .bool, .duration, .timestamp, .string, .bytes]

    static func list(_ value: CELValue) throws(CELError) -> CELList {
        guard case .list(let list) = value else { throw .noSuchOverload }
        return list
    }

    static func slice(_ arguments: [CELValue], _ evaluation: Evaluation) throws(CELError) -> CELValue {
        let list = try list(arguments[0])
        guard case .int(let start) = arguments[1], case .int(let end) = arguments[2] else { throw .noSuchOverload }
        let call = "cannot slice(\(start), \(end))"
        guard start >= 0, end >= 0 else { throw CELError("\(call), negative indexes not supported") }
        guard start <= end else { throw CELError("\(call), start index must be less than or equal to end index") }
        guard end <= Int64(list.count) else { throw CELError("\(call), list is length \(list.count)") }
        try evaluation.allocate(Int(end - start))
        if case .json(let elements, let schema) = list.storage {
            return .list(CELList(json: Array(elements[Int(start)..<Int(end)]), schema: schema))
        }
        return .list(CELList(Array(try list.values()[Int(start)..<Int(end)])))
    }

    static func flatten(
        _ list: CELList,
        _ depth: Int64,
        _ evaluation: Evaluation,
        _ out: inout [CELValue],
        _ level: Int = 0
    ) throws(CELError) {
        guard depth >= 0 else { throw CELError("level must be non-negative") }
        try evaluation.compareStep(level)
        try evaluation.allocate(list.count)
        for value in try list.values() {
            guard depth > 0, case .list(let inner) = value else {
                out.append(value)
                continue
            }
            try flatten(inner, depth - 1, evaluation, &out, level + 1)
        }
    }

    static func sort(_ list: CELList, by keys: CELList, _ evaluation: Evaluation) throws(CELError) -> CELValue {
        guard list.count == keys.count else {
            throw CELError(
                "@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got "
                    + "\(list.count) and \(keys.count) elements respectively"
            )
        }
        try evaluation.allocate(list.count)
        let values = try list.values()
        let sortKeys = try keys.values()
        if let first = sortKeys.first {
            guard comparableTypes.contains(first.type) else { throw CELError("list elements must be comparable") }
            guard sortKeys.allSatisfy({ $0.type == first.type }) else { throw CELError("list elements must have the same type") }
        }
        let order = values.indices.sorted { a, b in
            let comparison = try? Arithmetic.compare(sortKeys[a], sortKeys[b])
            guard let comparison, comparison != 0 else { return a < b }
            return comparison < 0
        }
        return .list(CELList(order.map { values[$0] }))
    }

    static func distinct(_ list: CELList, _ evaluation: Evaluation) throws(CELError) -> CELValue {
        var seen: Set<CELMapKey> = []
        var unique: [CELValue] = []
        var others: [CELValue] = []
        for value in try list.values() {
            if let key = CELMapKey(value) {
                if seen.insert(key).inserted { unique.append(value) }
                continue
            }
            if try evaluation.contains(CELList(others), value) { continue }
            others.append(value)
            unique.append(value)
        }
        try evaluation.allocate(unique.count)
        return .list(CELList(unique))
    }

    static func extreme(_ name: String, _ list: CELList) throws(CELError) -> CELValue {
        guard list.count > 0 else { throw CELError("\(name) called on empty list") }
        var best = try list.element(0)
        for index in 1..<max(1, list.count) {
            let value = try list.element(index)
            let comparison = try Arithmetic.compare(best, value) ?? 0
            if name == "min" ? comparison > 0 : comparison < 0 { best = value }
        }
        return best
    }

    static func isSorted(_ list: CELList) throws(CELError) -> Bool {
        var previous: CELValue?
        for index in 0..<list.count {
            let value = try list.element(index)
            if let previous, try Arithmetic.compare(previous, value) ?? 0 > 0 { return false }
            previous = value
        }
        return true
    }
}

extension FunctionTable {
    mutating func addLists() {
        let t = CELType.list(.parameter("T"))
        member("slice", "list_slice", [t, .int, .int], t) { arguments, evaluation throws(CELError) in
            try ListFunctions.slice(arguments, evaluation)
        }
        let flatten: FunctionBody = { arguments, evaluation throws(CELError) in
            var out: [CELValue] = []
            let depth = arguments.count > 1 ? arguments[1].int ?? 1 : 1
            try ListFunctions.flatten(ListFunctions.list(arguments[0]), depth, evaluation, &out)
            return .list(CELList(out))
        }
        member("flatten", "list_flatten", [.list(t)], t, flatten)
        member("flatten", "list_flatten_int", [.list(.dyn), .int], .list(.dyn), flatten)
        for type in ListFunctions.comparableTypes {
            member("sort", "list_\(type.name)_sort", [.list(type)], .list(type)) { arguments, evaluation throws(CELError) in
                let list = try ListFunctions.list(arguments[0])
                return try ListFunctions.sort(list, by: list, evaluation)
            }
            member("@sortByAssociatedKeys", "list_\(type.name)_sortByAssociatedKeys", [t, .list(type)], t) {
                arguments,
                evaluation throws(CELError) in
                try ListFunctions.sort(ListFunctions.list(arguments[0]), by: ListFunctions.list(arguments[1]), evaluation)
            }
        }
        global("lists.range", "lists_range", [.int], .list(.int)) { arguments, evaluation throws(CELError) in
            let count = arguments[0].int ?? 0
            guard count <= Int64(ValueLimits.mostElements) else { throw .costLimit }
            try evaluation.allocate(Int(max(0, count)))
            return .list(CELList((0..<max(0, count)).map { .int($0) }))
        }
        member("reverse", "list_reverse", [t], t) { arguments, evaluation throws(CELError) in
            let list = try ListFunctions.list(arguments[0])
            try evaluation.allocate(list.count)
            return .list(CELList(try list.values().reversed()))
        }
        member("distinct", "list_distinct", [t], t) { arguments, evaluation throws(CELError) in
            try ListFunctions.distinct(ListFunctions.list(arguments[0]), evaluation)
        }
    }

    mutating func addKubernetesLists() {
        let a = CELType.parameter("A")
        for type in ListFunctions.comparableTypes {
            member("isSorted", "list_\(type.name)_is_sorted_bool", [.list(type)], .bool) { arguments, _ throws(CELError) in
                .bool(try ListFunctions.isSorted(ListFunctions.list(arguments[0])))
            }
            for name in ["min", "max"] {
                member(name, "list_\(type.name)_\(name)_self", [.list(type)], type) { arguments, _ throws(CELError) in
                    try ListFunctions.extreme(name, ListFunctions.list(arguments[0]))
                }
            }
        }
        let zeros: [(CELType, CELValue)] = [(.int, .int(0)), (.uint, .uint(0)), (.double, .double(0)), (.duration, .duration(0))]
        for (type, zero) in zeros {
            member("sum", "list_\(type.name)_sum_self", [.list(type)], type) { arguments, evaluation throws(CELError) in
                let list = try ListFunctions.list(arguments[0])
                var sum = zero
                for index in 0..<list.count { sum = try evaluation.apply(.add, sum, try list.element(index)) }
                return sum
            }
        }
        member("indexOf", "list_a_index_of_int", [.list(a), a], .int) { arguments, evaluation throws(CELError) in
            let list = try ListFunctions.list(arguments[0])
            for index in 0..<list.count where try evaluation.areEqual(try list.element(index), arguments[1]) { return .int(Int64(index)) }
            return .int(-1)
        }
        member("lastIndexOf", "list_a_last_index_of_int", [.list(a), a], .int) { arguments, evaluation throws(CELError) in
            let list = try ListFunctions.list(arguments[0])
            for index in (0..<list.count).reversed() where try evaluation.areEqual(try list.element(index), arguments[1]) {
                return .int(Int64(index))
            }
            return .int(-1)
        }
    }

    mutating func addSets() {
        let t = CELType.list(.parameter("T"))
        @Sendable func contains(_ list: CELList, _ part: CELList, _ evaluation: Evaluation) throws(CELError) -> Bool {
            for index in 0..<part.count where try !evaluation.contains(list, try part.element(index)) { return false }
            return true
        }
        global("sets.contains", "list_sets_contains_list", [t, t], .bool) { arguments, evaluation throws(CELError) in
            .bool(try contains(ListFunctions.list(arguments[0]), ListFunctions.list(arguments[1]), evaluation))
        }
        global("sets.equivalent", "list_sets_equivalent_list", [t, t], .bool) { arguments, evaluation throws(CELError) in
            let a = try ListFunctions.list(arguments[0])
            let b = try ListFunctions.list(arguments[1])
            guard try contains(a, b, evaluation) else { return .bool(false) }
            return .bool(try contains(b, a, evaluation))
        }
        global("sets.intersects", "list_sets_intersects_list", [t, t], .bool) { arguments, evaluation throws(CELError) in
            let a = try ListFunctions.list(arguments[0])
            let b = try ListFunctions.list(arguments[1])
            for index in 0..<a.count where try evaluation.contains(b, try a.element(index)) { return .bool(true) }
            return .bool(false)
        }
    }
}
