import Schema
import Units
import Values

/// What an expression of an admission policy or webhook may refer to, and how it is compiled.
struct ExpressionScope {
    /// What an expression is for: that decides its type.
    enum Purpose {
        /// Yes or no.
        case condition
        /// A text for whoever is refused.
        case message
        /// A text for the audit log, or nothing.
        case annotation
        /// Any value.
        case variable(String)
        /// An object of the kind that is changed.
        case applyConfiguration
        /// A list of JSON patch operations.
        case patch
    }

    /// Whether `params` is declared.
    var hasParameters = false
    /// Whether `authorizer` is declared.
    var hasAuthorizer = false
    /// Expressions that are stored already: what a newer compiler refuses of them stays accepted.
    var known: Set<String> = []

    /// Adds what the compiler says of an expression.
    func check(_ expression: String, for purpose: Purpose, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard !known.contains(expression), let problem = problem(expression, purpose) else { return }
        issues.invalid(path, .string(expression), problem)
    }

    /// The compiler's words about an expression; nil when it compiles.
    func problem(_ expression: String, _ purpose: Purpose) -> String? { nil }
}
