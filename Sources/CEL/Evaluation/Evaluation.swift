/// Bounds of values that one evaluation makes.
enum ValueLimits {
    /// How deep values nest.
    static let deepest = 512
    /// Most elements of one list or map that is made.
    static let mostElements = 2_000_000
    /// Most elements that are made altogether.
    static let mostAllocated = 16_000_000
    /// Most comparisons of parts of values.
    static let mostComparisons = 8_000_000
    /// Longest text that is made, in bytes.
    static let longestText = 32 * 1024 * 1024
}

/// One evaluation: its variables, what it has cost, and when it must end. Owned by the thread that evaluates.
final class Evaluation {
    /// How many steps pass between looks at the clock.
    private static let stepsBetweenChecks = 128

    /// A variable of a comprehension. An accumulator may hold a failure, which `||` and `&&` can absorb.
    enum Local {
        case value(CELValue)
        case failed(CELError)
        /// Not needed yet.
        case pending(Plan)
    }

    private let bindings: any CELBindings
    private let limit: UInt64
    private let deadline: ContinuousClock.Instant?
    private(set) var cost: UInt64 = 0
    private var steps = 0
    private var allocated = 0
    private var comparisons = 0
    var locals: [Local]
    /// Patterns that are no constants, as they were last used.
    private var patterns: [String: RegularExpression] = [:]

    init(_ bindings: any CELBindings, slots: Int, budget: CELBudget) {
        self.bindings = bindings
        limit = budget.perCallLimit
        deadline = budget.deadline
        locals = Array(repeating: .value(.null), count: slots)
    }

    // MARK: bounds

    /// Adds to the cost.
    func charge(_ amount: UInt64) throws(CELError) {
        cost = cost.addedSaturating(amount)
        if cost > limit { throw .costLimit }
    }

    /// Counts a step that costs nothing by itself, and now and then looks at the clock.
    func step() throws(CELError) {
        steps += 1
        guard steps.isMultiple(of: Self.stepsBetweenChecks) else { return }
        if let deadline, ContinuousClock.now > deadline { throw .interrupted }
        if Task.isCancelled { throw .interrupted }
    }

    /// Makes room for elements, or refuses.
    func allocate(_ count: Int) throws(CELError) {
        allocated += count
        guard count <= ValueLimits.mostElements, allocated <= ValueLimits.mostAllocated else { throw .tooLarge }
    }

    /// Counts a comparison.
    func compareStep(_ depth: Int) throws(CELError) {
        comparisons += 1
        guard depth < ValueLimits.deepest else { throw .tooDeep }
        guard comparisons <= ValueLimits.mostComparisons else { throw .tooLarge }
        try step()
    }

    /// Refuses text that is too long.
    func allocateText(_ bytes: Int) throws(CELError) {
        guard bytes <= ValueLimits.longestText else { throw .tooLarge }
    }

    /// A pattern, compiled once.
    func pattern(_ text: String) throws(CELError) -> RegularExpression {
        if let known = patterns[text] { return known }
        let compiled = try RegularExpression(text)
        if patterns.count > 32 { patterns.removeAll() }
        patterns[text] = compiled
        return compiled
    }

    // MARK: values

    /// The value of `plan`.
    func value(of plan: Plan) throws(CELError) -> CELValue {
        switch plan {
        case .constant(let value): return value
        case .attribute(let attribute): return try value(of: attribute)
        case .and(let left, let right): return try logical(left, right, decisive: false)
        case .or(let left, let right): return try logical(left, right, decisive: true)
        case .equal(let left, let right, let isNegated): return try equality(left, right, isNegated)
        case .unary(let symbol, let operand): return try unary(symbol, operand)
        case .binary(let symbol, let left, let right, let rule): return try binary(symbol, left, right, rule)
        case .member(let value, let set):
            guard let key = CELMapKey(try self.value(of: value)) else { return .bool(false) }
            return .bool(set.contains(key))
        case .call(let call): return try self.call(call)
        case .list(let elements, let optionals): return try list(elements, optionals)
        case .map(let entries): return try map(entries)
        case .message(let name, let fields): return try message(name, fields)
        case .fold(let fold): return try self.fold(fold)
        case .optionalOr(let left, let right, let unwraps): return try optionalOr(left, right, unwraps)
        }
    }

    /// The value, or why there is none; ends the evaluation only for what nothing absorbs.
    func attempt(_ plan: Plan) throws(CELError) -> Result<CELValue, CELError> {
        do {
            return .success(try value(of: plan))
        } catch {
            if error.isFatal { throw error }
            return .failure(error)
        }
    }

