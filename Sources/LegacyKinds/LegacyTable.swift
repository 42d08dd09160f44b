import APIModel

/// Every version that was dropped and still works here, with the releases that deprecated and removed it.
enum LegacyTable {
    static let all: [LegacyKind] = workloads + network + cluster + storage

    private static func today(_ resource: String, _ group: String) -> GroupResource {
        GroupResource(group: group, resource: resource)
    }

    private static let workloads: [LegacyKind] = [
        LegacyKind("apps", "v1beta2", today("deployments", "apps"), (9, 16), .same),
        LegacyKind("apps", "v1beta2", today("replicasets", "apps"), (9, 16), .same),
        LegacyKind("apps", "v1beta2", today("statefulsets", "apps"), (9, 16), .same),
        LegacyKind("apps", "v1beta2", today("daemonsets", "apps"), (9, 16), .same),
        LegacyKind("apps", "v1beta2", today("controllerrevisions", "apps"), (9, 16), .same),
        LegacyKind("apps", "v1beta1", today("deployments", "apps"), (8, 16), .appsDeployment),
        LegacyKind("apps", "v1beta1", today("statefulsets", "apps"), (8, 16), .statefulSet),
        LegacyKind("apps", "v1beta1", today("controllerrevisions", "apps"), (8, 16), .same),
        LegacyKind("extensions", "v1beta1", today("deployments", "apps"), (8, 16), .extensionsDeployment),
        LegacyKind("extensions", "v1beta1", today("replicasets", "apps"), (8, 16), .replicaSet),
        LegacyKind("extensions", "v1beta1", today("daemonsets", "apps"), (8, 16), .daemonSet),
        LegacyKind("batch", "v1beta1", today("cronjobs", "batch"), (21, 25), .same),
        LegacyKind("autoscaling", "v2beta1", today("horizontalpodautoscalers", "autoscaling"), (22, 25), .autoscalerV2Beta1),
        LegacyKind("autoscaling", "v2beta2", today("horizontalpodautoscalers", "autoscaling"), (23, 26), .same),
        LegacyKind("policy", "v1beta1", today("poddisruptionbudgets", "policy"), (21, 25), .disruptionBudget),
    ]

    private static let networking = "networking.k8s.io"

    private static let network: [LegacyKind] = [
        LegacyKind("extensions", "v1beta1", today("ingresses", networking), (14, 22), .ingress),
        LegacyKind("extensions", "v1beta1", today("networkpolicies", networking), (9, 16), .same),
        LegacyKind(networking, "v1beta1", today("ingresses", networking), (19, 22), .ingress),
        LegacyKind(
            networking,
            "v1beta1",
            today("ingressclasses", networking),
            (19, 22),
            // As upstream's own table has it.
            replacement: "networking.k8s.io/v1 IngressClassList",
            .same
        ),
        LegacyKind("discovery.k8s.io", "v1beta1", today("endpointslices", "discovery.k8s.io"), (21, 25), .endpointSlice),
    ]

    private static let rbac = "rbac.authorization.k8s.io"
    private static let admission = "admissionregistration.k8s.io"

    private static let cluster: [LegacyKind] = [
        LegacyKind(rbac, "v1beta1", today("roles", rbac), (17, 22), .same),
        LegacyKind(rbac, "v1beta1", today("rolebindings", rbac), (17, 22), .same),
        LegacyKind(rbac, "v1beta1", today("clusterroles", rbac), (17, 22), .same),
        LegacyKind(rbac, "v1beta1", today("clusterrolebindings", rbac), (17, 22), .same),
        LegacyKind(admission, "v1beta1", today("mutatingwebhookconfigurations", admission), (16, 22), .mutatingWebhooks),
        LegacyKind(admission, "v1beta1", today("validatingwebhookconfigurations", admission), (16, 22), .validatingWebhooks),
        LegacyKind(
            "apiextensions.k8s.io",
            "v1beta1",
            today("customresourcedefinitions", "apiextensions.k8s.io"),
            (16, 22),
            .resourceDefinition
        ),
        LegacyKind("scheduling.k8s.io", "v1beta1", today("priorityclasses", "scheduling.k8s.io"), (14, 22), .same),
        LegacyKind("coordination.k8s.io", "v1beta1", today("leases", "coordination.k8s.io"), (19, 22), .same),
        LegacyKind("events.k8s.io", "v1beta1", today("events", "events.k8s.io"), (22, 25), replacement: "", .same),
        LegacyKind(
            "certificates.k8s.io",
            "v1beta1",
            today("certificatesigningrequests", "certificates.k8s.io"),
            (19, 22),
            .certificateRequest
        ),
        LegacyKind("node.k8s.io", "v1beta1", today("runtimeclasses", "node.k8s.io"), (22, 25), replacement: "", .same),
    ]

    private static let storage: [LegacyKind] = [
        LegacyKind("storage.k8s.io", "v1beta1", today("storageclasses", "storage.k8s.io"), (19, 22), .same),
        LegacyKind("storage.k8s.io", "v1beta1", today("volumeattachments", "storage.k8s.io"), (19, 22), .same),
        LegacyKind("storage.k8s.io", "v1beta1", today("csidrivers", "storage.k8s.io"), (19, 22), .same),
        LegacyKind("storage.k8s.io", "v1beta1", today("csinodes", "storage.k8s.io"), (17, 22), .same),
        LegacyKind("storage.k8s.io", "v1beta1", today("csistoragecapacities", "storage.k8s.io"), (24, 27), .same),
    ]
}
