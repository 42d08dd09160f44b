import APIModel
import CEL
import Values

/// A ValidatingAdmissionPolicy, compiled.
///
/// Source: apiserver/pkg/admission/plugin/policy/validating/validator.go, plugin.go.
struct ValidatingPolicy: CompiledPolicy {
    static let policies = GroupResource(group: "admissionregistration.k8s.io", resource: "validatingadmissionpolicies")
    static let bindings = GroupResource(group: "admissionregistration.k8s.io", resource: "validatingadmissionpolicybindings")

    /// Why a request is refused.
    struct Refusal: Sendable, Hashable {
        /// Which of the validations it was.
        var index = 0
        var message: String
        var reason = ""
        /// Whether an action of the binding decides what becomes of it; what audit annotations say always refuses.
        var isValidation = true
    }

    /// What the policy says of a request.
    struct Outcome: Sendable {
        var refusals: [Refusal] = []
        /// What to note in the audit log.
        var annotations: [(key: String, value: String)] = []
    }

    private struct Validation: Sendable {
        let expression: AdmissionExpression
        let message: String
        let reason: String
    }

    /// The longest text of a `messageExpression`, in bytes. Source: apiserver/pkg/apis/cel/config.go.
    private static let longestMessage = 5 * 1024

    private let conditions: MatchConditions
    private let validations: [Validation]
    private let messages: [AdmissionExpression?]
    private let annotations: [(key: String, value: AdmissionExpression)]
    private let variables: [String: AdmissionExpression]
    private let ignoresFailures: Bool

    init(_ spec: JSONValue) {
        let hasParameters = spec["paramKind"].map { !$0.isNull } ?? false
        let compiler = ExpressionCompiler(hasParameters: hasParameters, variables: spec["variables"]?.array ?? [])
        let policy = spec["failurePolicy"]?.string
        conditions = MatchConditions(spec["matchConditions"], failurePolicy: policy, compiler: compiler)
        let entries = spec["validations"]?.array ?? []
        validations = entries.map { entry in
            Validation(
                expression: compiler.compile(entry["expression"]?.string ?? "", for: .condition),
                message: entry["message"]?.string ?? "",
                reason: entry["reason"]?.string ?? "Invalid"
            )
        }
        messages = entries.map { entry in
            guard let text = entry["messageExpression"]?.string, !text.isEmpty else { return nil }
            return compiler.compile(text, for: .message)
        }
        annotations = (spec["auditAnnotations"]?.array ?? []).map { entry in
            (entry["key"]?.string ?? "", compiler.compile(entry["valueExpression"]?.string ?? "", for: .annotation))
        }
        variables = compiler.variables
        ignoresFailures = policy == "Ignore"
    }

    /// Evaluates the policy.
    func evaluate(_ inputs: ExpressionInputs) async -> Outcome {
        switch await conditions.match(inputs) {
        case .matches: break
        case .skips: return Outcome()
        case .fails(let message): return failed(message)
        }
        return await inputs.authorizer.settle { decide(inputs) }
    }

    private func failed(_ message: String, index: Int = 0) -> Outcome {
        ignoresFailures ? Outcome() : Outcome(refusals: [Refusal(index: index, message: message)])
    }

    private func decide(_ inputs: ExpressionInputs) -> Outcome {
        let results: ExpressionValues
        switch inputs.evaluate(validations.map(\.expression), variables: variables) {
        case .success(let values): results = values
        case .failure(let failure): return failed(failure.message)
        }
        let texts = inputs.evaluate(messages, variables: variables, budget: results.remaining)
        var outcome = Outcome()
        for (index, result) in results.values.enumerated() {
            if let refusal = refusal(index, result, texts) { outcome.refusals.append(refusal) }
        }
        switch inputs.evaluate(annotations.map(\.value), variables: variables) {
        case .success(let values): annotate(values.values, &outcome)
        case .failure(let failure): return failed(failure.message)
        }
        return outcome
    }

    /// What a validation refuses; nil when it does not.
    private func refusal(
        _ index: Int,
        _ result: Result<CELValue, ExpressionFailure>?,
        _ texts: Result<ExpressionValues, ExpressionFailure>
    ) -> Refusal? {
        let failure: String
        switch (result, texts) {
        case (.failure(let problem), _): failure = problem.message
        case (_, .failure(let problem)): failure = "failed messageExpression: \(problem.message)"
        case (.success(.bool(true)), _), (nil, _): return nil
        case (.success, .success(let texts)):
            let validation = validations[index]
            let made = Self.message(texts.values[index])
            let given = made ?? (validation.message.isEmpty ? nil : validation.message.trimmed)
            let message = given.flatMap { $0.isEmpty ? nil : $0 } ?? "failed expression: \(validation.expression.text.trimmed)"
            return Refusal(index: index, message: message, reason: validation.reason)
        }
        return ignoresFailures ? nil : Refusal(index: index, message: failure)
    }

    /// The text of a `messageExpression`; nil when it is none that can be shown.
    private static func message(_ value: Result<CELValue, ExpressionFailure>?) -> String? {
        guard case .success(.string(let text)) = value else { return nil }
        let message = text.trimmed
        let isShown = !message.isEmpty && message.utf8.count <= longestMessage && !message.utf8.contains(UInt8(ascii: "\n"))
        return isShown ? message : nil
    }

    private func annotate(_ values: [Result<CELValue, ExpressionFailure>?], _ outcome: inout Outcome) {
        for (annotation, value) in zip(annotations, values) {
            switch value {
            case .success(.string(let text)):
                let text = text.trimmed
                if !text.isEmpty { outcome.annotations.append((annotation.key, text)) }
            case .failure(let failure):
                guard !ignoresFailures else { continue }
                outcome.refusals.append(Refusal(message: failure.message, isValidation: false))
            default: continue
            }
        }
    }
}

extension String {
    /// The text without the white space around it.
    var trimmed: String {
        guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(self[first...last])
    }
}
