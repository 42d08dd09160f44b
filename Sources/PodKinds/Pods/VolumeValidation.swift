import Schema
import Units
import Values

/// What is wrong with the volumes of a pod spec.
package struct VolumeValidation {
    /// The pod's name; empty in a template.
    package let podName: String
    /// Whether this is a pod and not a template.
    package let isPod: Bool

    private static let types = [
        "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker",
        "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume", "configMap", "azureFile",
        "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral",
        "image",
    ]
    private static let hostPathTypes = [
        "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
    ]
    private static let modeWords = "must be a number between 0 and 0777 (octal), both inclusive"

    /// Checks the volumes and returns those that mounts may use, by name.
    package func check(_ volumes: [JSONValue], at path: FieldPath, _ issues: inout [FieldIssue]) -> [String: JSONValue] {
        if volumes.isEmpty { return [:] }
        var usable: [String: JSONValue] = [:]
        let made = podName.isEmpty ? [] : volumes.filter { $0["ephemeral"] != nil }.map { "\(podName)-\($0.text("name"))" }
        for (index, volume) in volumes.enumerated() {
            let place = path.index(index)
            let before = issues.count
            let name = volume.text("name")
            source(of: volume, name, at: place, &issues)
            if name.isEmpty {
                issues.required(place.child("name"))
            } else {
                issues.label(name, place.child("name"))
            }
            if usable[name] != nil { issues.append(.duplicate(place.child("name"), .string(name))) }
            if issues.count == before { usable[name] = volume }
            if let claim = volume["persistentVolumeClaim"]?.text("claimName"), made.contains(claim) {
                let words = "must not reference a PVC that gets created for an ephemeral volume"
                issues.invalid(place.child("persistentVolumeClaim", "claimName"), .string(claim), words)
            }
        }
        return usable
    }

    private func source(of volume: JSONValue, _ name: String, at path: FieldPath, _ issues: inout [FieldIssue]) {
        let given = volume.members(of: Self.types)
        guard let type = given.first, let source = volume[type] else { return issues.required(path, "must specify a volume type") }
        check(source, type, name, at: path, &issues)
        for extra in given.dropFirst() { StorageSourceValidation.second(extra, in: path, &issues) }
    }

    private func check(_ source: JSONValue, _ type: String, _ name: String, at path: FieldPath, _ issues: inout [FieldIssue]) {
        let place = path.child(type)
        switch type {
        case "emptyDir":
            if source.quantity("sizeLimit")?.isNegative == true {
                issues.forbidden(place.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")
            }
        case "hostPath": Self.hostPath(source, place, &issues)
        case "secret":
            issues.need(source.text("secretName"), place.child("secretName"))
            keys(source, place, &issues)
        case "configMap":
            issues.need(source.text("name"), place.child("name"))
            keys(source, place, &issues)
        case "persistentVolumeClaim": issues.need(source.text("claimName"), place.child("claimName"))
        case "downwardAPI":
            Self.mode(source["defaultMode"], place.child("defaultMode"), &issues)
            for file in source.list("items") { DownwardValidation.file(file, place, &issues) }
        case "projected": ProjectionValidation.check(source, place, &issues)
        case "csi": Self.csi(source, place, &issues)
        case "ephemeral": ephemeral(source, name, at: path, &issues)
        case "iscsi":
            StorageSourceValidation.check(source, type, in: path, &issues)
            if source["initiatorName"]?.string != nil, name.utf8.count + 1 + source.text("targetPortal").utf8.count > 64 {
                issues.invalid(path.child("name"), .string(name), StorageSourceValidation.longTarget)
            }
        case "image":
            if isPod { issues.need(source.text("reference"), place.child("reference")) }
            issues.choice(source.text("pullPolicy"), ["Always", "IfNotPresent", "Never"], place.child("pullPolicy"))
        default: StorageSourceValidation.check(source, type, in: path, &issues)
        }
    }

    package static func hostPath(_ source: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let text = source.text("path")
        if text.isEmpty { return issues.required(path.child("path")) }
        PathValidation.noBacksteps(text, path.child("path"), &issues)
        if let type = source["type"]?.string { issues.oneOf(type, hostPathTypes, path.child("type")) }
    }

    private func keys(_ source: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        Self.mode(source["defaultMode"], path.child("defaultMode"), &issues)
        for (index, item) in source.list("items").enumerated() { Self.keyToPath(item, path.child("items").index(index), &issues) }
    }

    /// One key that becomes a file.
    package static func keyToPath(_ item: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.need(item.text("key"), path.child("key"))
        issues.need(item.text("path"), path.child("path"))
        PathValidation.notReserved(item.text("path"), path.child("path"), &issues)
        mode(item["mode"], path.child("mode"), &issues)
    }

    /// The permissions of a file.
    package static func mode(_ mode: JSONValue?, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        if let mode = mode?.int, !(0...0o777).contains(mode) { issues.invalid(path(), .integer(mode), modeWords) }
    }

    private static func csi(_ source: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        StorageSourceValidation.driverName(source.text("driver"), path.child("driver"), &issues)
        guard let secret = source["nodePublishSecretRef"] else { return }
        if secret.text("name").isEmpty {
            issues.required(path.child("nodePublishSecretRef").child("name"))
        } else {
            // Upstream leaves the reference out of the path.
            issues.subdomain(secret.text("name"), path.child("name"))
        }
    }

    private func ephemeral(_ source: JSONValue, _ name: String, at path: FieldPath, _ issues: inout [FieldIssue]) {
        let place = path.child("ephemeral")
        if let template = source["volumeClaimTemplate"] {
            let spec = place.child("volumeClaimTemplate").child("spec")
            TemplateMetadataValidation.check(template["metadata"], place.child("volumeClaimTemplate", "metadata"), &issues)
            ClaimValidation.spec(template["spec"] ?? [:], spec, &issues)
        } else {
            issues.required(place.child("volumeClaimTemplate"))
        }
        if podName.isEmpty || name.isEmpty { return }
        let claim = "\(podName)-\(name)"
        for problem in Names.dns1123SubdomainIssues(claim) {
            issues.invalid(path.child("name"), .string(name), "PVC name \"\(claim)\": \(problem)")
        }
    }
}

extension JSONValue {
    /// Those of `names` that are members, in the order of `names`.
    package func members(of names: [String]) -> [String] {
        guard let object else { return [] }
        // A volume has few members: looking each of them up is cheaper than looking for each type.
        if object.count == 2, let one = object.first(where: { names.contains($0.key) }) { return [one.key] }
        return names.filter { object[$0] != nil }
    }
}
