import Units
import Values

/// What a pod as a whole asks for or may use.
public enum PodAmounts {
    /// One of the two lists of a container's resources.
    public enum List: String, Sendable {
        /// What is set aside.
        case requests
        /// What cannot be exceeded.
        case limits
    }

    /// The sum over the containers, or what one init container needs with the sidecars before it if that is more; what the
    /// pod states for itself goes before; its overhead comes on top. A container that is being resized counts with the
    /// most of what it has and what it is to have.
    public static func total(of pod: JSONValue, _ list: List) -> ResourceAmounts {
        let spec = pod["spec"]
        let statuses = Statuses(pod)
        var sum = ResourceAmounts()
        for container in spec?["containers"]?.array ?? [] { sum.add(statuses.amounts(of: container, list)) }
        var sidecars = ResourceAmounts()
        var peak = ResourceAmounts()
        for container in spec?["initContainers"]?.array ?? [] {
            if container["restartPolicy"]?.string == "Always" {
                let own = statuses.amounts(of: container, list)
                sum.add(own)
                sidecars.add(own)
                peak.raise(to: sidecars)
            } else {
                peak.raise(to: ResourceAmounts(json: container["resources"]?[list.rawValue]).adding(sidecars))
            }
        }
        sum.raise(to: peak)
        for (name, amount) in ResourceAmounts(json: spec?["resources"]?[list.rawValue]).entries where isPodLevel(name) {
            sum[name] = amount
        }
        let overhead = ResourceAmounts(json: spec?["overhead"])
        switch list {
        case .requests: sum.add(overhead)
        // Where there is no limit, the overhead does not make one.
        case .limits: sum.add(overhead.only(sum.withoutZeros.names))
        }
        return sum
    }

    /// Whether the pod states resources for itself.
    static func areSet(_ pod: JSONValue) -> Bool {
        [List.requests, .limits].contains { list in
            ResourceAmounts(json: pod.value(at: ["spec", "resources", list.rawValue])).names.contains(where: isPodLevel)
        }
    }

    private static func isPodLevel(_ name: String) -> Bool {
        name == "cpu" || name == "memory" || name.hasPrefix("hugepages-")
    }

    /// What the containers have got, by name.
    private struct Statuses {
        private var byName: [String: JSONValue] = [:]
        private let isInfeasible: Bool

        init(_ pod: JSONValue) {
            let status = pod["status"]
            let pending = (status?["conditions"]?.array ?? []).first { $0["type"]?.string == "PodResizePending" }
            isInfeasible = pending?["reason"]?.string == "Infeasible"
            for list in ["containerStatuses", "initContainerStatuses"] {
                for entry in status?[list]?.array ?? [] { byName[entry["name"]?.string ?? ""] = entry }
            }
        }

        func amounts(of container: JSONValue, _ list: List) -> ResourceAmounts {
            let wanted = ResourceAmounts(json: container["resources"]?[list.rawValue])
            guard let status = byName[container["name"]?.string ?? ""], let actual = status["resources"], actual.object != nil else {
                return wanted
            }
            var result = ResourceAmounts(json: actual[list.rawValue])
            if list == .requests { result.raise(to: ResourceAmounts(json: status["allocatedResources"])) }
            if !isInfeasible { result.raise(to: wanted) }
            return result
        }
    }
}
