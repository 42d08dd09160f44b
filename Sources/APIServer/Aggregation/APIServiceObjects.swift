import APIModel
import Access
import Store
import Units
import Values

/// Keeps an `APIService` for every group version that is served, and tells of every other server whether it is reachable.
struct APIServiceObjects: Sendable {
    let server: APIServer

    static let resource = GroupResource(group: "apiregistration.k8s.io", resource: "apiservices")
    /// Says how an object of ours came to be.
    static let managedLabel = "kube-aggregator.kubernetes.io/automanaged"
    static let serverUser = UserIdentity(name: "system:apiserver", groups: [UserIdentity.mastersGroup])

    // MARK: Group versions served here

    /// Creates what is missing for the group versions served here; those of custom resources follow them.
    func register() async {
        guard let view = server.resources.storageView(Self.resource) else { return }
        let local = localVersions()
        var known: Set<String> = []
        for object in server.lookup.objects(Self.resource, namespace: nil) {
            guard let name = object.value(at: ["metadata", "name"])?.string else { continue }
            known.insert(name)
            let label = object.value(at: ["metadata", "labels", Self.managedLabel])?.string
            // The custom resource is gone, and so is the reason for the object.
            if label == "true", local[name] == nil { await remove(name, view) }
        }
        await withTaskGroup(of: Void.self) { group in
            for (name, entry) in local where !known.contains(name) {
                group.addTask { await create(name, entry, view) }
            }
        }
    }

    private struct Local {
        let groupVersion: GroupVersion
        let isCustom: Bool
    }

    private func localVersions() -> [String: Local] {
        var found: [String: Local] = [:]
        for kind in server.resources.descriptors {
            for version in kind.versions where version.served {
                let groupVersion = GroupVersion(group: kind.group, version: version.name)
                if groupVersion.group == Self.resource.group { continue }
                let name = "\(groupVersion.version).\(groupVersion.group)"
                let isBuiltin = version.schema.body.isBuiltin
                if found[name]?.isCustom != false { found[name] = Local(groupVersion: groupVersion, isCustom: !isBuiltin) }
            }
        }
        return found
    }

    private func create(_ name: String, _ local: Local, _ view: ResourceView) async {
        let priority = local.isCustom ? (group: APIServicePriority.customGroup, version: 100) : APIServicePriority.of(local.groupVersion)
        let condition: JSONValue = [
            "type": "Available", "status": "True", "lastTransitionTime": .string(server.environment.clock.now.wholeSeconds.rfc3339),
            "reason": "Local", "message": "Local APIServices are always available",
        ]
        var object: JSONValue = [
            "metadata": ["name": .string(name), "labels": [Self.managedLabel: .string(local.isCustom ? "true" : "onstart")]],
            "spec": [
                "version": .string(local.groupVersion.version), "groupPriorityMinimum": JSONValue(priority.group),
                "versionPriority": JSONValue(priority.version),
            ],
            "status": ["conditions": [condition]],
        ]
        if !local.groupVersion.group.isEmpty { object.set(.string(local.groupVersion.group), at: ["spec", "group"]) }
        do throws(APIError) {
            try ObjectDecoding(view).decode(&object, .strict, WarningList())
            _ = try await view.engine.create(object, view: view, write: context(name, keepsStatus: true))
        } catch {
            guard !error.isAlreadyExists else { return }
            server.environment.log.warning("API service not registered", metadata: ["name": "\(name)", "problem": "\(error.message)"])
        }
    }

    private func remove(_ name: String, _ view: ResourceView) async {
        guard let stored = try? await view.engine.stored(view.engine.key(namespace: "", name: name)) else { return }
        _ = try? await server.environment.store.delete(stored.key, if: .revision(stored.revision))
    }

    func context(_ name: String, subresource: String = "", keepsStatus: Bool = false) -> WriteContext {
        var write = WriteContext(
            user: Self.serverUser,
            now: server.environment.clock.now.wholeSeconds,
            namespace: "",
            name: name,
            subresource: subresource,
            admission: AdmissionChain([]),
            warnings: WarningList(),
            version: "v1",
            fieldManager: "kube-apiserver"
        )
        write.keepsStatus = keepsStatus
        return write
    }

    // MARK: Other servers

    /// Takes over what the objects say.
    func load() {
        server.aggregation.replace(RemoteAPIs(server.lookup.objects(Self.resource, namespace: nil)))
    }

    /// Checks every other server.
    func check() async {
        await check(server.aggregation.apis.ordered)
    }

    /// Checks servers, all at the same time.
    func check(_ apis: [RemoteAPI]) async {
        await withTaskGroup(of: Void.self) { group in
            for api in apis {
                group.addTask {
                    let check = AvailabilityCheck(server: server, api: api)
                    let finding = await check.finding()
                    server.aggregation.note(api.groupVersion, finding.discovered)
                    await report(api, finding)
                    if finding.status == "True" { await check.readDocument() }
                }
            }
        }
        load()
    }

