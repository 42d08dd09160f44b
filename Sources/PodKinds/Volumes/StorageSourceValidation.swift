import Schema
import Units
import Values

/// What is wrong with the sources that pods and persistent volumes share.
package enum StorageSourceValidation {
    private static let driverNameLimit = 63
    private static let accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
    /// The fields that have to be given, by type.
    private static let needed: [String: [String]] = [
        "gitRepo": ["repository"], "gcePersistentDisk": ["pdName"], "awsElasticBlockStore": ["volumeID"], "nfs": ["server", "path"],
        "iscsi": ["targetPortal", "iqn"], "glusterfs": ["endpoints", "path"], "rbd": ["image"], "cinder": ["volumeID"],
        "quobyte": ["volume"], "flexVolume": ["driver"], "azureFile": ["secretName", "shareName"], "azureDisk": ["diskName", "diskURI"],
        "vsphereVolume": ["volumePath"], "photonPersistentDisk": ["pdID"], "portworxVolume": ["volumeID"],
        "scaleIO": ["gateway", "system", "volumeName"], "storageos": ["volumeName"], "local": ["path"],
    ]

    /// Checks a source of a type that has no rules of its own elsewhere.
    package static func check(_ source: JSONValue, _ type: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for field in needed[type] ?? [] { issues.need(source.text(field), path.child(field)) }
        switch type {
        case "gitRepo": PathValidation.descending(source.text("directory"), path.child("directory"), &issues)
        case "gcePersistentDisk", "awsElasticBlockStore":
            let partition = source.number("partition")
            if !(0...255).contains(partition) {
                issues.invalid(path.child("partition"), .integer(partition), "must be between 1 and 255, inclusive")
            }
        case "nfs":
            if !source.text("path").hasPrefix("/") {
                issues.invalid(path.child("path"), .string(source.text("path")), "must be an absolute path")
            }
        case "iscsi": iscsi(source, path, &issues)
        case "rbd", "cephfs":
            if source.list("monitors").isEmpty { issues.required(path.child("monitors")) }
        case "fc": fibreChannel(source, path, &issues)
        case "flexVolume":
            for (key, _) in source.members("options") where isReserved(key) {
                issues.invalid(path.child("options").key(key), .string(key), "kubernetes.io and k8s.io namespaces are reserved")
            }
        case "flocker":
            if source.text("datasetName").isEmpty, source.text("datasetUUID").isEmpty {
                issues.required(path, "one of datasetName and datasetUUID is required")
            }
        case "quobyte": quobyte(source, path, &issues)
        case "azureDisk": azureDisk(source, path, &issues)
        case "local": PathValidation.noBacksteps(source.text("path"), path.child("path"), &issues)
        default: break
        }
    }

    private static func isReserved(_ key: String) -> Bool {
        let name = "." + (key.split(separator: "/", maxSplits: 1).first ?? "").lowercased()
        return name.hasSuffix(".kubernetes.io") || name.hasSuffix(".k8s.io")
    }

    private static func iscsi(_ source: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let name = source.text("iqn")
        if !name.isEmpty, !["iqn", "eui", "naa"].contains(where: { name.hasPrefix($0) }) {
            issues.invalid(path.child("iqn"), .string(name), "must be valid format starting with iqn, eui, or naa")
        }
        issues.range(source.number("lun"), 0, 255, path.child("lun"))
        if source.flag("chapAuthDiscovery") || source.flag("chapAuthSession"), source["secretRef"] == nil {
            issues.required(path.child("secretRef"))
        }
    }

    private static func quobyte(_ source: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let registry = source.text("registry")
        let words = "must be a host:port pair or multiple pairs separated by commas"
        if registry.isEmpty { return issues.required(path.child("registry"), words) }
        if source.text("tenant").utf8.count >= 65 {
            return issues.required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters")
        }
        for pair in registry.split(separator: ",", omittingEmptySubsequences: false) where !isHostAndPort(pair) {
            issues.invalid(path.child("registry"), .string(registry), words)
        }
    }

    private static func isHostAndPort(_ text: Substring) -> Bool {
        guard let colon = text.lastIndex(of: ":") else { return false }
        let host = text[..<colon]
        return host.hasPrefix("[") ? host.hasSuffix("]") : !host.contains(":")
    }

    private static func azureDisk(_ source: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let mode = source["cachingMode"]?.string { issues.oneOf(mode, ["None", "ReadOnly", "ReadWrite"], path.child("cachingMode")) }
        guard let kind = source["kind"]?.string else { return }
        issues.oneOf(kind, ["Dedicated", "Managed", "Shared"], path.child("kind"))
        let (place, isManaged) = (source.text("diskURI"), kind == "Managed")
        let form =
            isManaged
            ? "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
            : "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        if !place.hasPrefix(isManaged ? "/subscriptions/" : "https://") {
            issues.append(.notSupported(path.child("diskURI"), .string(place), [form]))
        }
    }

    private static func fibreChannel(_ source: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let targets = source.list("targetWWNs")
        let place = path.child("targetWWNs")
        switch (targets.isEmpty, source.list("wwids").isEmpty) {
        case (true, true): issues.required(place, "must specify either targetWWNs or wwids, but not both")
        case (false, false): issues.invalid(place, source["targetWWNs"], "targetWWNs and wwids can not be specified simultaneously")
        default: break
        }
        if targets.isEmpty { return }
        guard let unit = source["lun"]?.int else { return issues.required(path.child("lun"), "lun is required if targetWWNs is specified") }
        issues.range(unit, 0, 255, path.child("lun"))
    }

    /// The name of a CSI driver.
    package static func driverName(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if name.isEmpty { return issues.required(path) }
        if name.utf8.count > driverNameLimit { issues.append(.tooLong(path, maximum: driverNameLimit)) }
        issues.add(Names.dns1123SubdomainIssues(name.lowercased()), path, name)
    }

    /// The access modes of a volume or claim.
    package static func accessModes(_ modes: [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for mode in modes { issues.oneOf(mode, accessModes, path) }
        let known = modes.filter { accessModes.contains($0) }
        if known.contains("ReadWriteOncePod"), known.contains(where: { $0 != "ReadWriteOncePod" }) {
            issues.forbidden(path, "may not use ReadWriteOncePod with other access modes")
        }
    }
}
