import CEL
import Values

/// The `matchConditions` of a webhook or policy, compiled once: whether a request is any of its business.
///
/// Source: apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go.
public struct MatchConditions: Sendable {
    /// What conditions say of a request.
    public enum Outcome: Sendable, Hashable {
        /// All hold, or there are none.
        case matches
        /// One does not hold, or one failed and failures are to be ignored.
        case skips
        /// None says no but some failed, with `failurePolicy: Fail`: the request is to be refused with these words.
        case fails(String)
    }

    private let expressions: [AdmissionExpression]
    private let variables: [String: AdmissionExpression]
    private let ignoresFailures: Bool

    /// - Parameters:
    ///   - conditions: `matchConditions`: entries with `name` and `expression`.
    ///   - failurePolicy: `Fail` or `Ignore`; nil is `Fail`.
    ///   - compiler: For policies, with their variables.
    public init(_ conditions: JSONValue?, failurePolicy: String?, compiler: ExpressionCompiler = ExpressionCompiler()) {
        expressions = (conditions?.array ?? []).map { compiler.compile($0["expression"]?.string ?? "", for: .condition) }
        variables = compiler.variables
        ignoresFailures = failurePolicy == "Ignore"
    }

    /// Whether there are none.
    public var isEmpty: Bool { expressions.isEmpty }

    /// Evaluates the conditions within upstream's budget for them.
    public func match(_ inputs: ExpressionInputs) async -> Outcome {
        if expressions.isEmpty { return .matches }
        // Upstream's conditions see the resource of the request, and no namespace.
        var inputs = inputs
        inputs.namespaceObject = nil
        inputs.request["resource"] = inputs.request["requestResource"]
        let seen = inputs
        let result = await inputs.authorizer.settle {
            seen.evaluate(expressions, variables: variables, budget: CELBudget.matchConditionsBudget)
        }
        let values: [Result<CELValue, ExpressionFailure>?]
        switch result {
        case .success(let evaluated): values = evaluated.values
        case .failure(let failure): return ignoresFailures ? .skips : .fails(failure.message)
        }
        var failures: [String] = []
        for value in values {
            switch value {
            case .success(.bool(false)): return .skips
            case .failure(let failure): if !failures.contains(failure.message) { failures.append(failure.message) }
            default: continue
            }
        }
        guard !failures.isEmpty else { return .matches }
        if ignoresFailures { return .skips }
        // As upstream joins errors.
        return .fails(failures.count == 1 ? failures[0] : "[\(failures.joined(separator: ", "))]")
    }
}
