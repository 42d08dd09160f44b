import APIModel
import APITypes
import Units
import Values

/// The writes that bring a service's slices in line with its pods, as few as possible.
public struct EndpointSlicePlan: Sendable {
    /// Slices hold at most this many endpoints.
    public static let capacity = 100
    /// Who these slices belong to, in their `managed-by` label.
    public static let managedBy = "endpointslice-controller.k8s.io"
    /// The label that names the service.
    public static let serviceName = "kubernetes.io/service-name"
    /// The label that names the controller in charge.
    public static let managedByLabel = "endpointslice.kubernetes.io/managed-by"
    /// Marks slices and endpoints of services without an address.
    public static let headless = "service.kubernetes.io/headless"
    /// When the change that led to the newest write happened.
    public static let triggerTime = "endpoints.kubernetes.io/last-change-trigger-time"

    /// New slices, without name.
    public var create: [EndpointSlice] = []
    /// Changed slices.
    public var update: [EndpointSlice] = []
    /// Slices nothing is left in.
    public var delete: [EndpointSlice] = []
    /// Pods left out because their node is unknown; the pass is tried again.
    public var problems: [String] = []

    /// Compares `existing` (this service's slices of ours, none being deleted) with what `pods` (matching the
    /// selector) call for. `zone` gives a node's zone, nil for a node that does not exist.
    public static func plan(
        service: Service,
        pods: [Pod],
        existing: [EndpointSlice],
        trigger: Timestamp?,
        node: (String) -> EndpointNode?
    ) -> EndpointSlicePlan {
        var plan = EndpointSlicePlan()
        let families = addressFamilies(of: service)
        let owner = SliceOwner(service)
        for family in families {
            let groups = EndpointGroup.groups(service: service, pods: pods, family: family, node: node, problems: &plan.problems)
            var part = EndpointSlicePlan()
            part.fill(owner, family: family, groups: groups, existing: existing.filter { $0.addressType == family })
            part.addPlaceholder(owner, family: family, existing: existing.count { $0.addressType == family })
            part.reuseDeleted(owner)
            plan.create += part.create
            plan.update += part.update
            plan.delete += part.delete
        }
        plan.delete += existing.filter { !families.contains($0.addressType) }
        if service.isBeingDeleted { plan.create = [] }
        for index in plan.create.indices { plan.create[index].setTrigger(trigger) }
        for index in plan.update.indices { plan.update[index].setTrigger(trigger) }
        return plan
    }

    /// Whether there is nothing to write.
    public var isEmpty: Bool { create.isEmpty && update.isEmpty && delete.isEmpty }

    /// Brings the slices of one address family in line with the groups.
    mutating func fill(_ owner: SliceOwner, family: String, groups: [EndpointGroup], existing: [EndpointSlice]) {
        var byPorts: [[DiscoveryEndpointPort]: [EndpointSlice]] = [:]
        for slice in existing {
            if owner.owns(slice) {
                byPorts[EndpointGroup.sorted(slice.ports), default: []].append(slice)
            } else {
                delete.append(slice)
            }
        }
        for group in groups {
            let slices = byPorts.removeValue(forKey: group.ports) ?? []
            reconcile(group, with: slices, owner: owner, family: family)
        }
        delete += byPorts.values.joined().sorted { $0.name < $1.name }
    }

    /// A service without pods still has one slice, so that readers can tell "none" from "not yet".
    private mutating func addPlaceholder(_ owner: SliceOwner, family: String, existing: Int) {
        guard existing == delete.count, create.isEmpty else { return }
        let placeholder = owner.slice(ports: [], family: family)
        if delete.count == 1, let only = delete.first, only.isSameEmpty(as: placeholder) {
            delete = []
        } else {
            create.append(placeholder)
        }
    }

    /// Keeps endpoints where they are, drops the gone, and puts new ones first into slices that change anyway.
    private mutating func reconcile(_ group: EndpointGroup, with slices: [EndpointSlice], owner: SliceOwner, family: String) {
        var wanted = group.endpoints
        var unchanged: [EndpointSlice] = []
        var changed: [EndpointSlice] = []
        for var slice in slices {
            var kept: [Endpoint] = []
            var differs = false
            let current = slice.endpoints
            for endpoint in current {
                guard let found = wanted.take(endpoint) else { continue }
                kept.append(found)
                if !EndpointGroup.sameBeyondKey(found, endpoint) { differs = true }
            }
            let relabelled = owner.relabel(&slice)
            if differs || kept.count != current.count {
                guard !kept.isEmpty else {
                    delete.append(slice)
                    continue
                }
                slice.endpoints = kept
                changed.append(slice)
            } else if relabelled {
                changed.append(slice)
            } else {
                unchanged.append(slice)
            }
        }
        if !wanted.isEmpty {
            let order = changed.indices.sorted { changed[$0].endpoints.count > changed[$1].endpoints.count }
            for index in order { wanted.move(into: &changed[index], capacity: Self.capacity) }
        }
        while !wanted.isEmpty {
            if let index = Self.bestFit(unchanged, for: wanted.count) {
                var slice = unchanged.remove(at: index)
                wanted.move(into: &slice, capacity: Self.capacity)
                changed.append(slice)
            } else {
                var slice = owner.slice(ports: group.ports, family: family)
                wanted.move(into: &slice, capacity: Self.capacity)
                create.append(slice)
            }
        }
        update += changed
    }

    /// The slice that is fullest after taking in `count` more.
    private static func bestFit(_ slices: [EndpointSlice], for count: Int) -> Int? {
        guard count < capacity else { return nil }
        let fitting = slices.indices.filter { slices[$0].endpoints.count + count <= capacity && !slices[$0].endpoints.isEmpty }
        return fitting.max { slices[$0].endpoints.count < slices[$1].endpoints.count }
    }

    /// A slice that would go and one that would come are one write instead of two.
    mutating func reuseDeleted(_ owner: SliceOwner) {
        var kept: [EndpointSlice] = []
        for slice in delete {
            guard owner.owns(slice), var replacement = create.popLast() else {
                kept.append(slice)
                continue
            }
            var metadata = slice.metadata
            metadata.labels = replacement.labels
            replacement.metadata = metadata
            update.append(replacement)
        }
        delete = kept
    }

    /// The address families a service has endpoints in.
    static func addressFamilies(of service: Service) -> [String] {
        let families = service.spec.ipFamilies.filter { $0 == "IPv4" || $0 == "IPv6" }
        if !families.isEmpty { return families }
        guard service.hasAddress else { return ["IPv4", "IPv6"] }
        return [IPAddress(service.spec.clusterIP)?.isIPv6 == true ? "IPv6" : "IPv4"]
    }
}

extension Service {
    /// Has an address of its own.
    var hasAddress: Bool { spec.clusterIP != "None" && !spec.clusterIP.isEmpty }
}

extension EndpointSlice {
    /// Both say nothing, in the same words.
    func isSameEmpty(as other: EndpointSlice) -> Bool {
        endpoints.isEmpty && ports.isEmpty && other.endpoints.isEmpty && other.ports.isEmpty
            && addressType == other.addressType && metadata.labels == other.metadata.labels
    }

    mutating func setTrigger(_ time: Timestamp?) {
        metadata.annotations[EndpointSlicePlan.triggerTime] = time?.rfc3339Nano
    }
}
