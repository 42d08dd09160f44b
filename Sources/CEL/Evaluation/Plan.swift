/// What is evaluated: the checked expression with names resolved and constants computed.
indirect enum Plan: Sendable {
    case constant(CELValue)
    case attribute(AttributePlan)
    case and(Plan, Plan)
    case or(Plan, Plan)
    case equal(Plan, Plan, isNegated: Bool)
    case unary(UnaryOperator, Plan)
    case binary(BinaryOperator, Plan, Plan, CostRule)
    /// `in` with a list of constants.
    case member(Plan, Set<CELMapKey>)
    case call(CallPlan)
    case list([Plan], optionals: Set<Int>)
    case map([(key: Plan, value: Plan, isOptional: Bool)])
    case message(String, [(name: String, value: Plan, isOptional: Bool)])
    case fold(FoldPlan)
    /// `or` and `orValue`: the right side only if the left has no value.
    case optionalOr(Plan, Plan, unwraps: Bool)
}

/// A variable or value with the selections and indexes after it. cel-go counts it as one thing, so costs do too.
final class AttributePlan: Sendable {
    enum Base: Sendable {
        case variable(String)
        /// A variable of a comprehension.
        case local(Int)
        case operand(Plan)
        case conditional(Plan, Plan, Plan)
    }

    enum Qualifier: Sendable {
        case constant(CELValue, isOptional: Bool)
        case computed(Plan, isOptional: Bool)
        /// Whether the field is there, for `has`.
        case test(String)
    }

    let base: Base
    let qualifiers: [Qualifier]
    /// What looking up the base costs.
    let baseCost: UInt64

    init(_ base: Base, _ qualifiers: [Qualifier], baseCost: UInt64) {
        self.base = base
        self.qualifiers = qualifiers
        self.baseCost = baseCost
    }
}

/// A call of a function.
final class CallPlan: Sendable {
    let function: FunctionDeclaration
    let arguments: [Plan]
    let isMember: Bool
    let cost: CostRule
    /// The expression of a `matches`, `find` or `findAll` whose pattern is a constant.
    let pattern: RegularExpression?

    init(_ function: FunctionDeclaration, _ arguments: [Plan], isMember: Bool, cost: CostRule, pattern: RegularExpression?) {
        self.function = function
        self.arguments = arguments
        self.isMember = isMember
        self.cost = cost
        self.pattern = pattern
    }
}

/// A comprehension. Its variables have slots of their own.
final class FoldPlan: Sendable {
    let range: Plan
    let start: Plan
    let condition: Plan
    let step: Plan
    let result: Plan
    let accumulator: Int
    let variable: Int
    let second: Int?
    /// The element that the step appends to the accumulator, and the test before; then lists grow in place.
    let appended: (test: Plan?, element: Plan)?

    /// The key and value, or the entries, that the step inserts into the accumulator, and the test before; then maps
    /// grow in place.
    let inserted: (test: Plan?, parts: [Plan])?

    init(
        range: Plan,
        start: Plan,
        condition: Plan,
        step: Plan,
        result: Plan,
        slots: (Int, Int, Int?),
        appended: (test: Plan?, element: Plan)?,
        inserted: (test: Plan?, parts: [Plan])?
    ) {
        self.range = range
        self.start = start
        self.condition = condition
        self.step = step
        self.result = result
        (accumulator, variable, second) = slots
        self.appended = appended
        self.inserted = inserted
    }
}

/// Operators on one value.
enum UnaryOperator: Sendable {
    case not
    case negate
    case notStrictlyFalse
}

/// Operators on two values.
enum BinaryOperator: Sendable {
    case add
    case subtract
    case multiply
    case divide
    case modulo
    case less
    case lessEquals
    case greater
    case greaterEquals
    case `in`

    init?(_ name: String) {
        switch name {
        case OperatorName.add: self = .add
        case OperatorName.subtract: self = .subtract
        case OperatorName.multiply: self = .multiply
        case OperatorName.divide: self = .divide
        case OperatorName.modulo: self = .modulo
        case OperatorName.less: self = .less
        case OperatorName.lessEquals: self = .lessEquals
        case OperatorName.greater: self = .greater
        case OperatorName.greaterEquals: self = .greaterEquals
        case OperatorName.in: self = .in
        default: return nil
        }
    }
}
