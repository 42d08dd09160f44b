import APIModel
import PodKinds
import Schema
import Units
import Values

/// The rules of the kinds of storage.k8s.io.
enum StorageKinds {
    private static let parameterCount = 512
    private static let parameterSize = 256 * 1024
    private static let attachmentSize = 256 * 1024
    private static let errorSize = 1024
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
        warn: { object in
            var warnings: [String] = []
            for (index, term) in object.list("allowedTopologies").enumerated() {
                for (number, expression) in term.list("matchLabelExpressions").enumerated() {
                    let key = expression.text("key")
                    guard let words = NodeLabels.deprecation(key) else { continue }
                    let place = FieldPath("allowedTopologies").index(index).child("matchLabelExpressions").index(number).child("key")
                    warnings.append("\(place): \(words)")
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
        if let mode = object["volumeBindingMode"]?.string {
            issues.oneOf(mode, ["Immediate", "WaitForFirstConsumer"], FieldPath("volumeBindingMode"))
        } else {
            issues.required(FieldPath("volumeBindingMode"))
        }
        topologies(object.list("allowedTopologies"), FieldPath("allowedTopologies"), &issues)
    }

    private static func topologies(_ terms: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        // Upstream compares each term with as many empty ones as there are terms, and with those before it.
        var known = [[String: Set<String>]](repeating: [:], count: terms.count)
        for (index, term) in terms.enumerated() {
            topology(term, path.index(index), &issues)
            var values: [String: Set<String>] = [:]
            for expression in term.list("matchLabelExpressions") {
                values[expression.text("key")] = Set(expression.texts("values"))
            }
            for _ in known.filter({ $0 == values }) {
                issues.append(.duplicate(path.index(index).child("matchLabelExpressions"), ""))
            }
            known.append(values)
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
                }
            case (true, nil):
                let spec = source["inlineVolumeSpec"] ?? [:]
                let place = path.child("source", "inlineVolumeSpec")
                PersistentVolumeSpecValidation(spec, volume: "", at: place, isInline: true).check(&issues)
            }
            issues.subdomain(spec.text("nodeName"), path.child("nodeName"))
            if let name = source["persistentVolumeName"]?.string { issues.subdomain(name, FieldPath("spec.source.persistentVolumeName")) }
        },
        update: { object, old, issues in issues.immutable(object["spec"], old["spec"], FieldPath("spec")) },
        statusUpdate: { object, _, issues in attachmentStatus(object["status"] ?? [:], FieldPath("status"), &issues) },
        row: { row in
            [
                row.name, row.spec["attacher"] ?? "", row.spec["source"]?["persistentVolumeName"] ?? "", row.spec["nodeName"] ?? "",
                .bool(row.status.flag("attached")), row.age,
            ]
        }
    )

    private static func attachmentStatus(_ status: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let size = status.members("attachmentMetadata").reduce(0) { $0 + $1.key.utf8.count + ($1.value.string?.utf8.count ?? 0) }
        if size > attachmentSize { issues.append(.tooLong(path.child("attachmentMetadata"), maximum: attachmentSize)) }
        for field in ["attachError", "detachError"] {
            guard let error = status[field] else { continue }
            // The message says another bound than the one that was passed.
            if error.text("message").utf8.count > errorSize {
                issues.append(.tooLong(path.child(field, "message"), maximum: attachmentSize))
            }
            if let code = error["errorCode"]?.int, code < 0 {
                issues.invalid(path.child(field, "errorCode"), .integer(code), "must be between 0 and 2147483647, inclusive")
            }
        }
    }

