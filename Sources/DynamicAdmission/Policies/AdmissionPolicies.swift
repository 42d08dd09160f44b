import Access

/// The plugins that policies need, in upstream's order among the others.
///
/// Source: pkg/kubeapiserver/options/plugins.go.
public struct AdmissionPolicies: Sendable {
    /// Who may write policies that read parameters.
    public let authorization: any Admission
    /// Comes before the webhooks that change objects.
    public let mutating: any Admission
    /// Comes before the webhooks that validate, and after all that change objects.
    public let validating: any Admission

    /// - Parameters:
    ///   - kinds: The kinds served.
    ///   - lookup: Where policies, bindings and namespaces are found.
    ///   - authorizer: Answers `authorizer` in expressions, and decides who may read parameters.
    public init(kinds: any PolicyKinds, lookup: any ClusterLookup, authorizer: any Authorizer) {
        authorization = PolicyAuthorization(kinds: kinds, lookup: lookup, authorizer: authorizer)
        mutating = MutatingAdmissionPolicies(kinds: kinds, lookup: lookup, authorizer: authorizer)
        validating = ValidatingAdmissionPolicies(kinds: kinds, lookup: lookup, authorizer: authorizer)
    }
}
