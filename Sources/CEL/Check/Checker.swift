/// What a name in an expression refers to.
enum Reference: Hashable {
    case variable(String)
    case type(CELType)
    /// The overloads that fit.
    case overloads([String])
}

/// An expression whose types are known.
struct CheckedExpression {
    let root: Expression
    let types: [CELType]
    let references: [Int: Reference]

    func type(of expression: Expression) -> CELType { types[expression.id] }

    /// The overloads of a call.
    func overloads(of expression: Expression) -> [String] {
        if case .overloads(let ids)? = references[expression.id] { ids } else { [] }
    }
}

/// Finds the type of every part of an expression. One mistake is reported once: its type is `error`, which fits anywhere.
struct Checker {
    let environment: CELEnvironment
    var source: CELSource
    let places: [Int32]
    var unifier = Unifier()
    var types: [CELType]
    var references: [Int: Reference] = [:]
    var scopes: [(name: String, type: CELType)] = []

    private init(_ environment: CELEnvironment, _ source: CELSource, _ places: [Int32]) {
        self.environment = environment
        self.source = source
        self.places = places
        types = Array(repeating: .error, count: places.count)
    }

    /// Checks `parsed`; the mistakes go to `source`.
    static func check(
        _ parsed: ParsedExpression,
        _ environment: CELEnvironment,
        _ source: inout CELSource
    ) throws(CELIssues) -> CheckedExpression {
        var checker = Checker(environment, source, parsed.places)
        checker.check(parsed.root)
        for index in checker.types.indices { checker.types[index] = checker.unifier.resolve(checker.types[index], isFinal: true) }
        if checker.unifier.isExhausted { checker.source.report("expression types are too complex", at: nil) }
        let checked = CheckedExpression(root: parsed.root, types: checker.types, references: checker.references)
        if !checker.source.hasIssues { LiteralCheck.run(checked, parsed.places, &checker.source) }
        source = checker.source
        guard !source.hasIssues else { throw source.failure() }
        return checked
    }

    // MARK: records

    func type(of expression: Expression) -> CELType { types[expression.id] }

    mutating func set(_ expression: Expression, _ type: CELType) {
        guard type.weight(upTo: Unifier.heaviestType) < Unifier.heaviestType else {
            report("expression types are too complex", expression.id)
            return
        }
        types[expression.id] = type
    }

    mutating func report(_ message: String, _ id: Int) { source.report(message, at: Int(places[id])) }

    mutating func mismatch(_ id: Int, _ expected: CELType, _ actual: CELType) {
        report("expected type '\(expected)' but found '\(actual)'", id)
    }

    mutating func undeclared(_ id: Int, _ name: String) {
        report("undeclared reference to '\(name)' (in container '')", id)
    }

    private func lookUp(_ name: String) -> (CELType, Reference)? {
        let global = name.hasPrefix(".") ? String(name.dropFirst()) : name
        if let local = scopes.last(where: { $0.name == global }) { return (local.type, .variable(global)) }
        if let variable = environment.variables[global] { return (variable.type, .variable(global)) }
        if let type = TypeNames.byName[global] ?? environment.structures?.type(named: global) {
            return (.type(type), .type(type))
        }
        return nil
    }

    // MARK: expressions

    mutating func check(_ expression: Expression) {
        switch expression.kind {
        case .nothing: break
        case .literal(let value): set(expression, value.type)
        case .identifier(let name): checkIdentifier(expression, name)
        case .select(let operand, let field, let isTest): checkSelect(expression, operand, field, isTest)
        case .call: checkCall(expression)
        case .list(let elements, let optionals): checkList(expression, elements, optionals)
        case .map(let entries): checkMap(expression, entries)
        case .message(let name, let fields): checkMessage(expression, name, fields)
        case .comprehension(let fold): checkComprehension(expression, fold)
        }
    }

    private mutating func checkIdentifier(_ expression: Expression, _ name: String) {
        guard let (type, reference) = lookUp(name) else {
            undeclared(expression.id, name)
            return
        }
        set(expression, type)
        references[expression.id] = reference
        if case .variable(let resolved) = reference { expression.kind = .identifier(resolved) }
    }

    private mutating func checkSelect(_ expression: Expression, _ operand: Expression, _ field: String, _ isTest: Bool) {
        if !isTest, let name = expression.qualifiedName, let (type, reference) = lookUp(name) {
            set(expression, type)
            references[expression.id] = reference
            expression.kind = .identifier(name)
            return
        }
        let result = selectField(expression.id, operand, field, isOptional: false)
        set(expression, isTest ? .bool : unifier.resolve(result))
    }

