import APIModel
import APITypes
import PodKinds
import Schema
import Values

/// The behaviour of the built-in kinds: a literal table, no registration at load time.
public enum BuiltinKinds {
    /// Every built-in kind with its hooks attached.
    public static func descriptors() -> [KindDescriptor] {
        BuiltinResources.all.map { kind in
            var kind = kind
            kind.hooks = GoWordedHooks.wording(hooks(for: kind.groupResource), group: kind.group, kind: kind.kind)
            attachTraits(&kind)
            return kind
        }
    }

    private static func attachTraits(_ kind: inout KindDescriptor) {
        switch kind.groupResource.description {
        case "events.events.k8s.io":
            kind.storedAs = GroupResource(group: "", resource: "events")
            for index in kind.versions.indices {
                kind.versions[index].conversion = SharedEvents()
                // What is asked of these events is more than of those of the core group.
                kind.versions[index].hooks = kind.hooks
            }
        case "horizontalpodautoscalers.autoscaling":
            for index in kind.versions.indices where kind.versions[index].name == "v1" {
                kind.versions[index].conversion = AutoscalerV1(stored: "autoscaling/v2")
            }
        case "apiservices.apiregistration.k8s.io":
            for index in kind.versions.indices { kind.versions[index].columns = ServerKinds.apiServiceColumns }
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
        for part in [workloads, policies, storage, server, admission, devices] { table.merge(part) { first, _ in first } }
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
        "secrets": SecretHooks(pairProblem: KeyPairCheck.problem),
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
            status: ["currentMetrics": .null, "desiredReplicas": 0],
            update: { AutoscalerValidation.check($0, old: $1, &$2) },
            create: { AutoscalerValidation.check($0, old: nil, &$1) },
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
                // The immutable field is complained of before what else is wrong.
                var first: [FieldIssue] = []
                first.immutable(object["spec"]?["controller"] ?? "", old["spec"]?["controller"] ?? "", .init("spec.controller"))
                issues.insert(contentsOf: first, at: 0)
            },
            row: IngressValidation.classRow
        ),
        "networkpolicies.networking.k8s.io": KindRules(
            generation: ["spec"],
            complete: { NetworkPolicyValidation.complete(&$0) },
            update: { NetworkPolicyValidation.check($0, old: $1, &$2) },
            create: { NetworkPolicyValidation.check($0, &$1) },
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
        "csistoragecapacities.storage.k8s.io": StorageKinds.capacity,
        "volumeattributesclasses.storage.k8s.io": StorageKinds.attributesClass,
    ]

    private static let server: [String: any KindHooks] = [
        "componentstatuses": KindRules(row: PlainRows.componentStatus),
        "subjectaccessreviews.authorization.k8s.io": KindRules(name: .any, check: { $1 += ReviewValidation.subjectAccess($0) }),
        "selfsubjectaccessreviews.authorization.k8s.io": KindRules(name: .any, check: { $1 += ReviewValidation.selfSubjectAccess($0) }),
        "localsubjectaccessreviews.authorization.k8s.io": KindRules(name: .any, check: { $1 += ReviewValidation.localSubjectAccess($0) }),
        "apiservices.apiregistration.k8s.io": ServerKinds.apiService,
        "leasecandidates.coordination.k8s.io": ServerKinds.leaseCandidate,
        "storageversions.internal.apiserver.k8s.io": ServerKinds.storageVersion,
        "storageversionmigrations.storagemigration.k8s.io": ServerKinds.storageMigration,
        "flowschemas.flowcontrol.apiserver.k8s.io": KindRules(
            generation: ["spec"],
            complete: { FlowControlValidation.completeSchema(&$0) },
            status: [:],
            check: { FlowControlValidation.schema($0, &$1) },
            statusUpdate: { object, _, issues in FlowControlValidation.conditions(object, &issues) },
            row: PlainRows.flowSchema,
            orderingCell: PlainRows.precedenceCell
        ),
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": KindRules(
            generation: ["spec"],
            complete: { FlowControlValidation.completeLevel(&$0) },
            status: [:],
            check: { FlowControlValidation.level($0, &$1) },
            statusUpdate: { object, _, issues in FlowControlValidation.conditions(object, &issues) },
            row: PlainRows.priorityLevel
        ),
        "clustertrustbundles.certificates.k8s.io": TrustBundleKinds.bundle,
        "podcertificaterequests.certificates.k8s.io": PodCertificateKinds.request,
        "ipaddresses.networking.k8s.io": AddressKinds.address,
        "servicecidrs.networking.k8s.io": AddressKinds.serviceCIDR,
        "podgroups.scheduling.k8s.io": GroupKinds.podGroup,
        "workloads.scheduling.k8s.io": GroupKinds.workload,
    ]

    private static let admission: [String: any KindHooks] = [
        "mutatingwebhookconfigurations.admissionregistration.k8s.io": AdmissionKinds.mutatingWebhooks,
        "validatingwebhookconfigurations.admissionregistration.k8s.io": AdmissionKinds.validatingWebhooks,
        "validatingadmissionpolicies.admissionregistration.k8s.io": AdmissionKinds.validatingPolicy,
        "mutatingadmissionpolicies.admissionregistration.k8s.io": AdmissionKinds.mutatingPolicy,
        "validatingadmissionpolicybindings.admissionregistration.k8s.io": AdmissionKinds.validatingBinding,
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io": AdmissionKinds.mutatingBinding,
    ]

    private static let devices: [String: any KindHooks] = [
        "deviceclasses.resource.k8s.io": DeviceKinds.deviceClass,
        "resourceclaims.resource.k8s.io": DeviceKinds.claim,
        "resourceclaimtemplates.resource.k8s.io": DeviceKinds.claimTemplate,
        "resourceslices.resource.k8s.io": DeviceKinds.slice,
        "devicetaintrules.resource.k8s.io": DeviceKinds.taintRule,
        "resourcepoolstatusrequests.resource.k8s.io": DeviceKinds.poolStatus,
    ]
}
