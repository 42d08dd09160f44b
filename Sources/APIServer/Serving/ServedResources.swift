import APIModel
import CustomResources
import Store
import Synchronization
import Values

/// The resources being served, as one immutable snapshot that is replaced as a whole when a CustomResourceDefinition comes,
/// changes or goes. Engines of kinds that stay as they are go over into the next snapshot.
final class ServedResources: Sendable {
    /// Where a view is found.
    private struct Route: Hashable {
        let group: String
        let version: String
        let resource: String
    }

    /// A custom resource with the engine that serves it.
    struct Custom: Sendable {
        let kind: CustomKind
        let engine: ResourceEngine
        let remote: (any RemoteConversion)?
    }

    let engines: [GroupResource: ResourceEngine]
    /// The descriptors in discovery order.
    let descriptors: [KindDescriptor]
    /// The same as OpenAPI tells of them: a kind that is going keeps the verbs it had.
    let documented: [KindDescriptor]
    private let views: [Route: ResourceView]
    /// The resources that show the same objects, by the resource that stores them; only where there are several.
    private let aliases: [GroupResource: [GroupVersionResource]]
    private let virtual: [Route: (KindDescriptor, KindVersion)]
    /// What the next snapshot is made of.
    private let builtin: [KindDescriptor]
    private let builtinEngines: [GroupResource: ResourceEngine]
    /// The custom resources by the names of their definitions.
    let custom: [String: Custom]
    private let documents = AtomicLazyReference<Documents>()

    private final class Documents: Sendable {
        let discovery: DiscoveryDocuments
        init(_ descriptors: [KindDescriptor]) { discovery = DiscoveryDocuments(descriptors) }
    }

    /// The built-in kinds.
    convenience init(_ descriptors: [KindDescriptor], environment: ServerEnvironment, steps: [GroupResource: any StorageStep]) {
        let definitions = CustomResourceService.resource
        let kinds = descriptors.map { kind in
            // Old versions bring their own.
            kind.groupResource == definitions && kind.storedAs == nil ? kind.with(hooks: DefinitionHooks()) : kind
        }
        var engines: [GroupResource: ResourceEngine] = [:]
        for descriptor in kinds where descriptor.stored && descriptor.storedAs == nil {
            let resource = descriptor.groupResource
            engines[resource] = ResourceEngine(descriptor, environment: environment, step: steps[resource])
        }
        self.init(builtin: kinds, engines: engines, custom: [:])
    }

    /// The same built-in kinds with other custom resources.
    func with(custom: [String: Custom]) -> ServedResources {
        ServedResources(builtin: builtin, engines: builtinEngines, custom: custom)
    }

    private init(builtin: [KindDescriptor], engines: [GroupResource: ResourceEngine], custom: [String: Custom]) {
        self.builtin = builtin
        self.builtinEngines = engines
        self.custom = custom
        var views: [Route: ResourceView] = [:]
        var virtual: [Route: (KindDescriptor, KindVersion)] = [:]
        for descriptor in builtin {
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
        var all = engines
        var described = builtin
        var documented = builtin
        for name in custom.keys.sorted() {
            guard let item = custom[name] else { continue }
            let descriptor = item.kind.descriptor
            all[descriptor.groupResource] = item.engine
            if item.kind.isEstablished {
                var shown = descriptor
                shown.verbs = item.kind.announcedVerbs
                described.append(shown)
                documented.append(descriptor)
            }
            for view in Self.views(item) {
                views[Route(group: descriptor.group, version: view.version.name, resource: descriptor.plural)] = view
            }
        }
        self.engines = all
        self.descriptors = described
        self.documented = documented
        aliases = Self.aliases(described, views)
        self.views = views
        self.virtual = virtual
    }

    private static func aliases(
        _ descriptors: [KindDescriptor],
        _ views: [Route: ResourceView]
    ) -> [GroupResource: [GroupVersionResource]] {
        var aliases: [GroupResource: [GroupVersionResource]] = [:]
        for descriptor in descriptors {
            for version in descriptor.versions where version.served {
                let route = Route(group: descriptor.group, version: version.name, resource: descriptor.plural)
                guard let view = views[route] else { continue }
                aliases[view.engine.resource, default: []].append(view.gvr)
            }
        }
        return aliases.filter { $0.value.count > 1 }
    }

    /// The resources, in discovery order, that show the objects of this one in other groups and versions; it is one of them.
    /// Empty when there are no others.
    func equivalents(of resource: GroupVersionResource) -> [GroupVersionResource] {
        guard let view = view(group: resource.group, version: resource.version, resource: resource.resource) else { return [] }
        return aliases[view.engine.resource] ?? []
    }

    private static func views(_ item: Custom) -> [ResourceView] {
        let descriptor = item.kind.descriptor
        return descriptor.versions.filter(\.served).map { version in
            var view = ResourceView(
                engine: item.engine,
                descriptor: descriptor,
                version: version,
                conversion: version.conversion
            )
            view.remote = item.remote
            view.isTerminating = item.kind.isTerminating
            return view
        }
    }

    /// Whether a built-in kind has this name, which then no custom resource can have.
    func isBuiltin(_ resource: GroupResource) -> Bool { builtin.contains { $0.groupResource == resource } }

    /// The discovery documents, made when first asked for.
    var discovery: DiscoveryDocuments {
        if let known = documents.load() { return known.discovery }
        return documents.storeIfNil(Documents(descriptors)).discovery
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
