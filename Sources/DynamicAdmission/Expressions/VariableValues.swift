import CEL
import Synchronization
import Values

/// The variables of expressions. `variables` is there for policies only.
struct ExpressionBindings: CELBindings {
    let inputs: ExpressionInputs
    let variables: VariableValues?

    func value(of name: String) throws(CELError) -> CELValue? {
        switch name {
        case "object": try Self.value(inputs.object)
        case "oldObject": try Self.value(inputs.oldObject)
        case "params": try Self.value(inputs.params)
        case "request": try CELValue(inputs.request)
        case "namespaceObject": try Self.value(inputs.namespaceObject)
        case "authorizer": .object(CELAuthorizerValue(inputs.authorizer))
        case "authorizer.requestResource":
            .object(CELAuthorizerValue(inputs.authorizer, requestResource: inputs.authorizer.requestResource))
        case "variables": variables.map { .map(CELMap($0)) }
        default: nil
        }
    }

    private static func value(_ json: JSONValue?) throws(CELError) -> CELValue {
        guard let json else { return .null }
        return try CELValue(json)
    }
}

/// `variables`: each is evaluated when an expression first asks for it, and only once.
///
/// Source: apiserver/pkg/admission/plugin/cel/composition.go, cel/lazy.
final class VariableValues: CELFields {
    private struct State {
        var values: [String: Result<CELValue, CELError>] = [:]
        var cost: UInt64 = 0
        var depth = 0
    }

    private let expressions: [String: AdmissionExpression]
    private let inputs: ExpressionInputs
    private let budget: UInt64
    private let state = Mutex(State())

    /// How many variables may wait for one another; each takes a part of the thread's stack.
    private static let deepest = 40

    init(_ expressions: [String: AdmissionExpression], _ inputs: ExpressionInputs, budget: UInt64) {
        self.budget = budget
        self.expressions = expressions
        self.inputs = inputs
    }

    var names: [String] { expressions.keys.sorted() }

    func field(_ name: String) -> Result<CELValue, CELError>? {
        if let known = state.withLock({ $0.values[name] }) { return known }
        guard let expression = expressions[name] else { return nil }
        let program: CELProgram
        switch expression.program {
        case .success(let compiled): program = compiled
        case .failure(let problem): return fail("composited variable \(quoted(name)) fails to compile: \(problem.message)")
        }
        let (depth, cost) = state.withLock { state in
            state.depth += 1
            return (state.depth, state.cost)
        }
        defer { state.withLock { $0.depth -= 1 } }
        // The budget of all is spent, as whoever evaluates is about to find.
        guard cost <= self.budget else { return fail("composited variable \(quoted(name)) is too expensive") }
        guard depth <= Self.deepest else { return fail("composited variable \(quoted(name)) is nested too deeply") }
        var budget = CELBudget(.max)
        let value = program.evaluate(ExpressionBindings(inputs: inputs, variables: self), budget: &budget)
        let result = value.mapError { CELError("composited variable \(quoted(name)) fails to evaluate: \($0.message)") }
        state.withLock { state in
            state.values[name] = result
            let (sum, isOver) = state.cost.addingReportingOverflow(budget.lastCost)
            state.cost = isOver ? .max : sum
        }
        return result
    }

    /// What evaluating variables has cost since this was last asked.
    func takeCost() -> UInt64 {
        state.withLock { state in
            defer { state.cost = 0 }
            return state.cost
        }
    }

    private func fail(_ message: String) -> Result<CELValue, CELError> { .failure(CELError(message)) }
    private func quoted(_ name: String) -> String { "\"\(name)\"" }
}
