import APITypes
import Units
import Values

/// What a pod on a node has been given and really has, which differs from what its spec wants while it is resized. A node
/// that is to give something up has not given it up before its kubelet says so.
struct HeldAmounts {
    private let containers: [ContainerStatus]
    /// The node can never give what the spec wants: it counts with what it has.
    private let isInfeasible: Bool

    /// Nil when nothing is known of any container.
    init?(_ status: PodStatus) {
        let known = status.containerStatuses + status.initContainerStatuses
        guard known.contains(where: { $0.fields["resources"] != nil }) else { return nil }
        containers = known
        isInfeasible = status.conditions.first { $0.type == "PodResizePending" }?.reason == "Infeasible"
    }

    /// What one container counts with; nil when that is what its spec wants.
    func container(_ container: Container, _ wanted: [String: Quantity]) -> [String: Quantity]? {
        guard let status = containers.first(where: { $0.name == container.name }), let actual = status.resources else { return nil }
        let plain = container.fields["resources"]?["requests"]
        // Almost always: compared as they are written, which costs less than reading them.
        if actual.fields["requests"] == plain, status.fields["allocatedResources"] == plain { return nil }
        return most(wanted, actual.requests, status.allocatedResources)
    }

    /// What the pod as a whole counts with, of what its spec states for it.
    func whole(_ wanted: [String: Quantity], _ status: PodStatus) -> [String: Quantity] {
        guard let actual = status.resources else { return wanted }
        let held = most(wanted, actual.requests, status.allocatedResources)
        var result: [String: Quantity] = [:]
        for (name, amount) in wanted { result[name] = held[name] ?? amount }
        return result
    }

    private func most(_ wanted: [String: Quantity], _ actual: [String: Quantity], _ given: [String: Quantity]) -> [String: Quantity] {
        let held = actual.merging(given, uniquingKeysWith: max)
        return isInfeasible ? held : held.merging(wanted, uniquingKeysWith: max)
    }
}
