/// What an expression of an admission policy or webhook may refer to, and how it is compiled.
///
/// Source: apiserver/pkg/admission/plugin/cel/compile.go.
public struct AdmissionScope: Sendable {
    /// What an expression is for: that decides its type.
    public enum Purpose: Sendable {
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

        var types: [CELType] {
            switch self {
            case .condition: [.bool]
            case .message: [.string]
            case .annotation: [.string, .null]
            case .variable: []
            case .applyConfiguration: [.named(PatchStructures.objectName)]
            case .patch: [.list(.named(PatchStructures.operationName))]
            }
        }

        var makesObjects: Bool {
            switch self {
            case .applyConfiguration, .patch: true
            default: false
            }
        }
    }

    /// The values that a policy has given names so far, with their types.
    public struct Variables: Sendable, ExpressibleByArrayLiteral {
        private(set) var types: [String: CELDeclType] = [:]

        /// None yet.
        public init(arrayLiteral elements: Never...) {}

        /// Gives a value a name; nil is the type of what does not compile. A later value takes the name from an earlier one.
        public mutating func add(_ name: String, _ type: CELType?) { types[name] = AdmissionTypes.declared(type) }
    }

    /// Whether `params` is declared. It may be null nevertheless.
    public var hasParameters: Bool
    /// Whether `authorizer` is declared.
    public var hasAuthorizer: Bool
    /// The values the policy has given names so far; nil where there is no `variables`.
    public var variables: Variables?

    /// A scope in which objects are not typed, as they are evaluated.
    public init(hasParameters: Bool = false, hasAuthorizer: Bool = true, variables: Variables? = nil) {
        self.hasParameters = hasParameters
        self.hasAuthorizer = hasAuthorizer
        self.variables = variables
    }

    /// Compiles an expression and checks its type. The problem is worded as the field's issue is.
    public func compile(_ expression: String, for purpose: Purpose) throws(AdmissionExpressionProblem) -> CELProgram {
        let structures = purpose.makesObjects ? PatchStructures() : nil
        let program: CELProgram
        do throws(CELIssues) {
            program = try CELEnvironment(variables: declared, structures: structures).compile(expression)
        } catch {
            let head = error.isInstantiation ? "program instantiation failed" : "compilation failed"
            throw AdmissionExpressionProblem(message: "\(head): \(error)", isInternal: error.isInstantiation)
        }
        let (wanted, type) = (purpose.types, program.outputType)
        if wanted.isEmpty || wanted.contains(type) { return program }
        if wanted.count == 1 { throw AdmissionExpressionProblem(message: "must evaluate to \(wanted[0]) but got \(type)") }
        let all = wanted.map(\.description).joined(separator: " ")
        throw AdmissionExpressionProblem(message: "must evaluate to one of [\(all)] but got \(type)")
    }

    private var declared: [CELVariable] {
        var all = [CELVariable("object", .dyn), CELVariable("oldObject", .dyn)]
        all.append(CELVariable("namespaceObject", AdmissionTypes.namespace))
        all.append(CELVariable("request", AdmissionTypes.request))
        if hasParameters { all.append(CELVariable("params", .dyn)) }
        if hasAuthorizer {
            all.append(CELVariable("authorizer", CELAuthorizerValue.authorizerType))
            all.append(CELVariable("authorizer.requestResource", CELAuthorizerValue.resourceCheckType))
        }
        if let variables { all.append(CELVariable("variables", AdmissionTypes.variables(variables))) }
        return all
    }

    /// What is wrong with an expression when objects and parameters have the types given (nil: any value). Nil when nothing
    /// is. Source: policy/validating/typechecking.go, which knows no `authorizer.requestResource`.
    public func mistakes(in expression: String, object: CELDeclType?, params: CELDeclType?) -> CELIssues? {
        do throws(CELIssues) {
            _ = try typed(object, params).compile(expression)
            return nil
        } catch {
            // Type checks make no programs.
            return error.isInstantiation ? nil : error
        }
    }

    /// The type of an expression among typed objects; nil when it does not compile.
    public func type(of expression: String, object: CELDeclType?, params: CELDeclType?) -> CELType? {
        try? typed(object, params).compile(expression).outputType
    }

    private func typed(_ object: CELDeclType?, _ params: CELDeclType?) -> CELEnvironment {
        func variable(_ name: String, _ type: CELDeclType?) -> CELVariable { type.map { CELVariable(name, $0) } ?? CELVariable(name, .dyn) }
        var all = [variable("object", object), variable("oldObject", object)]
        all.append(CELVariable("namespaceObject", AdmissionTypes.namespace))
        all.append(CELVariable("request", AdmissionTypes.request))
        if hasParameters { all.append(variable("params", params)) }
        if hasAuthorizer { all.append(CELVariable("authorizer", CELAuthorizerValue.authorizerType)) }
        all.append(CELVariable("variables", AdmissionTypes.variables(variables ?? [])))
        return CELEnvironment(variables: all)
    }
}

/// Why an expression of admission cannot be used.
public struct AdmissionExpressionProblem: Error, Sendable, Hashable {
    /// The compiler's words.
    public let message: String
    /// Whether the expression is right but cannot be made ready; upstream calls that an internal error.
    public let isInternal: Bool

    init(message: String, isInternal: Bool = false) {
        self.message = message
        self.isInternal = isInternal
    }
}

/// What expressions that change objects can make: operations of a JSON patch, and parts of objects.
struct PatchStructures: CELStructures {
    static let objectName = "Object"
    static let operationName = "JSONPatch"
    private static let operationFields: [String: CELType] = ["op": .string, "from": .string, "path": .string, "value": .dyn]

    func structure(named name: String) -> CELStructure? {
        // Upstream's operations have every field, but those that they do not know have no type that a value fits.
        if name == Self.operationName { return CELStructure(name: name) { Self.operationFields[$0] ?? .named("") } }
        guard name == Self.objectName || name.hasPrefix("\(Self.objectName).") else { return nil }
        return CELStructure(name: name) { _ in .dyn }
    }
}
