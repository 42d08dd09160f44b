import APIModel
import Schema
import Units
import Values

/// What is wrong with claims.
package enum ClaimValidation {
    private static let root = FieldPath("spec")
    private static let betaClass = "volume.beta.kubernetes.io/storage-class"

    /// A claim's spec, wherever it stands.
    package static func spec(_ spec: JSONValue, old: JSONValue? = nil, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let modes = spec.texts("accessModes")
        if modes.isEmpty { issues.required(path.child("accessModes"), "at least 1 access mode is required") }
        SelectorValidation.selector(spec["selector"], path.child("selector"), &issues)
        StorageSourceValidation.accessModes(modes, path.child("accessModes"), &issues)
        let size = path.child("resources").key("storage")
        if let storage = spec["resources"]?["requests"]?.quantity("storage") {
            issues.positiveQuantity(storage, size)
        } else {
            issues.required(size)
        }
        for field in ["storageClassName", "volumeAttributesClassName"] {
            let name = spec.text(field)
            if !name.isEmpty { issues.subdomain(name, path.child(field)) }
        }
        if let mode = spec["volumeMode"]?.string { issues.oneOf(mode, ["Block", "Filesystem"], path.child("volumeMode")) }
        sources(spec, old: old, path, &issues)
    }

    private static func sources(_ spec: JSONValue, old: JSONValue?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        // Groups were not checked once: a claim that names one already may have any.
        let toleratesGroups = ["dataSource", "dataSourceRef"].contains { old?[$0]?["apiGroup"]?.string != nil }
        for field in ["dataSource", "dataSourceRef"] {
            guard let source = spec[field] else { continue }
            let place = path.child(field)
            issues.need(source.text("name"), place.child("name"))
            issues.need(source.text("kind"), place.child("kind"))
            let group = source.text("apiGroup")
            if !group.isEmpty {
                if !toleratesGroups { issues.subdomain(group, place.child("apiGroup")) }
            } else if source.text("kind") != "PersistentVolumeClaim" {
                issues.invalid(place, source["kind"] ?? "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
            }
            let namespace = source.text("namespace")
            if !namespace.isEmpty { issues.label(namespace, place.child("namespace")) }
        }
        guard let source = spec["dataSource"], var reference = spec["dataSourceRef"] else { return }
        var words: String?
        if !reference.text("namespace").isEmpty {
            words = "may not be specified when dataSourceRef.namespace is specified"
        } else {
            reference["namespace"] = nil
            if source != reference { words = "must match dataSourceRef" }
        }
        // Upstream shows the path object itself here, of which nothing can be seen.
        if let words { issues.append(.init(kind: .invalid, path: path, shownValue: "{}", detail: words)) }
    }

    /// What an update may not change.
    package static func update(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        var new = object["spec"] ?? [:]
        var before = old["spec"] ?? [:]
        if before.text("volumeName").isEmpty { before["volumeName"] = new["volumeName"] }
        let oldClass = old["metadata"]?["annotations"]?[betaClass]
        let newClass = object["metadata"]?["annotations"]?[betaClass]
        if oldClass != newClass, new["storageClassName"] != oldClass {
            issues.immutable(newClass ?? "", oldClass ?? "", FieldPath("metadata").child("annotations", betaClass))
        }
        if before["storageClassName"] == nil, let wanted = new["storageClassName"], oldClass == nil || oldClass == wanted {
            new["storageClassName"] = nil
        }
        let isBound = object["status"]?.text("phase") == "Bound"
        let size = (object["spec"]?["resources"]?["requests"], old["spec"]?["resources"]?["requests"])
        if isBound {
            if let storage = size.1?["storage"], size.0 != nil { new.set(storage, at: ["resources", "requests", "storage"]) }
            new["volumeAttributesClassName"] = before["volumeAttributesClassName"]
        }
        if new != before {
            let words = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            issues.forbidden(root, words + SpecDifference.text(before, new, as: "core.PersistentVolumeClaimSpec"))
        }
        let (wanted, had) = (size.0?.quantity("storage") ?? .zero, size.1?.quantity("storage") ?? .zero)
        if wanted < had, wanted <= old["status"]?["capacity"]?.quantity("storage") ?? .zero {
            issues.forbidden(root.child("resources", "requests", "storage"), "field can not be less than status.capacity")
        }
        issues.immutable(object["spec"]?["volumeMode"], old["spec"]?["volumeMode"], FieldPath("volumeMode"))
        attributesClass(object, old, &issues)
    }

    private static let resizeStates = [
        "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizePending", "NodeResizeInProgress", "NodeResizeInfeasible",
    ]

    /// A claim's status: what it holds, and how its growth is going.
    package static func status(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let (status, place) = (object["status"] ?? [:], FieldPath("status"))
        for (name, value) in status.members("capacity") { basic(value, place.child("capacity").key(name), &issues) }
        let states = place.child("allocatedResourceStatuses")
        for (name, value) in status.members("allocatedResourceStatuses") {
            resource(name, states, &issues)
            // Upstream shows the resource, not the state.
            if !resizeStates.contains(value.string ?? "") { issues.append(.notSupported(states, .string(name), resizeStates.sorted())) }
        }
        let amounts = place.child("allocatedResources")
        for (name, value) in status.members("allocatedResources") {
            let before = issues.count
            resource(name, amounts, &issues)
            guard issues.count == before else { continue }
            basic(value, amounts.key(name), &issues)
        }
    }

    private static func basic(_ value: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let quantity = Quantity.of(value), quantity.isNegative else { return }
        issues.invalid(path, .integer(quantity.value), "must be a valid resource quantity")
    }

    /// Of the system's own resources a claim has storage alone.
    private static func resource(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard SelectorValidation.isQualifiedName(name) else { return issues.qualifiedName(name, path) }
        if ResourceValidation.isNative(name), name != "storage" { issues.append(.notSupported(path, .string(name), ["storage"])) }
    }

    private static func attributesClass(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        let wanted = object["spec"]?["volumeAttributesClassName"]?.string
        guard wanted != old["spec"]?["volumeAttributesClassName"]?.string,
            old["status"]?["currentVolumeAttributesClassName"]?.string != nil, wanted?.isEmpty ?? true
        else { return }
        let what = wanted == nil ? "nil" : "empty string"
        let words = "update to \(what) is forbidden when status.currentVolumeAttributesClassName is not nil"
        issues.forbidden(root.child("volumeAttributesClassName"), words)
    }
}

/// The behaviour of claims.
package struct PersistentVolumeClaimHooks: KindHooks {
    package init() {}

    package func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        object["status"] = ["phase": "Pending"]
        arrangeSources(&object, old: nil)
    }

    package func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        arrangeSources(&object, old: old["spec"])
    }

    private func arrangeSources(_ object: inout JSONValue, old: JSONValue?) {
        // Sources in other namespaces are behind a gate that is off.
        if object["spec"]?["dataSourceRef"]?.text("namespace").isEmpty == false, old?["dataSourceRef"] == nil {
            object.remove(at: ["spec", "dataSourceRef"])
        }
        let hadSource = old?["dataSource"] != nil || old?["dataSourceRef"] != nil
        if !hadSource, let source = object["spec"]?["dataSource"], object["spec"]?["dataSourceRef"] == nil, !isLegacySource(source) {
            object.remove(at: ["spec", "dataSource"])
        }
        // Each of the two ways to name a source fills the other.
        let (source, reference) = (object["spec"]?["dataSource"], object["spec"]?["dataSourceRef"])
        if let source, reference == nil {
            object.set(source, at: ["spec", "dataSourceRef"])
        } else if var reference, source == nil, reference.text("namespace").isEmpty {
            reference["namespace"] = nil
            object.set(reference, at: ["spec", "dataSource"])
        }
    }

    private func isLegacySource(_ reference: JSONValue) -> Bool {
        let kind = (reference.text("apiGroup"), reference.text("kind"))
        return kind == ("", "PersistentVolumeClaim") || kind == ("snapshot.storage.k8s.io", "VolumeSnapshot")
    }

    package func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        ClaimValidation.spec(object["spec"] ?? [:], FieldPath("spec"), &issues)
        return issues
    }

    package func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        NameRule.subdomain.check(object, &issues)
        ClaimValidation.spec(object["spec"] ?? [:], old: old["spec"], FieldPath("spec"), &issues)
        ClaimValidation.update(object, old, &issues)
        return issues
    }

    package func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        ClaimValidation.status(object, &issues)
        return issues
    }

    package func warnings(_ object: JSONValue, old: JSONValue?) -> [String] {
        StorageWarnings.oldAnnotation(object) + StorageWarnings.claim(object["spec"] ?? [:], FieldPath("spec"))
    }

    package func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let spec = object["spec"] ?? [:]
        let isBound = !spec.text("volumeName").isEmpty
        let status = object["status"] ?? [:]
        let className = object["metadata"]?["annotations"]?["volume.beta.kubernetes.io/storage-class"] ?? spec["storageClassName"] ?? ""
        return [
            Cells.name(object), .string(Cells.phase(object)), spec["volumeName"] ?? "",
            isBound ? status["capacity"]?["storage"] ?? "0" : "", .string(isBound ? Cells.accessModes(status["accessModes"]) : ""),
            className, spec["volumeAttributesClassName"] ?? "<unset>", Cells.age(object, now: now), spec["volumeMode"] ?? "<unset>",
        ]
    }
}

