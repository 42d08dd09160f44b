/// Macros: calls that become other expressions before they are checked.
extension Parser {
    /// The name of the accumulator that macros use.
    static let accumulator = "__result__"
    /// The variable that no expression can use.
    static let unused = "#unused"

    /// What the macro called `function` makes of a call; nil when there is no such macro.
    mutating func expandMacro(
        _ function: String,
        _ target: Expression?,
        _ arguments: [Expression],
        _ place: Int
    ) throws(Stop) -> Expression? {
        let saved = macroPlace
        macroPlace = place
        defer { macroPlace = saved }
        guard let target else {
            return function == "has" && arguments.count == 1 ? try presence(arguments[0]) : nil
        }
        switch (function, arguments.count) {
        case ("all", 2), ("exists", 2), ("exists_one", 2):
            guard let name = try simpleName(arguments[0], "argument must be a simple name") else { return try nothing() }
            return try quantifier(function, target, [name], arguments[1])
        case ("all", 3), ("exists", 3), ("exists_one", 3), ("existsOne", 3):
            guard let names = try twoNames(arguments) else { return try nothing() }
            return try quantifier(function, target, names, arguments[2])
        case ("map", 2), ("map", 3), ("filter", 2):
            guard let name = try simpleName(arguments[0], "argument is not an identifier") else { return try nothing() }
            return try listMacro(function, target, name, arguments)
        case ("transformList", 3), ("transformList", 4), ("transformMap", 3), ("transformMap", 4), ("transformMapEntry", 3),
            ("transformMapEntry", 4):
            guard let names = try twoNames(arguments) else { return try nothing() }
            return try transform(function, target, names, arguments)
        case ("optMap", 2), ("optFlatMap", 2): return try optionalMap(function, target, arguments)
        case ("bind", 3) where allowsBinding: return try binding(target, arguments)
        case ("sortBy", 2): return try sortBy(target, arguments)
        default: return nil
        }
    }

    // MARK: parts

    private mutating func nothing() throws(Stop) -> Expression { try node(.nothing, at: macroPlace) }

    mutating func new(_ kind: Expression.Kind) throws(Stop) -> Expression { try node(kind, at: macroPlace) }

    mutating func newCall(_ function: String, _ arguments: Expression...) throws(Stop) -> Expression {
        try new(.call(target: nil, function: function, arguments: arguments))
    }

    mutating func newAccumulator() throws(Stop) -> Expression { try new(.identifier(Self.accumulator)) }

    private mutating func simpleName(_ argument: Expression, _ message: String) throws(Stop) -> String? {
        guard case .identifier(let name) = argument.kind else {
            source.report(message, at: place(of: argument))
            return nil
        }
        guard name != Self.accumulator else {
            source.report("iteration variable overwrites accumulator variable", at: place(of: argument))
            return nil
        }
        return name
    }

    private mutating func twoNames(_ arguments: [Expression]) throws(Stop) -> [String]? {
        guard let first = try simpleName(arguments[0], "argument must be a simple name"),
            let second = try simpleName(arguments[1], "argument must be a simple name")
        else { return nil }
        guard first != second else {
            source.report("duplicate variable name: \(first)", at: place(of: arguments[1]))
            return nil
        }
        return [first, second]
    }

    private mutating func presence(_ argument: Expression) throws(Stop) -> Expression {
        guard case .select(let operand, let field, isTest: false) = argument.kind else {
            source.report("invalid argument to has() macro", at: place(of: argument))
            return try nothing()
        }
        return try new(.select(operand, field, isTest: true))
    }

    private mutating func fold(
        _ range: Expression,
        _ names: [String],
        start: Expression,
        condition: Expression,
        step: Expression,
        result: Expression
    ) throws(Stop) -> Expression {
        try new(
            .comprehension(
                .init(
                    range: range,
                    variable: names[0],
                    second: names.count > 1 ? names[1] : nil,
                    accumulator: Self.accumulator,
                    start: start,
                    condition: condition,
                    step: step,
                    result: result
                )
            )
        )
    }

    // MARK: quantifiers

    private mutating func quantifier(
        _ function: String,
        _ range: Expression,
        _ names: [String],
        _ test: Expression
    ) throws(Stop) -> Expression {
        switch function {
        case "all":
            return try fold(
                range,
                names,
                start: new(.literal(.bool(true))),
                condition: newCall(OperatorName.notStrictlyFalse, newAccumulator()),
                step: newCall(OperatorName.and, newAccumulator(), test),
                result: newAccumulator()
            )
        case "exists":
            return try fold(
                range,
                names,
                start: new(.literal(.bool(false))),
                condition: newCall(OperatorName.notStrictlyFalse, newCall(OperatorName.not, newAccumulator())),
                step: newCall(OperatorName.or, newAccumulator(), test),
                result: newAccumulator()
            )
        default:
            let next = try newCall(OperatorName.add, newAccumulator(), new(.literal(.int(1))))
            return try fold(
                range,
                names,
                start: new(.literal(.int(0))),
                condition: new(.literal(.bool(true))),
                step: newCall(OperatorName.conditional, test, next, newAccumulator()),
                result: newCall(OperatorName.equals, newAccumulator(), new(.literal(.int(1))))
            )
        }
    }

    // MARK: lists and maps

    private mutating func listMacro(
        _ function: String,
        _ range: Expression,
        _ name: String,
        _ arguments: [Expression]
    ) throws(Stop) -> Expression {
        let element = function == "filter" ? arguments[0] : arguments[arguments.count - 1]
        let filter: Expression? = function == "filter" || arguments.count == 3 ? arguments[1] : nil
        return try collect(range, [name], element, filter)
    }

