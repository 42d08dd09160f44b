import Values

/// A name that expressions may use.
public struct CELVariable: Sendable {
    /// The name.
    public let name: String
    /// The type of its value.
    public let type: CELType
    /// What a schema tells of its value; nil when nothing is known.
    public let declared: CELDeclType?

    /// A variable of any value of `type`.
    public init(_ name: String, _ type: CELType) {
        self.name = name
        self.type = type
        self.declared = nil
    }

    /// A variable whose values a schema describes. With `isOptional` it may be absent, as `oldSelf` is for rules with
    /// `optionalOldSelf`.
    public init(_ name: String, _ declared: CELDeclType, isOptional: Bool = false) {
        self.name = name
        self.type = isOptional ? .optional(declared.celType) : declared.celType
        self.declared = declared
    }
}

/// What expressions may use: variables, the functions of Kubernetes v1.36, and kinds of messages to make.
/// Cheap to make; the functions are shared.
public struct CELEnvironment: Sendable {
    let variables: [String: CELVariable]
    let structures: (any CELStructures)?
    let sizeRoot: CELDeclType?
    let allowsBinding: Bool

    /// An environment with these variables. `structures` are the messages that expressions can make; `allowsBinding`
    /// adds the macro `cel.bind`, which Kubernetes has in selectors of devices.
    public init(variables: [CELVariable], structures: (any CELStructures)? = nil, allowsBinding: Bool = false) {
        self.allowsBinding = allowsBinding
        self.variables = Dictionary(variables.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.structures = structures
        self.sizeRoot = variables.first { $0.declared != nil }?.declared
    }

    func function(_ name: String) -> FunctionDeclaration? {
        // What makes patches has their functions too.
        FunctionTable.kubernetes.byName[name] ?? (structures == nil ? nil : FunctionTable.patches.byName[name])
    }

    /// Parses, checks and plans `text`. The issues print as cel-go's do.
    ///
    /// Safe on any thread: what may need much stack gets one of its own.
    public func compile(_ text: String) throws(CELIssues) -> CELProgram {
        if text.utf8.count <= StackRoom.shortText { return try compileHere(text) }
        let result = StackRoom.run { () -> Result<CELProgram, CELIssues> in
            do throws(CELIssues) { return .success(try compileHere(text)) } catch { return .failure(error) }
        }
        guard let result else { throw CELIssues(instantiation: .noRoom) }
        return try result.get()
    }

    private func compileHere(_ text: String) throws(CELIssues) -> CELProgram {
        var source = CELSource(text)
        let parsed = try Parser.parse(&source, allowsBinding: allowsBinding)
        let checked = try Checker.check(parsed, self, &source)
        var planner = Planner(checked)
        let plan: Plan
        do {
            plan = try planner.plan(checked.root)
        } catch { throw CELIssues(instantiation: error) }
        var used: Set<String> = []
        for case .variable(let name) in checked.references.values where variables[name] != nil { used.insert(name) }
        return CELProgram(
            plan: plan,
            slots: planner.mostSlots,
            outputType: checked.type(of: checked.root),
            estimatedCost: CostEstimator.estimate(checked, self),
            variables: used,
            recurses: parsed.depth > StackRoom.shallow
        )
    }
}

/// A compiled expression. Immutable and shared between threads; keeps nothing of its schema.
public struct CELProgram: Sendable {
    let plan: Plan
    let slots: Int
    /// The type of its value.
    public let outputType: CELType
    /// What an evaluation costs at least and at most, in cel-go's units, by the bounds of the schema.
    public let estimatedCost: CELCostEstimate
    /// The variables it uses.
    public let variables: Set<String>
    /// Whether it nests so deep that it gets a stack of its own.
    let recurses: Bool

    /// Whether it uses the variable `name`.
    public func uses(_ name: String) -> Bool { variables.contains(name) }

    /// The value for `bindings`. The cost is taken from `budget` also when there is no value. Never blocks, never
    /// crashes; ends at the cost limit of one call, or soon after the budget's deadline.
    public func evaluate(_ bindings: some CELBindings, budget: inout CELBudget) -> Result<CELValue, CELError> {
        let evaluation = Evaluation(bindings, slots: slots, budget: budget)
        let result: Result<CELValue, CELError>
        do throws(CELError) {
            result = .success(
                try recurses
                    ? StackRoom.result { () throws(CELError) in try evaluation.value(of: plan) } : evaluation.value(of: plan)
            )
        } catch {
            result = .failure(error)
        }
        budget.spend(evaluation.cost)
        return result
    }

    /// The value for `bindings` within a call's own limit, without regard to an overall budget.
    public func evaluate(_ bindings: some CELBindings) -> Result<CELValue, CELError> {
        var budget = CELBudget()
        return evaluate(bindings, budget: &budget)
    }
}

/// What evaluations may cost. Source: apiserver/pkg/apis/cel/config.go.
public struct CELBudget: Sendable {
    /// The limit of one evaluation.
    public static let perCallLimit: UInt64 = 1_000_000
    /// The limit of all evaluations for one object.
    public static let runtimeBudget: UInt64 = 10_000_000
    /// The limit of all match conditions for one object.
    public static let matchConditionsBudget: UInt64 = 2_500_000

    /// What is left.
    public private(set) var remaining: UInt64
    /// Whether more was spent than there was.
    public private(set) var isExhausted = false
    /// What the last evaluation cost.
    public private(set) var lastCost: UInt64 = 0
    /// The limit of each evaluation.
    public let perCallLimit: UInt64
    /// When evaluations are given up; nil for never.
    public let deadline: ContinuousClock.Instant?

    /// A budget.
    public init(
        _ remaining: UInt64 = CELBudget.runtimeBudget,
        perCallLimit: UInt64 = CELBudget.perCallLimit,
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.remaining = remaining
        self.perCallLimit = perCallLimit
        self.deadline = deadline
    }

    /// Takes `cost`.
    public mutating func spend(_ cost: UInt64) {
        lastCost = cost
        isExhausted = isExhausted || cost > remaining
        remaining -= min(cost, remaining)
    }
}

/// The values of an expression's variables.
public protocol CELBindings {
    /// The value of the variable `name`; nil when it has none.
    func value(of name: String) throws(CELError) -> CELValue?
}

/// Variables by name.
public struct CELValues: CELBindings, Sendable {
    private let values: [String: CELValue]
    /// Binds names to values.
    public init(_ values: [String: CELValue]) { self.values = values }
    /// The value of the variable `name`.
    public func value(of name: String) throws(CELError) -> CELValue? { values[name] }
}
