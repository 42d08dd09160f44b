import APIModel
import Store
import Synchronization
import Values

/// The resources being served, as one immutable snapshot that is replaced as a whole (CRDs will do so).
final class ServedResources: Sendable {
    /// Where a view is found.
    private struct Route: Hashable {
        let group: String
        let version: String
        let resource: String
    }

    let engines: [GroupResource: ResourceEngine]
    /// The descriptors in discovery order.
    let descriptors: [KindDescriptor]
    private let views: [Route: ResourceView]
    private let virtual: [Route: (KindDescriptor, KindVersion)]

    init(_ descriptors: [KindDescriptor], environment: ServerEnvironment, steps: [GroupResource: any StorageStep]) {
        self.descriptors = descriptors
        var engines: [GroupResource: ResourceEngine] = [:]
        var views: [Route: ResourceView] = [:]
        var virtual: [Route: (KindDescriptor, KindVersion)] = [:]
        for descriptor in descriptors where descriptor.stored && descriptor.storedAs == nil {
            let resource = descriptor.groupResource
            engines[resource] = ResourceEngine(descriptor, environment: environment, step: steps[resource])
        }
        for descriptor in descriptors {
            let engine = engines[descriptor.storedAs ?? descriptor.groupResource]
            for version in descriptor.versions where version.served {
                let route = Route(group: descriptor.group, version: version.name, resource: descriptor.plural)
                if let engine {
                    views[route] = ResourceView(
                        engine: engine,
                        descriptor: descriptor,
                        version: version,
                        conversion: Conversions.between(version, descriptor)
                    )
                } else {
                    virtual[route] = (descriptor, version)
                }
            }
        }
        self.engines = engines
        self.views = views
        self.virtual = virtual
    }

    /// A stored kind in the version asked for.
    func view(group: String, version: String, resource: String) -> ResourceView? {
        views[Route(group: group, version: version, resource: resource)]
    }

    /// A kind that is answered but not stored.
    func virtualKind(group: String, version: String, resource: String) -> (KindDescriptor, KindVersion)? {
        virtual[Route(group: group, version: version, resource: resource)]
    }

    /// The view that serves the storage version of a resource.
    func storageView(_ resource: GroupResource) -> ResourceView? {
        guard let engine = engines[resource] else { return nil }
        return view(group: resource.group, version: engine.descriptor.storageVersion, resource: resource.resource)
    }
}
