import APIModel
import Access
import Schema
import Values

/// Changes objects as the MutatingAdmissionPolicies of the cluster say.
///
/// Source: apiserver/pkg/admission/plugin/policy/mutating/dispatcher.go, policy/generic/policy_dispatcher.go.
public struct MutatingAdmissionPolicies: Admission {
    /// The plugin's name.
    public let name = "MutatingAdmissionPolicy"
    private let registry: PolicyRegistry<MutatingPolicy>
    private let matcher: RequestMatcher
    private let kinds: any PolicyKinds
    private let authorizer: any Authorizer

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

    /// One policy with one binding and one parameter, for one request.
    private struct Invocation: Sendable {
        let hook: PolicyHook<MutatingPolicy>
        let binding: PolicyBinding
        let matched: MatchedResource
        let parameter: JSONValue?

        /// What tells it from others in the second round.
        var key: String {
            let metadata = parameter?["metadata"]
            return [hook.name, binding.name, metadata?["namespace"]?.string ?? "", metadata?["name"]?.string ?? ""].joined(separator: "|")
        }
    }

    /// Why a policy refuses the request.
    private struct Refusal {
        let hook: PolicyHook<MutatingPolicy>
        let binding: String?
        let message: String
        var isInvalid = false

        var text: String {
            if let binding { return "policy '\(hook.name)' with binding '\(binding)' denied request: \(message)" }
            return "policy \"\(hook.name)\" denied request: \(message)"
        }
    }

    /// Whether there is a policy that may be about the request. Nothing can be changed about a deletion.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation != .delete && !request.isExemptFromPolicies && !registry.hooks.isEmpty
    }

    /// Applies the policies that are about the request, one after another.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        var refusals: [Refusal] = []
        let invocations = try await invocations(request, &refusals)
        if !invocations.isEmpty { try await run(invocations, &request, &refusals) }
        refusals.removeAll { $0.hook.ignoresFailures }
        guard let first = refusals.first else { return }
        var error = request.forbidden("admission request denied by policy")
        error.message = first.text
        if first.isInvalid { error.reason = "Invalid" }
        for refusal in refusals { error.addCause(reason: "", message: refusal.text) }
        throw error
    }

    private func invocations(_ request: AdmissionRequest, _ refusals: inout [Refusal]) async throws(APIError) -> [Invocation] {
        var all: [Invocation] = []
        for hook in registry.hooks {
            func refuse(_ message: String, _ binding: PolicyBinding? = nil) {
                let what = binding == nil ? "policy" : "binding"
                refusals.append(Refusal(hook: hook, binding: binding?.name, message: "failed to configure \(what): \(message)"))
            }
            let matched: MatchedResource?
            do throws(APIError) {
                matched = try await matcher.match(hook.match, request)
            } catch {
                refuse(error.message)
                continue
            }
            guard let matched else { continue }
            if let kind = hook.parameterKind, kinds.resource(of: kind.kind) == nil {
                refuse(kind.unknown.message)
                continue
            }
            for binding in hook.bindings {
                do throws(PolicyConfigurationError) {
                    for parameter in try await matcher.parameters(hook.parameterKind, binding, request, kinds) {
                        all.append(Invocation(hook: hook, binding: binding, matched: matched, parameter: parameter))
                    }
                } catch {
                    refuse(error.message, binding)
                }
            }
        }
        return all
    }

    private func run(
        _ invocations: [Invocation],
        _ request: inout AdmissionRequest,
        _ refusals: inout [Refusal]
    ) async throws(APIError) {
        var rounds = request.reinvocation.plugins[name] ?? .init()
        if request.reinvocation.isSecondRound { rounds.begins(with: request.object) }
        let asked = RequestAuthorizer(request, authorizer)
        let namespace = request.policyNamespace.isEmpty ? nil : try await matcher.namespace(of: request)
        for invocation in invocations {
            let objects: VersionedObjects
            do throws(PolicyConfigurationError) {
                objects = try await kinds.objects(request, as: invocation.matched)
            } catch {
                throw .internalError(error.message)
            }
            let inputs = ExpressionInputs(
                request,
                objects: objects,
                params: invocation.parameter,
                namespace: namespace,
                authorizer: asked
            )
            switch await invocation.hook.program.conditions.match(inputs) {
            case .skips: continue
            case .fails(let message):
                let (hook, binding) = (invocation.hook, invocation.binding.name)
                refusals.append(Refusal(hook: hook, binding: binding, message: message, isInvalid: true))
                continue
            case .matches: break
            }
            if request.reinvocation.isSecondRound, !rounds.runsAgain(invocation.key) { continue }
            if let changed = try await apply(invocation, inputs, &refusals), changed != objects.object {
                request.object = try await kinds.convert(changed, to: request.kind, of: request.resource)
                rounds.changed()
                request.reinvocation.isNeeded = true
            }
            if invocation.hook.program.isReinvoked { rounds.invoked(invocation.key) }
        }
        rounds.ended(with: request.object)
        request.reinvocation.plugins[name] = rounds
    }

    /// The object after all mutations of a policy; nil when there is no object to change.
    private func apply(
        _ invocation: Invocation,
        _ inputs: ExpressionInputs,
        _ refusals: inout [Refusal]
    ) async throws(APIError) -> JSONValue? {
        var inputs = inputs
        let matched = invocation.matched
        for mutation in invocation.hook.program.mutations {
            guard let object = inputs.object else { return nil }
            guard let schema = kinds.schema(of: matched.kind) else {
                throw .serviceUnavailable(
                    "Resource kind \(matched.kind.goText) not found. There can be a delay between when CustomResourceDefinitions "
                        + "are created and when they are available."
                )
            }
            do throws(MutationFailure) {
                let changed = try await mutation.changed(object, inputs, invocation.hook.program.variables, schema)
                if changed != object { inputs.object = try complete(changed, mutation, matched, schema) }
            } catch {
                switch error {
                case .request(let error): throw error
                case .policy(let message):
                    let (hook, binding) = (invocation.hook, invocation.binding.name)
                    refusals.append(Refusal(hook: hook, binding: binding, message: message, isInvalid: true))
                }
            }
        }
        return inputs.object
    }

    /// Checks types and fills in defaults, as if the object came from a client. A patch may not bring unknown fields.
    private func complete(
        _ object: JSONValue,
        _ mutation: MutatingPolicy.Mutation,
        _ matched: MatchedResource,
        _ schema: SchemaNode
    ) throws(MutationFailure) -> JSONValue {
        if case .patch = mutation, !kinds.isCustom(matched.kind) {
            var copy = object
            let unknown: [String]
            do throws(SchemaDecodeError) {
                unknown = try schema.decode(&copy)
            } catch {
                throw .request(.internalError(error.message))
            }
            guard unknown.isEmpty else {
                throw .request(.internalError("strict decoding error: \(unknown.joined(separator: ", "))"))
            }
        }
        do throws(APIError) {
            return try kinds.decode(object, as: matched.kind, of: matched.resource)
        } catch {
            throw .request(.internalError(error.message))
        }
    }
}