    mutating func selectField(_ id: Int, _ operand: Expression, _ field: String, isOptional: Bool) -> CELType {
        check(operand)
        let operandType = unifier.resolve(type(of: operand))
        let target = operandType.wrapped ?? operandType
        var result = CELType.error
        switch target {
        case .map(_, let value): result = value
        case .object(let declared):
            if let type = declared.field(calledBy: field)?.celType {
                result = type
            } else {
                report("undefined field '\(field)'", id)
            }
        case .parameter:
            _ = unifier.assign(.dyn, target)
            result = .dyn
        case .named(let name):
            // What an expression made of fields can be asked for them.
            if let type = environment.structures?.structure(named: name)?.fieldType(field) {
                result = type
            } else {
                report("unexpected failed resolution of '\(name)'", id)
            }
        default:
            if !target.isDynOrError { report("type '\(target)' does not support field selection", id) }
            result = .dyn
        }
        return operandType.wrapped != nil || isOptional ? .optional(result) : result
    }

    // MARK: aggregates

    /// The type of elements so far and another; mixed ones are told of by `LiteralCheck`, which knows where they may be.
    private mutating func join(_ previous: CELType?, _ current: CELType) -> CELType {
        guard let previous else { return current }
        return unifier.assign(previous, current) ? Unifier.mostGeneral(previous, current) : .dyn
    }

    private mutating func unwrapped(_ expression: Expression) -> CELType {
        let type = type(of: expression)
        if let wrapped = type.wrapped { return wrapped }
        if !type.isDyn { mismatch(expression.id, .optional(type), type) }
        return type
    }

    private mutating func checkList(_ expression: Expression, _ elements: [Expression], _ optionals: Set<Int>) {
        var joined: CELType?
        for (index, element) in elements.enumerated() {
            check(element)
            let type = optionals.contains(index) ? unwrapped(element) : type(of: element)
            joined = join(joined, type)
        }
        set(expression, .list(joined ?? unifier.newParameter()))
    }

    private mutating func checkMap(_ expression: Expression, _ entries: [Expression.Entry]) {
        var key: CELType?
        var value: CELType?
        for entry in entries {
            check(entry.key)
            key = join(key, type(of: entry.key))
            check(entry.value)
            value = join(value, entry.isOptional ? unwrapped(entry.value) : type(of: entry.value))
        }
        set(expression, .map(key ?? unifier.newParameter(), value ?? unifier.newParameter()))
    }

    private mutating func checkMessage(_ expression: Expression, _ name: String, _ fields: [Expression.Field]) {
        guard let (found, _) = lookUp(name), case .type(let type?) = found else {
            undeclared(expression.id, name)
            return
        }
        guard let structure = environment.structures?.structure(named: type.name) else {
            report("'\(type)' is not a message type", expression.id)
            return
        }
        expression.kind = .message(type.name, fields)
        set(expression, type)
        for field in fields {
            check(field.value)
            guard let expected = structure.fieldType(field.name) else {
                report("undefined field '\(field.name)'", field.id)
                continue
            }
            let actual = field.isOptional ? unwrapped(field.value) : self.type(of: field.value)
            if !unifier.assign(expected, actual) {
                report(
                    "expected type of field '\(field.name)' is '\(expected)' but provided type is '\(actual)'",
                    field.id
                )
            }
        }
    }

    // MARK: comprehensions

    private mutating func checkComprehension(_ expression: Expression, _ fold: Expression.Comprehension) {
        check(fold.range)
        check(fold.start)
        let range = unifier.resolve(type(of: fold.range))
        let start = type(of: fold.start)
        scopes.append((fold.accumulator, start))
        let (first, second) = variableTypes(fold, range)
        scopes.append((fold.variable, first))
        if let name = fold.second { scopes.append((name, second)) }
        check(fold.condition)
        expect(fold.condition, .bool)
        check(fold.step)
        expect(fold.step, start)
        scopes.removeLast(fold.second == nil ? 1 : 2)
        check(fold.result)
        scopes.removeLast()
        set(expression, unifier.resolve(type(of: fold.result)))
    }

    private mutating func variableTypes(_ fold: Expression.Comprehension, _ range: CELType) -> (CELType, CELType) {
        switch range {
        case .list(let element): return fold.second == nil ? (element, .error) : (.int, element)
        case .map(let key, let value): return (key, value)
        case .dyn, .error, .parameter:
            _ = unifier.assign(.dyn, range)
            return (.dyn, .dyn)
        default:
            report(
                "expression of type '\(range)' cannot be range of a comprehension (must be list, map, or dynamic)",
                fold.range.id
            )
            return (.error, .error)
        }
    }

    private mutating func expect(_ expression: Expression, _ expected: CELType) {
        let actual = type(of: expression)
        if !unifier.assign(expected, actual) { mismatch(expression.id, expected, actual) }
    }
}
