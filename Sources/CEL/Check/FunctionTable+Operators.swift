/// The operators: what the checker knows of them. The evaluator computes them without looking anything up.
extension FunctionTable {
    private static let a = CELType.parameter("A")
    private static let b = CELType.parameter("B")

    mutating func addOperators() {
        let (a, b) = (Self.a, Self.b)
        builtin(OperatorName.conditional, "conditional", [.bool, a, a], a)
        builtin(OperatorName.and, "logical_and", [.bool, .bool], .bool)
        builtin(OperatorName.or, "logical_or", [.bool, .bool], .bool)
        builtin(OperatorName.not, "logical_not", [.bool], .bool)
        builtin(OperatorName.notStrictlyFalse, "not_strictly_false", [.bool], .bool)
        builtin(OperatorName.equals, "equals", [a, a], .bool)
        builtin(OperatorName.notEquals, "not_equals", [a, a], .bool)
        addArithmetic()
        addComparisons()
        builtin(OperatorName.index, "index_list", [.list(a), .int], a)
        builtin(OperatorName.index, "index_map", [.map(a, b), a], b)
        builtin(OperatorName.index, "optional_list_index_int", [.optional(.list(a)), .int], .optional(a))
        builtin(OperatorName.index, "optional_map_index_value", [.optional(.map(a, b)), a], .optional(b))
        builtin(OperatorName.optionalIndex, "list_optindex_optional_int", [.list(a), .int], .optional(a))
        builtin(OperatorName.optionalIndex, "optional_list_optindex_optional_int", [.optional(.list(a)), .int], .optional(a))
        builtin(OperatorName.optionalIndex, "map_optindex_optional_value", [.map(a, b), a], .optional(b))
        builtin(OperatorName.optionalIndex, "optional_map_optindex_optional_value", [.optional(.map(a, b)), a], .optional(b))
        builtin(OperatorName.in, "in_list", [a, .list(a)], .bool)
        builtin(OperatorName.in, "in_map", [a, .map(a, b)], .bool)
        builtin("cel.@mapInsert", "@mapInsert_map_key_value", [.map(a, b), a, b], .map(a, b))
        builtin("cel.@mapInsert", "@mapInsert_map_map", [.map(a, b), .map(a, b)], .map(a, b))
    }

    private mutating func addArithmetic() {
        let list = CELType.list(Self.a)
        let sums: [(String, CELType, CELType, CELType)] = [
            ("add_bytes", .bytes, .bytes, .bytes), ("add_double", .double, .double, .double),
            ("add_duration_duration", .duration, .duration, .duration),
            ("add_duration_timestamp", .duration, .timestamp, .timestamp),
            ("add_timestamp_duration", .timestamp, .duration, .timestamp), ("add_int64", .int, .int, .int),
            ("add_list", list, list, list), ("add_string", .string, .string, .string), ("add_uint64", .uint, .uint, .uint),
        ]
        for (id, left, right, result) in sums { builtin(OperatorName.add, id, [left, right], result) }
        let differences: [(String, CELType, CELType, CELType)] = [
            ("subtract_double", .double, .double, .double), ("subtract_duration_duration", .duration, .duration, .duration),
            ("subtract_int64", .int, .int, .int), ("subtract_timestamp_duration", .timestamp, .duration, .timestamp),
            ("subtract_timestamp_timestamp", .timestamp, .timestamp, .duration), ("subtract_uint64", .uint, .uint, .uint),
        ]
        for (id, left, right, result) in differences { builtin(OperatorName.subtract, id, [left, right], result) }
        let numbers: [(String, CELType)] = [("double", .double), ("int64", .int), ("uint64", .uint)]
        for (suffix, type) in numbers {
            builtin(OperatorName.divide, "divide_\(suffix)", [type, type], type)
            builtin(OperatorName.multiply, "multiply_\(suffix)", [type, type], type)
            if type != .double { builtin(OperatorName.modulo, "modulo_\(suffix)", [type, type], type) }
            if type != .uint { builtin(OperatorName.negate, "negate_\(suffix)", [type], type) }
        }
    }

    private mutating func addComparisons() {
        let names = [
            ("less", OperatorName.less), ("less_equals", OperatorName.lessEquals), ("greater", OperatorName.greater),
            ("greater_equals", OperatorName.greaterEquals),
        ]
        let pairs: [(String, CELType, CELType)] = [
            ("bool", .bool, .bool), ("int64", .int, .int), ("int64_double", .int, .double), ("int64_uint64", .int, .uint),
            ("uint64", .uint, .uint), ("uint64_double", .uint, .double), ("uint64_int64", .uint, .int),
            ("double", .double, .double), ("double_int64", .double, .int), ("double_uint64", .double, .uint),
            ("string", .string, .string), ("bytes", .bytes, .bytes), ("timestamp", .timestamp, .timestamp),
            ("duration", .duration, .duration),
        ]
        for (prefix, name) in names {
            for (suffix, left, right) in pairs { builtin(name, "\(prefix)_\(suffix)", [left, right], .bool) }
        }
    }
}
