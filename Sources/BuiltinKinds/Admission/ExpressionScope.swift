import CEL
import PodKinds
import Schema
import Units
import Values

/// What an expression of an admission policy or webhook may refer to, and how it is compiled.
///
/// Source: apiserver/pkg/admission/plugin/cel.
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
        case variable
        /// An object of the kind that is changed.
        case applyConfiguration
        /// A list of JSON patch operations.
        case patch

        fileprivate var types: [CELType] {
            switch self {
            case .condition: [.bool]
            case .message: [.string]
            case .annotation: [.string, .null]
            case .variable: []
            case .applyConfiguration: [.named("Object")]
            case .patch: [.list(.named("JSONPatch"))]
            }
        }

        fileprivate var makesObjects: Bool {
            switch self {
            case .applyConfiguration, .patch: true
            default: false
            }
        }
    }

    /// Whether `params` is declared.
    var hasParameters = false
    /// Whether `authorizer` is declared.
    var hasAuthorizer = false
    /// The names that the policy gives to values of its own; nil where it has none.
    var variables: [String]?
    /// Expressions that are stored already: what a newer compiler refuses of them stays accepted.
    var known: Set<String> = []

    /// Adds what the compiler says of an expression.
    func check(_ expression: String, for purpose: Purpose, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard !known.contains(expression), let problem = problem(expression, purpose) else { return }
        issues.invalid(path, .string(expression), problem)
    }

    /// The compiler's words about an expression; nil when it compiles and has the right type.
    private func problem(_ expression: String, _ purpose: Purpose) -> String? {
        let structures: PatchStructures? = purpose.makesObjects || variables != nil ? PatchStructures() : nil
        let type: CELType
        do throws(CELIssues) {
            type = try CELEnvironment(variables: declared, structures: structures).compile(expression).outputType
        } catch {
            return error.isInstantiation ? "program instantiation failed: \(error)" : "compilation failed: \(error)"
        }
        let wanted = purpose.types
        if wanted.isEmpty || wanted.contains(type) { return nil }
        if wanted.count == 1 { return "must evaluate to \(wanted[0]) but got \(type)" }
        return "must evaluate to one of [\(wanted.map(\.description).joined(separator: " "))] but got \(type)"
    }

    private var declared: [CELVariable] {
        var all = [CELVariable("object", .dyn), CELVariable("oldObject", .dyn)]
        all.append(RequestTypes.namespace.map { CELVariable("namespaceObject", $0) } ?? CELVariable("namespaceObject", .dyn))
        all.append(RequestTypes.request.map { CELVariable("request", $0) } ?? CELVariable("request", .dyn))
        if hasParameters { all.append(CELVariable("params", .dyn)) }
        if hasAuthorizer {
            all.append(CELVariable("authorizer", .named("kubernetes.authorization.Authorizer")))
            all.append(CELVariable("authorizer.requestResource", .named("kubernetes.authorization.ResourceCheck")))
        }
        if let variables, let type = RequestTypes.variables(variables) { all.append(CELVariable("variables", type)) }
        return all
    }
}

/// What expressions that change objects can make: operations of a JSON patch, and parts of objects.
private struct PatchStructures: CELStructures {
    func structure(named name: String) -> CELStructure? {
        if name == "JSONPatch" {
            let fields: [String: CELType] = ["op": .string, "from": .string, "path": .string, "value": .dyn]
            return CELStructure(name: name) { fields[$0] }
        }
        guard name == "Object" || name.hasPrefix("Object.") else { return nil }
        return CELStructure(name: name) { _ in .dyn }
    }
}
