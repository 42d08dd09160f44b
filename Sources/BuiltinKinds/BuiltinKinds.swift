import APIModel
import APITypes
import PodKinds
import Values

/// The behaviour of the built-in kinds: a literal table, no registration at load time.
public enum BuiltinKinds {
    /// Every built-in kind with its hooks attached.
    public static func descriptors() -> [KindDescriptor] {
        BuiltinResources.all.map { kind in
            var kind = kind
            kind.hooks = hooks(for: kind.groupResource)
            attachConversions(&kind)
            return kind
        }
    }

    private static func attachConversions(_ kind: inout KindDescriptor) {
        switch kind.groupResource.description {
        case "events.events.k8s.io":
            kind.storedAs = GroupResource(group: "", resource: "events")
            for index in kind.versions.indices { kind.versions[index].conversion = SharedEvents() }
        case "horizontalpodautoscalers.autoscaling":
            for index in kind.versions.indices where kind.versions[index].name == "v1" {
                kind.versions[index].conversion = AutoscalerV1(stored: "autoscaling/v2")
            }
        default: break
        }
    }

    /// The hooks of one kind; those of a kind without any do what its shape asks for.
    public static func hooks(for resource: GroupResource) -> any KindHooks {
        table[resource.description] ?? PlainHooks()
    }

    /// The hooks of `scale`, which every kind that scales serves.
    public static let scale: any KindHooks = KindRules(row: PlainRows.scale)

    private static let table: [String: any KindHooks] = {
        var table = core
        for part in [workloads, policies, storage, shown] { table.merge(part) { first, _ in first } }
        return table
    }()

    private static let core: [String: any KindHooks] = [
        "pods": PodHooks(),
        "podtemplates": ClusterKinds.podTemplate,
        "services": ServiceHooks(),
        "endpoints": EndpointsHooks(),
        "endpointslices.discovery.k8s.io": EndpointSliceHooks(),
        "nodes": NodeHooks(),
        "namespaces": NamespaceHooks(),
        "configmaps": ConfigMapHooks(),
        "secrets": SecretHooks(),
        "serviceaccounts": ClusterKinds.serviceAccount,
        "events": EventHooks(subject: "involvedObject", first: "firstTimestamp", last: "lastTimestamp"),
        "events.events.k8s.io": EventHooks(subject: "regarding", first: "deprecatedFirstTimestamp", last: "deprecatedLastTimestamp"),
        "leases.coordination.k8s.io": ClusterKinds.lease,
        "resourcequotas": ClusterKinds.resourceQuota,
        "limitranges": ClusterKinds.limitRange,
        "bindings": KindRules(check: { ClusterKinds.binding($0, &$1) }),
    ]

    private static let workloads: [String: any KindHooks] = [
        "replicationcontrollers": WorkloadHooks(.replicationController),
        "deployments.apps": WorkloadHooks(.deployment),
        "replicasets.apps": WorkloadHooks(.replicaSet),
        "statefulsets.apps": WorkloadHooks(.statefulSet),
        "daemonsets.apps": WorkloadHooks(.daemonSet),
        "controllerrevisions.apps": ClusterKinds.controllerRevision,
        "jobs.batch": WorkloadHooks(.job),
        "cronjobs.batch": CronJobHooks(),
        "horizontalpodautoscalers.autoscaling": KindRules(
            complete: { AutoscalerValidation.complete(&$0) },
            check: { AutoscalerValidation.check($0, &$1) },
            statusUpdate: { AutoscalerValidation.statusUpdate($0, $1, &$2) },
            row: AutoscalerValidation.row
        ),
        "poddisruptionbudgets.policy": ClusterKinds.disruptionBudget,
    ]