    private mutating func collect(
        _ range: Expression,
        _ names: [String],
        _ element: Expression,
        _ filter: Expression?
    ) throws(Stop) -> Expression {
        let start = try new(.list([], optionals: []))
        var step = try newCall(OperatorName.add, newAccumulator(), new(.list([element], optionals: [])))
        if let filter { step = try newCall(OperatorName.conditional, filter, step, newAccumulator()) }
        return try fold(range, names, start: start, condition: new(.literal(.bool(true))), step: step, result: newAccumulator())
    }

    private mutating func transform(
        _ function: String,
        _ range: Expression,
        _ names: [String],
        _ arguments: [Expression]
    ) throws(Stop) -> Expression {
        let value = arguments[arguments.count - 1]
        let filter: Expression? = arguments.count == 4 ? arguments[2] : nil
        if function == "transformList" { return try collect(range, names, value, filter) }
        var step: Expression
        if function == "transformMap" {
            let key = try new(.identifier(names[0]))
            step = try newCall("cel.@mapInsert", newAccumulator(), key, value)
        } else {
            step = try newCall("cel.@mapInsert", newAccumulator(), value)
        }
        if let filter { step = try newCall(OperatorName.conditional, filter, step, newAccumulator()) }
        return try fold(
            range,
            names,
            start: new(.map([])),
            condition: new(.literal(.bool(true))),
            step: step,
            result: newAccumulator()
        )
    }

    // MARK: bindings

    /// `cel.bind(name, value, result)`; nil when the target is another.
    private mutating func binding(_ target: Expression, _ arguments: [Expression]) throws(Stop) -> Expression? {
        guard case .identifier("cel") = target.kind else { return nil }
        guard case .identifier(let name) = arguments[0].kind else {
            source.report("cel.bind() variable names must be simple identifiers", at: place(of: arguments[0]))
            return try nothing()
        }
        return try bind(name, arguments[1], arguments[2])
    }

    /// `result` with `name` standing for `value`.
    private mutating func bind(_ name: String, _ value: Expression, _ result: Expression) throws(Stop) -> Expression {
        try new(
            .comprehension(
                .init(
                    range: new(.list([], optionals: [])),
                    variable: Self.unused,
                    second: nil,
                    accumulator: name,
                    start: value,
                    condition: new(.literal(.bool(false))),
                    step: new(.identifier(name)),
                    result: result
                )
            )
        )
    }

    private mutating func optionalMap(_ function: String, _ target: Expression, _ arguments: [Expression]) throws(Stop) -> Expression {
        guard case .identifier(let name) = arguments[0].kind else {
            source.report("\(function)() variable name must be a simple identifier", at: place(of: arguments[0]))
            return try nothing()
        }
        let test = try new(.call(target: target, function: "hasValue", arguments: []))
        let value = try new(.call(target: copy(target), function: "value", arguments: []))
        var present = try bind(name, value, arguments[1])
        if function == "optMap" { present = try newCall("optional.of", present) }
        return try newCall(OperatorName.conditional, test, present, newCall("optional.none"))
    }

    private mutating func sortBy(_ target: Expression, _ arguments: [Expression]) throws(Stop) -> Expression {
        switch target.kind {
        case .literal, .map, .message, .nothing:
            source.report(
                "sortBy can only be applied to a list, identifier, comprehension, call or select expression",
                at: place(of: target)
            )
            return try nothing()
        default: break
        }
        let name = "@__sortBy_input__"
        guard let variable = try simpleName(arguments[0], "argument is not an identifier") else { return try nothing() }
        let keys = try collect(new(.identifier(name)), [variable], arguments[1], nil)
        let sorted = try new(
            .call(target: new(.identifier(name)), function: "@sortByAssociatedKeys", arguments: [keys])
        )
        return try bind(name, target, sorted)
    }

    /// The same expression with ids of its own.
    private mutating func copy(_ expression: Expression) throws(Stop) -> Expression {
        let place = place(of: expression)
        switch expression.kind {
        case .nothing, .literal, .identifier: return try node(expression.kind, at: place)
        case .select(let operand, let field, let isTest):
            return try node(.select(copy(operand), field, isTest: isTest), at: place)
        case .call(let target, let function, let arguments):
            var copied: Expression?
            if let target { copied = try copy(target) }
            return try node(.call(target: copied, function: function, arguments: copyAll(arguments)), at: place)
        case .list(let elements, let optionals):
            return try node(.list(copyAll(elements), optionals: optionals), at: place)
        case .map(let entries):
            var copied: [Expression.Entry] = []
            for entry in entries {
                let id = try nextID(at: Int(places[entry.id]))
                copied.append(.init(id: id, key: try copy(entry.key), value: try copy(entry.value), isOptional: entry.isOptional))
            }
            return try node(.map(copied), at: place)
        case .message(let name, let fields):
            var copied: [Expression.Field] = []
            for field in fields {
                let id = try nextID(at: Int(places[field.id]))
                copied.append(.init(id: id, name: field.name, value: try copy(field.value), isOptional: field.isOptional))
            }
            return try node(.message(name, copied), at: place)
        case .comprehension(let fold):
            let copied = Expression.Comprehension(
                range: try copy(fold.range),
                variable: fold.variable,
                second: fold.second,
                accumulator: fold.accumulator,
                start: try copy(fold.start),
                condition: try copy(fold.condition),
                step: try copy(fold.step),
                result: try copy(fold.result)
            )
            return try node(.comprehension(copied), at: place)
        }
    }

    private mutating func copyAll(_ expressions: [Expression]) throws(Stop) -> [Expression] {
        var copied: [Expression] = []
        for expression in expressions { copied.append(try copy(expression)) }
        return copied
    }
}
