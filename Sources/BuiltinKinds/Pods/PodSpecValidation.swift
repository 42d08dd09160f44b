import Schema
import Units
import Values

/// What is wrong with a pod spec, in upstream's words.
///
/// Source: pkg/apis/core/validation.
enum PodSpecValidation {
    private static let restartPolicies = ["Always", "Never", "OnFailure"]
    private static let dnsPolicies = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]

    /// The issues of a pod spec that stands at `path`.
    static func issues(_ spec: JSONValue, at path: FieldPath, restartPolicies allowed: [String]? = nil) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let volumes = volumeIssues(spec, path.child("volumes"), &issues)
        issues += ContainerValidation.issues(spec, at: path, volumes: volumes)
        let policy = spec["restartPolicy"]?.string ?? ""
        if !(allowed ?? restartPolicies).contains(policy) {
            issues.append(.notSupported(path.child("restartPolicy"), .string(policy), allowed ?? restartPolicies))
        }
        let dns = spec["dnsPolicy"]?.string ?? ""
        if !dnsPolicies.contains(dns) { issues.append(.notSupported(path.child("dnsPolicy"), .string(dns), dnsPolicies)) }
        if let grace = spec["terminationGracePeriodSeconds"]?.int, grace < 0 {
            issues.append(.invalid(path.child("terminationGracePeriodSeconds"), .integer(grace), "must be greater than or equal to 0"))
        }
        if let deadline = spec["activeDeadlineSeconds"]?.int, !(1...2_147_483_647).contains(deadline) {
            issues.append(.invalid(path.child("activeDeadlineSeconds"), .integer(deadline), "must be between 1 and 2147483647, inclusive"))
        }
        issues += nameIssues(spec, path)
        issues += labelIssues(spec["nodeSelector"], path.child("nodeSelector"))
        return issues
    }

    private static func nameIssues(_ spec: JSONValue, _ path: FieldPath) -> [FieldIssue] {
        let rules: [(String, (String) -> [String])] = [
            ("serviceAccountName", { Names.dns1123SubdomainIssues($0) }), ("nodeName", { Names.dns1123SubdomainIssues($0) }),
            ("hostname", { Names.dns1123LabelIssues($0) }), ("subdomain", { Names.dns1123LabelIssues($0) }),
        ]
        return rules.flatMap { field, rule -> [FieldIssue] in
            guard let value = spec[field]?.string, !value.isEmpty else { return [] }
            return rule(value).map { .invalid(path.child(field), .string(value), $0) }
        }
    }

    /// What is wrong with a map of labels.
    static func labelIssues(_ labels: JSONValue?, _ path: FieldPath) -> [FieldIssue] {
        (labels?.object ?? [:]).flatMap { key, value -> [FieldIssue] in
            let text = value.string ?? ""
            return Names.qualifiedNameIssues(key).map { .invalid(path, .string(key), $0) }
                + Names.labelValueIssues(text).map { .invalid(path.key(key), .string(text), $0) }
        }
    }

    /// Checks the volumes and returns their names.
    private static func volumeIssues(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) -> Set<String> {
        var names: Set<String> = []
        for (index, volume) in (spec["volumes"]?.array ?? []).enumerated() {
            let place = path.index(index)
            let name = volume["name"]?.string ?? ""
            if name.isEmpty {
                issues.append(.required(place.child("name"), ""))
            } else {
                issues += Names.dns1123LabelIssues(name).map { .invalid(place.child("name"), .string(name), $0) }
                if !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            }
            let sources = (volume.object ?? [:]).filter { $0.key != "name" }.map { $0.key }
            if sources.isEmpty { issues.append(.required(place, "must specify a volume type")) }
            for extra in sources.dropFirst() {
                issues.append(.forbidden(place.child(extra), "may not specify more than 1 volume type"))
            }
            if let host = volume["hostPath"], host["path"]?.string?.isEmpty ?? true {
                issues.append(.required(place.child("hostPath", "path"), ""))
            }
            if let claim = volume["persistentVolumeClaim"], claim["claimName"]?.string?.isEmpty ?? true {
                issues.append(.required(place.child("persistentVolumeClaim", "claimName"), ""))
            }
            if let secret = volume["secret"], secret["secretName"]?.string?.isEmpty ?? true {
                issues.append(.required(place.child("secret", "secretName"), ""))
            }
        }
        return names
    }
}
