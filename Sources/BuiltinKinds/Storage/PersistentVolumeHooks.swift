import APIModel
import PodKinds
import Schema
import Units
import Values

/// The behaviour of persistent volumes.
struct PersistentVolumeHooks: KindHooks {
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
        PersistentVolumeSpecValidation(object["spec"] ?? [:], volume: object["metadata"]?.text("name") ?? "").check(&issues)
        return issues
    }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        // A changed volume is checked as a new one and as a change; what both find is a cause twice.
        var issues = validate(object, context)
        issues += issues
        let (new, before) = (object["spec"] ?? [:], old["spec"] ?? [:])
        var wanted = new
        if before["csi"] != nil, before["csi"]?["controllerExpandSecretRef"] == nil {
            wanted.remove(at: ["csi", "controllerExpandSecretRef"])
        }
        if PersistentVolumeSpecValidation.types.contains(where: { wanted[$0] != before[$0] }) {
            let words = "spec.persistentvolumesource is immutable after creation"
            let difference = SpecDifference.text(before, wanted, as: "core.PersistentVolumeSource")
            issues.forbidden(Self.spec.child("persistentvolumesource"), words + difference)
        }
        issues.immutable(new["volumeMode"], before["volumeMode"], FieldPath("volumeMode"))
        if let affinity = before["nodeAffinity"], StableLabels.taken(by: affinity, from: new["nodeAffinity"]) != new["nodeAffinity"] {
            let words = "field is immutable, except for updating from beta label to GA"
            issues.invalid(FieldPath("nodeAffinity"), new["nodeAffinity"], as: "?core.VolumeNodeAffinity", words)
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
