import APIModel
import APITypes

/// The behaviour of the built-in kinds: a literal table, no registration at load time.
public enum BuiltinKinds {
    /// Every built-in kind with its hooks attached.
    public static func descriptors() -> [KindDescriptor] {
        BuiltinResources.all.map { kind in
            var kind = kind
            kind.hooks = hooks(for: GroupResource(group: kind.group, resource: kind.plural))
            return kind
        }
    }

    /// The hooks of one kind; those of a kind without any do what its shape asks for.
    public static func hooks(for resource: GroupResource) -> any KindHooks {
        table[resource.description] ?? PlainHooks()
    }

    private static let table: [String: any KindHooks] = [
        "pods": PodHooks(),
        "podtemplates": PlainHooks(),
        "replicationcontrollers": WorkloadHooks(.replicationController),
        "deployments.apps": WorkloadHooks(.deployment),
        "replicasets.apps": WorkloadHooks(.replicaSet),
        "statefulsets.apps": WorkloadHooks(.statefulSet),
        "daemonsets.apps": WorkloadHooks(.daemonSet),
        "jobs.batch": WorkloadHooks(.job),
        "cronjobs.batch": CronJobHooks(),
        "services": ServiceHooks(),
        "endpoints": EndpointsHooks(),
        "endpointslices.discovery.k8s.io": EndpointSliceHooks(),
        "nodes": NodeHooks(),
        "namespaces": NamespaceHooks(),
        "configmaps": ConfigMapHooks(),
        "secrets": SecretHooks(),
        "serviceaccounts": ServiceAccountHooks(),
        "events": EventHooks(subject: "involvedObject", first: "firstTimestamp", last: "lastTimestamp"),
        "events.events.k8s.io": EventHooks(subject: "regarding", first: "deprecatedFirstTimestamp", last: "deprecatedLastTimestamp"),
        "leases.coordination.k8s.io": LeaseHooks(),
        "persistentvolumes": PersistentVolumeHooks(),
        "persistentvolumeclaims": PersistentVolumeClaimHooks(),
        "storageclasses.storage.k8s.io": StorageClassHooks(),
        "ingresses.networking.k8s.io": IngressHooks(),
    ]
}
