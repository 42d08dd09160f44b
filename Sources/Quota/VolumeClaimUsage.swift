import Units
import Values

/// What a volume claim takes of a quota, and which quotas it falls under.
enum VolumeClaimUsage {
    static let count = "count/persistentvolumeclaims"
    private static let claims = "persistentvolumeclaims"
    private static let storage = "requests.storage"
    private static let perClass = ".storageclass.storage.k8s.io/"
    private static let oldAnnotation = "volume.beta.kubernetes.io/storage-class"

    static func tracks(_ name: String) -> Bool {
        name == count || name == claims || name == storage || name.hasSuffix(perClass + claims) || name.hasSuffix(perClass + storage)
    }

    static func usage(of claim: JSONValue) -> ResourceAmounts {
        let one = Quantity(value: 1)
        var usage = ResourceAmounts([count: one, claims: one])
        let storageClass = storageClass(of: claim)
        if !storageClass.isEmpty { usage[storageClass + perClass + claims] = one }
        guard let bytes = bytes(of: claim) else { return usage }
        usage[storage] = bytes
        if !storageClass.isEmpty { usage[storageClass + perClass + storage] = bytes }
        return usage
    }

    private static func storageClass(of claim: JSONValue) -> String {
        claim.value(at: ["metadata", "annotations", oldAnnotation])?.string ?? claim["spec"]?["storageClassName"]?.string ?? ""
    }

    /// What is asked for or, if that is more, what an expansion has set aside; in whole bytes.
    private static func bytes(of claim: JSONValue) -> Quantity? {
        guard let asked = ResourceAmounts(json: claim.value(at: ["spec", "resources", "requests"]))["storage"] else { return nil }
        let allocated = ResourceAmounts(json: claim.value(at: ["status", "allocatedResources"]))["storage"]
        let most = allocated.map { max($0, asked) } ?? asked
        let whole = Quantity(value: most.value, format: most.format)
        return whole == most ? most : whole
    }

    /// Whether a change of the status changes what is taken.
    static func differ(_ old: JSONValue, _ new: JSONValue) -> Bool {
        let field = ["status", "allocatedResources"]
        let isResized =
            ResourceAmounts(json: old.value(at: field))["storage"] != ResourceAmounts(json: new.value(at: field))["storage"]
        return isResized || attributesClasses(of: old) != attributesClasses(of: new)
    }

    static func matches(_ requirement: ScopeRequirement, _ claim: JSONValue) -> Bool {
        guard requirement.scope == "VolumeAttributesClass" else { return false }
        let names = attributesClasses(of: claim)
        return names.isEmpty ? requirement.accepts(nil) : names.contains { requirement.accepts($0) }
    }

    /// The classes of attributes the claim has, is to have, or is on its way to.
    private static func attributesClasses(of claim: JSONValue) -> Set<String> {
        let status = claim["status"]
        let names = [
            claim["spec"]?["volumeAttributesClassName"], status?["currentVolumeAttributesClassName"],
            status?["modifyVolumeStatus"]?["targetVolumeAttributesClassName"],
        ]
        return Set(names.compactMap { $0?.string }.filter { !$0.isEmpty })
    }
}
