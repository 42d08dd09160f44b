/// `matches`, `find` and `findAll`. Source: apiserver/pkg/cel/library/regex.go.
enum RegexFunctions {
    /// Most matches that are kept.
    private static let mostMatches = 1_000_000

    static func apply(
        _ function: String,
        _ expression: RegularExpression,
        _ text: String,
        _ arguments: [CELValue],
        _ evaluation: Evaluation
    ) throws(CELError) -> CELValue {
        var matcher = RegexMatcher(expression, text, evaluation)
        switch function {
        case "matches": return .bool(try matcher.matches())
        case "find": return .string(try matcher.first(from: 0).map { matcher.string($0) } ?? "")
        default:
            let asked = arguments.count > 2 ? arguments[2].int ?? -1 : -1
            let limit = asked < 0 ? mostMatches : Int(min(asked, Int64(mostMatches)))
            let found = try matcher.all(limit: limit)
            try evaluation.allocate(found.count)
            return .list(CELList(found.map { .string($0) }))
        }
    }

    static func body(_ function: String) -> FunctionBody {
        { arguments, evaluation throws(CELError) in
            guard case .string(let text) = arguments[0], case .string(let pattern) = arguments[1] else { throw .noSuchOverload }
            return try apply(function, evaluation.pattern(pattern), text, arguments, evaluation)
        }
    }
}

extension FunctionTable {
    mutating func addRegex() {
        global("matches", "matches", [.string, .string], .bool, RegexFunctions.body("matches"))
        member("matches", "matches_string", [.string, .string], .bool, RegexFunctions.body("matches"))
        member("find", "string_find_string", [.string, .string], .string, RegexFunctions.body("find"))
        member("findAll", "string_find_all_string", [.string, .string], .list(.string), RegexFunctions.body("findAll"))
        member("findAll", "string_find_all_string_int", [.string, .string, .int], .list(.string), RegexFunctions.body("findAll"))
    }
}