    private static let policies: [String: any KindHooks] = [
        "ingresses.networking.k8s.io": IngressHooks(),
        "ingressclasses.networking.k8s.io": KindRules(
            generation: ["spec"],
            complete: { IngressValidation.completeClass(&$0) },
            check: { IngressValidation.checkClass($0, &$1) },
            update: { object, old, issues in
                issues.immutable(object["spec"]?["controller"], old["spec"]?["controller"], .init("spec.controller"))
            },
            row: IngressValidation.classRow
        ),
        "networkpolicies.networking.k8s.io": KindRules(
            generation: ["spec"],
            complete: { NetworkPolicyValidation.complete(&$0) },
            check: { NetworkPolicyValidation.check($0, &$1) },
            row: { [$0.name, .string(Cells.selector($0.spec["podSelector"])), $0.age] }
        ),
        "roles.rbac.authorization.k8s.io": KindRules(name: .pathSegment, check: { AccessValidation.role($0, &$1) }),
        "clusterroles.rbac.authorization.k8s.io": KindRules(name: .pathSegment, check: { AccessValidation.clusterRole($0, &$1) }),
        "rolebindings.rbac.authorization.k8s.io": KindRules(
            name: .pathSegment,
            complete: { AccessValidation.complete(&$0) },
            check: { AccessValidation.roleBinding($0, &$1) },
            update: { AccessValidation.bindingUpdate($0, $1, &$2) },
            row: AccessValidation.bindingRow
        ),
        "clusterrolebindings.rbac.authorization.k8s.io": KindRules(
            name: .pathSegment,
            complete: { AccessValidation.complete(&$0) },
            check: { AccessValidation.clusterRoleBinding($0, &$1) },
            update: { AccessValidation.bindingUpdate($0, $1, &$2) },
            row: AccessValidation.bindingRow
        ),
        "priorityclasses.scheduling.k8s.io": ClusterKinds.priorityClass,
        "runtimeclasses.node.k8s.io": ClusterKinds.runtimeClass,
        "certificatesigningrequests.certificates.k8s.io": CertificateRequestHooks(),
    ]

    private static let storage: [String: any KindHooks] = [
        "persistentvolumes": PersistentVolumeHooks(),
        "persistentvolumeclaims": PersistentVolumeClaimHooks(),
        "storageclasses.storage.k8s.io": StorageKinds.storageClass,
        "volumeattachments.storage.k8s.io": StorageKinds.volumeAttachment,
        "csidrivers.storage.k8s.io": StorageKinds.driver,
        "csinodes.storage.k8s.io": StorageKinds.node,
        "volumeattributesclasses.storage.k8s.io": StorageKinds.attributesClass,
    ]

    /// The kinds that are only stored and shown.
    private static let shown: [String: any KindHooks] = [
        "componentstatuses": KindRules(row: PlainRows.componentStatus),
        "apiservices.apiregistration.k8s.io": KindRules(generation: ["spec"], row: PlainRows.apiService),
        "mutatingwebhookconfigurations.admissionregistration.k8s.io": KindRules(generation: ["webhooks"], row: PlainRows.webhooks),
        "validatingwebhookconfigurations.admissionregistration.k8s.io": KindRules(generation: ["webhooks"], row: PlainRows.webhooks),
        "validatingadmissionpolicies.admissionregistration.k8s.io": KindRules(generation: ["spec"], row: PlainRows.policy("validations")),
        "mutatingadmissionpolicies.admissionregistration.k8s.io": KindRules(generation: ["spec"], row: PlainRows.policy("mutations")),
        "validatingadmissionpolicybindings.admissionregistration.k8s.io": KindRules(generation: ["spec"], row: PlainRows.policyBinding),
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io": KindRules(generation: ["spec"], row: PlainRows.policyBinding),
        "clustertrustbundles.certificates.k8s.io": KindRules(name: .pathSegment, row: PlainRows.trustBundle),
        "podcertificaterequests.certificates.k8s.io": KindRules(row: PlainRows.podCertificateRequest),
        "ipaddresses.networking.k8s.io": KindRules(name: .pathSegment, row: PlainRows.ipAddress),
        "servicecidrs.networking.k8s.io": KindRules(row: PlainRows.serviceCIDR),
        "podgroups.scheduling.k8s.io": KindRules(row: PlainRows.podGroup),
        "workloads.scheduling.k8s.io": KindRules(row: PlainRows.nameAndAge),
        "leasecandidates.coordination.k8s.io": KindRules(row: PlainRows.leaseCandidate),
        "deviceclasses.resource.k8s.io": KindRules(generation: ["spec"], row: PlainRows.nameAndAge),
        "resourceclaims.resource.k8s.io": KindRules(row: PlainRows.resourceClaim),
        "resourceclaimtemplates.resource.k8s.io": KindRules(row: PlainRows.nameAndAge),
        "resourceslices.resource.k8s.io": KindRules(generation: ["spec"], row: PlainRows.resourceSlice),
        "devicetaintrules.resource.k8s.io": KindRules(generation: ["spec"], row: PlainRows.deviceTaint),
        "resourcepoolstatusrequests.resource.k8s.io": KindRules(row: PlainRows.poolStatus),
        "flowschemas.flowcontrol.apiserver.k8s.io": KindRules(generation: ["spec"], row: PlainRows.flowSchema),
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": KindRules(generation: ["spec"], row: PlainRows.priorityLevel),
        "storageversions.internal.apiserver.k8s.io": KindRules(row: PlainRows.storageVersion),
        "storageversionmigrations.storagemigration.k8s.io": KindRules(row: PlainRows.storageMigration),
    ]
}