    private func report(_ api: RemoteAPI, _ finding: AvailabilityCheck.Finding) async {
        guard let view = server.resources.storageView(Self.resource),
            let object = server.lookup.object(Self.resource, namespace: "", name: api.name)
        else { return }
        let known = object.value(at: ["status", "conditions"])?.array?.first { $0["type"] == "Available" }
        if known?["status"]?.string == finding.status, known?["reason"]?.string == finding.reason,
            known?["message"]?.string == finding.message
        {
            return
        }
        let now = server.environment.clock.now.wholeSeconds.rfc3339
        let isSame = known?["status"]?.string == finding.status
        let condition: JSONValue = [
            "type": "Available", "status": .string(finding.status), "reason": .string(finding.reason),
            "message": .string(finding.message),
            "lastTransitionTime": isSame ? known?["lastTransitionTime"] ?? .string(now) : .string(now),
        ]
        let change = ObjectChange(part: .status, retriesConflicts: true) { old throws(APIError) in
            var changed = old
            var conditions = old.value(at: ["status", "conditions"])?.array ?? []
            conditions.removeAll { $0["type"] == "Available" }
            changed.set(.array(conditions + [condition]), at: ["status", "conditions"])
            return changed
        }
        _ = try? await view.engine.update(change, view: view, write: context(api.name, subresource: "status"))
        // The next look at the objects must see it.
        try? await view.engine.catchUp()
    }
}

/// Upstream's order of the group versions.
enum APIServicePriority {
    private static let table: [String: (group: Int, version: Int)] = [
        // The aggregator's own group, which no APIService object stands for, comes before all others.
        "apiregistration.k8s.io/v1": (20001, 0),
        "/v1": (18000, 1), "apps/v1": (17800, 15), "events.k8s.io/v1": (17750, 15), "events.k8s.io/v1beta1": (17750, 5),
        "authentication.k8s.io/v1": (17700, 15), "authorization.k8s.io/v1": (17600, 15), "autoscaling/v1": (17500, 15),
        "autoscaling/v2": (17500, 30), "autoscaling/v2beta1": (17500, 9), "autoscaling/v2beta2": (17500, 1), "batch/v1": (17400, 15),
        "batch/v1beta1": (17400, 9), "certificates.k8s.io/v1": (17300, 15), "certificates.k8s.io/v1beta1": (17300, 9),
        "certificates.k8s.io/v1alpha1": (17300, 1), "networking.k8s.io/v1": (17200, 15), "networking.k8s.io/v1beta1": (17200, 9),
        "policy/v1": (17100, 15), "policy/v1beta1": (17100, 9), "rbac.authorization.k8s.io/v1": (17000, 15),
        "storage.k8s.io/v1": (16800, 15), "storage.k8s.io/v1beta1": (16800, 9), "storage.k8s.io/v1alpha1": (16800, 1),
        "apiextensions.k8s.io/v1": (16700, 15), "admissionregistration.k8s.io/v1": (16700, 15),
        "admissionregistration.k8s.io/v1beta1": (16700, 12), "admissionregistration.k8s.io/v1alpha1": (16700, 9),
        "scheduling.k8s.io/v1": (16600, 15), "scheduling.k8s.io/v1alpha2": (16600, 2), "coordination.k8s.io/v1": (16500, 15),
        "coordination.k8s.io/v1beta1": (16500, 13), "coordination.k8s.io/v1alpha2": (16500, 12), "node.k8s.io/v1": (16300, 15),
        "node.k8s.io/v1alpha1": (16300, 1), "node.k8s.io/v1beta1": (16300, 9), "discovery.k8s.io/v1": (16200, 15),
        "discovery.k8s.io/v1beta1": (16200, 12), "resource.k8s.io/v1": (16200, 21), "resource.k8s.io/v1beta2": (16200, 15),
        "resource.k8s.io/v1beta1": (16200, 9), "resource.k8s.io/v1alpha3": (16200, 1), "flowcontrol.apiserver.k8s.io/v1": (16100, 21),
        "flowcontrol.apiserver.k8s.io/v1beta3": (16100, 18), "internal.apiserver.k8s.io/v1alpha1": (16000, 9),
        "storagemigration.k8s.io/v1beta1": (15800, 9), "storagemigration.k8s.io/v1alpha1": (15800, 9),
    ]

    /// The priorities of a group version served here; old ones come last in their group, old groups last of all.
    static func of(_ groupVersion: GroupVersion) -> (group: Int, version: Int) {
        if let known = table["\(groupVersion.group)/\(groupVersion.version)"] { return known }
        let group = table["\(groupVersion.group)/v1"]?.group ?? oldGroup
        return (group, groupVersion.version.contains("beta") ? 5 : 1)
    }

    /// The priority of every group of custom resources.
    static let customGroup = 1000
    /// The priority of a group that upstream no longer has.
    private static let oldGroup = 15000

    /// The priority of a group of this server as a whole. Groups of custom resources are told by their dot: a definition
    /// must have one there, and no old group has.
    static func ofGroup(_ name: String) -> Int {
        if let known = table["\(name)/v1"] ?? table.first(where: { $0.key.hasPrefix("\(name)/") })?.value { return known.group }
        return name.contains(".") ? customGroup : oldGroup
    }

    /// Whether discovery names one group before another: the higher priority first, then by name.
    static func precedes(_ left: (priority: Int64, name: String), _ right: (priority: Int64, name: String)) -> Bool {
        left.priority == right.priority ? left.name < right.name : left.priority > right.priority
    }
}