    /// `&&` and `||`: one decisive side is enough, whatever the other is.
    private func logical(_ left: Plan, _ right: Plan, decisive: Bool) throws(CELError) -> CELValue {
        var failure: CELError?
        for plan in [left, right] {
            switch try attempt(plan) {
            case .success(.bool(decisive)): return .bool(decisive)
            case .success(.bool): break
            case .success: failure = failure ?? .noSuchOverload
            case .failure(let error): failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return .bool(!decisive)
    }

    private func optionalOr(_ left: Plan, _ right: Plan, _ unwraps: Bool) throws(CELError) -> CELValue {
        let value = try value(of: left)
        guard case .optional(let optional) = value else { return value }
        guard let held = optional.value else { return try self.value(of: right) }
        return unwraps ? held : value
    }

    private func unary(_ symbol: UnaryOperator, _ operand: Plan) throws(CELError) -> CELValue {
        try charge(1)
        switch (symbol, try attempt(operand)) {
        case (.notStrictlyFalse, .success(.bool(let value))): return .bool(value)
        case (.notStrictlyFalse, _): return .bool(true)
        case (_, .failure(let error)): throw error
        case (.not, .success(.bool(let value))): return .bool(!value)
        case (.negate, .success(let value)): return try Arithmetic.negate(value)
        default: throw .noSuchOverload
        }
    }

    private func equality(_ left: Plan, _ right: Plan, _ isNegated: Bool) throws(CELError) -> CELValue {
        let a = try attempt(left)
        let b = try attempt(right)
        let x = try? a.get()
        let y = try? b.get()
        let isOpaque = if case .object? = x { true } else { false }
        try charge(isOpaque ? 1 : CostRule.compare.cost([x, y], nil))
        if case .failure(let error) = a { throw error }
        if case .failure(let error) = b { throw error }
        guard let x, let y else { throw .noSuchOverload }
        if case .object(let object) = x, object.isIncomparable { throw .noSuchOverload }
        return .bool(try areEqual(x, y) != isNegated)
    }

    private func binary(_ symbol: BinaryOperator, _ left: Plan, _ right: Plan, _ rule: CostRule) throws(CELError) -> CELValue {
        let a = try attempt(left)
        let b = try attempt(right)
        try charge(rule == .fixed(1) ? 1 : rule.cost([try? a.get(), try? b.get()], nil))
        let x: CELValue
        let y: CELValue
        do {
            x = try a.get()
            y = try b.get()
        } catch { throw error }
        return try apply(symbol, x, y)
    }

    private func call(_ call: CallPlan) throws(CELError) -> CELValue {
        try step()
        var arguments: [CELValue?] = []
        arguments.reserveCapacity(call.arguments.count)
        var failure: CELError?
        for plan in call.arguments {
            switch try attempt(plan) {
            case .success(let value): arguments.append(value)
            case .failure(let error):
                arguments.append(nil)
                failure = failure ?? error
                // Functions of three and more arguments stop at the first failure, and cost nothing then.
                if call.arguments.count > 2 { throw error }
            }
        }
        guard failure == nil else {
            // A pattern made ready beforehand is not come to.
            if call.pattern == nil { try charge(call.cost.cost(arguments, nil)) }
            throw failure ?? .noSuchOverload
        }
        let values = arguments.compactMap { $0 }
        let outcome: Result<CELValue, CELError>
        do {
            outcome = .success(try result(of: call, values))
        } catch { outcome = .failure(error) }
        try charge(call.cost.cost(arguments, try? outcome.get()))
        return try outcome.get()
    }

    private func result(of call: CallPlan, _ values: [CELValue]) throws(CELError) -> CELValue {
        if let pattern = call.pattern, case .string(let text) = values[0] {
            return try RegexFunctions.apply(call.function.name, pattern, text, values, self)
        }
        return try call.function.call(values, isMember: call.isMember, self)
    }

    // MARK: variables

    /// The value of a variable of the environment.
    func variable(_ name: String) throws(CELError) -> CELValue {
        guard let value = try bindings.value(of: name) else { throw CELError("no such attribute(s): \(name)") }
        return value
    }

    /// The value of a comprehension's variable.
    func local(_ slot: Int) throws(CELError) -> CELValue {
        switch locals[slot] {
        case .value(let value): return value
        case .failed(let error): throw error
        case .pending(let plan):
            do {
                let value = try value(of: plan)
                locals[slot] = .value(value)
                return value
            } catch {
                locals[slot] = .failed(error)
                throw error
            }
        }
    }
}
