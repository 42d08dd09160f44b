import APIModel
import Units
import Values

/// Short names of access modes, as tables show them.
private func accessModes(_ modes: JSONValue?) -> String {
    let short = ["ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"]
    return (modes?.array ?? []).compactMap { $0.string.flatMap { short[$0] } }.joined(separator: ",")
}

/// The behaviour of persistent volumes.
struct PersistentVolumeHooks: KindHooks {
    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        object["status"] = ["phase": "Pending"]
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let spec = object["spec"] ?? [:]
        let claim = spec["claimRef"].map { "\($0["namespace"]?.string ?? "")/\($0["name"]?.string ?? "")" } ?? ""
        let phase = object.value(at: ["metadata", "deletionTimestamp"]) != nil ? "Terminating" : object.value(at: ["status", "phase"])?.string ?? ""
        return [
            Cells.name(object), spec.value(at: ["capacity", "storage"]) ?? "", .string(accessModes(spec["accessModes"])),
            spec["persistentVolumeReclaimPolicy"] ?? "", .string(phase), .string(claim), spec["storageClassName"] ?? "",
            .string(spec["volumeAttributesClassName"]?.string ?? "<unset>"), object.value(at: ["status", "reason"]) ?? "",
            Cells.age(object, now: now), .string(spec["volumeMode"]?.string ?? "<unset>"),
        ]
    }
}

/// The behaviour of claims.
struct PersistentVolumeClaimHooks: KindHooks {
    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        object["status"] = ["phase": "Pending"]
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let spec = object["spec"] ?? [:]
        let isBound = !(spec["volumeName"]?.string?.isEmpty ?? true)
        let phase = object.value(at: ["metadata", "deletionTimestamp"]) != nil ? "Terminating" : object.value(at: ["status", "phase"])?.string ?? ""
        return [
            Cells.name(object), .string(phase), spec["volumeName"] ?? "",
            isBound ? object.value(at: ["status", "capacity", "storage"]) ?? "" : "",
            .string(isBound ? accessModes(object.value(at: ["status", "accessModes"])) : ""), spec["storageClassName"] ?? "",
            .string(spec["volumeAttributesClassName"]?.string ?? "<unset>"), Cells.age(object, now: now),
            .string(spec["volumeMode"]?.string ?? "<unset>"),
        ]
    }
}

/// The behaviour of storage classes.
struct StorageClassHooks: KindHooks {
    private static let defaultMark = "storageclass.kubernetes.io/is-default-class"

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let isDefault = object.value(at: ["metadata", "annotations", Self.defaultMark])?.string == "true"
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        return [
            .string(isDefault ? "\(name) (default)" : name), object["provisioner"] ?? "", .string(object["reclaimPolicy"]?.string ?? "Delete"),
            .string(object["volumeBindingMode"]?.string ?? "Immediate"), .bool(object["allowVolumeExpansion"]?.bool ?? false),
            Cells.age(object, now: now),
        ]
    }
}

/// The behaviour of ingresses.
struct IngressHooks: KindHooks {
    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        Generation.start(&object)
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        Generation.advance(&object, old: old)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let hosts = (object.value(at: ["spec", "rules"])?.array ?? []).compactMap { $0["host"]?.string }.filter { !$0.isEmpty }
        let addresses = (object.value(at: ["status", "loadBalancer", "ingress"])?.array ?? []).compactMap { $0["ip"]?.string ?? $0["hostname"]?.string }
        let hasTLS = !(object.value(at: ["spec", "tls"])?.array ?? []).isEmpty
        return [
            Cells.name(object), .string(object.value(at: ["spec", "ingressClassName"])?.string ?? "<none>"),
            .string(hosts.isEmpty ? "*" : hosts.joined(separator: ",")), .string(addresses.joined(separator: ",")),
            .string(hasTLS ? "80, 443" : "80"), Cells.age(object, now: now),
        ]
    }
}
