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
        "glusterfs": ["endpoints", "path"], "cinder": ["volumeID"], "flexVolume": ["driver"], "azureFile": ["secretName", "shareName"],
        "azureDisk": ["diskName", "diskURI"],
        "vsphereVolume": ["volumePath"], "photonPersistentDisk": ["pdID"], "portworxVolume": ["volumeID"],
        "scaleIO": ["gateway", "system", "volumeName"], "storageos": ["volumeName"], "local": ["path"],
    ]

    /// The paths of messages, where they are not the field's.
    private static let spelled = ["gcePersistentDisk": "persistentDisk"]
    private static let spelledTwice = ["cephfs": "cephFS", "downwardAPI": "downwarAPI"]

    /// Refuses a source of a type beside another.
    package static func second(_ type: String, in path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.forbidden(path.child(spelledTwice[type] ?? type), "may not specify more than 1 volume type")
    }

    /// Checks a source of a type that has no rules of its own elsewhere; `path` is what the source stands in, `volume` the
    /// name of the persistent volume, nil in a pod.
    package static func check(
        _ source: JSONValue,
        _ type: String,
        in path: FieldPath,
        volume: String? = nil,
        _ issues: inout [FieldIssue]
    ) {
        let path = path.child(spelled[type] ?? type)
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
        case "iscsi": iscsi(source, path, volume: volume, &issues)
        case "rbd", "cephfs":
            if source.list("monitors").isEmpty { issues.required(path.child("monitors")) }
            if type == "rbd" { issues.need(source.text("image"), path.child("image")) }
        case "cinder": secret(source, path, isGlobal: volume != nil, &issues)
        case "storageos": storageOS(source, path, isGlobal: volume != nil, &issues)
        case "azureFile":
            if source["secretNamespace"]?.string?.isEmpty == true { issues.required(path.child("secretNamespace")) }
        case "glusterfs":
            guard let namespace = source["endpointsNamespace"]?.string else { return }
            let words = "if the endpointnamespace is set, it must be a valid namespace name"
            let problems = namespace.isEmpty ? [words] : Names.dns1123LabelIssues(namespace)
            issues.add(problems, path.child("endpointsNamespace"), namespace)
        case "fc": fibreChannel(source, path, &issues)
        case "flexVolume":
            for (key, _) in source.members("options") where isReserved(key) {
                issues.invalid(path.child("options").key(key), .string(key), "kubernetes.io and k8s.io namespaces are reserved")
            }
        case "flocker":
            if source.text("datasetName").isEmpty, source.text("datasetUUID").isEmpty {
                issues.required(path, "one of datasetName and datasetUUID is required")
            } else if !source.text("datasetName").isEmpty, !source.text("datasetUUID").isEmpty {
                issues.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously")
            }
            if source.text("datasetName").contains("/") {
                issues.invalid(path.child("datasetName"), source["datasetName"], "must not contain '/'")
            }
        case "quobyte":
            quobyte(source, path, &issues)
            issues.need(source.text("volume"), path.child("volume"))
        case "azureDisk": azureDisk(source, path, &issues)
        case "local": PathValidation.noBacksteps(source.text("path"), path.child("path"), &issues)
        default: break
        }
    }

    private static func isReserved(_ key: String) -> Bool {
        let name = "." + (key.split(separator: "/", maxSplits: 1).first ?? "").lowercased()
        return name.hasSuffix(".kubernetes.io") || name.hasSuffix(".k8s.io")
    }

    static let longTarget =
        "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."

    private static func iscsi(_ source: JSONValue, _ path: FieldPath, volume: String?, _ issues: inout [FieldIssue]) {
        let (portal, name) = (source.text("targetPortal"), source.text("iqn"))
        let initiator = source["initiatorName"]?.string
        issues.need(portal, path.child("targetPortal"))
        if let volume, initiator != nil, volume.utf8.count + 1 + portal.utf8.count > 64 {
            issues.invalid(path.child("targetportal"), .string(portal), longTarget)
        }
        if name.isEmpty {
            issues.required(path.child("iqn"))
        } else {
            endpointName(name, path.child("iqn"), isVolume: volume != nil, &issues)
        }
        issues.range(source.number("lun"), 0, 255, path.child("lun"))
        if source.flag("chapAuthDiscovery") || source.flag("chapAuthSession"), source["secretRef"] == nil {
            issues.required(path.child("secretRef"))
        }
        if volume != nil, let secret = source["secretRef"] { issues.need(secret.text("name"), path.child("secretRef", "name")) }
        if let initiator { endpointName(initiator, path.child("initiatorname"), isVolume: volume != nil, &issues) }
    }

    /// The name of an iSCSI node: a domain by date, or an identifier.
    private static func endpointName(_ name: String, _ path: FieldPath, isVolume: Bool, _ issues: inout [FieldIssue]) {
        let words = "must be valid format"
        switch name.prefix(3) {
        case "iqn": if !isDomainByDate(name) { issues.invalid(path, .string(name), words) }
        case "eui": if !isIdentifier(name, 16) { issues.invalid(path, .string(name), words) }
        case "naa": if !isIdentifier(name, 32) { issues.invalid(path, .string(name), words) }
        default: issues.invalid(path, .string(name), isVolume ? words : words + " starting with iqn, eui, or naa")
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
    }

    private static func isIdentifier(_ name: String, _ length: Int) -> Bool {
        let digits = name.utf8.dropFirst(4)
        return digits.count == length && digits.allSatisfy(isAlphanumeric)
    }

    /// `iqn.2001-04.com.example:storage`: what follows the colon may be almost anything without spaces.
    private static func isDomainByDate(_ name: String) -> Bool {
        guard name.hasPrefix("iqn."), let colon = name.firstIndex(of: ":") else { return false }
        let date = Array(name.utf8.dropFirst(4).prefix(8))
        guard date.count == 8, date[4] == 45, date[7] == 46 else { return false }
        guard (date[0..<4] + date[5..<7]).allSatisfy({ (48...57).contains($0) }) else { return false }
        let domain = name[..<colon].utf8.dropFirst(12)
        guard !domain.isEmpty, domain.allSatisfy({ isAlphanumeric($0) || $0 == 45 || $0 == 46 }) else { return false }
        let rest = name[name.index(after: colon)...]
        return !rest.isEmpty && !rest.contains { $0.isWhitespace || ",;*&$|".contains($0) }
    }

    private static func storageOS(_ source: JSONValue, _ path: FieldPath, isGlobal: Bool, _ issues: inout [FieldIssue]) {
        let namespace = source.text("volumeNamespace")
        let name = source.text("volumeName")
        if !name.isEmpty { issues.label(name, path.child("volumeName")) }
        if !namespace.isEmpty { issues.label(namespace, path.child("volumeNamespace")) }
        secret(source, path, isGlobal: isGlobal, &issues)
    }

    private static func secret(_ source: JSONValue, _ path: FieldPath, isGlobal: Bool, _ issues: inout [FieldIssue]) {
        guard let secret = source["secretRef"] else { return }
        issues.need(secret.text("name"), path.child("secretRef", "name"))
        if isGlobal { issues.need(secret.text("namespace"), path.child("secretRef", "namespace")) }
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
