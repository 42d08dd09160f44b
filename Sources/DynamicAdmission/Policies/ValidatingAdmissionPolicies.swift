import APIModel
import Access
import Values

/// Refuses what the ValidatingAdmissionPolicies of the cluster refuse.
///
/// Source: apiserver/pkg/admission/plugin/policy/validating/dispatcher.go.
public struct ValidatingAdmissionPolicies: Admission {
    /// The plugin's name.
    public let name = "ValidatingAdmissionPolicy"
    private let registry: PolicyRegistry<ValidatingPolicy>
    private let matcher: RequestMatcher
    private let kinds: any PolicyKinds
    private let authorizer: any Authorizer

    private static let longestAnnotation = 10 * 1024

    /// - Parameters:
    ///   - kinds: The kinds served.
    ///   - lookup: Where policies, bindings and namespaces are found.
    ///   - authorizer: Answers `authorizer` in expressions.
    public init(kinds: any PolicyKinds, lookup: any ClusterLookup, authorizer: any Authorizer) {
        registry = PolicyRegistry(lookup: lookup)
        matcher = RequestMatcher(kinds: kinds, lookup: lookup)
        self.kinds = kinds
        self.authorizer = authorizer
    }

    /// Whether there is a policy that may be about the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        !request.isExemptFromPolicies && !registry.hooks.isEmpty
    }

    /// Evaluates the policies that are about the request, and refuses it with the words of the first that does.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        let asked = RequestAuthorizer(request, authorizer)
        var denials: [PolicyDenial] = []
        for hook in registry.hooks {
            let matched: MatchedResource?
            do throws(APIError) {
                matched = try await matcher.match(hook.match, request)
            } catch {
                denials += hook.misconfigured(error.message, nil)
                continue
            }
            guard let matched else { continue }
            if let kind = hook.parameterKind, kinds.resource(of: kind.kind) == nil {
                denials += hook.misconfigured(kind.unknown.message, nil)
                continue
            }
            denials += try await apply(hook, request, matched, asked)
        }
        guard let denial = denials.first else { return }
        throw denial.error(request)
    }

    private func apply(
        _ hook: PolicyHook<ValidatingPolicy>,
        _ request: AdmissionRequest,
        _ matched: MatchedResource,
        _ asked: RequestAuthorizer
    ) async throws(APIError) -> [PolicyDenial] {
        var denials: [PolicyDenial] = []
        var objects: VersionedObjects?
        var annotations: [String: [String]] = [:]
        for binding in hook.bindings {
            let parameters: [JSONValue?]
            do throws(PolicyConfigurationError) {
                parameters = try await matcher.parameters(hook.parameterKind, binding, request, kinds)
                if objects == nil, !parameters.isEmpty { objects = try await kinds.objects(request, as: matched) }
            } catch {
                denials += hook.misconfigured(error.message, binding)
                continue
            }
            guard let objects, !parameters.isEmpty else { continue }
            let namespace = request.policyNamespace.isEmpty ? nil : try await matcher.namespace(of: request)
            for parameter in parameters {
                let inputs = ExpressionInputs(request, objects: objects, params: parameter, namespace: namespace, authorizer: asked)
                let outcome = await hook.program.evaluate(inputs)
                denials += act(on: outcome, hook.name, binding, request)
                for (key, value) in outcome.annotations {
                    let value = value.prefix(bytes: Self.longestAnnotation)
                    if annotations[key]?.contains(value) != true { annotations[key, default: []].append(value) }
                }
            }
        }
        for (key, values) in annotations { request.annotate("\(hook.name)/\(key)", values.joined(separator: ", ")) }
        return denials
    }

    /// Does what the binding says is to be done about refusals.
    private func act(
        on outcome: ValidatingPolicy.Outcome,
        _ policy: String,
        _ binding: PolicyBinding,
        _ request: AdmissionRequest
    ) -> [PolicyDenial] {
        var denials: [PolicyDenial] = []
        let actions = binding.spec["validationActions"]?.array ?? []
        for refusal in outcome.refusals {
            let denial = PolicyDenial(policy: policy, binding: binding.name, message: refusal.message, reason: refusal.reason)
            guard refusal.isValidation else {
                denials.append(denial)
                continue
            }
            for action in actions {
                switch action.string {
                case "Deny": denials.append(denial)
                case "Warn":
                    let head = "Validation failed for ValidatingAdmissionPolicy '\(policy)' with binding '\(binding.name)'"
                    request.warn("\(head): \(refusal.message)")
                case "Audit":
                    let failure: JSONValue = [
                        "message": .string(refusal.message), "policy": .string(policy), "binding": .string(binding.name),
                        "expressionIndex": .integer(Int64(refusal.index)), "validationActions": .array(actions),
                    ]
                    request.annotate("validation.policy.admission.k8s.io/validation_failure", JSONValue.array([failure]).description)
                default: continue
                }
            }
        }
        return denials
    }
}

/// A policy's refusal of a request.
struct PolicyDenial: Sendable {
    let policy: String
    let binding: String?
    let message: String
    let reason: String

    /// The error the client sees.
    func error(_ request: AdmissionRequest) -> APIError {
        let with = binding.map { " with binding '\($0)'" } ?? ""
        let words = "ValidatingAdmissionPolicy '\(policy)'\(with) denied request: \(message)"
        var error = request.forbidden(words)
        error.reason = reason.isEmpty ? "Invalid" : reason
        error.code = Self.codes[error.reason] ?? 422
        error.addCause(reason: "", message: words)
        return error
    }

    private static let codes = ["Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422]
}

extension RequestMatcher {
    /// What a binding wants its policy evaluated with; nothing when it is not about the request.
    func parameters(
        _ kind: ParameterKind?,
        _ binding: PolicyBinding,
        _ request: AdmissionRequest,
        _ kinds: any PolicyKinds
    ) async throws(PolicyConfigurationError) -> [JSONValue?] {
        if let criteria = binding.match {
            do throws(APIError) {
                guard try await match(criteria, request) != nil else { return [] }
            } catch {
                throw PolicyConfigurationError(message: error.message)
            }
        }
        return try await ParameterReference.collect(kind, binding.parameters, namespace: request.objectNamespace, kinds)
    }
}

extension PolicyKinds {
    /// The objects of a request in the version that a policy looks at.
    func objects(_ request: AdmissionRequest, as matched: MatchedResource) async throws(PolicyConfigurationError) -> VersionedObjects {
        do throws(APIError) {
            return try await VersionedObjects(request, as: matched, self)
        } catch {
            throw PolicyConfigurationError(message: "failed to convert object version: \(error.message)")
        }
    }
}

extension PolicyHook<ValidatingPolicy> {
    /// What becomes of a request when policy or binding cannot be applied.
    fileprivate func misconfigured(_ message: String, _ binding: PolicyBinding?) -> [PolicyDenial] {
        if ignoresFailures { return [] }
        let what = binding == nil ? "policy" : "binding"
        return [PolicyDenial(policy: name, binding: binding?.name, message: "failed to configure \(what): \(message)", reason: "")]
    }
}

extension String {
    /// The text's beginning, of at most so many bytes.
    fileprivate func prefix(bytes: Int) -> String {
        utf8.count <= bytes ? self : String(decoding: utf8.prefix(bytes), as: UTF8.self)
    }
}
