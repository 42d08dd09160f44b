import APIModel
import APITypes
import Units
import Values

/// On whose behalf slices are kept: a service, or an `Endpoints` object that is mirrored.
struct SliceOwner: Sendable {
    let name: String
    let namespace: String
    let reference: OwnerReference
    let labels: [String: String]
    let annotations: [String: String]
    let reserved: Set<String>

    /// The slices of a service with a selector.
    init(_ service: Service) {
        name = service.name
        namespace = service.namespace
        reference = service.controllerReference()
        reserved = [EndpointSlicePlan.serviceName, EndpointSlicePlan.managedByLabel, EndpointSlicePlan.headless]
        var labels = service.labels
        for key in reserved { labels[key] = nil }
        if !service.hasAddress { labels[EndpointSlicePlan.headless] = "" }
        labels[EndpointSlicePlan.serviceName] = service.name
        labels[EndpointSlicePlan.managedByLabel] = EndpointSlicePlan.managedBy
        self.labels = labels
        annotations = [:]
    }

    /// The slices that mirror an object somebody else writes.
    init(_ endpoints: Endpoints) {
        name = endpoints.name
        namespace = endpoints.namespace
        reference = endpoints.controllerReference()
        reserved = []
        var labels = endpoints.labels
        labels[EndpointSlicePlan.serviceName] = endpoints.name
        labels[EndpointSlicePlan.managedByLabel] = EndpointMirrorPlan.managedBy
        self.labels = labels
        var annotations = endpoints.annotations
        annotations[EndpointSlicePlan.triggerTime] = nil
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
        self.annotations = annotations
    }

    /// Whether a slice belongs to this very owner, not to an earlier one of the same name.
    func owns(_ slice: EndpointSlice) -> Bool {
        slice.metadata.ownerReferences.contains {
            $0.uid == reference.uid && $0.kind == reference.kind && $0.apiVersion == reference.apiVersion
        }
    }

    /// The services whose slices a change concerns.
    static func services(of change: CacheChange<EndpointSlice>, managedBy: String) -> Set<String> {
        var keys: Set<String> = []
        for slice in [change.oldSummary, change.newSummary].compactMap({ $0 }) {
            guard slice.labels[EndpointSlicePlan.managedByLabel] == managedBy, let name = slice.labels[EndpointSlicePlan.serviceName]
            else { continue }
            keys.insert("\(slice.namespace)/\(name)")
        }
        return keys
    }

    /// An empty slice.
    func slice(ports: [DiscoveryEndpointPort], family: String) -> EndpointSlice {
        var slice = EndpointSlice()
        slice.metadata.generateName = PodTemplates.prefix(of: name)
        slice.metadata.namespace = namespace
        slice.metadata.ownerReferences = [reference]
        slice.metadata.labels = labels
        slice.metadata.annotations = annotations
        slice.addressType = family
        slice.ports = ports
        slice.endpoints = []
        return slice
    }

    /// Gives a slice the labels and annotations it should have; says whether those that come from the owner differed.
    func relabel(_ slice: inout EndpointSlice) -> Bool {
        let present = slice.labels
        var changed = present.filter { !reserved.contains($0.key) } != labels.filter { !reserved.contains($0.key) }
        if changed || present != labels { slice.metadata.labels = labels }
        guard !annotations.isEmpty || reserved.isEmpty else { return changed }
        var wanted = annotations
        wanted[EndpointSlicePlan.triggerTime] = slice.annotations[EndpointSlicePlan.triggerTime]
        if wanted != slice.annotations {
            slice.metadata.annotations = wanted
            changed = true
        }
        return changed
    }
}
