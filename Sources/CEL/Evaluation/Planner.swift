/// Makes a plan of a checked expression.
struct Planner {
    private let checked: CheckedExpression
    private var scope: [(name: String, slot: Int)] = []
    private var slots = 0
    /// How many variables of comprehensions live at once.
    private(set) var mostSlots = 0

    init(_ checked: CheckedExpression) { self.checked = checked }

    mutating func plan(_ expression: Expression) throws(CELError) -> Plan {
        switch expression.kind {
        case .nothing: throw CELError("unsupported expr")
        case .literal(let value): return .constant(value)
        case .identifier, .select: return try attribute(expression)
        case .call(let target, let function, let arguments):
            return try call(expression, function, (target.map { [$0] } ?? []) + arguments, isMember: target != nil)
        case .list(let elements, let optionals): return try list(elements, optionals)
        case .map(let entries): return try map(entries)
        case .message(let name, let fields):
            var planned: [(name: String, value: Plan, isOptional: Bool)] = []
            for field in fields { planned.append((field.name, try plan(field.value), field.isOptional)) }
            return .message(name, planned)
        case .comprehension(let fold): return try comprehension(fold)
        }
    }

    private mutating func plans(_ expressions: [Expression]) throws(CELError) -> [Plan] {
        var planned: [Plan] = []
        for expression in expressions { planned.append(try plan(expression)) }
        return planned
    }

    // MARK: attributes

    private mutating func attribute(_ expression: Expression) throws(CELError) -> Plan {
        switch checked.references[expression.id] {
        case .type(let type)?: return .constant(.type(type))
        case .variable(let name)?: return .attribute(AttributePlan(base(name), [], baseCost: 1))
        default: break
        }
        guard case .select(let operand, let field, let isTest) = expression.kind else { throw CELError("unsupported expr") }
        let target = try plan(operand)
        if isTest { return qualify(target, .test(field), isTest: true) }
        return qualify(target, .constant(.string(field), isOptional: false))
    }

    private func base(_ name: String) -> AttributePlan.Base {
        if let local = scope.last(where: { $0.name == name }) { return .local(local.slot) }
        return .variable(name)
    }

    /// A selection or index on `target`. Presence tests do not pay for their base.
    private func qualify(_ target: Plan, _ qualifier: AttributePlan.Qualifier, isTest: Bool = false) -> Plan {
        if case .attribute(let attribute) = target {
            let cost = isTest ? attribute.baseCost - min(attribute.baseCost, 1) : attribute.baseCost
            return .attribute(AttributePlan(attribute.base, attribute.qualifiers + [qualifier], baseCost: cost))
        }
        return .attribute(AttributePlan(.operand(target), [qualifier], baseCost: isTest ? 0 : 1))
    }

    private mutating func index(_ arguments: [Expression], isOptional: Bool) throws(CELError) -> Plan {
        let target = try plan(arguments[0])
        switch try plan(arguments[1]) {
        case .constant(let key): return qualify(target, .constant(key, isOptional: isOptional))
        case .attribute(let attribute):
            return qualify(target, .computed(.attribute(unpaid(attribute)), isOptional: isOptional))
        case let key: return qualify(target, .computed(key, isOptional: isOptional))
        }
    }

    /// An attribute as part of another pays for its qualifiers, not for its base.
    private func unpaid(_ attribute: AttributePlan) -> AttributePlan {
        AttributePlan(attribute.base, attribute.qualifiers, baseCost: 0)
    }

    private mutating func conditional(_ arguments: [Expression]) throws(CELError) -> Plan {
        let condition = try plan(arguments[0])
        let yes = try branch(arguments[1])
        let no = try branch(arguments[2])
        return .attribute(AttributePlan(.conditional(condition, yes, no), [], baseCost: 0))
    }

    private mutating func branch(_ expression: Expression) throws(CELError) -> Plan {
        let planned = try plan(expression)
        if case .attribute(let attribute) = planned { return .attribute(unpaid(attribute)) }
        return planned
    }

    // MARK: calls

    private mutating func call(
        _ expression: Expression,
        _ function: String,
        _ arguments: [Expression],
        isMember: Bool
    ) throws(CELError) -> Plan {
        switch function {
        case OperatorName.and: return .and(try plan(arguments[0]), try plan(arguments[1]))
        case OperatorName.or: return .or(try plan(arguments[0]), try plan(arguments[1]))
        case OperatorName.conditional: return try conditional(arguments)
        case OperatorName.equals: return .equal(try plan(arguments[0]), try plan(arguments[1]), isNegated: false)
        case OperatorName.notEquals: return .equal(try plan(arguments[0]), try plan(arguments[1]), isNegated: true)
        case OperatorName.index: return try index(arguments, isOptional: false)
        case OperatorName.optionalIndex, OperatorName.optionalSelect: return try index(arguments, isOptional: true)
        case OperatorName.not: return .unary(.not, try plan(arguments[0]))
        case OperatorName.negate: return .unary(.negate, try plan(arguments[0]))
        case OperatorName.notStrictlyFalse: return .unary(.notStrictlyFalse, try plan(arguments[0]))
        case "or" where isMember && arguments.count == 2:
            return .optionalOr(try plan(arguments[0]), try plan(arguments[1]), unwraps: false)
        case "orValue" where isMember && arguments.count == 2:
            return .optionalOr(try plan(arguments[0]), try plan(arguments[1]), unwraps: true)
        default: break
        }
        let overloads = checked.overloads(of: expression)
        let overload = overloads.count == 1 ? overloads[0] : ""
        let planned = try plans(arguments)
        if let symbol = BinaryOperator(function) {
            if symbol == .in, overload == "in_list", let known = Self.constants(planned[1]) {
                return membership(planned[0], known, overload)
            }
            return .binary(symbol, planned[0], planned[1], CostRule(function: function, overload: overload))
        }
        return try functionCall(function, overload, planned, isMember)
    }

