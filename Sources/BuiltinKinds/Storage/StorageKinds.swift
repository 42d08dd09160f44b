import APIModel
import PodKinds
import Schema
import Units
import Values

/// The rules of the kinds of storage.k8s.io.
enum StorageKinds {
    private static let parameterCount = 512
    private static let parameterSize = 256 * 1024
    private static let defaultMarks = [
        "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class",
    ]

    static let storageClass = KindRules(
        check: { storageClass($0, &$1) },
        update: { object, old, issues in
            for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
                issues.immutable(object[field], old[field], FieldPath(field))
            }
        },
        checksUpdates: false,
        warn: { object in
            var warnings: [String] = []
            for (index, term) in object.list("allowedTopologies").enumerated() {
                for (number, expression) in term.list("matchLabelExpressions").enumerated() {
                    let key = expression.text("key")
                    guard let words = NodeLabels.deprecation(key) else { continue }
                    let place = FieldPath("allowedTopologies").index(index).child("matchLabelExpressions").index(number).child("key")
                    warnings.append("\(place): \(key) is \(words)")
                }
            }
            return warnings
        },
        row: { row in
            let annotations = row.object["metadata"]?["annotations"]
            let isDefault = defaultMarks.contains { annotations?[$0] == "true" }
            let name = row.name.string ?? ""
            return [
                .string(isDefault ? "\(name) (default)" : name), row.object["provisioner"] ?? "", row.object["reclaimPolicy"] ?? "Delete",
                row.object["volumeBindingMode"] ?? "Immediate", .bool(row.object.flag("allowVolumeExpansion")), row.age,
            ]
        }
    )

    private static func storageClass(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let provisioner = object.text("provisioner")
        if provisioner.isEmpty {
            issues.required(FieldPath("provisioner"))
        } else {
            issues.qualifiedName(provisioner.lowercased(), FieldPath("provisioner"))
        }
        parameters(object.members("parameters"), &issues)
        if let policy = object["reclaimPolicy"]?.string, !policy.isEmpty {
            issues.oneOf(policy, ["Delete", "Retain"], FieldPath("reclaimPolicy"))
        }
        let mode = object.text("volumeBindingMode")
        issues.choice(mode, ["Immediate", "WaitForFirstConsumer"], FieldPath("volumeBindingMode"))
        for (index, term) in object.list("allowedTopologies").enumerated() {
            topology(term, FieldPath("allowedTopologies").index(index), &issues)
        }
    }

    private static func parameters(_ parameters: JSONObject, _ issues: inout [FieldIssue]) {
        let place = FieldPath("parameters")
        if parameters.count > parameterCount { return issues.append(.tooLong(place, maximum: parameterCount)) }
        var size = 0
        for (key, value) in parameters {
            if key.isEmpty { issues.invalid(place, "", "field can not be empty.") }
            size += key.utf8.count + (value.string?.utf8.count ?? 0)
        }
        if size > parameterSize { issues.append(.tooLong(place, maximum: parameterSize)) }
    }

    private static func topology(_ term: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var keys: Set<String> = []
        for (index, expression) in term.list("matchLabelExpressions").enumerated() {
            let place = path.child("matchLabelExpressions").index(index)
            let values = expression.texts("values")
            if values.isEmpty { issues.required(place.child("values")) }
            var seen: Set<String> = []
            for (number, value) in values.enumerated() where !seen.insert(value).inserted {
                issues.append(.duplicate(place.child("values").index(number), .string(value)))
            }
            let key = expression.text("key")
            issues.qualifiedName(key, place.child("key"))
            if !keys.insert(key).inserted { issues.append(.duplicate(place.child("key"), .string(key))) }
        }
    }

    static let volumeAttachment = KindRules(
        status: ["attached": false],
        check: { object, issues in
            let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
            StorageSourceValidation.driverName(spec.text("attacher"), path.child("attacher"), &issues)
            let source = spec["source"] ?? [:]
            let words = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
            switch (source["inlineVolumeSpec"] != nil, source["persistentVolumeName"]?.string) {
            case (false, nil): issues.required(path.child("source"), words)
            case (true, .some): issues.forbidden(path.child("source"), words)
            case (false, let name?):
                if name.isEmpty {
                    issues.required(path.child("source", "persistentVolumeName"), "must specify non empty persistentVolumeName")
                } else {
                    issues.subdomain(name, FieldPath("spec.source.persistentVolumeName"))
                }
            case (true, nil): break
            }
            issues.subdomain(spec.text("nodeName"), path.child("nodeName"))
        },
        update: { object, old, issues in issues.immutable(object["spec"], old["spec"], FieldPath("spec")) },
        row: { row in
            [
                row.name, row.spec["attacher"] ?? "", row.spec["source"]?["persistentVolumeName"] ?? "", row.spec["nodeName"] ?? "",
                .bool(row.status.flag("attached")), row.age,
            ]
        }
    )

    static let driver = KindRules(
        generation: ["spec"],
        row: { row in
            let spec = row.spec
            let modes = spec.texts("volumeLifecycleModes").joined(separator: ",")
            let audiences =
                spec["tokenRequests"] == nil
                ? "<unset>" : spec.list("tokenRequests").map { $0.text("audience") }.joined(separator: ",")
            return [
                row.name, .bool(spec["attachRequired"]?.bool ?? true), .bool(spec.flag("podInfoOnMount")),
                .bool(spec.flag("storageCapacity")),
                .string(audiences), .bool(spec.flag("requiresRepublish")), .string(modes.isEmpty ? "<none>" : modes), row.age,
            ]
        }
    )

    static let node = KindRules(row: { [$0.name, .integer(Int64($0.spec.list("drivers").count)), $0.age] })

    static let attributesClass = KindRules(
        check: { object, issues in
            StorageSourceValidation.driverName(object.text("driverName"), FieldPath("driverName"), &issues)
            let place = FieldPath("parameters")
            if object.members("parameters").isEmpty { issues.required(place, "must contain at least one key/value pair") }
            parameters(object.members("parameters"), &issues)
        },
        update: { object, old, issues in
            for field in ["driverName", "parameters"] { issues.immutable(object[field], old[field], FieldPath(field)) }
        },
        row: { [$0.name, $0.object["driverName"] ?? "", $0.age] }
    )
}
