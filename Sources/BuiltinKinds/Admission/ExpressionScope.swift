import CEL
import PodKinds
import Schema
import Units
import Values

/// What an expression of an admission policy or webhook may refer to, for the field it stands in.
struct ExpressionScope {
    /// The variables, and how expressions are compiled.
    var admission: AdmissionScope
    /// Expressions that are stored already: what a newer compiler refuses of them stays accepted.
    var known: Set<String> = []

    init(hasParameters: Bool = false, hasAuthorizer: Bool = false, variables: AdmissionScope.Variables? = nil, known: Set<String> = []) {
        admission = AdmissionScope(hasParameters: hasParameters, hasAuthorizer: hasAuthorizer, variables: variables)
        self.known = known
    }

    /// Adds what the compiler says of an expression. The value shown is `shown`, or the expression itself.
    func check(
        _ expression: String,
        for purpose: AdmissionScope.Purpose,
        shown: String? = nil,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) {
        guard !known.contains(expression) else { return }
        _ = type(of: expression, for: purpose, shown: shown, path, &issues)
    }

    /// The type of an expression; nil with an issue when it does not compile.
    func type(
        of expression: String,
        for purpose: AdmissionScope.Purpose,
        shown: String? = nil,
        _ path: FieldPath,
        _ issues: inout [FieldIssue]
    ) -> CELType? {
        do throws(AdmissionExpressionProblem) {
            return try admission.compile(expression, for: purpose).outputType
        } catch {
            if error.isInternal {
                issues.append(.internalError(path, error.message))
            } else {
                issues.invalid(path, .string(shown ?? expression), error.message)
            }
            return nil
        }
    }
}
