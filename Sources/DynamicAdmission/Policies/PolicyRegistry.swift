import APIModel
import Access
import Synchronization
import Values

/// What one kind of policy is compiled to.
protocol CompiledPolicy: Sendable {
    /// The resource of the policies.
    static var policies: GroupResource { get }
    /// The resource of their bindings.
    static var bindings: GroupResource { get }
    /// Compiles `spec` of a policy. What is wrong with its expressions shows when they are evaluated.
    init(_ spec: JSONValue)
}

/// What puts a policy to work.
struct PolicyBinding: Sendable {
    let name: String
    /// Nil leaves it to the policy which requests it is about.
    let match: MatchCriteria?
    let parameters: ParameterReference?
    let spec: JSONValue

    init(_ object: JSONValue) {
        name = object.value(at: ["metadata", "name"])?.string ?? ""
        spec = object["spec"] ?? [:]
        match = spec["matchResources"].flatMap { $0.isNull ? nil : MatchCriteria(matchResources: $0) }
        parameters = ParameterReference(spec["paramRef"])
    }
}

/// A policy with its bindings, ready to be evaluated.
struct PolicyHook<Program: CompiledPolicy>: Sendable {
    let name: String
    let match: MatchCriteria
    let parameterKind: ParameterKind?
    let ignoresFailures: Bool
    let program: Program
    let bindings: [PolicyBinding]
}

/// The policies of one kind that have bindings, compiled once per change of their spec.
///
/// `state` guards the newest hooks; they are made outside of it, by the first request that sees a change.
final class PolicyRegistry<Program: CompiledPolicy>: Sendable {
    private struct Compiled: Sendable {
        let spec: JSONValue
        let program: Program
    }

    private struct State: Sendable {
        var revisions: [UInt64] = []
        var hooks: [PolicyHook<Program>] = []
        var compiled: [String: Compiled] = [:]
    }

    private let lookup: any ClusterLookup
    private let state = Mutex(State())

    init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The hooks of now, by the names of their policies.
    var hooks: [PolicyHook<Program>] {
        let revisions = [lookup.revision(Program.policies), lookup.revision(Program.bindings)]
        let (known, hooks) = state.withLock { state in
            (state.compiled, state.revisions == revisions ? state.hooks : nil)
        }
        if let hooks { return hooks }
        let made = make(known, revisions)
        return state.withLock { state in
            // Another request may have seen something newer meanwhile.
            if zip(state.revisions, revisions).allSatisfy({ $0 <= $1 }) { state = made }
            return made.hooks
        }
    }

    private func make(_ known: [String: Compiled], _ revisions: [UInt64]) -> State {
        var bindings: [String: [PolicyBinding]] = [:]
        for object in lookup.objects(Program.bindings, namespace: nil) {
            let policy = object.value(at: ["spec", "policyName"])?.string ?? ""
            bindings[policy, default: []].append(PolicyBinding(object))
        }
        var state = State(revisions: revisions)
        guard !bindings.isEmpty else { return state }
        for object in lookup.objects(Program.policies, namespace: nil) {
            let name = object.value(at: ["metadata", "name"])?.string ?? ""
            guard let bound = bindings[name], let spec = object["spec"] else { continue }
            let compiled: Compiled
            if let same = known[name], same.spec == spec {
                compiled = same
            } else {
                compiled = Compiled(spec: spec, program: Program(spec))
            }
            state.compiled[name] = compiled
            let hook = PolicyHook(
                name: name,
                match: MatchCriteria(matchResources: spec["matchConstraints"] ?? [:]),
                parameterKind: ParameterKind(spec["paramKind"]),
                ignoresFailures: spec["failurePolicy"]?.string == "Ignore",
                program: compiled.program,
                bindings: bound.sorted { $0.name < $1.name }
            )
            state.hooks.append(hook)
        }
        state.hooks.sort { $0.name < $1.name }
        return state
    }
}

extension AdmissionRequest {
    /// Whether policies are not asked about the request: those that configure policies, which could then never be taken
    /// back, and reviews, without which nothing works.
    ///
    /// Source: policy/generic/plugin.go, pkg/kubeapiserver/admission/exclusion.
    var isExemptFromPolicies: Bool {
        switch resource.group {
        case "admissionregistration.k8s.io": Self.policyResources.contains(resource.resource)
        case "authentication.k8s.io", "authorization.k8s.io": Self.reviews.contains(resource.resource)
        default: false
        }
    }

    private static let policyResources: Set<String> = [
        "validatingadmissionpolicies", "validatingadmissionpolicybindings", "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
    ]
    private static let reviews: Set<String> = [
        "selfsubjectreviews", "tokenreviews", "localsubjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews",
        "subjectaccessreviews",
    ]

    /// The namespace the request is in; empty for namespaces themselves, as for expressions.
    var policyNamespace: String { kind == Self.namespaceKind ? "" : objectNamespace }

    private static let namespaceKind = GroupVersionKind(group: "", version: "v1", kind: "Namespace")
}
