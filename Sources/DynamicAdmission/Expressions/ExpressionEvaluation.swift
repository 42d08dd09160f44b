import CEL

/// Why expressions have no value, worded as upstream words it.
public struct ExpressionFailure: Error, Sendable, Hashable {
    /// The words.
    public let message: String
    /// Whether the budget is spent, so that nothing more is evaluated.
    public let isOutOfBudget: Bool

    init(_ message: String, isOutOfBudget: Bool = false) {
        self.message = message
        self.isOutOfBudget = isOutOfBudget
    }

    static let outOfBudget = ExpressionFailure(
        "validation failed due to running out of cost budget, no further validation rules will be run",
        isOutOfBudget: true
    )
}

/// What several expressions come to.
public struct ExpressionValues: Sendable {
    /// A value or a failure each; nil where there was no expression.
    public let values: [Result<CELValue, ExpressionFailure>?]
    /// What is left of the budget.
    public let remaining: UInt64
}

extension ExpressionInputs {
    /// Evaluates expressions one after another within a budget. A failure of all when the budget is spent.
    ///
    /// Ask `authorizer.settle` to do this: answers of authorizers may be missing at first.
    public func evaluate(
        _ expressions: [AdmissionExpression?],
        variables: [String: AdmissionExpression] = [:],
        budget: UInt64 = CELBudget.runtimeBudget
    ) -> Result<ExpressionValues, ExpressionFailure> {
        let named = VariableValues(variables, self, budget: budget)
        let bindings = ExpressionBindings(inputs: self, variables: named)
        var remaining = budget
        var values: [Result<CELValue, ExpressionFailure>?] = []
        values.reserveCapacity(expressions.count)
        for expression in expressions {
            guard let expression else {
                values.append(nil)
                continue
            }
            let program: CELProgram
            switch expression.program {
            case .success(let compiled): program = compiled
            case .failure(let problem):
                values.append(.failure(ExpressionFailure("compilation error: \(problem.message)")))
                continue
            }
            var calls = CELBudget(.max)
            let value = program.evaluate(bindings, budget: &calls)
            for cost in [named.takeCost(), calls.lastCost] {
                guard cost <= remaining else { return .failure(.outOfBudget) }
                remaining -= cost
            }
            values.append(value.mapError { ExpressionFailure("expression '\(expression.text)' resulted in error: \($0.message)") })
        }
        return .success(ExpressionValues(values: values, remaining: remaining))
    }
}
