import Schema
import Units
import Values

/// What a pod's status tells of users, devices and claims.
extension PodStatusValidation {
    private static let highestID: Int64 = 2_147_483_647
    private static let longestHealthMessage = 1024

    /// The users of containers: on Linux alone, and within bounds.
    func users(_ status: JSONValue, system: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for field in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
            for (index, container) in status.list(field).enumerated() {
                guard let user = container["user"] else { continue }
                let place = path.child(field).index(index).child("user", "linux")
                if system == "windows", user["linux"] != nil {
                    issues.forbidden(place, "cannot be set for a windows pod")
                    continue
                }
                guard let linux = user["linux"] else { continue }
                for name in ["uid", "gid"] { issues.range(linux.number(name), 0, Self.highestID, place.child(name)) }
                for (number, group) in linux.list("supplementalGroups").enumerated() {
                    issues.range(group.int ?? 0, 0, Self.highestID, place.child("supplementalGroups").index(number))
                }
            }
        }
    }

    /// How the devices of containers are.
    func devices(_ status: JSONValue, spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (field, list) in [("containerStatuses", "containers"), ("initContainerStatuses", "initContainers")] {
            for (index, container) in status.list(field).enumerated() {
                let declared = spec.list(list).first { $0.text("name") == container.text("name") }
                for (number, resource) in container.list("allocatedResourcesStatus").enumerated() {
                    let place = path.child(field).index(index).child("allocatedResourcesStatus").index(number)
                    if let declared { resourceName(resource.text("name"), declared["resources"] ?? [:], place.child("name"), &issues) }
                    health(resource.list("resources"), place.child("resources"), &issues)
                }
            }
        }
        for (index, container) in status.list("ephemeralContainerStatuses").enumerated() where container["allocatedResourcesStatus"] != nil
        {
            let place = path.child("ephemeralContainerStatuses").index(index).child("allocatedResourcesStatus")
            issues.forbidden(place, "must not be specified in container status")
        }
    }

    private func resourceName(_ name: String, _ resources: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard name.hasPrefix("claim:") else {
            if resources["requests"]?[name] == nil {
                issues.invalid(path, .string(name), "must match one of the container's resource requests")
            }
            return
        }
        let known = resources.list("claims").map { claim in
            "claim:" + claim.text("name") + (claim.text("request").isEmpty ? "" : "/" + claim.text("request"))
        }
        guard !known.contains(name) else { return }
        let words =
            "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' "
            + "if request is empty"
        issues.invalid(path, .string(name), words)
    }

    private func health(_ resources: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var seen: Set<String> = []
        for (index, resource) in resources.enumerated() {
            let place = path.index(index)
            issues.oneOf(resource.text("health"), ["Healthy", "Unhealthy", "Unknown"], place.child("health"))
            if let message = resource["message"]?.string {
                if message.isEmpty {
                    issues.required(place.child("message"), "must be non-empty if specified")
                } else if message.utf8.count > Self.longestHealthMessage {
                    issues.append(.tooLong(place.child("message"), maximum: Self.longestHealthMessage))
                }
            }
            let id = resource.text("resourceID")
            if !seen.insert(id).inserted { issues.append(.duplicate(place.child("resourceID"), .string(id))) }
        }
    }

    /// The claim that stands for extended resources.
    func extendedClaim(_ claim: JSONValue?, spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let claim else { return }
        let mappings = claim.list("requestMappings")
        let place = path.child("requestMappings")
        if mappings.isEmpty { issues.required(place, "at least one request mapping is required") }
        let containers = spec.list("initContainers") + spec.list("containers")
        var seen: Set<[String]> = []
        for (index, mapping) in mappings.enumerated() {
            let (name, resource, request) = (mapping.text("containerName"), mapping.text("resourceName"), mapping.text("requestName"))
            let own = place.index(index)
            if let container = containers.last(where: { $0.text("name") == name }) {
                if container["resources"]?["requests"]?[resource] == nil {
                    let words =
                        "must match the extended resource name of an entry in spec.initContainers.resources.requests or "
                        + "spec.containers.resources.requests"
                    issues.invalid(own.child("resourceName"), .string(resource), words)
                }
            } else {
                let words = "must match the name of an entry in spec.initContainers.name or spec.containers.name"
                issues.invalid(own.child("containerName"), .string(name), words)
            }
            issues.label(request, path.child("requestName"))
            guard !seen.insert([name, resource, request]).inserted else { continue }
            issues.append(.duplicate(own.child("containerName"), .string(name)))
            issues.append(.duplicate(own.child("resourceName"), .string(resource)))
            issues.append(.duplicate(own.child("requestName"), .string(request)))
        }
        let made = claim.text("resourceClaimName")
        if made.isEmpty {
            issues.required(path.child("resourceClaimName"))
        } else {
            issues.subdomain(made, path.child("resourceClaimName"))
        }
    }
}