/// Warnings about storage.
package enum StorageWarnings {
    private static let betaClass = "volume.beta.kubernetes.io/storage-class"

    /// A claim's spec: sizes in whole bytes.
    package static func claim(_ spec: JSONValue, _ path: FieldPath) -> [String] {
        ["requests", "limits"].compactMap { list in
            guard let storage = spec["resources"]?[list]?.quantity("storage"), storage.milliValue % 1000 != 0 else { return nil }
            let place = path.child("resources").child(list).key("storage")
            return "\(place): fractional byte value \"\(storage)\" is invalid, must be an integer"
        }
    }

    /// The annotation that named the class before there was a field.
    package static func oldAnnotation(_ object: JSONValue) -> [String] {
        guard object["metadata"]?["annotations"]?[betaClass] != nil else { return [] }
        let place = FieldPath("metadata").child("annotations").key(betaClass)
        return ["\(place): deprecated since v1.8; use \"storageClassName\" attribute instead"]
    }

    /// A volume: annotations and drivers of old.
    package static func volume(_ object: JSONValue) -> [String] {
        var warnings = oldAnnotation(object)
        let spec = object["spec"] ?? [:]
        if spec.text("persistentVolumeReclaimPolicy") == "Recycle" {
            warnings.append(
                "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."
            )
        }
        let old = [
            ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
            ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
            ("rbd", "deprecated in v1.28, non-functional in v1.31+"), ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
            ("storageos", "deprecated in v1.22, non-functional in v1.25+"), ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ]
        for (field, words) in old where spec[field] != nil {
            warnings.append("spec.\(field == "storageos" ? "storageOS" : field): \(words)")
        }
        return warnings
    }
}