    static let driver = KindRules(
        generation: ["spec"],
        complete: { completeDriver(&$0) },
        check: { StorageDriverValidation.driver($0["spec"] ?? [:], FieldPath("spec"), &$1) },
        update: { object, old, issues in
            let (new, before, path) = (object["spec"] ?? [:], old["spec"] ?? [:], FieldPath("spec"))
            issues.immutable(new["attachRequired"], before["attachRequired"], path.child("attachedRequired"))
            issues.immutable(new["volumeLifecycleModes"], before["volumeLifecycleModes"], path.child("volumeLifecycleModes"))
        },
        warnChange: { object, old in
            let tokens = object["spec"]?.list("tokenRequests") ?? []
            let before = old?["spec"]?.list("tokenRequests")
            if tokens.isEmpty || tokens == before || object["spec"]?["serviceAccountTokenInSecrets"] != nil { return [] }
            return [
                "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes"
            ]
        },
        prepare: { object, old, _ in
            // Generations of drivers are counted from their first change.
            if old == nil { object.remove(at: ["metadata", "generation"]) }
            let field = "preventPodSchedulingIfMissing"
            if old?["spec"]?[field] == nil, object["spec"]?[field] != nil { object.remove(at: ["spec", field]) }
        },
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

    private static func completeDriver(_ object: inout JSONValue) {
        guard let spec = object["spec"] else { return }
        let defaults: [(String, JSONValue)] = [
            ("attachRequired", true), ("podInfoOnMount", false), ("storageCapacity", false),
            ("fsGroupPolicy", "ReadWriteOnceWithFSType"), ("requiresRepublish", false), ("seLinuxMount", false),
        ]
        for (field, value) in defaults where spec[field] == nil { object.set(value, at: ["spec", field]) }
        if spec.list("volumeLifecycleModes").isEmpty { object.set(["Persistent"], at: ["spec", "volumeLifecycleModes"]) }
    }

    static let node = KindRules(
        check: { StorageDriverValidation.node($0["spec"]?.list("drivers") ?? [], &$1) },
        update: { object, old, issues in
            StorageDriverValidation.nodeUpdate(
                object["spec"]?.list("drivers") ?? [],
                old["spec"]?.list("drivers") ?? [],
                &issues
            )
        },
        row: { [$0.name, .integer(Int64($0.spec.list("drivers").count)), $0.age] }
    )

    static let capacity = KindRules(
        update: { object, old, issues in
            var before: [FieldIssue] = []
            SelectorValidation.selector(old["nodeTopology"], .root, &before)
            capacity(object, allowsAnyValue: !before.isEmpty, &issues)
            for field in ["nodeTopology", "storageClassName"] { issues.immutable(object[field], old[field], FieldPath(field)) }
        },
        create: { capacity($0, allowsAnyValue: false, &$1) },
        warn: { object in
            guard let topology = object["nodeTopology"] else { return [] }
            var warnings: [String] = []
            for (index, expression) in topology.list("matchExpressions").enumerated() {
                let key = expression.text("key")
                guard let words = NodeLabels.deprecation(key) else { continue }
                warnings.append("nodeTopology.matchExpressions[\(index)].key: \(key) is \(words)")
            }
            for (key, _) in topology.members("matchLabels") {
                guard let words = NodeLabels.deprecation(key) else { continue }
                warnings.append("nodeTopology.matchLabels.\(key): \(words)")
            }
            return warnings
        }
    )

    private static func capacity(_ object: JSONValue, allowsAnyValue: Bool, _ issues: inout [FieldIssue]) {
        SelectorValidation.selector(object["nodeTopology"], allowsAnyValue: allowsAnyValue, FieldPath("nodeTopology"), &issues)
        issues.subdomain(object.text("storageClassName"), FieldPath("storageClassName"))
        issues.nonNegativeQuantity(object.quantity("capacity"), FieldPath("capacity"))
    }

    static let attributesClass = KindRules(
        update: { object, old, issues in
            for field in ["driverName", "parameters"] where object[field] != old[field] {
                issues.forbidden(FieldPath(field), "updates to \(field) are forbidden.")
            }
            attributes(object, &issues)
        },
        create: { attributes($0, &$1) },
        row: { [$0.name, $0.object["driverName"] ?? "", $0.age] }
    )

    private static func attributes(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let name = object.text("driverName")
        if name.isEmpty {
            issues.required(FieldPath("driverName"))
        } else {
            issues.qualifiedName(name.lowercased(), FieldPath("driverName"))
        }
        parameters(object.members("parameters"), &issues)
        if object.members("parameters").isEmpty {
            issues.required(FieldPath("parameters"), "must contain at least one key/value pair")
        }
    }
}
