import Schema
import Units
import Values

/// What the containers of a pod ask for together, against what the pod as a whole may have.
package struct PodResourceSums {
    package let spec: JSONValue

    /// Checks the pod's own resources against the containers' sums.
    package func check(_ resources: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let requests = resources.members("requests")
        for (name, sum) in sums("requests").sorted(by: { $0.key < $1.key }) {
            guard let own = requests[name].flatMap(Quantity.of), sum > own else { continue }
            let words = "must be greater than or equal to aggregate container requests of \(sum)"
            issues.invalid(path.child("requests").key(name), .string(own.description), words)
        }
        let limits = resources.members("limits")
        for (name, sum) in sums("limits").sorted(by: { $0.key < $1.key }) where ResourceValidation.isHugePages(name) {
            guard let own = limits[name].flatMap(Quantity.of), sum > own else { continue }
            let words = "must be greater than or equal to aggregate container limits of \(sum)"
            issues.invalid(path.child("limits").key(name), .string(own.description), words)
        }
        for (index, container) in spec.list("containers").enumerated() {
            for (name, value) in container["resources"]?.members("limits") ?? [:] {
                guard let own = limits[name].flatMap(Quantity.of), let limit = Quantity.of(value), limit > own else { continue }
                let place = path.child("containers").index(index).key(name).child("limits")
                issues.invalid(place, .string(limit.description), "must be less than or equal to pod limits of \(own)")
            }
        }
    }

    /// The containers run together; the init containers run before them, one after the other, sidecars staying.
    package func sums(_ list: String) -> [String: Quantity] {
        var total = add(spec.list("containers"), list)
        var staying: [String: Quantity] = [:]
        var highest: [String: Quantity] = [:]
        for container in spec.list("initContainers") {
            var now = staying
            for (name, value) in amounts(container, list) { now[name] = (now[name] ?? .zero) + value }
            if container.text("restartPolicy") == "Always" { staying = now }
            for (name, value) in now where value > highest[name] ?? .zero { highest[name] = value }
        }
        for (name, value) in staying { total[name] = (total[name] ?? .zero) + value }
        for (name, value) in highest where value > total[name] ?? .zero { total[name] = value }
        return total
    }

    private func add(_ containers: [JSONValue], _ list: String) -> [String: Quantity] {
        var total: [String: Quantity] = [:]
        for container in containers {
            for (name, value) in amounts(container, list) { total[name] = (total[name] ?? .zero) + value }
        }
        return total
    }

    private func amounts(_ container: JSONValue, _ list: String) -> [(String, Quantity)] {
        (container["resources"]?.members(list) ?? [:]).compactMap { name, value in Quantity.of(value).map { (name, $0) } }
    }
}

/// What a pod may not ask for because of the operating system it names.
package enum OperatingSystemValidation {
    /// Fields of the pod's security context, and those marked with a dot of the spec itself, in upstream's order.
    private static let podFields = [
        "appArmorProfile", "seLinuxOptions", ".hostUsers", ".hostPID", ".hostIPC", "seccompProfile", "fsGroup", "fsGroupChangePolicy",
        "sysctls", ".shareProcessNamespace", "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    ]
    private static let containerFields = [
        "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
        "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
    ]

    package static func check(_ spec: JSONValue, _ system: String, at path: FieldPath, _ issues: inout [FieldIssue]) {
        if system.isEmpty { return issues.required(path.child("os", "name")) }
        guard ["linux", "windows"].contains(system) else { return issues.oneOf(system, ["linux", "windows"], path.child("os")) }
        let isLinux = system == "linux"
        let words = isLinux ? "windows options cannot be set for a linux pod" : "cannot be set for a windows pod"
        let context = path.child("securityContext")
        for field in isLinux ? ["windowsOptions"] : podFields {
            if field.hasPrefix(".") {
                let name = String(field.dropFirst())
                // Flags are set or not; the others can be absent.
                let isGiven = name == "hostPID" || name == "hostIPC" ? spec.flag(name) : spec[name] != nil
                if isGiven { issues.forbidden(path.child(name), words) }
            } else if let value = spec["securityContext"]?[field], value.array?.isEmpty != true {
                issues.forbidden(context.child(field), words)
            }
        }
        for (container, place) in spec.containersWithPaths(at: path) {
            guard let own = container["securityContext"] else { continue }
            for field in isLinux ? ["windowsOptions"] : containerFields where own[field] != nil {
                issues.forbidden(place.child("securityContext", field), words)
            }
        }
    }
}
