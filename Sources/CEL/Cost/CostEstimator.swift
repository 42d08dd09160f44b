/// Estimates what an expression costs before it is evaluated, from the bounds that its schema sets.
/// Source: cel-go checker/cost.go and apiserver/pkg/cel/library/cost.go.
struct CostEstimator {
    /// The sizes of a list's or map's parts.
    struct EntrySize {
        let isList: Bool
        let key: CELCostEstimate
        let value: CELCostEstimate

        func union(_ other: EntrySize?) -> EntrySize? {
            guard let other else { return nil }
            return EntrySize(isList: isList, key: key.union(other.key), value: value.union(other.value))
        }
    }

    private struct Local {
        let name: String
        let path: [String]
        let size: CELCostEstimate?
        let entry: EntrySize?
    }

    let checked: CheckedExpression
    let environment: CELEnvironment
    private var paths: [Int: [String]] = [:]
    private var locals: [Local] = []
    private var sizes: [Int: CELCostEstimate] = [:]
    private var entries: [Int: EntrySize] = [:]

    private init(_ checked: CheckedExpression, _ environment: CELEnvironment) {
        self.checked = checked
        self.environment = environment
    }

    /// The cost of `checked`.
    static func estimate(_ checked: CheckedExpression, _ environment: CELEnvironment) -> CELCostEstimate {
        var estimator = CostEstimator(checked, environment)
        return estimator.cost(checked.root)
    }

    func type(of expression: Expression) -> CELType { checked.type(of: expression) }

    // MARK: costs

    mutating func cost(_ expression: Expression) -> CELCostEstimate {
        switch expression.kind {
        case .nothing, .literal: return .zero
        case .identifier(let name):
            // The name of a type counts as the root of the schema, as upstream has it.
            paths[expression.id] = locals.last { $0.name == name }?.path ?? [name]
            return .one
        case .select(let operand, let field, let isTest): return select(expression, operand, field, isTest)
        case .call: return call(expression)
        case .list(let elements, _): return list(expression, elements)
        case .map(let entries): return map(expression, entries)
        case .message(_, let fields):
            var sum = CELCostEstimate(CostRule.messageBase)
            for field in fields { sum = sum + cost(field.value) }
            return sum
        case .comprehension(let fold):
            return isBinding(fold) ? binding(expression, fold) : comprehension(expression, fold)
        }
    }

    private mutating func select(_ expression: Expression, _ operand: Expression, _ field: String, _ isTest: Bool) -> CELCostEstimate {
        var sum = cost(operand)
        if isTest { return sum }
        switch type(of: operand) {
        case .map, .object, .named, .parameter: sum = sum + .one
        default: break
        }
        paths[expression.id] = path(operand) + [field]
        return sum
    }

    private mutating func call(_ expression: Expression) -> CELCostEstimate {
        guard case .call(let target, let function, let arguments) = expression.kind else { return .zero }
        if function == "dyn", let argument = arguments.first {
            let inner = cost(argument)
            copySizes(argument, to: expression)
            return inner + .one
        }
        var argumentCosts: [CELCostEstimate] = []
        for argument in arguments { argumentCosts.append(cost(argument)) }
        let overloads = checked.overloads(of: expression)
        guard !overloads.isEmpty else { return .zero }
        var sum = CELCostEstimate.zero
        if let target { sum = sum + cost(target) }
        var total = CELCostEstimate(min: .max, max: 0)
        var size: CELCostEstimate?
        for overload in overloads {
            let call = CallSite(expression: expression, function: function, overload: overload, target: target, arguments: arguments)
            let (callCost, callSize) = self.cost(of: call, argumentCosts)
            total = total.union(callCost)
            if let callSize { size = size?.union(callSize) ?? callSize }
            if overload == "index_list" || overload == "index_map", let container = arguments.first {
                size = entry(container)?.value
                paths[expression.id] = path(container) + [overload == "index_list" ? "@items" : "@values"]
            }
            if size == nil { size = self.size(expression) }
        }
        if let size { sizes[expression.id] = size }
        return sum + total
    }

    private mutating func list(_ expression: Expression, _ elements: [Expression]) -> CELCostEstimate {
        var sum = CELCostEstimate(CostRule.listBase)
        var item = CELCostEstimate(min: elements.isEmpty ? 0 : .max, max: 0)
        for element in elements {
            sum = sum + cost(element)
            item = item.union(knownSize(element))
        }
        entries[expression.id] = EntrySize(isList: true, key: .one, value: item)
        return sum
    }

    private mutating func map(_ expression: Expression, _ members: [Expression.Entry]) -> CELCostEstimate {
        var sum = CELCostEstimate(CostRule.mapBase)
        var key = CELCostEstimate(min: members.isEmpty ? 0 : .max, max: 0)
        var value = key
        for member in members {
            sum = sum + cost(member.key) + cost(member.value)
            key = key.union(knownSize(member.key))
            value = value.union(knownSize(member.value))
        }
        entries[expression.id] = EntrySize(isList: false, key: key, value: value)
        return sum
    }

