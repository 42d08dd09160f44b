import Schema
import Units
import Values

/// What is wrong with the containers of a pod spec.
enum ContainerValidation {
    private static let protocols = ["SCTP", "TCP", "UDP"]
    private static let pullPolicies = ["Always", "IfNotPresent", "Never"]
    private static let terminationPolicies = ["File", "FallbackToLogsOnError"]

    /// The issues of all containers of the spec at `path`; `volumes` are the names that mounts may use.
    static func issues(_ spec: JSONValue, at path: FieldPath, volumes: Set<String>) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        var names: Set<String> = []
        let containers = spec["containers"]?.array ?? []
        if containers.isEmpty { issues.append(.required(path.child("containers"), "")) }
        for (index, container) in containers.enumerated() {
            issues += self.issues(container, at: path.child("containers").index(index), volumes: volumes, names: &names)
        }
        for (index, container) in (spec["initContainers"]?.array ?? []).enumerated() {
            issues += self.issues(container, at: path.child("initContainers").index(index), volumes: volumes, names: &names)
        }
        issues += hostPortIssues(containers, path.child("containers"))
        return issues
    }

    private static func issues(
        _ container: JSONValue,
        at path: FieldPath,
        volumes: Set<String>,
        names: inout Set<String>
    ) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let name = container["name"]?.string ?? ""
        if name.isEmpty {
            issues.append(.required(path.child("name"), ""))
        } else {
            issues += Names.dns1123LabelIssues(name).map { .invalid(path.child("name"), .string(name), $0) }
            if !names.insert(name).inserted { issues.append(.duplicate(path.child("name"), .string(name))) }
        }
        let image = container["image"]?.string ?? ""
        if image.isEmpty {
            issues.append(.required(path.child("image"), ""))
        } else if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
            issues.append(.invalid(path.child("image"), .string(image), "must not have leading or trailing whitespace"))
        }
        issues += choice(container, "imagePullPolicy", pullPolicies, path)
        issues += choice(container, "terminationMessagePolicy", terminationPolicies, path)
        issues += portIssues(container, path.child("ports"))
        issues += environmentIssues(container, path.child("env"))
        issues += mountIssues(container, path.child("volumeMounts"), volumes)
        issues += resourceIssues(container, path.child("resources"))
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            issues += ProbeValidation.issues(container[probe], kind: probe, at: path.child(probe))
        }
        for hook in ["postStart", "preStop"] {
            if let handler = container.value(at: ["lifecycle", hook]) {
                issues += ProbeValidation.handlerIssues(handler, at: path.child("lifecycle", hook))
            }
        }
        return issues
    }

    private static func choice(_ object: JSONValue, _ field: String, _ allowed: [String], _ path: FieldPath) -> [FieldIssue] {
        guard let value = object[field]?.string else { return [.required(path.child(field), "")] }
        return allowed.contains(value) ? [] : [.notSupported(path.child(field), .string(value), allowed)]
    }

    private static func portIssues(_ container: JSONValue, _ path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        var names: Set<String> = []
        for (index, port) in (container["ports"]?.array ?? []).enumerated() {
            let place = path.index(index)
            if let name = port["name"]?.string, !name.isEmpty {
                let problems = Names.portNameIssues(name)
                issues += problems.map { .invalid(place.child("name"), .string(name), $0) }
                if problems.isEmpty, !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            }
            let number = port["containerPort"]?.int ?? 0
            if number == 0 {
                issues.append(.required(place.child("containerPort"), ""))
            } else if !(1...65535).contains(number) {
                issues.append(.invalid(place.child("containerPort"), .integer(number), portRange))
            }
            if let host = port["hostPort"]?.int, host != 0, !(1...65535).contains(host) {
                issues.append(.invalid(place.child("hostPort"), .integer(host), portRange))
            }
            issues += choice(port, "protocol", protocols, place)
        }
        return issues
    }

    static let portRange = "must be between 1 and 65535, inclusive"

    private static func hostPortIssues(_ containers: [JSONValue], _ path: FieldPath) -> [FieldIssue] {
        var taken: Set<String> = []
        var issues: [FieldIssue] = []
        for (index, container) in containers.enumerated() {
            for (number, port) in (container["ports"]?.array ?? []).enumerated() {
                guard let host = port["hostPort"]?.int, host != 0 else { continue }
                let text = "\(port["protocol"]?.string ?? "TCP")/\(port["hostIP"]?.string ?? "")/\(host)"
                if !taken.insert(text).inserted {
                    issues.append(.duplicate(path.index(index).child("ports").index(number).child("hostPort"), .string(text)))
                }
            }
        }
        return issues
    }

    private static func environmentIssues(_ container: JSONValue, _ path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        for (index, variable) in (container["env"]?.array ?? []).enumerated() {
            let place = path.index(index)
            let name = variable["name"]?.string ?? ""
            if name.isEmpty {
                issues.append(.required(place.child("name"), ""))
            } else {
                issues += Names.envVarNameIssues(name).map { .invalid(place.child("name"), .string(name), $0) }
            }
            guard let source = variable["valueFrom"] else { continue }
            let count = source.object?.count ?? 0
            if count == 0 {
                issues.append(.invalid(place.child("valueFrom"), .string(""), "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"))
            } else if let value = variable["value"]?.string, !value.isEmpty {
                issues.append(.invalid(place.child("valueFrom"), .string(""), "may not be specified when `value` is not empty"))
            } else if count > 1 {
                issues.append(.invalid(place.child("valueFrom"), .string(""), "may not have more than one field specified at a time"))
            }
        }
        return issues
    }

    private static func mountIssues(_ container: JSONValue, _ path: FieldPath, _ volumes: Set<String>) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        var mountPaths: Set<String> = []
        for (index, mount) in (container["volumeMounts"]?.array ?? []).enumerated() {
            let place = path.index(index)
            let name = mount["name"]?.string ?? ""
            if name.isEmpty {
                issues.append(.required(place.child("name"), ""))
            } else if !volumes.contains(name) {
                issues.append(.notFound(place.child("name"), .string(name)))
            }
            let target = mount["mountPath"]?.string ?? ""
            if target.isEmpty {
                issues.append(.required(place.child("mountPath"), ""))
            } else if !mountPaths.insert(target).inserted {
                issues.append(.invalid(place.child("mountPath"), .string(target), "must be unique"))
            }
            if let part = mount["subPath"]?.string, !part.isEmpty {
                if part.hasPrefix("/") { issues.append(.invalid(place.child("subPath"), .string(part), "must be a relative path")) }
                if part.split(separator: "/").contains("..") { issues.append(.invalid(place.child("subPath"), .string(part), "must not contain '..'")) }
            }
        }
        return issues
    }

    private static func resourceIssues(_ container: JSONValue, _ path: FieldPath) -> [FieldIssue] {
        guard let resources = container["resources"] else { return [] }
        var issues: [FieldIssue] = []
        for list in ["limits", "requests"] {
            for (name, value) in resources[list]?.object ?? [:] {
                let place = path.child(list).key(name)
                guard let quantity = value.string.flatMap({ Quantity($0) }) else { continue }
                if quantity < .zero {
                    issues.append(.invalid(place, value, "must be greater than or equal to 0"))
                }
            }
        }
        for (name, value) in resources["requests"]?.object ?? [:] {
            guard let request = value.string.flatMap({ Quantity($0) }), let limitText = resources["limits"]?[name]?.string,
                let limit = Quantity(limitText), request > limit
            else { continue }
            issues.append(.invalid(path.child("requests"), value, "must be less than or equal to \(name) limit of \(limitText)"))
        }
        return issues
    }
}
