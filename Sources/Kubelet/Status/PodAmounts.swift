import APITypes
import Units

/// What the containers of a pod ask for, or may have, together; as upstream adds it up. Quantities keep the form that the
/// first of them was written in. Pure.
enum PodAmounts {
    static func requests(_ pod: Pod) -> [String: Quantity] {
        var sum = together(pod) { $0.requests }
        for (name, amount) in pod.spec.resources?.requests ?? [:] { sum[name] = amount }
        sum.merge(pod.spec.overhead) { $0 + $1 }
        return sum
    }

    static func limits(_ pod: Pod) -> [String: Quantity] {
        var sum = together(pod) { $0.limits }
        for (name, amount) in pod.spec.resources?.limits ?? [:] { sum[name] = amount }
        for (name, amount) in pod.spec.overhead { if let limit = sum[name], !limit.isZero { sum[name] = limit + amount } }
        return sum
    }

    /// Containers and sidecars run together; an init container runs beside the sidecars that began before it.
    private static func together(_ pod: Pod, _ get: (ResourceRequirements) -> [String: Quantity]) -> [String: Quantity] {
        var sidecars: [String: Quantity] = [:]
        var largest: [String: Quantity] = [:]
        for container in pod.spec.initContainers {
            let own = get(container.resources)
            if container.isRestartableInit {
                sidecars.merge(own) { $0 + $1 }
                largest.merge(sidecars) { max($0, $1) }
            } else {
                largest.merge(own.merging(sidecars) { $0 + $1 }) { max($0, $1) }
            }
        }
        var running: [String: Quantity] = [:]
        for container in pod.spec.containers { running.merge(get(container.resources)) { $0 + $1 } }
        running.merge(sidecars) { $0 + $1 }
        return running.merging(largest) { max($0, $1) }
    }
}

extension StatusInputs {
    /// What the pod was given as a whole, and what its cgroup holds it to once it runs.
    func setAmounts(_ status: inout PodStatus) {
        let requests = PodAmounts.requests(pod)
        var given = ResourceRequirements(fields: [:])
        given.requests = requests
        let allocated = given.fields["requests"]
        status.fields["allocatedResources"] = requests.isEmpty ? nil : allocated
        var shown = ResourceRequirements(fields: [:])
        if previous.phase == "Running" {
            let actual = allocation?.actual(pod) ?? pod
            let has = PodAmounts.requests(actual)
            let limited = LinuxResources.pod(actual)
            let limits = PodAmounts.limits(actual)
            // The kernel knows of no less than this.
            shown.requests = has.filter { $0.key == "memory" || ($0.key == "cpu" && $0.value.milliValue > LinuxResources.minimumShares) }
            shown.limits = limits.filter {
                ($0.key == "cpu" && limited.quota != nil) || ($0.key == "memory" && limited.memory != nil)
            }
        } else {
            shown.requests = requests
            shown.limits = PodAmounts.limits(pod)
        }
        if shown.requests.isEmpty { shown.fields["requests"] = nil }
        if shown.limits.isEmpty { shown.fields["limits"] = nil }
        status.fields["resources"] = shown.fields.isEmpty ? nil : .object(shown.fields)
    }
}