    // MARK: comprehensions

    private func isBinding(_ fold: Expression.Comprehension) -> Bool {
        guard case .list(let elements, _) = fold.range.kind, elements.isEmpty, case .literal(.bool(false)) = fold.condition.kind
        else { return false }
        return fold.accumulator != Parser.accumulator
    }

    private mutating func binding(_ expression: Expression, _ fold: Expression.Comprehension) -> CELCostEstimate {
        var sum = cost(fold.range) + cost(fold.start)
        push(fold.accumulator, of: fold.start)
        sum = sum + cost(fold.result)
        locals.removeLast()
        copySizes(fold.result, to: expression)
        return sum
    }

    private mutating func comprehension(_ expression: Expression, _ fold: Expression.Comprehension) -> CELCostEstimate {
        var sum = cost(fold.range) + cost(fold.start)
        push(fold.accumulator, of: fold.start)
        pushVariables(fold)
        let turn = cost(fold.condition) + cost(fold.step)
        locals.removeLast(fold.second == nil ? 1 : 2)
        sum = sum + cost(fold.result)
        locals.removeLast()
        let count = knownSize(fold.range)
        sum = sum + count * turn
        switch fold.start.kind {
        case .literal: sizes[expression.id] = size(fold.start)
        case .list, .map:
            sizes[expression.id] = count
            if let entry = entry(fold.step) { entries[expression.id] = entry }
        default: break
        }
        return sum
    }

    private mutating func push(_ name: String, of expression: Expression) {
        locals.append(Local(name: name, path: path(expression), size: size(expression), entry: entry(expression)))
    }

    private mutating func pushVariables(_ fold: Expression.Comprehension) {
        let range = entry(fold.range)
        var isList = range?.isList ?? false
        if range == nil, case .list = type(of: fold.range) { isList = true }
        let place = path(fold.range)
        let keys = Local(name: fold.variable, path: place + [isList ? "@indices" : "@keys"], size: range?.key, entry: nil)
        let valuePath = place + [isList ? "@items" : "@values"]
        guard let second = fold.second else {
            locals.append(isList ? Local(name: fold.variable, path: valuePath, size: range?.value, entry: nil) : keys)
            return
        }
        locals.append(keys)
        locals.append(Local(name: second, path: valuePath, size: range?.value, entry: nil))
    }

    // MARK: sizes

    func path(_ expression: Expression) -> [String] {
        if case .identifier(let name) = expression.kind, let local = locals.last(where: { $0.name == name }) { return local.path }
        return paths[expression.id] ?? []
    }

    mutating func setEntry(_ entry: EntrySize?, of expression: Expression) {
        if let entry { entries[expression.id] = entry }
    }

    private mutating func copySizes(_ source: Expression, to target: Expression) {
        if let size = size(source) { sizes[target.id] = size }
        if let entry = entry(source) { entries[target.id] = entry }
    }

    func entry(_ expression: Expression) -> EntrySize? {
        if let known = entries[expression.id] { return known }
        if case .identifier(let name) = expression.kind { return locals.last { $0.name == name }?.entry }
        return nil
    }

    mutating func knownSize(_ expression: Expression) -> CELCostEstimate { size(expression) ?? .unknown }

    mutating func size(_ expression: Expression) -> CELCostEstimate? {
        if let known = sizes[expression.id] { return known }
        switch expression.kind {
        case .literal(let value): return CELCostEstimate(value.costSize)
        case .list(let elements, _): return CELCostEstimate(UInt64(elements.count))
        case .map(let members): return CELCostEstimate(UInt64(members.count))
        default: break
        }
        let place = path(expression)
        if place.first != Parser.accumulator, let declared = declaredSize(place) {
            sizes[expression.id] = declared
            return declared
        }
        if type(of: expression).isScalar { return .one }
        if case .identifier(let name) = expression.kind { return locals.last { $0.name == name }?.size }
        return nil
    }

    /// The size of what is at a path of the schema.
    func declaredSize(_ path: [String]) -> CELCostEstimate? {
        guard let first = path.first else { return nil }
        var place: CELDeclType
        if let variable = environment.variables[first] {
            guard let declared = variable.declared else { return nil }
            place = declared
        } else {
            guard let root = environment.sizeRoot else { return nil }
            place = root
        }
        for name in path.dropFirst() {
            let next: CELDeclType? =
                switch name {
                case "@items", "@values": place.element
                case "@keys": place.key
                default: place.fields[name]
                }
            guard let next else { return nil }
            place = next
        }
        return CELCostEstimate(min: 0, max: place.maxElements)
    }
}

/// A call as the estimate sees it.
struct CallSite {
    let expression: Expression
    let function: String
    let overload: String
    let target: Expression?
    let arguments: [Expression]
}
