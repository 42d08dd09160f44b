import Schema
import Units
import Values

/// What is wrong with references to a pod's own fields and resources.
package enum DownwardValidation {
    private static let known: Set<String> = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
        "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase", "status.hostIP", "status.hostIPs",
        "status.podIP", "status.podIPs", "spec.host",
    ]
    /// The fields an environment variable may hold.
    package static let variableFields = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
        "status.hostIPs", "status.podIP", "status.podIPs",
    ]
    /// The fields a file may hold.
    package static let fileFields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"]
    private static let resources = [
        "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory",
    ]
    private static let sizes: Set<String> = [
        "1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei",
    ]

    /// A field of the pod.
    package static func field(_ reference: JSONValue, allowed: [String], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let version = reference.text("apiVersion")
        let field = reference.text("fieldPath")
        if version.isEmpty { return issues.required(path.child("apiVersion")) }
        if field.isEmpty { return issues.required(path.child("fieldPath")) }
        let problem = { (words: String) in
            FieldIssue.invalid(path.child("fieldPath"), .string(field), "error converting fieldPath: \(words)")
        }
        if version != "v1" { return issues.append(problem("unsupported pod version: \(version)")) }
        if let (base, key) = subscripted(field) {
            switch base {
            case "metadata.annotations": issues.qualifiedName(key.lowercased(), path)
            case "metadata.labels": issues.qualifiedName(key, path)
            default: issues.append(problem("field label does not support subscript: \(field)"))
            }
            return
        }
        guard known.contains(field) else { return issues.append(problem("field label not supported: \(field)")) }
        issues.oneOf(field == "spec.host" ? "spec.nodeName" : field, allowed, path.child("fieldPath"))
    }

    private static func subscripted(_ field: String) -> (base: String, key: String)? {
        guard field.hasSuffix("']"), let quote = field.utf8.firstIndex(of: UInt8(ascii: "'")), quote > field.startIndex else { return nil }
        let bracket = field.utf8.index(before: quote)
        guard field.utf8[bracket] == UInt8(ascii: "["), bracket > field.startIndex else { return nil }
        return (String(field[..<bracket]), String(field[field.utf8.index(after: quote)...].dropLast(2)))
    }

    /// A resource of a container.
    package static func resource(_ reference: JSONValue, isFile: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let name = reference.text("resource")
        let isHugePages = name.hasPrefix("requests.hugepages-") || name.hasPrefix("limits.hugepages-")
        if isFile, reference.text("containerName").isEmpty {
            issues.required(path.child("containerName"))
        } else if name.isEmpty {
            issues.required(path.child("resource"))
        } else if !isHugePages {
            issues.oneOf(name, resources, path.child("resource"))
        }
        guard let divisor = reference.quantity("divisor"), !divisor.isZero else { return }
        let what: String
        switch name {
        case "limits.cpu", "requests.cpu":
            if ["1m", "1"].contains(divisor.description) { return }
            let words = "only divisor's values 1m and 1 are supported with the cpu resource"
            return issues.invalid(path.child("divisor"), .string(name), words)
        case "limits.memory", "requests.memory": what = "memory"
        case "limits.ephemeral-storage", "requests.ephemeral-storage": what = "local ephemeral storage"
        default:
            guard isHugePages else { return }
            what = "hugepages"
        }
        if sizes.contains(divisor.description) { return }
        let list = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"
        issues.invalid(path.child("divisor"), .string(name), "only divisor's values \(list) are supported with the \(what) resource")
    }

    /// A file of a downward API volume.
    package static func file(_ file: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.need(file.text("path"), path.child("path"))
        PathValidation.notReserved(file.text("path"), path.child("path"), &issues)
        if let field = file["fieldRef"] {
            self.field(field, allowed: fileFields, path.child("fieldRef"), &issues)
            if file["resourceFieldRef"] != nil {
                issues.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
            }
        } else if let resource = file["resourceFieldRef"] {
            self.resource(resource, isFile: true, path.child("resourceFieldRef"), &issues)
        } else {
            issues.required(path, "one of fieldRef and resourceFieldRef is required")
        }
        VolumeValidation.mode(file["mode"], path.child("mode"), &issues)
    }
}
