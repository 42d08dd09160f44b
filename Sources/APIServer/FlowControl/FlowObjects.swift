import APIModel
import Access
import Schema
import Store
import Synchronization
import Units
import Values

/// Keeps the objects of flow control as they should be, and flow control as the objects say.
struct FlowObjects: Sendable {
    let server: APIServer

    static let schemas = GroupResource(group: "flowcontrol.apiserver.k8s.io", resource: "flowschemas")
    static let levels = GroupResource(group: "flowcontrol.apiserver.k8s.io", resource: "prioritylevelconfigurations")

    // MARK: What should be there

    /// Creates what is missing and restores what differs, where the object allows it; all at once, so that the writes share
    /// the store's commits.
    func maintain() async {
        let levels = FlowDefaults.levels.map { (Self.levels, $0) }
        let schemas = FlowDefaults.schemas.map { (Self.schemas, $0) }
        await withTaskGroup(of: Void.self) { group in
            for (resource, wanted) in levels + schemas {
                group.addTask {
                    do throws(APIError) { try await ensure(resource, wanted) } catch {
                        server.environment.log.warning("flow control object", metadata: ["problem": "\(error.message)"])
                    }
                }
            }
        }
        for resource in [Self.levels, Self.schemas] { try? await server.resources.engines[resource]?.catchUp() }
        load()
        await reportDangling()
    }

    private func ensure(_ resource: GroupResource, _ wanted: JSONValue) async throws(APIError) {
        guard let view = server.resources.storageView(resource),
            let name = wanted.value(at: ["metadata", "name"])?.string
        else { return }
        let key = view.engine.key(namespace: "", name: name)
        var object = wanted
        try ObjectDecoding(view).decode(&object, .strict, WarningList())
        guard let stored = try await view.engine.stored(key) else {
            do throws(APIError) {
                _ = try await view.engine.create(object, view: view, write: context(name))
            } catch {
                guard error.isAlreadyExists else { throw error }
            }
            return
        }
        let found = try view.engine.tree(stored)
        let spec = object["spec"]
        let isOurs = FlowDefaults.mandatory.contains(name) || found.autoUpdates
        guard isOurs, found["spec"] != spec else { return }
        let change = ObjectChange(retriesConflicts: true) { old throws(APIError) in
            var changed = old
            changed["spec"] = spec
            return changed
        }
        _ = try await view.engine.update(change, view: view, write: context(name))
    }

    /// Tells of every schema whether its priority level exists.
    private func reportDangling() async {
        guard let view = server.resources.storageView(Self.schemas) else { return }
        let levels = Set(objects(Self.levels).compactMap { $0.value(at: ["metadata", "name"])?.string })
        await withTaskGroup(of: Void.self) { group in
            for schema in objects(Self.schemas) {
                guard let condition = dangling(schema, levels), let name = schema.value(at: ["metadata", "name"])?.string else { continue }
                group.addTask {
                    let change = ObjectChange(part: .status, retriesConflicts: true) { old throws(APIError) in
                        var changed = old
                        changed.set([condition], at: ["status", "conditions"])
                        return changed
                    }
                    _ = try? await view.engine.update(change, view: view, write: context(name, subresource: "status"))
                }
            }
        }
    }

    /// The condition a schema should have; nil when it has it.
    private func dangling(_ schema: JSONValue, _ levels: Set<String>) -> JSONValue? {
        let level = schema.value(at: ["spec", "priorityLevelConfiguration", "name"])?.string ?? ""
        let exists = levels.contains(level)
        let known = schema.value(at: ["status", "conditions"])?.array?.first { $0["type"] == "Dangling" }
        let status = exists ? "False" : "True"
        let start = "This FlowSchema references the PriorityLevelConfiguration object named \(GoQuote.quote(level))"
        let message = exists ? "\(start) and it exists" : "\(start) but there is no such object"
        if known?["status"]?.string == status, known?["message"]?.string == message { return nil }
        let now = server.environment.clock.now.wholeSeconds.rfc3339
        return [
            "type": "Dangling", "status": .string(status), "lastTransitionTime": .string(now),
            "reason": .string(exists ? "Found" : "NotFound"), "message": .string(message),
        ]
    }

    // MARK: What is there

    /// Hands the objects to flow control, now and whenever they change, until cancelled.
    func follow() async {
        await withDiscardingTaskGroup { group in
            for resource in [Self.levels, Self.schemas] { group.addTask { await follow(resource) } }
        }
    }

    private func follow(_ resource: GroupResource) async {
        let clock = server.environment.clock
        while !Task.isCancelled {
            if let watch = try? await changes(resource) {
                load()
                while let events = try? await watch.next(), !events.isEmpty {
                    load()
                    await reportDangling()
                }
            }
            // The watch ended or could not start: once more, but not in a hurry.
            guard (try? await clock.sleep(for: Self.pause)) != nil else { return }
        }
    }

    private static let pause = Duration.seconds(1)

    private func changes(_ resource: GroupResource) async throws -> CacheWatch {
        let snapshot = try await server.cachedObjects(resource)
        return try await server.cachedChanges(resource, from: snapshot.revision)
    }

    /// Makes flow control what the objects say.
    ///
    /// Levels and schemas are followed by a task each. One loads after the other: what was read earlier would else be put in
    /// the place of what was read later, and stay.
    func load() {
        server.loadingFlows.withLock { _ in
            let levels = objects(Self.levels)
            // Before anything is stored the defaults hold, which flow control starts with.
            guard !levels.isEmpty else { return }
            server.flowControl.configure(schemas: objects(Self.schemas), levels: levels)
        }
    }

    private func objects(_ resource: GroupResource) -> [JSONValue] {
        server.lookup.objects(resource, namespace: nil)
    }

    private func context(_ name: String, subresource: String = "") -> WriteContext {
        WriteContext(
            user: UserIdentity(name: "system:apiserver", groups: [UserIdentity.mastersGroup]),
            now: server.environment.clock.now.wholeSeconds,
            namespace: "",
            name: name,
            subresource: subresource,
            admission: AdmissionChain([]),
            warnings: WarningList(),
            version: "v1",
            fieldManager: "api-priority-and-fairness-config-producer-v1"
        )
    }
}

extension JSONValue {
    /// Whether the server may bring the object's spec up to date.
    fileprivate var autoUpdates: Bool {
        value(at: ["metadata", "annotations", FlowDefaults.autoUpdateKey])?.string == "true"
    }
}
