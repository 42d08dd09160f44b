import APIModel
import APITypes
import Units
import Values

/// The cpu and memory that one pod was given, and those its containers really have. The spec says what is wanted; between
/// the two lies a resize that waits or is under way. A value; owned by the pod's `PodRecord`.
struct PodAllocation: Sendable, Hashable {
    /// What each container was given, init containers too, by name.
    var granted: [String: ResourceRequirements]
    /// What the pod was given as a whole, where its spec says that.
    var grantedWhole: ResourceRequirements?
    /// What the runtime was last told of each container, by name. One not in here was not made yet.
    var actual: [String: ResourceRequirements] = [:]
    /// What the pod's cgroup was last set to, where its spec says something of the whole.
    var actualWhole: ResourceRequirements?

    /// All that the pod's spec wants.
    init(_ pod: Pod) {
        granted = Dictionary(Self.containers(pod).map { ($0.name, $0.resources) }) { $1 }
        grantedWhole = pod.spec.resources
        actualWhole = pod.spec.resources
    }

    /// What a pod has that an earlier kubelet began and never resized: what its status says of its containers. The spec may
    /// want something else by now.
    init(adopting pod: Pod, _ running: Set<String>) {
        self.init(pod)
        let statuses = pod.status.initContainerStatuses + pod.status.containerStatuses
        for name in running {
            if let known = statuses.first(where: { $0.name == name })?.resources { granted[name] = known }
            actual[name] = granted[name]
        }
    }

    private static func containers(_ pod: Pod) -> [Container] { pod.spec.initContainers + pod.spec.containers }

    /// Whether the spec wants something else than was given.
    func differs(from pod: Pod) -> Bool {
        if !(grantedWhole ?? .init(fields: [:])).hasSameAmounts(pod.spec.resources ?? .init(fields: [:])) { return true }
        return Self.containers(pod).contains { container in
            granted[container.name].map { !$0.hasSameAmounts(container.resources) } ?? false
        }
    }

    /// The spec's wishes are granted.
    mutating func grant(_ pod: Pod) {
        for container in Self.containers(pod) { granted[container.name] = container.resources }
        grantedWhole = pod.spec.resources
    }

    /// The pod as if its spec wanted what it was given.
    func granted(_ pod: Pod) -> Pod { applying(granted, grantedWhole, to: pod) }

    /// The pod as if its spec wanted what its containers have.
    func actual(_ pod: Pod) -> Pod { applying(granted.merging(actual) { $1 }, actualWhole, to: pod) }

    private func applying(_ amounts: [String: ResourceRequirements], _ whole: ResourceRequirements?, to pod: Pod) -> Pod {
        func applied(_ containers: [Container]) -> [Container] {
            containers.map { container in
                guard let mine = amounts[container.name], mine != container.resources else { return container }
                var container = container
                container.resources = mine
                return container
            }
        }
        var pod = pod
        let (containers, initContainers) = (applied(pod.spec.containers), applied(pod.spec.initContainers))
        if containers != pod.spec.containers { pod.spec.containers = containers }
        if initContainers != pod.spec.initContainers { pod.spec.initContainers = initContainers }
        if whole != pod.spec.resources { pod.spec.resources = whole }
        return pod
    }

    /// Whether some running container, or the pod's cgroup, has something else than it was given.
    func isUnderWay(running names: Set<String>) -> Bool {
        if grantedWhole.map({ !$0.hasSameAmounts(actualWhole ?? .init(fields: [:])) }) ?? false { return true }
        return names.contains { name in
            guard let mine = granted[name], let has = actual[name] else { return false }
            return !mine.hasSameAmounts(has)
        }
    }
}

extension ResourceRequirements {
    /// Whether cpu and memory are the same; all else cannot be resized.
    func hasSameAmounts(_ other: ResourceRequirements) -> Bool {
        ["cpu", "memory"].allSatisfy { name in
            (limits[name] ?? .zero) == (other.limits[name] ?? .zero) && (requests[name] ?? .zero) == (other.requests[name] ?? .zero)
        }
    }
}

// MARK: - On the disk

extension PodAllocation {
    /// For the pod's file, by which the next kubelet knows of a resize that waits.
    var json: JSONValue {
        func map(_ amounts: [String: ResourceRequirements]) -> JSONValue { .object(JSONObject(amounts.mapValues { .object($0.fields) })) }
        var fields: JSONObject = ["granted": map(granted), "actual": map(actual)]
        if let grantedWhole { fields["grantedWhole"] = .object(grantedWhole.fields) }
        if let actualWhole { fields["actualWhole"] = .object(actualWhole.fields) }
        return .object(fields)
    }

    /// From the pod's file; nil when that says nothing.
    init?(json: JSONValue) {
        func map(_ value: JSONValue?) -> [String: ResourceRequirements] {
            var result: [String: ResourceRequirements] = [:]
            for (name, amounts) in value?.object ?? [:] { result[name] = amounts.object.map { ResourceRequirements(fields: $0) } }
            return result
        }
        granted = map(json["granted"])
        guard !granted.isEmpty else { return nil }
        actual = map(json["actual"])
        grantedWhole = json["grantedWhole"]?.object.map { ResourceRequirements(fields: $0) }
        actualWhole = json["actualWhole"]?.object.map { ResourceRequirements(fields: $0) }
    }
}
