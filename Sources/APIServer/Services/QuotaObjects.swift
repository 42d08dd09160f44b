import APIModel
import Access
import Store
import Values

/// The quotas in the store, as the admission of writes keeps its accounts in them.
struct QuotaObjects: QuotaLedger {
    private static let resource = GroupResource.core("resourcequotas")
    private static let manager = "kube-apiserver"

    let resources: ServedResourcesBox
    let environment: ServerEnvironment

    func hasQuotas(_ namespace: String) -> Bool {
        guard let engine = resources.value.engines[Self.resource] else { return false }
        return engine.cache.snapshot(namespace: namespace).count > 0
    }

    func quotas(_ namespace: String) async throws(APIError) -> [JSONValue] {
        guard let engine = resources.value.engines[Self.resource] else { return [] }
        var quotas: [JSONValue] = []
        // The cache knows which there are; what is used may have changed a moment ago.
        for known in engine.cache.snapshot(namespace: namespace) {
            guard let stored = try await engine.stored(known.key), var quota = try? JSONParser.parse(stored.bytes) else { continue }
            quota.set(.string(stored.revision.description), at: ["metadata", "resourceVersion"])
            quotas.append(quota)
        }
        return quotas
    }

    func note(used: JSONValue, of quota: JSONValue) async throws(APIError) {
        guard let view = resources.value.storageView(Self.resource) else { throw .resourceNotFound() }
        let metadata = quota["metadata"]
        let read = metadata?["resourceVersion"]
        let change = ObjectChange(part: .status) { old throws(APIError) in
            guard old.value(at: ["metadata", "resourceVersion"]) == read else {
                throw .modified(Self.resource, old.value(at: ["metadata", "name"])?.string ?? "")
            }
            var changed = old
            changed.set(used, at: ["status", "used"])
            return changed
        }
        let now = environment.clock.now.wholeSeconds
        var write = WriteContext(
            user: APIServiceObjects.serverUser,
            now: now,
            namespace: metadata?["namespace"]?.string ?? "",
            name: metadata?["name"]?.string ?? "",
            subresource: "status",
            admission: AdmissionChain([]),
            warnings: WarningList(),
            version: "v1",
            fieldManager: Self.manager
        )
        write.owned = OwnedWrite.of(view, in: resources.value, subresource: "status", now: now)
        _ = try await view.engine.update(change, view: view, write: write)
    }

    func storedResource(_ resource: GroupResource) -> GroupResource {
        let known = resources.value
        if known.engines[resource] != nil { return resource }
        return known.descriptors.first { $0.groupResource == resource }?.storedAs ?? resource
    }
}
