import APIModel
import Access
import Channels
import DynamicAdmission
import Store
import Values

/// Writes into the status of every ValidatingAdmissionPolicy what checking its expressions against the schemas of its kinds
/// finds, once per generation.
///
/// Source: pkg/controller/validatingadmissionpolicystatus/controller.go.
struct PolicyStatusService: Sendable {
    let server: APIServer
    private let check: PolicyTypeCheck

    private static let resource = GroupResource(group: "admissionregistration.k8s.io", resource: "validatingadmissionpolicies")
    private static let manager = "validatingadmissionpolicy-status"
    private static let watchCapacity = 1024
    private static let fillLimit = Duration.seconds(30)
    private static let retryDelay = Duration.milliseconds(250)

    init(server: APIServer, kinds: any PolicyKinds) {
        self.server = server
        check = PolicyTypeCheck(kinds: kinds)
    }

    /// Follows the policies until cancelled.
    func follow() async {
        guard let view = server.resources.storageView(Self.resource) else { return }
        let environment = server.environment
        while !Task.isCancelled {
            do throws(StoreError) {
                try await follow(view)
            } catch {
                if error.code == .closed { return }
                environment.log.warning("status of policies starts over", metadata: ["reason": "\(error.message)"])
            }
            guard (try? await environment.clock.sleep(for: Self.retryDelay)) != nil else { return }
        }
    }

    private func follow(_ view: ResourceView) async throws(StoreError) {
        let cache = view.engine.cache
        try await cache.waitUntil(try await server.environment.store.currentRevision(), within: Self.fillLimit)
        let (snapshot, watch) = try cache.snapshotAndWatch(capacity: Self.watchCapacity)
        for object in snapshot { await changed(object, view) }
        while let batch = try await watch.next() {
            for event in batch where event.type != .deleted {
                if let object = event.object { await changed(object, view) }
            }
        }
    }

    private func changed(_ object: CachedObject, _ view: ResourceView) async {
        guard object.index.damage == nil, let policy = try? JSONParser.parse(object.bytes) else { return }
        let generation = policy.value(at: ["metadata", "generation"])?.int ?? 0
        guard generation > policy.value(at: ["status", "observedGeneration"])?.int ?? 0 else { return }
        let warnings = check.warnings(policy)
        do throws(APIError) {
            try await write(warnings, generation, object.name, view)
        } catch {
            // Gone or changed meanwhile: the change is on its way here.
            if error.isNotFound || error.isConflict { return }
            server.environment.log.warning(
                "the status of a policy was not written",
                metadata: ["name": "\(object.name)", "problem": "\(error.message)"]
            )
        }
    }

    private func write(_ warnings: [JSONValue], _ generation: Int64, _ name: String, _ view: ResourceView) async throws(APIError) {
        let environment = server.environment
        var checked: JSONValue = [:]
        if !warnings.isEmpty { checked["expressionWarnings"] = .array(warnings) }
        let status: JSONValue = ["observedGeneration": .integer(generation), "typeChecking": checked]
        let application = FieldTracking.Application(
            configuration: [
                "apiVersion": .string(view.gvk.apiVersion), "kind": .string(view.gvk.kind), "metadata": ["name": .string(name)],
                "status": status,
            ],
            manager: ManagedFields.Manager(
                name: Self.manager,
                operation: "Apply",
                apiVersion: view.gvk.apiVersion,
                subresource: "status"
            ),
            isForced: true,
            write: server.ownedWrite(view, subresource: "status", now: environment.clock.now.wholeSeconds)
        )
        var change = ObjectChange(part: .status, retriesConflicts: true) { old throws(APIError) in
            try FieldTracking.apply(application, to: old)
        }
        change.isApply = true
        let context = ServerWrite.context(environment, name: name, subresource: "status", view: view)
        _ = try await view.engine.update(change, view: view, write: context)
    }
}
