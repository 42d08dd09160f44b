import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of persistent volumes.
struct PersistentVolumeHooks: KindHooks {
    private static let types = [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi",
        "cinder",
        "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO", "local",
        "storageos", "csi",
    ]
    private static let spec = FieldPath("spec")

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        object["status"] = ["phase": "Pending", "lastPhaseTransitionTime": .string(context.now.rfc3339)]
    }

    func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        let (phase, before) = (object["status"]?.text("phase") ?? "", old["status"]?.text("phase") ?? "")
        guard phase != before else { return }
        let time = object["status"]?["lastPhaseTransitionTime"]
        if time == nil || time == old["status"]?["lastPhaseTransitionTime"] {
            object.set(.string(context.now.rfc3339), at: ["status", "lastPhaseTransitionTime"])
        }
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        let spec = object["spec"] ?? [:]
        let modes = spec.texts("accessModes")
        if modes.isEmpty { issues.required(Self.spec.child("accessModes")) }
        StorageSourceValidation.accessModes(modes, Self.spec.child("accessModes"), &issues)
        capacity(spec, &issues)
        if let policy = spec["persistentVolumeReclaimPolicy"]?.string, !policy.isEmpty {
            issues.oneOf(policy, ["Delete", "Recycle", "Retain"], Self.spec.child("persistentVolumeReclaimPolicy"))
        }
        let hasAffinity = spec["nodeAffinity"] != nil
        if let affinity = spec["nodeAffinity"] {
            let place = Self.spec.child("nodeAffinity", "required")
            if let required = affinity["required"] {
                SelectorValidation.nodeSelector(required, place, &issues)
            } else {
                issues.required(place, "must specify required node constraints")
            }
        }
        source(spec, hasAffinity: hasAffinity, &issues)
        names(spec, &issues)
        return issues
    }

    private func capacity(_ spec: JSONValue, _ issues: inout [FieldIssue]) {
        let capacity = spec.members("capacity")
        let place = Self.spec.child("capacity")
        if capacity.isEmpty { issues.required(place) }
        if capacity["storage"] == nil || capacity.count > 1 {
            issues.append(.notSupported(place, spec["capacity"] ?? [:], ["storage"]))
        }
        for (name, value) in capacity {
            let quantity = Quantity.of(value) ?? .zero
            if quantity.isNegative { issues.invalid(place.key(name), .integer(quantity.value), "must be a valid resource quantity") }
            issues.positiveQuantity(quantity, place.key(name))
        }
    }

    private func source(_ spec: JSONValue, hasAffinity: Bool, _ issues: inout [FieldIssue]) {
        let given = Self.types.filter { spec[$0] != nil }
        guard let type = given.first, let source = spec[type] else { return issues.required(Self.spec, "must specify a volume type") }
        let place = Self.spec.child(type)
        switch type {
        case "hostPath":
            VolumeValidation.hostPath(source, place, &issues)
            if source.text("path").allSatisfy({ $0 == "/" }), spec.text("persistentVolumeReclaimPolicy") == "Recycle" {
                issues.forbidden(Self.spec.child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'")
            }
        case "csi":
            StorageSourceValidation.driverName(source.text("driver"), place.child("driver"), &issues)
            issues.need(source.text("volumeHandle"), place.child("volumeHandle"))
            for field in ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"] {
                guard let secret = source[field] else { continue }
                issues.need(secret.text("name"), place.child(field, "name"))
                issues.need(secret.text("namespace"), place.child(field, "namespace"))
            }
        default:
            StorageSourceValidation.check(source, type, place, &issues)
            if type == "local", !hasAffinity { issues.required(Self.spec.child("nodeAffinity"), "Local volume requires node affinity") }
        }
        for extra in given.dropFirst() { issues.forbidden(Self.spec.child(extra), "may not specify more than 1 volume type") }
    }

    private func names(_ spec: JSONValue, _ issues: inout [FieldIssue]) {
        let className = spec.text("storageClassName")
        if !className.isEmpty { issues.subdomain(className, Self.spec.child("storageClassName")) }
        if let mode = spec["volumeMode"]?.string { issues.oneOf(mode, ["Block", "Filesystem"], Self.spec.child("volumeMode")) }
        guard let attributes = spec["volumeAttributesClassName"]?.string else { return }
        let place = Self.spec.child("volumeAttributesClassName")
        if attributes.isEmpty {
            issues.required(place, "an empty string is disallowed")
        } else {
            issues.subdomain(attributes, place)
        }
        if spec["csi"] == nil { issues.required(Self.spec.child("csi"), "has to be specified when using volumeAttributesClassName") }
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues = validate(object, context)
        let (new, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        for type in Self.types {
            var source = new[type]
            if type == "csi", before["csi"]?["controllerExpandSecretRef"] == nil, before["csi"] != nil {
                source?["controllerExpandSecretRef"] = nil
            }
            guard source != before[type] else { continue }
            let words = "spec.persistentvolumesource is immutable after creation"
            issues.forbidden(Self.spec.child("persistentvolumesource"), words + SpecDifference.text(before[type] ?? .null, source ?? .null))
            break
        }
        issues.immutable(new["volumeMode"], before["volumeMode"], FieldPath("volumeMode"))
        if let affinity = before["nodeAffinity"], affinity != new["nodeAffinity"] {
            issues.immutable(new["nodeAffinity"], affinity, FieldPath("nodeAffinity"))
        }
        if before["volumeAttributesClassName"] != nil, new["volumeAttributesClassName"] == nil {
            issues.forbidden(Self.spec.child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden")
        }
        return issues
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        let version = object["metadata"]?.text("name") ?? ""
        return version.isEmpty ? [.required(FieldPath("metadata").child("name"), "")] : []
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        StorageWarnings.volume(object)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let spec = object["spec"] ?? [:]
        let claim = spec["claimRef"].map { "\($0.text("namespace"))/\($0.text("name"))" } ?? ""
        let className = object["metadata"]?["annotations"]?["volume.beta.kubernetes.io/storage-class"] ?? spec["storageClassName"] ?? ""
        return [
            Cells.name(object), spec["capacity"]?["storage"] ?? "0", .string(Cells.accessModes(spec["accessModes"])),
            spec["persistentVolumeReclaimPolicy"] ?? "", .string(Cells.phase(object)), .string(claim), className,
            spec["volumeAttributesClassName"] ?? "<unset>", object["status"]?["reason"] ?? "", Cells.age(object, now: now),
            spec["volumeMode"] ?? "<unset>",
        ]
    }
}
