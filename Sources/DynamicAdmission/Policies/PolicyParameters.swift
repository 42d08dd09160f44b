import APIModel
import Schema
import Units
import Values

/// What policies ask of the server beside what matching asks: kinds by name, their schema, and objects of any kind.
public protocol PolicyKinds: AdmissionKinds {
    /// The resource that serves a kind, and whether its objects are in namespaces; nil when none does.
    func resource(of kind: GroupVersionKind) -> (resource: GroupVersionResource, isNamespaced: Bool)?
    /// The kinds that a resource's name may mean: without a group, those of all groups.
    func kinds(named resource: GroupVersionResource) -> [GroupVersionKind]
    /// What the schema of a kind says; nil when it has none.
    func schema(of kind: GroupVersionKind) -> SchemaNode?
    /// Whether the kind is a custom resource's: its objects have no types of their own.
    func isCustom(_ kind: GroupVersionKind) -> Bool
    /// An object as it is now, in the version asked for; nil when there is none.
    func object(_ resource: GroupVersionResource, namespace: String, name: String) async -> JSONValue?
    /// All objects, of one namespace or of all, in the version asked for.
    func objects(_ resource: GroupVersionResource, namespace: String?) async -> [JSONValue]
}

/// `spec.paramKind` of a policy.
struct ParameterKind: Sendable, Hashable {
    let kind: GroupVersionKind

    init?(_ value: JSONValue?) {
        guard let value, !value.isNull else { return nil }
        let version = GroupVersion(apiVersion: value["apiVersion"]?.string ?? "")
        kind = GroupVersionKind(group: version?.group ?? "", version: version?.version ?? "", kind: value["kind"]?.string ?? "")
    }
}

/// Why a policy cannot be applied as it is configured.
struct PolicyConfigurationError: Error, Sendable, Hashable {
    let message: String
}

/// `spec.paramRef` of a binding.
struct ParameterReference: Sendable {
    let name: String
    let namespace: String
    /// Nil when there is none; else the selector, or why it cannot be read.
    let selector: Result<LabelSelector, SelectorError>?
    let deniesWhenMissing: Bool

    init?(_ value: JSONValue?) {
        guard let value, !value.isNull else { return nil }
        name = value["name"]?.string ?? ""
        namespace = value["namespace"]?.string ?? ""
        deniesWhenMissing = value["parameterNotFoundAction"]?.string == "Deny"
        guard let selector = value["selector"], !selector.isNull else {
            self.selector = nil
            return
        }
        do throws(SelectorError) {
            self.selector = .success(try LabelSelector(json: selector))
        } catch {
            self.selector = .failure(error)
        }
    }

    /// The parameters a policy is evaluated with, one after another; `[nil]` stands for none.
    /// Source: policy/generic/policy_dispatcher.go, CollectParams.
    static func collect(
        _ kind: ParameterKind?,
        _ reference: ParameterReference?,
        namespace: String,
        _ kinds: any PolicyKinds
    ) async throws(PolicyConfigurationError) -> [JSONValue?] {
        guard let kind, let reference else { return [nil] }
        guard let served = kinds.resource(of: kind.kind) else { throw kind.unknown }
        var place: String?
        if served.isNamespaced {
            let wanted = reference.namespace.isEmpty ? namespace : reference.namespace
            guard !wanted.isEmpty else {
                throw .init(message: "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
            }
            place = wanted
        } else if !reference.namespace.isEmpty {
            throw .init(message: "paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        }
        let found = try await reference.find(served.resource, in: place, kinds)
        if found.isEmpty, reference.deniesWhenMissing {
            throw .init(message: "no params found for policy binding with `Deny` parameterNotFoundAction")
        }
        return found
    }

    private func find(
        _ resource: GroupVersionResource,
        in namespace: String?,
        _ kinds: any PolicyKinds
    ) async throws(PolicyConfigurationError) -> [JSONValue] {
        if !name.isEmpty {
            if selector != nil { throw .init(message: "paramRef.name and paramRef.selector are mutually exclusive") }
            return await kinds.object(resource, namespace: namespace ?? "", name: name).map { [$0] } ?? []
        }
        switch selector {
        case nil: throw .init(message: "one of name or selector must be provided")
        case .failure(let error): throw .init(message: error.description)
        case .success(let selector):
            return await kinds.objects(resource, namespace: namespace).filter { selector.matches(Self.labels($0)) }
        }
    }

    private static func labels(_ object: JSONValue) -> [String: String] {
        var labels: [String: String] = [:]
        for (key, value) in object.value(at: ["metadata", "labels"])?.object ?? [:] { labels[key] = value.string ?? "" }
        return labels
    }
}

extension ParameterKind {
    /// No resource serves the kind.
    var unknown: PolicyConfigurationError {
        PolicyConfigurationError(message: "failed to find resource referenced by paramKind: '\(kind.goText)'")
    }
}

extension GroupVersionKind {
    /// As Go prints it: `apps/v1, Kind=Deployment`.
    var goText: String { "\(group)/\(version), Kind=\(kind)" }
}
