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

/// What is wrong with requests for certificates.
enum CertificateRequestValidation {
    private static let usages = [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
        "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement",
        "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping",
    ]
    private static let shortest: Int64 = 600
    private static let legacySigner = "kubernetes.io/legacy-unknown"

    static func check(_ object: JSONValue, _ issues: inout [FieldIssue]) {
        let spec = object["spec"] ?? [:]
        let path = FieldPath("spec")
        if !isRequest(spec.text("request")) {
            issues.invalid(path.child("request"), spec["request"] ?? "", "PEM block type must be CERTIFICATE REQUEST")
        }
        let given = spec.texts("usages")
        if given.isEmpty { issues.required(path.child("usages")) }
        var seen: Set<String> = []
        for (index, usage) in given.enumerated() {
            let place = path.child("usages").index(index)
            issues.oneOf(usage, usages, place)
            if !seen.insert(usage).inserted { issues.append(.duplicate(place, .string(usage))) }
        }
        let signer = spec.text("signerName")
        if signer == legacySigner {
            issues.invalid(path.child("signerName"), .string(signer), "the legacy signerName is not allowed via this API version")
        } else {
            SignerName.check(signer, path.child("signerName"), &issues)
        }
        if let seconds = spec["expirationSeconds"]?.int, seconds < shortest {
            let words = "may not specify a duration less than 600 seconds (10 minutes)"
            issues.invalid(path.child("expirationSeconds"), .integer(seconds), words)
        }
        conditions(object["status"]?.list("conditions") ?? [], &issues)
    }

    private static func isRequest(_ text: String) -> Bool {
        guard let bytes = Base64.decode(text) else { return false }
        let pem = String(decoding: bytes, as: UTF8.self)
        return pem.contains("-----BEGIN CERTIFICATE REQUEST-----") || pem.contains("-----BEGIN NEW CERTIFICATE REQUEST-----")
    }

    private static func conditions(_ conditions: [JSONValue], _ issues: inout [FieldIssue]) {
        let path = FieldPath("status").child("conditions")
        var seen: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let place = path.index(index)
            let type = condition.text("type")
            issues.need(type, place.child("type"))
            let isTrueOnly = ["Approved", "Denied", "Failed"].contains(type)
            issues.choice(condition.text("status"), isTrueOnly ? ["True"] : ["False", "True", "Unknown"], place.child("status"))
            let other = ["Approved": "Denied", "Denied": "Approved"][type]
            if let other, seen.contains(other) {
                issues.invalid(path, .string(type), "Approved and Denied conditions are mutually exclusive")
            }
            if !seen.insert(type).inserted { issues.append(.duplicate(place.child("type"), .string(type))) }
        }
    }

    /// A status never takes back what was decided.
    static func statusUpdate(_ object: JSONValue, _ old: JSONValue, _ issues: inout [FieldIssue]) {
        conditions(object["status"]?.list("conditions") ?? [], &issues)
        let (new, before) = (object["status"] ?? [:], old["status"] ?? [:])
        let place = FieldPath("status")
        for type in ["Approved", "Denied", "Failed"] {
            let count = { (status: JSONValue) in status.list("conditions").count { $0.text("type") == type } }
            if count(new) < count(before) {
                issues.forbidden(place.child("conditions"), "updates may not remove a condition of type \"\(type)\"")
            } else if type != "Failed", count(new) > count(before) {
                issues.forbidden(place.child("conditions"), "updates may not add a condition of type \"\(type)\"")
            }
        }
        let certificate = before.text("certificate")
        if !certificate.isEmpty, new.text("certificate") != certificate {
            issues.forbidden(place.child("certificate"), "updates may not modify existing certificate content")
        }
    }
}
