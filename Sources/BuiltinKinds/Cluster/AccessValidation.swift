import PodKinds
import Schema
import Units
import Values

/// What is wrong with roles and bindings.
enum AccessValidation {
    private static let group = "rbac.authorization.k8s.io"

    /// A Role.
    static func role(_ object: JSONValue, _ issues: inout [FieldIssue]) { rules(object, isNamespaced: true, &issues) }

    /// A ClusterRole.
    static func clusterRole(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        rules(object, isNamespaced: false, &issues)
        guard let aggregation = object["aggregationRule"] else { return }
        let place = FieldPath("aggregationRule").child("clusterRoleSelectors")
        let selectors = aggregation.list("clusterRoleSelectors")
        if selectors.isEmpty { issues.required(place, "at least one clusterRoleSelector required if aggregationRule is non-nil") }
        for (index, selector) in selectors.enumerated() {
            SelectorValidation.selector(selector, place.index(index), &issues)
            if (try? LabelSelector(json: selector)) == nil {
                // Upstream shows what it could not make of the selector: nothing.
                issues.append(.init(kind: .invalid, path: place.index(index), shownValue: "null", detail: "invalid label selector."))
            }
        }
    }

    private static func rules(_ object: JSONValue, isNamespaced: Bool, _ issues: inout [FieldIssue]) {
        for (index, rule) in object.list("rules").enumerated() {
            let place = FieldPath("rules").index(index)
            if rule.list("verbs").isEmpty { issues.required(place.child("verbs"), "verbs must contain at least one value") }
            if let paths = rule["nonResourceURLs"], !(paths.array ?? []).isEmpty {
                if isNamespaced {
                    issues.invalid(place.child("nonResourceURLs"), paths, "namespaced rules cannot apply to non-resource URLs")
                }
                if ["apiGroups", "resources", "resourceNames"].contains(where: { !rule.list($0).isEmpty }) {
                    let words = "rules cannot apply to both regular resources and non-resource URLs"
                    issues.invalid(place.child("nonResourceURLs"), paths, words)
                }
                continue
            }
            if rule.list("apiGroups").isEmpty {
                issues.required(place.child("apiGroups"), "resource rules must supply at least one api group")
            }
            if rule.list("resources").isEmpty {
                issues.required(place.child("resources"), "resource rules must supply at least one resource")
            }
        }
    }

    /// A RoleBinding.
    static func roleBinding(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        binding(object, kinds: ["Role", "ClusterRole"], isNamespaced: true, &issues)
    }

    /// A ClusterRoleBinding.
    static func clusterRoleBinding(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        binding(object, kinds: ["ClusterRole"], isNamespaced: false, &issues)
    }

    private static func binding(_ object: JSONValue, kinds: [String], isNamespaced: Bool, _ issues: inout [FieldIssue]) {
        let reference = object["roleRef"] ?? [:]
        let place = FieldPath("roleRef")
        issues.oneOf(reference.text("apiGroup"), [group], place.child("apiGroup"))
        issues.oneOf(reference.text("kind"), kinds, place.child("kind"))
        let name = reference.text("name")
        if name.isEmpty {
            issues.required(place.child("name"))
        } else {
            issues.add(Names.pathSegmentIssues(name), place.child("name"), name)
        }
        for (index, subject) in object.list("subjects").enumerated() {
            self.subject(subject, isNamespaced: isNamespaced, FieldPath("subjects").index(index), &issues)
        }
    }

    private static func subject(_ subject: JSONValue, isNamespaced: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (name, own) = (subject.text("name"), subject.text("apiGroup"))
        issues.need(name, path.child("name"))
        switch subject.text("kind") {
        case "ServiceAccount":
            if !name.isEmpty { issues.subdomain(name, path.child("name")) }
            if !own.isEmpty { issues.append(.notSupported(path.child("apiGroup"), .string(own), [""])) }
            if !isNamespaced { issues.need(subject.text("namespace"), path.child("namespace")) }
        case "User", "Group": issues.oneOf(own, [group], path.child("apiGroup"))
        default: issues.oneOf(subject.text("kind"), ["ServiceAccount", "User", "Group"], path.child("kind"))
        }
    }

    /// What an update of a binding may not change.
    static func bindingUpdate(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        if object["roleRef"] != old["roleRef"] { issues.invalid(FieldPath("roleRef"), object["roleRef"], "cannot change roleRef") }
    }

    /// A binding's subjects and role say which group they belong to without being asked.
    static func complete(_ object: inout JSONValue) {
        if object["roleRef"] != nil, object["roleRef"]?.text("apiGroup").isEmpty ?? false {
            object.set(.string(group), at: ["roleRef", "apiGroup"])
        }
        guard var subjects = object["subjects"]?.array else { return }
        for index in subjects.indices where ["User", "Group"].contains(subjects[index].text("kind")) {
            if subjects[index].text("apiGroup").isEmpty { subjects[index]["apiGroup"] = .string(group) }
        }
        object["subjects"] = .array(subjects)
    }

    /// Name, role, age, users, groups, service accounts.
    static func bindingRow(_ row: TableRow) -> [JSONValue] {
        var names: [String: [String]] = [:]
        for subject in row.object.list("subjects") {
            let kind = subject.text("kind")
            let name =
                kind == "ServiceAccount" && !subject.text("namespace").isEmpty
                ? "\(subject.text("namespace"))/\(subject.text("name"))" : subject.text("name")
            names[kind, default: []].append(name)
        }
        let role = row.object["roleRef"] ?? [:]
        return [row.name, .string("\(role.text("kind"))/\(role.text("name"))"), row.age]
            + ["User", "Group", "ServiceAccount"].map { .string((names[$0] ?? []).joined(separator: ", ")) }
    }
}
