import PodKinds
import Schema
import Units
import Values

/// The rules of pods that are scheduled together.
///
/// Source: the declarative rules of scheduling.k8s.io/v1alpha2 with the feature gates of v1.36 at their defaults.
enum GroupKinds {
    private static let mostTemplates = 8
    private static let mostClaims = 4
    private static let policies = ["basic", "gang"]
    /// Fields of a group whose feature gates are off: they are dropped unless an object has them already.
    private static let gated = ["schedulingConstraints", "resourceClaims", "disruptionMode", "priorityClassName", "priority"]

    static let workload = KindRules(
        check: { workload($0["spec"] ?? [:], FieldPath("spec"), &$1) },
        update: { object, old, issues in
            for field in ["controllerRef", "podGroupTemplates"] {
                unchanged(field, object, old, &issues)
            }
        },
        checksUpdates: false,
        prepare: { object, old, _ in
            guard var templates = object["spec"]?["podGroupTemplates"]?.array else { return }
            let before = old?["spec"]?.list("podGroupTemplates") ?? []
            for index in templates.indices {
                drop(&templates[index], before.indices.contains(index) ? before[index] : nil)
            }
            object.set(.array(templates), at: ["spec", "podGroupTemplates"])
        },
        row: PlainRows.nameAndAge
    )

    static let podGroup = KindRules(
        check: { object, issues in
            let (spec, path) = (object["spec"] ?? [:], FieldPath("spec"))
            if let reference = spec["podGroupTemplateRef"] { template(reference, path.child("podGroupTemplateRef"), &issues) }
            group(spec, path, &issues)
        },
        update: { object, old, issues in
            for field in ["podGroupTemplateRef", "schedulingPolicy", "resourceClaims"] {
                unchanged(field, object, old, &issues)
            }
        },
        checksUpdates: false,
        statusUpdate: { object, _, issues in status(object, &issues) },
        prepare: { object, old, _ in
            guard var spec = object["spec"] else { return }
            drop(&spec, old?["spec"])
            object["spec"] = spec
        },
        row: PlainRows.podGroup
    )

    /// The declarative rule does not show the value.
    private static func unchanged(_ field: String, _ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        if object["spec"]?[field] == old["spec"]?[field] { return }
        issues.invalid(FieldPath("spec").child(field), .null, "field is immutable")
    }

    private static func drop(_ group: inout JSONValue, _ old: JSONValue?) {
        for field in gated where old?[field] == nil { group[field] = nil }
    }

    private static func workload(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let reference = spec["controllerRef"] {
            let place = path.child("controllerRef")
            let group = reference.text("apiGroup")
            if !group.isEmpty { issues.subdomain(group, place.child("apiGroup")) }
            for field in ["kind", "name"] {
                let text = reference.text(field)
                if text.isEmpty {
                    issues.required(place.child(field))
                } else {
                    issues.add(Names.pathSegmentIssues(text), place.child(field), text)
                }
            }
        }
        let templates = spec.list("podGroupTemplates")
        let place = path.child("podGroupTemplates")
        if templates.isEmpty { return issues.required(place) }
        if templates.count > mostTemplates {
            return issues.append(.tooMany(place, actual: templates.count, maximum: mostTemplates))
        }
        named(templates, place, &issues)
        for (index, template) in templates.enumerated() { group(template, place.index(index), &issues) }
    }

    /// Elements with short names, none twice.
    private static func named(_ elements: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var names: Set<String> = []
        for (index, element) in elements.enumerated() {
            let name = element.text("name")
            if !names.insert(name).inserted { issues.append(.duplicate(path.index(index), element)) }
            if name.isEmpty {
                issues.required(path.index(index).child("name"))
            } else {
                issues.label(name, path.index(index).child("name"))
            }
        }
    }

    private static func group(_ group: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let policy = group["schedulingPolicy"] ?? [:]
        let place = path.child("schedulingPolicy")
        let given = policies.filter { policy[$0] != nil }
        if given.isEmpty {
            issues.invalid(place, "", "must specify one of: `basic`, `gang`")
        } else if given.count > 1 {
            let found = "{\(given.joined(separator: ", "))}"
            issues.invalid(place, .string(found), "must specify exactly one of: `basic`, `gang`")
        }
        if let gang = policy["gang"] {
            let count = gang.number("minCount")
            let minimum = place.child("gang", "minCount")
            if count == 0 {
                issues.required(minimum)
            } else if count < 1 {
                issues.invalid(minimum, .integer(count), "must be greater than or equal to 1")
            }
        }
        claims(group.list("resourceClaims"), path.child("resourceClaims"), &issues)
    }

    private static func claims(_ claims: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if claims.count > mostClaims { return issues.append(.tooMany(path, actual: claims.count, maximum: mostClaims)) }
        named(claims, path, &issues)
        let fields = ["resourceClaimName", "resourceClaimTemplateName"]
        for (index, claim) in claims.enumerated() {
            let given = fields.filter { claim[$0] != nil }
            let place = path.index(index)
            if given.isEmpty {
                issues.invalid(place, "", "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")
            } else if given.count > 1 {
                let words = "must specify exactly one of: `resourceClaimName`, `resourceClaimTemplateName`"
                issues.invalid(place, .string("{\(given.joined(separator: ", "))}"), words)
            }
            for field in given { issues.subdomain(claim.text(field), place.child(field)) }
        }
    }

    private static func template(_ reference: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let workload = reference["workload"] else { return issues.invalid(path, "", "must specify one of: `workload`") }
        let place = path.child("workload")
        let (name, template) = (workload.text("workloadName"), workload.text("podGroupTemplateName"))
        if name.isEmpty { issues.required(place.child("workloadName")) } else { issues.subdomain(name, place.child("workloadName")) }
        let own = place.child("podGroupTemplateName")
        if template.isEmpty { issues.required(own) } else { issues.label(template, own) }
    }

    private static func status(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let (status, path) = (object["status"] ?? [:], FieldPath("status"))
        ConditionValidation.check(status.list("conditions"), path.child("conditions"), &issues)
        let known = Set((object["spec"]?.list("resourceClaims") ?? []).map { $0.text("name") })
        let place = path.child("resourceClaimStatuses")
        let claims = status.list("resourceClaimStatuses")
        if claims.count > mostClaims { return issues.append(.tooMany(place, actual: claims.count, maximum: mostClaims)) }
        var names: Set<String> = []
        for (index, claim) in claims.enumerated() {
            let name = claim.text("name")
            if !names.insert(name).inserted { issues.append(.duplicate(place.index(index), claim)) }
            if !known.contains(name) {
                let words = "must match the name of an entry in `spec.resourceClaims`"
                issues.invalid(place.index(index).child("name"), .string(name), words)
            }
            if let made = claim["resourceClaimName"]?.string { issues.subdomain(made, place.index(index).child("resourceClaimName")) }
        }
    }
}
