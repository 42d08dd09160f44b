import Values

/// What a pod refers to by name.
public enum PodReferences {
    /// Whether the pod refers to the object `name` of `resource` (secrets, configmaps, persistentvolumeclaims,
    /// serviceaccounts or resourceclaims).
    public static func of(_ pod: JSONValue, include resource: String, name: String) -> Bool {
        names(in: pod, of: resource).contains(name)
    }

    /// The names of the objects of `resource` that the pod refers to.
    public static func names(in pod: JSONValue, of resource: String) -> Set<String> {
        guard let spec = pod["spec"] else { return [] }
        switch resource {
        case "secrets": return secrets(spec)
        case "configmaps": return configMaps(spec)
        case "persistentvolumeclaims": return claims(spec, pod: pod)
        case "serviceaccounts": return spec["serviceAccountName"]?.string.map { [$0] } ?? []
        case "resourceclaims": return resourceClaims(pod)
        default: return []
        }
    }

    /// Every container of the pod: init, ordinary and ephemeral.
    public static func containers(_ spec: JSONValue) -> [JSONValue] {
        ["initContainers", "containers", "ephemeralContainers"].flatMap { spec[$0]?.array ?? [] }
    }

    /// The names of the secrets a pod spec refers to.
    public static func secrets(_ spec: JSONValue) -> Set<String> {
        var names = environment(spec, key: "secretKeyRef", from: "secretRef")
        for pull in spec["imagePullSecrets"]?.array ?? [] { add(pull["name"], to: &names) }
        for volume in spec["volumes"]?.array ?? [] {
            add(volume.value(at: ["secret", "secretName"]), to: &names)
            for source in volume.value(at: ["projected", "sources"])?.array ?? [] {
                add(source.value(at: ["secret", "name"]), to: &names)
            }
            for kind in ["cephfs", "flexVolume", "rbd", "iscsi", "scaleIO", "storageos"] {
                add(volume.value(at: [kind, "secretRef", "name"]), to: &names)
            }
            add(volume.value(at: ["azureFile", "secretName"]), to: &names)
            add(volume.value(at: ["csi", "nodePublishSecretRef", "name"]), to: &names)
        }
        return names
    }

    /// The names of the config maps a pod spec refers to.
    public static func configMaps(_ spec: JSONValue) -> Set<String> {
        var names = environment(spec, key: "configMapKeyRef", from: "configMapRef")
        for volume in spec["volumes"]?.array ?? [] {
            add(volume.value(at: ["configMap", "name"]), to: &names)
            for source in volume.value(at: ["projected", "sources"])?.array ?? [] {
                add(source.value(at: ["configMap", "name"]), to: &names)
            }
        }
        return names
    }

    private static func claims(_ spec: JSONValue, pod: JSONValue) -> Set<String> {
        var names: Set<String> = []
        let podName = pod.value(at: ["metadata", "name"])?.string ?? ""
        for volume in spec["volumes"]?.array ?? [] {
            add(volume.value(at: ["persistentVolumeClaim", "claimName"]), to: &names)
            if volume["ephemeral"] != nil, let name = volume["name"]?.string { names.insert("\(podName)-\(name)") }
        }
        return names
    }

    private static func resourceClaims(_ pod: JSONValue) -> Set<String> {
        var names: Set<String> = []
        for claim in pod.value(at: ["spec", "resourceClaims"])?.array ?? [] { add(claim["resourceClaimName"], to: &names) }
        for status in pod.value(at: ["status", "resourceClaimStatuses"])?.array ?? [] {
            add(status["resourceClaimName"], to: &names)
        }
        return names
    }

    private static func environment(_ spec: JSONValue, key: String, from: String) -> Set<String> {
        var names: Set<String> = []
        for container in containers(spec) {
            for variable in container["env"]?.array ?? [] { add(variable.value(at: ["valueFrom", key, "name"]), to: &names) }
            for source in container["envFrom"]?.array ?? [] { add(source.value(at: [from, "name"]), to: &names) }
        }
        return names
    }

    private static func add(_ value: JSONValue?, to names: inout Set<String>) {
        if let name = value?.string { names.insert(name) }
    }
}
