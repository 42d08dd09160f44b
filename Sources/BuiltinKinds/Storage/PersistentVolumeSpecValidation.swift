import PodKinds
import Schema
import Units
import Values

/// What is wrong with the spec of a persistent volume, standing alone or inline in an attachment.
struct PersistentVolumeSpecValidation {
    /// The fields that hold a source, in the order they are looked at.
    static let types = [
        "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi",
        "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "scaleIO",
        "local", "storageos", "csi",
    ]
    private static let inlineWords = "may not be specified in the context of inline volumes"

    private let spec: JSONValue
    private let volume: String
    private let path: FieldPath
    private let isInline: Bool

    /// The spec at `path`; `volume` is the name of the volume.
    init(_ spec: JSONValue, volume: String, at path: FieldPath = FieldPath("spec"), isInline: Bool = false) {
        self.spec = spec
        self.volume = volume
        self.path = path
        self.isInline = isInline
    }

    /// Adds what is wrong.
    func check(_ issues: inout [FieldIssue]) {
        if isInline {
            if spec["claimRef"] != nil { issues.forbidden(path.child("claimRef"), Self.inlineWords) }
            if !spec.members("capacity").isEmpty { issues.forbidden(path.child("capacity"), Self.inlineWords) }
            if spec["csi"] == nil { issues.required(path.child("csi"), "has to be specified in the context of inline volumes") }
        }
        let modes = spec.texts("accessModes")
        if modes.isEmpty { issues.required(path.child("accessModes")) }
        StorageSourceValidation.accessModes(modes, path.child("accessModes"), &issues)
        if !isInline { capacity(&issues) }
        reclaimPolicy(&issues)
        let hasAffinity = affinity(&issues)
        sources(hasAffinity: hasAffinity, &issues)
        names(&issues)
    }

    private func capacity(_ issues: inout [FieldIssue]) {
        let capacity = spec.members("capacity")
        let place = path.child("capacity")
        if capacity.isEmpty { issues.required(place) }
        if capacity["storage"] == nil || capacity.count > 1 {
            issues.append(.notSupported(place, spec["capacity"] ?? .null, ["storage"]))
        }
        for (name, value) in capacity {
            let quantity = Quantity.of(value) ?? .zero
            if quantity.isNegative { issues.invalid(place.key(name), .integer(quantity.value), "must be a valid resource quantity") }
            issues.positiveQuantity(quantity, place.key(name))
        }
    }

    private func reclaimPolicy(_ issues: inout [FieldIssue]) {
        let place = path.child("persistentVolumeReclaimPolicy")
        guard let policy = spec["persistentVolumeReclaimPolicy"]?.string, !policy.isEmpty else { return }
        if !isInline { return issues.oneOf(policy, ["Delete", "Recycle", "Retain"], place) }
        if policy != "Retain" { issues.forbidden(place, "may only be Retain in the context of inline volumes") }
    }

    private func affinity(_ issues: inout [FieldIssue]) -> Bool {
        guard let affinity = spec["nodeAffinity"] else { return false }
        let place = path.child("nodeAffinity")
        if isInline {
            issues.forbidden(place, Self.inlineWords)
            return false
        }
        if let required = affinity["required"] {
            SelectorValidation.nodeSelector(required, place.child("required"), &issues)
        } else {
            issues.required(place.child("required"), "must specify required node constraints")
        }
        return true
    }

    private func sources(hasAffinity: Bool, _ issues: inout [FieldIssue]) {
        var hasOne = false
        for type in Self.types {
            guard let source = spec[type] else { continue }
            // Flex volumes were forgotten when the others were made to exclude one another.
            if hasOne, type != "flexVolume" {
                StorageSourceValidation.second(type, in: path, &issues)
            } else {
                self.source(source, type, hasAffinity: hasAffinity, &issues)
            }
            hasOne = true
        }
        if !hasOne { issues.required(path, "must specify a volume type") }
        if let hostPath = spec["hostPath"]?.text("path"), !hostPath.isEmpty, hostPath.allSatisfy({ $0 == "/" }),
            spec.text("persistentVolumeReclaimPolicy") == "Recycle"
        {
            issues.forbidden(path.child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'")
        }
    }

    private func source(_ source: JSONValue, _ type: String, hasAffinity: Bool, _ issues: inout [FieldIssue]) {
        switch type {
        case "hostPath": VolumeValidation.hostPath(source, path.child(type), &issues)
        case "csi":
            let place = path.child(type)
            StorageSourceValidation.driverName(source.text("driver"), place.child("driver"), &issues)
            issues.need(source.text("volumeHandle"), place.child("volumeHandle"))
            for field in ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"] {
                if let secret = source[field] { self.secret(secret, place.child(field), &issues) }
            }
        default:
            StorageSourceValidation.check(source, type, in: path, volume: volume, &issues)
            if type == "local", !hasAffinity { issues.required(path.child("nodeAffinity"), "Local volume requires node affinity") }
        }
    }

    private func secret(_ secret: JSONValue, _ place: FieldPath, _ issues: inout [FieldIssue]) {
        let (name, namespace) = (secret.text("name"), secret.text("namespace"))
        if name.isEmpty { issues.required(place.child("name")) } else { issues.subdomain(name, place.child("name")) }
        if namespace.isEmpty { issues.required(place.child("namespace")) } else { issues.label(namespace, place.child("namespace")) }
    }

    private func names(_ issues: inout [FieldIssue]) {
        let className = spec.text("storageClassName")
        if !className.isEmpty, isInline {
            issues.forbidden(path.child("storageClassName"), Self.inlineWords)
        } else if !className.isEmpty {
            issues.subdomain(className, path.child("storageClassName"))
        }
        if let mode = spec["volumeMode"]?.string {
            let place = path.child("volumeMode")
            if !isInline {
                issues.oneOf(mode, ["Block", "Filesystem"], place)
            } else if mode != "Filesystem" {
                issues.forbidden(place, "may not specify volumeMode other than Filesystem in the context of inline volumes")
            }
        }
        // Inline volumes are not asked about their attributes.
        guard !isInline, let attributes = spec["volumeAttributesClassName"]?.string else { return }
        let place = path.child("volumeAttributesClassName")
        if attributes.isEmpty {
            issues.required(place, "an empty string is disallowed")
        } else {
            issues.subdomain(attributes, place)
        }
        if spec["csi"] == nil { issues.required(path.child("csi"), "has to be specified when using volumeAttributesClassName") }
    }
}
