/// The group versions in which types such as `DeleteOptions` exist, as upstream's documents have them: all that its library
/// knows, served or not.
enum OpenAPIVersions {
    /// What the client library knows; custom resources are documented with these.
    private static let clientGroups: [String: [String]] = [
        "": ["v1"],
        "admissionregistration.k8s.io": ["v1", "v1alpha1", "v1beta1"],
        "apps": ["v1", "v1beta1", "v1beta2"],
        "authentication.k8s.io": ["v1", "v1alpha1", "v1beta1"],
        "authorization.k8s.io": ["v1", "v1beta1"],
        "autoscaling": ["v1", "v2"],
        "batch": ["v1", "v1beta1"],
        "certificates.k8s.io": ["v1", "v1alpha1", "v1beta1"],
        "coordination.k8s.io": ["v1", "v1alpha2", "v1beta1"],
        "discovery.k8s.io": ["v1", "v1beta1"],
        "events.k8s.io": ["v1", "v1beta1"],
        "extensions": ["v1beta1"],
        "flowcontrol.apiserver.k8s.io": ["v1", "v1beta1", "v1beta2", "v1beta3"],
        "internal.apiserver.k8s.io": ["v1alpha1"],
        "networking.k8s.io": ["v1", "v1beta1"],
        "node.k8s.io": ["v1", "v1alpha1", "v1beta1"],
        "policy": ["v1", "v1beta1"],
        "rbac.authorization.k8s.io": ["v1", "v1alpha1", "v1beta1"],
        "resource.k8s.io": ["v1", "v1alpha3", "v1beta1", "v1beta2"],
        "scheduling.k8s.io": ["v1", "v1alpha2", "v1beta1"],
        "storage.k8s.io": ["v1", "v1alpha1", "v1beta1"],
        "storagemigration.k8s.io": ["v1beta1"],
    ]

    /// What the server alone knows.
    private static let serverGroups: [String: [String]] = [
        "admission.k8s.io": ["v1", "v1beta1"],
        "apiextensions.k8s.io": ["v1", "v1beta1"],
        "apiregistration.k8s.io": ["v1", "v1beta1"],
        "imagepolicy.k8s.io": ["v1alpha1"],
    ]

    private static func sorted(_ groups: [String: [String]]) -> [GroupVersion] {
        sorted(groups.flatMap { group, versions in versions.map { GroupVersion(group: group, version: $0) } })
    }

    private static func sorted(_ found: [GroupVersion]) -> [GroupVersion] {
        found.sorted { ($0.group, $0.version) < ($1.group, $1.version) }
    }

    /// What documents of custom resources name.
    static let ofClients = sorted(clientGroups)
    private static let known = ofClients + sorted(serverGroups)

    /// What the document of everything names: what upstream knows, and what is served besides.
    static func all(_ served: [GroupVersion]) -> [GroupVersion] { sorted(Array(Set(known + served))) }
}
