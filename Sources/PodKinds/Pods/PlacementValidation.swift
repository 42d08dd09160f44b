import Schema
import Units
import Values

/// What is wrong with where a pod wants to run: affinity, tolerations, spreading.
package enum PlacementValidation {
    private static let required = "requiredDuringSchedulingIgnoredDuringExecution"
    private static let preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    private static let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]

    /// What draws the pod to nodes and to other pods.
    package static func affinity(_ spec: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let affinity = spec["affinity"] else { return }
        let place = path.child("affinity")
        if let node = affinity["nodeAffinity"] { nodeAffinity(node, place.child("nodeAffinity"), &issues) }
        for kind in ["podAffinity", "podAntiAffinity"] {
            if let pod = affinity[kind] { podAffinity(pod, place.child(kind), &issues) }
        }
    }

    /// How pods are spread.
    package static func spread(_ spec: JSONValue, at path: FieldPath, _ issues: inout [FieldIssue]) {
        let spread = spec.list("topologySpreadConstraints")
        for index in spread.indices { self.spread(spread, index, path.child("topologySpreadConstraints"), &issues) }
    }

    private static func nodeAffinity(_ affinity: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if let selector = affinity[required] { SelectorValidation.nodeSelector(selector, path.child(required), &issues) }
        for (index, term) in affinity.list(preferred).enumerated() {
            let place = path.child(preferred).index(index)
            weight(term, place, &issues)
            SelectorValidation.nodeTerm(term["preference"] ?? [:], strictValues: false, place.child("preference"), &issues)
        }
    }

    private static func weight(_ term: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let weight = term.number("weight")
        if !(1...100).contains(weight) { issues.invalid(path.child("weight"), .integer(weight), "must be in the range 1-100") }
    }

    private static func podAffinity(_ affinity: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (index, term) in affinity.list(required).enumerated() {
            podTerm(term, path.child(required).index(index), &issues)
        }
        for (index, term) in affinity.list(preferred).enumerated() {
            let place = path.child(preferred).index(index)
            weight(term, place, &issues)
            podTerm(term["podAffinityTerm"] ?? [:], place.child("podAffinityTerm"), &issues)
        }
    }

    private static func podTerm(_ term: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        SelectorValidation.selector(term["labelSelector"], path.child("labelSelector"), &issues)
        SelectorValidation.selector(term["namespaceSelector"], path.child("namespaceSelector"), &issues)
        for name in term.texts("namespaces") { issues.label(name, path.child("namespace")) }
        labelKeys(term, path, &issues)
        let key = term.text("topologyKey")
        if key.isEmpty { issues.required(path.child("topologyKey"), "can not be empty") }
        issues.qualifiedName(key, path.child("topologyKey"))
    }

    private static func labelKeys(_ term: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let match = term.texts("matchLabelKeys")
        let mismatch = term.texts("mismatchLabelKeys")
        if match.isEmpty, mismatch.isEmpty { return }
        let selector = term["labelSelector"]
        for (field, keys) in [("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)] where !keys.isEmpty {
            guard selector != nil else {
                issues.forbidden(path.child(field), "must not be specified when labelSelector is not set")
                continue
            }
            for (index, key) in keys.enumerated() { issues.qualifiedName(key, path.child(field).index(index)) }
        }
        if let selector {
            var known = Set(selector.members("matchLabels").map(\.key))
            for expression in selector.list("matchExpressions") {
                let key = expression.text("key")
                if let index = match.firstIndex(of: key), known.contains(key) {
                    issues.invalid(path.index(index), .string(key), "exists in both matchLabelKeys and labelSelector")
                }
                known.insert(key)
            }
        }
        for (index, key) in match.enumerated() where mismatch.contains(key) {
            let words = "exists in both matchLabelKeys and mismatchLabelKeys"
            issues.invalid(path.child("matchLabelKeys").index(index), .string(key), words)
        }
    }

    private static func spread(_ all: [JSONValue], _ index: Int, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let constraint = all[index]
        let place = path.index(index)
        let (key, action) = (constraint.text("topologyKey"), constraint.text("whenUnsatisfiable"))
        issues.positive(constraint.number("maxSkew"), place.child("maxSkew"))
        if key.isEmpty { issues.required(place.child("topologyKey"), "can not be empty") }
        issues.oneOf(action, ["DoNotSchedule", "ScheduleAnyway"], place.child("whenUnsatisfiable"))
        if all[(index + 1)...].contains(where: { $0.text("topologyKey") == key && $0.text("whenUnsatisfiable") == action }) {
            issues.append(.duplicate(place.child("{topologyKey, whenUnsatisfiable}"), .string("{\(key), \(action)}")))
        }
        if let domains = constraint["minDomains"]?.int {
            issues.positive(domains, place.child("minDomains"))
            if action != "DoNotSchedule" {
                let words = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not \(action)"
                issues.invalid(place.child("minDomains"), .integer(domains), words)
            }
        }
        for field in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            if let policy = constraint[field]?.string { issues.oneOf(policy, ["Honor", "Ignore"], place.child(field)) }
        }
        labelKeys(constraint, place, &issues)
        SelectorValidation.selector(constraint["labelSelector"], place.child("labelSelector"), &issues)
    }

    /// Tolerations.
    package static func tolerations(_ tolerations: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (index, toleration) in tolerations.enumerated() { self.toleration(toleration, path.index(index), &issues) }
    }

    /// One toleration.
    package static func toleration(_ toleration: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (key, op) = (toleration.text("key"), toleration.text("operator"))
        let (value, effect) = (toleration.text("value"), toleration.text("effect"))
        if !key.isEmpty {
            issues.qualifiedName(key, path.child("key"))
        } else if op != "Exists" {
            let words = "operator must be Exists when `key` is empty, which means \"match all values and all keys\""
            issues.invalid(path.child("operator"), .string(op), words)
        }
        if toleration["tolerationSeconds"]?.int != nil, effect != "NoExecute" {
            issues.invalid(path.child("effect"), .string(effect), "effect must be 'NoExecute' when `tolerationSeconds` is set")
        }
        switch op {
        case "Equal", "":
            let problems = Names.labelValueIssues(value)
            if !problems.isEmpty { issues.invalid(path.child("operator"), .string(value), problems.joined(separator: ";")) }
        case "Exists":
            if !value.isEmpty { issues.invalid(path.child("operator"), .string(value), "value must be empty when `operator` is 'Exists'") }
        case "Lt", "Gt":
            // They are known, and refused while their feature gate is off.
            issues.append(.notSupported(path.child("operator"), .string(op), ["Equal", "Exists", "Lt", "Gt"]))
        default: issues.oneOf(op, ["Equal", "Exists"], path.child("operator"))
        }
        if !effect.isEmpty { issues.oneOf(effect, effects, path.child("effect")) }
    }
}
