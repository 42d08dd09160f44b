import APIModel
import CEL
import Schema
import Values

/// A MutatingAdmissionPolicy, compiled.
///
/// Source: apiserver/pkg/admission/plugin/policy/mutating/compilation.go.
struct MutatingPolicy: CompiledPolicy {
    static let policies = GroupResource(group: "admissionregistration.k8s.io", resource: "mutatingadmissionpolicies")
    static let bindings = GroupResource(group: "admissionregistration.k8s.io", resource: "mutatingadmissionpolicybindings")

    /// One change.
    enum Mutation: Sendable {
        /// Lays an object that the expression makes over the request's.
        case apply(AdmissionExpression)
        /// Applies the operations that the expression makes.
        case patch(AdmissionExpression)

        var expression: AdmissionExpression {
            switch self {
            case .apply(let expression), .patch(let expression): expression
            }
        }
    }

    let conditions: MatchConditions
    let mutations: [Mutation]
    let variables: [String: AdmissionExpression]
    /// Whether the policy runs again when something changes after it.
    let isReinvoked: Bool

    init(_ spec: JSONValue) {
        let hasParameters = spec["paramKind"].map { !$0.isNull } ?? false
        let compiler = ExpressionCompiler(hasParameters: hasParameters, variables: spec["variables"]?.array ?? [])
        conditions = MatchConditions(spec["matchConditions"], failurePolicy: spec["failurePolicy"]?.string, compiler: compiler)
        mutations = (spec["mutations"]?.array ?? []).compactMap { entry in
            switch entry["patchType"]?.string {
            case "ApplyConfiguration":
                let text = entry.value(at: ["applyConfiguration", "expression"])?.string ?? ""
                return .apply(compiler.compile(text, for: .applyConfiguration))
            case "JSONPatch":
                let text = entry.value(at: ["jsonPatch", "expression"])?.string ?? ""
                return .patch(compiler.compile(text, for: .patch))
            default: return nil
            }
        }
        variables = compiler.variables
        isReinvoked = spec["reinvocationPolicy"]?.string == "IfNeeded"
    }
}

/// Why a mutation failed.
enum MutationFailure: Error, Sendable {
    /// What `failurePolicy` decides about.
    case policy(String)
    /// What refuses the request in any case.
    case request(APIError)
}

extension MutatingPolicy.Mutation {
    /// The object as the mutation leaves it, not yet defaulted.
    ///
    /// - Parameter schema: Of the object's kind.
    func changed(
        _ object: JSONValue,
        _ inputs: ExpressionInputs,
        _ variables: [String: AdmissionExpression],
        _ schema: SchemaNode
    ) async throws(MutationFailure) -> JSONValue {
        let result = await inputs.authorizer.settle { inputs.evaluate([expression], variables: variables) }
        let value: CELValue
        switch result {
        case .failure(let failure): throw .policy(failure.message)
        case .success(let values):
            switch values.values.first {
            case .success(let made)?: value = made
            case .failure(let failure)?: throw .policy(failure.message)
            default: return object
            }
        }
        switch self {
        case .apply: return try Self.merged(object, value, schema)
        case .patch: return try Self.patched(object, value)
        }
    }

    /// Lays what an expression made over the object, as server-side apply merges, but without owners.
    private static func merged(_ object: JSONValue, _ value: CELValue, _ schema: SchemaNode) throws(MutationFailure) -> JSONValue {
        guard case .object(let made) = value, let message = made as? CELMessage else {
            throw .policy("unsupported return type from ApplyConfiguration expression: \(value.type)")
        }
        try check(message)
        var patch: JSONValue
        do throws(CELError) {
            patch = try value.json()
        } catch {
            throw .policy("invalid return type: \(error.message)")
        }
        for field in ["apiVersion", "kind"] { patch[field] = object[field] }
        if let problem = AppliedCheck.problem(in: patch, schema) {
            throw .policy("error applying patch: failed to convert patch object to typed object: \(problem)")
        }
        let atomics = AppliedCheck.atomics(in: patch, schema)
        guard atomics.isEmpty else {
            let places = atomics.joined(separator: ", ")
            throw .policy(
                "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: \(places)"
            )
        }
        return FieldOwnership.merge(object, patch, schema)
    }

    /// Objects have to be called after the fields they are put into.
    private static func check(_ message: CELMessage) throws(MutationFailure) {
        var problems: [String] = []
        MessageNames.check(.object(message), message.name, &problems)
        if !problems.isEmpty { throw .policy("type mismatch: \(problems.joined(separator: "\n"))") }
    }

    private static func patched(_ object: JSONValue, _ value: CELValue) throws(MutationFailure) -> JSONValue {
        guard case .list(let list) = value else {
            throw .policy("type mismatch: JSONPatchType.expression should evaluate to array")
        }
        var operations: [JSONValue] = []
        do {
            for element in try list.values() { operations.append(try operation(element)) }
        } catch let error as MutationFailure {
            throw error
        } catch {
            throw .policy("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch: \(error)")
        }
        do throws(PatchError) {
            return try JSONPatch.apply(.array(operations), to: object)
        } catch {
            // A test that fails means that there is nothing to change.
            if error.message.hasPrefix("testing value "), error.message.hasSuffix("test failed") { return object }
            throw .policy("JSON Patch: \(error.message)")
        }
    }

    private static func operation(_ value: CELValue) throws(MutationFailure) -> JSONValue {
        guard case .object(let made) = value, let message = made as? CELMessage else {
            throw .policy("type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch")
        }
        var operation: JSONValue = ["op": .string(message["op"]?.string ?? ""), "path": .string(message["path"]?.string ?? "")]
        if let from = message["from"]?.string, !from.isEmpty { operation["from"] = .string(from) }
        guard let given = message["value"] else { return operation }
        if case .object(let part) = given, let part = part as? CELMessage { try check(part) }
        do throws(CELError) {
            operation["value"] = try given.json()
        } catch {
            throw .policy("JSONPath valueExpression evaluated to a type that could not marshal to JSON: \(error.message)")
        }
        return operation
    }
}

/// The names of objects that expressions make: `Object.spec` stands in field `spec` of `Object`.
///
/// Source: apiserver/pkg/cel/mutation/dynamic/objects.go.
enum MessageNames {
    static func check(_ value: CELValue, _ path: String, _ problems: inout [String]) {
        switch value {
        case .object(let object):
            guard let message = object as? CELMessage else { return }
            if message.name != path {
                let words = "which matches field name path from root Object type"
                problems.append("unexpected type name \"\(message.name)\", expected \"\(path)\", \(words)")
            }
            for field in message.fields { check(field.value, "\(path).\(field.name)", &problems) }
        case .list(let list):
            for element in (try? list.values()) ?? [] { check(element, path, &problems) }
        case .map(let map):
            for key in map.keys() {
                if let value = try? map.find(key) { check(value, path, &problems) }
            }
        default: return
        }
    }
}