    private static func constants(_ plan: Plan) -> CELList? {
        if case .constant(.list(let list)) = plan { list } else { nil }
    }

    private func membership(_ value: Plan, _ list: CELList, _ overload: String) -> Plan {
        if list.count == 0 { return .constant(.bool(false)) }
        var keys: Set<CELMapKey> = []
        for element in (try? list.values()) ?? [] {
            guard let key = CELMapKey(element) else {
                return .binary(.in, value, .constant(.list(list)), CostRule(function: OperatorName.in, overload: overload))
            }
            keys.insert(key)
        }
        return .member(value, keys)
    }

    private static let conversions: Set<String> = [
        "bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint",
    ]

    private func functionCall(_ name: String, _ overload: String, _ arguments: [Plan], _ isMember: Bool) throws(CELError) -> Plan {
        guard let function = FunctionTable.kubernetes.byName[name] ?? FunctionTable.patches.byName[name] else {
            throw CELError("no such overload: \(name)")
        }
        if arguments.count == 1, Self.conversions.contains(name), case .constant(let value) = arguments[0] {
            let evaluation = Evaluation(CELValues([:]), slots: 0, budget: CELBudget())
            return .constant(try function.call([value], isMember: isMember, evaluation))
        }
        var pattern: RegularExpression?
        if ["matches", "find", "findAll"].contains(name), arguments.count > 1,
            case .constant(.string(let text)) = arguments[1]
        {
            pattern = try RegularExpression(text)
        }
        let rule = CostRule(function: name, overload: overload)
        return .call(CallPlan(function, arguments, isMember: isMember, cost: rule, pattern: pattern))
    }

    // MARK: aggregates

    private mutating func list(_ elements: [Expression], _ optionals: Set<Int>) throws(CELError) -> Plan {
        let planned = try plans(elements)
        let known = planned.compactMap { if case .constant(let value) = $0 { value } else { nil } }
        if known.count == planned.count, optionals.isEmpty { return .constant(.list(CELList(known))) }
        return .list(planned, optionals: optionals)
    }

    private mutating func map(_ entries: [Expression.Entry]) throws(CELError) -> Plan {
        var planned: [(key: Plan, value: Plan, isOptional: Bool)] = []
        var known = CELEntries()
        var isKnown = true
        for entry in entries {
            let key = try plan(entry.key)
            let value = try plan(entry.value)
            planned.append((key, value, entry.isOptional))
            if case .constant(let k) = key, case .constant(let v) = value, !entry.isOptional, known.set(k, v) { continue }
            isKnown = false
        }
        return isKnown ? .constant(.map(CELMap(known))) : .map(planned)
    }

    // MARK: comprehensions

    private mutating func comprehension(_ fold: Expression.Comprehension) throws(CELError) -> Plan {
        let range = try plan(fold.range)
        let start = try plan(fold.start)
        let accumulator = slots
        let variable = slots + 1
        let second = fold.second == nil ? nil : slots + 2
        slots += fold.second == nil ? 2 : 3
        mostSlots = max(mostSlots, slots)
        scope.append((fold.accumulator, accumulator))
        scope.append((fold.variable, variable))
        if let name = fold.second, let second { scope.append((name, second)) }
        let condition = try plan(fold.condition)
        let step = try plan(fold.step)
        scope.removeLast(fold.second == nil ? 1 : 2)
        let result = try plan(fold.result)
        scope.removeLast()
        slots -= fold.second == nil ? 2 : 3
        return .fold(
            FoldPlan(
                range: range,
                start: start,
                condition: condition,
                step: step,
                result: result,
                slots: (accumulator, variable, second),
                appended: Self.appended(step, accumulator),
                inserted: Self.inserted(step, accumulator)
            )
        )
    }

    /// The element of a step `accumulator + [element]`, maybe behind a test.
    private static func appended(_ step: Plan, _ slot: Int) -> (test: Plan?, element: Plan)? {
        if case .attribute(let attribute) = step, case .conditional(let test, let yes, let no) = attribute.base,
            isLocal(no, slot), let (inner, element) = appended(yes, slot), inner == nil
        {
            return (test, element)
        }
        guard case .binary(.add, let left, .list(let elements, let optionals), _) = step, isLocal(left, slot),
            elements.count == 1, optionals.isEmpty
        else { return nil }
        return (nil, elements[0])
    }

    /// What a step inserts into its accumulator, maybe behind a test.
    private static func inserted(_ step: Plan, _ slot: Int) -> (test: Plan?, parts: [Plan])? {
        if case .attribute(let attribute) = step, case .conditional(let test, let yes, let no) = attribute.base,
            isLocal(no, slot), let (inner, parts) = inserted(yes, slot), inner == nil
        {
            return (test, parts)
        }
        guard case .call(let call) = step, call.function.name == "cel.@mapInsert", let target = call.arguments.first,
            isLocal(target, slot)
        else { return nil }
        return (nil, Array(call.arguments.dropFirst()))
    }

    private static func isLocal(_ plan: Plan, _ slot: Int) -> Bool {
        guard case .attribute(let attribute) = plan, case .local(slot) = attribute.base else { return false }
        return attribute.qualifiers.isEmpty
    }
}
