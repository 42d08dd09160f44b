import APIModel
import Access
import Schema
import Units
import Values

/// Nobody writes a policy or a binding that reads parameters which the writer may not read.
///
/// Source: pkg/registry/admissionregistration/*/authz.go, where it is part of validation.
public struct PolicyAuthorization: Admission {
    /// The plugin's name. Upstream checks this in its storage, where it has none.
    public let name = "PolicyAuthorization"
    private let kinds: any PolicyKinds
    private let lookup: any ClusterLookup
    private let authorizer: any Authorizer

    /// - Parameters:
    ///   - kinds: The kinds served.
    ///   - lookup: Where the policies of bindings are found.
    ///   - authorizer: Decides who may read parameters.
    public init(kinds: any PolicyKinds, lookup: any ClusterLookup, authorizer: any Authorizer) {
        self.kinds = kinds
        self.lookup = lookup
        self.authorizer = authorizer
    }

    /// What is written, by its resource: the kind, and for bindings the resource of their policies.
    private static let written: [String: (kind: String, policies: GroupResource?)] = [
        "validatingadmissionpolicies": ("ValidatingAdmissionPolicy", nil),
        "mutatingadmissionpolicies": ("MutatingAdmissionPolicy", nil),
        "validatingadmissionpolicybindings": ("ValidatingAdmissionPolicyBinding", ValidatingPolicy.policies),
        "mutatingadmissionpolicybindings": ("MutatingAdmissionPolicyBinding", MutatingPolicy.policies),
    ]

    /// Whether the request writes a policy or a binding, by somebody who may not do everything anyway.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.resource.group == ValidatingPolicy.policies.group && request.subresource.isEmpty
            && (request.operation == .create || request.operation == .update) && Self.written[request.resource.resource] != nil
            && !request.user.groups.contains(UserIdentity.mastersGroup)
    }

    /// Refuses with an issue of the field that names the parameters.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let object = request.object, let written = Self.written[request.resource.resource] else { return }
        let problem: String?
        let field: String
        if let policies = written.policies {
            field = "paramRef"
            problem = await self.problem(binding: object, policies, request)
        } else {
            field = "paramKind"
            problem = await self.problem(policy: object, request)
        }
        guard let problem else { return }
        let issue = FieldIssue.forbidden(FieldPath("spec").child(field), problem)
        throw .invalid(GroupKind(group: request.resource.group, kind: written.kind), request.objectName, [issue])
    }

    private func problem(policy: JSONValue, _ request: AdmissionRequest) async -> String? {
        guard let given = policy.value(at: ["spec", "paramKind"]), !given.isNull else { return nil }
        if request.oldObject?.value(at: ["spec", "paramKind"]) == given { return nil }
        let target = target(given)
        if await may("get", target, namespace: "*", name: "*", request) { return nil }
        let (kind, version) = (given["kind"]?.string ?? "", given["apiVersion"]?.string ?? "")
        return "user \(Self.text(request.user)) must have \"get\" permission on all objects of the referenced paramKind "
            + "(kind=\(kind), apiVersion=\(version))"
    }

    private func problem(binding: JSONValue, _ policies: GroupResource, _ request: AdmissionRequest) async -> String? {
        guard let reference = binding.value(at: ["spec", "paramRef"]), !reference.isNull else { return nil }
        let policyName = binding.value(at: ["spec", "policyName"])?.string ?? ""
        let policy = await policy(policyName, policies)
        let given = policy?.value(at: ["spec", "paramKind"]).flatMap { $0.isNull ? nil : $0 }
        let target = given.map(target) ?? Target()
        let name = reference["name"]?.string ?? ""
        let verb = name.isEmpty ? "list" : "get"
        if await may(verb, target, namespace: reference["namespace"]?.string ?? "", name: name, request) { return nil }
        let user = Self.text(request.user)
        let missing =
            "to determine minimum required permissions and user \(user) does not have \"\(verb)\" permission for all groups, "
            + "versions and resources"
        if policy == nil { return "unable to get policy \(policyName) \(missing)" }
        guard let given, !target.isResolved else {
            // Upstream mixes the two up for policies that change objects.
            let (who, what) = policies == MutatingPolicy.policies ? (verb, user) : (user, verb)
            return "user \(who) does not have \"\(what)\" permission on the object referenced by paramRef"
        }
        let kind = "&{\(given["apiVersion"]?.string ?? "") \(given["kind"]?.string ?? "")}"
        return "unable to \(target.isParsed ? "resolve" : "parse") paramKind \(kind) \(missing)"
    }

    private func policy(_ name: String, _ policies: GroupResource) async -> JSONValue? {
        if let known = lookup.object(policies, namespace: "", name: name) { return known }
        return await lookup.currentObject(policies, namespace: "", name: name)
    }

    /// What has to be read; everything where it is not known.
    private struct Target {
        var group = "*"
        var version = "*"
        var resource = "*"
        var isParsed = false
        var isResolved = false
    }

    private func target(_ parameterKind: JSONValue) -> Target {
        var target = Target()
        guard let parsed = GroupVersion(apiVersion: parameterKind["apiVersion"]?.string ?? "") else { return target }
        (target.group, target.version, target.isParsed) = (parsed.group, parsed.version, true)
        let kind = GroupVersionKind(group: parsed.group, version: parsed.version, kind: parameterKind["kind"]?.string ?? "")
        guard let served = kinds.resource(of: kind) else { return target }
        target.resource = served.resource.resource
        target.isResolved = true
        return target
    }

    private func may(_ verb: String, _ target: Target, namespace: String, name: String, _ request: AdmissionRequest) async -> Bool {
        let attributes = RequestAttributes(
            user: request.user,
            verb: verb,
            apiGroup: target.group,
            apiVersion: target.version,
            resource: target.resource,
            namespace: namespace,
            name: name
        )
        return await authorizer.authorize(attributes).isAllowed
    }

    /// A user as Go prints the struct.
    private static func text(_ user: UserIdentity) -> String {
        let extra = user.extra.sorted { $0.key < $1.key }.map { "\($0.key):[\($0.value.joined(separator: " "))]" }
        return "&{\(user.name) \(user.uid) [\(user.groups.joined(separator: " "))] map[\(extra.joined(separator: " "))]}"
    }
}
