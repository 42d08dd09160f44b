import APIModel

/// What upstream's strategies and registries decide per resource besides the hooks, as data.
struct ResourceTraits: Sendable {
    /// A PUT of an object that does not exist creates it.
    var createsOnUpdate = false
    /// A PUT without resourceVersion overwrites what is there.
    var updatesUnconditionally = true
    /// A DELETE answers with the object rather than with a Status.
    var returnsDeleted = false
    /// Creation keeps the status the client sends.
    var keepsStatusOnCreate = false
    /// Dependents are orphaned unless the request says otherwise.
    var orphansByDefault = false

    /// How often the kind's own rules check all of a changed object's metadata: causes name what is wrong so many times more.
    var wholeMetadataChecks = 0

    /// Upstream stores the kind in protobuf, which keeps no list without items.
    var forgetsEmptyLists = true

    private static let storedAsJSON: Set<String> = ["apiextensions.k8s.io", "apiregistration.k8s.io"]
    private static let creatingOnUpdate: Set<String> = [
        "leases.coordination.k8s.io", "leasecandidates.coordination.k8s.io", "endpoints", "events", "events.events.k8s.io",
        "limitranges", "services", "runtimeclasses.node.k8s.io", "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io",
    ]
    private static let needingVersion: Set<String> = [
        "mutatingadmissionpolicies.admissionregistration.k8s.io", "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io", "storageversions.internal.apiserver.k8s.io",
        "clustertrustbundles.certificates.k8s.io", "podcertificaterequests.certificates.k8s.io",
        "leases.coordination.k8s.io", "leasecandidates.coordination.k8s.io", "runtimeclasses.node.k8s.io",
        "poddisruptionbudgets.policy", "resourcepoolstatusrequests.resource.k8s.io", "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io", "csistoragecapacities.storage.k8s.io", "volumeattachments.storage.k8s.io",
        "storageversionmigrations.storagemigration.k8s.io", "customresourcedefinitions.apiextensions.k8s.io",
        "apiservices.apiregistration.k8s.io",
    ]
    private static let returningDeleted: Set<String> = [
        "namespaces", "persistentvolumes", "persistentvolumeclaims", "pods", "podtemplates", "resourcequotas", "services",
        "serviceaccounts", "deviceclasses.resource.k8s.io", "devicetaintrules.resource.k8s.io",
        "resourceclaims.resource.k8s.io", "resourceclaimtemplates.resource.k8s.io",
        "resourcepoolstatusrequests.resource.k8s.io", "resourceslices.resource.k8s.io", "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io", "storageclasses.storage.k8s.io", "volumeattachments.storage.k8s.io",
        "volumeattributesclasses.storage.k8s.io",
    ]

    private static let checkingWhole: Set<String> = [
        "apiservices.apiregistration.k8s.io", "certificatesigningrequests.certificates.k8s.io", "configmaps", "endpoints", "namespaces",
        "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "secrets", "serviceaccounts", "jobs.batch",
        "clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io", "roles.rbac.authorization.k8s.io", "csistoragecapacities.storage.k8s.io",
        "storageclasses.storage.k8s.io", "volumeattributesclasses.storage.k8s.io", "deviceclasses.resource.k8s.io",
        "resourceclaimtemplates.resource.k8s.io", "ingressclasses.networking.k8s.io", "ingresses.networking.k8s.io",
        "ipaddresses.networking.k8s.io", "runtimeclasses.node.k8s.io",
    ]
    private static let checkingWholeTwice: Set<String> = ["controllerrevisions.apps", "resourceclaims.resource.k8s.io"]

    init(_ resource: GroupResource, isCustom: Bool = false) {
        if isCustom {
            updatesUnconditionally = false
            forgetsEmptyLists = false
            return
        }
        let name = resource.description
        createsOnUpdate = Self.creatingOnUpdate.contains(name)
        updatesUnconditionally = !Self.needingVersion.contains(name)
        returnsDeleted = Self.returningDeleted.contains(name)
        keepsStatusOnCreate = name == "nodes" || name == "componentstatuses"
        forgetsEmptyLists = !Self.storedAsJSON.contains(resource.group)
        wholeMetadataChecks = Self.checkingWholeTwice.contains(name) ? 2 : Self.checkingWhole.contains(name) ? 1 : 0
        orphansByDefault = name == "replicationcontrollers" || name == "jobs.batch"
    }
}
