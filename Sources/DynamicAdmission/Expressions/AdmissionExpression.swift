import CEL
import Values

/// An expression of a policy or webhook, compiled once. What does not compile fails when it is evaluated, as upstream has it.
public struct AdmissionExpression: Sendable {
    /// The expression as it was written.
    public let text: String
    /// What evaluates it, or the compiler's words.
    public let program: Result<CELProgram, AdmissionExpressionProblem>
}

/// Compiles the expressions of one policy or webhook; those of a policy know the values it gave names.
///
/// Source: apiserver/pkg/admission/plugin/cel/composition.go.
public struct ExpressionCompiler: Sendable {
    /// The values the policy gave names, by name.
    public private(set) var variables: [String: AdmissionExpression] = [:]
    private var scope: AdmissionScope

    /// A compiler for expressions without variables, such as the match conditions of webhooks.
    public init(hasParameters: Bool = false) {
        scope = AdmissionScope(hasParameters: hasParameters)
    }

    /// A compiler that knows the entries of a policy's `spec.variables`; each knows those before it.
    public init(hasParameters: Bool, variables entries: [JSONValue]) {
        self.init(hasParameters: hasParameters)
        scope.variables = []
        for entry in entries {
            let name = entry["name"]?.string ?? ""
            let compiled = compile(entry["expression"]?.string ?? "", for: .variable)
            var type: CELType?
            if case .success(let program) = compiled.program { type = program.outputType }
            scope.variables?.add(name, type)
            variables[name] = compiled
        }
    }

    /// Compiles an expression. Messages know no `authorizer`.
    public func compile(_ text: String, for purpose: AdmissionScope.Purpose) -> AdmissionExpression {
        var scope = scope
        if case .message = purpose { scope.hasAuthorizer = false }
        do throws(AdmissionExpressionProblem) {
            return AdmissionExpression(text: text, program: .success(try scope.compile(text, for: purpose)))
        } catch {
            return AdmissionExpression(text: text, program: .failure(error))
        }
    }
}
