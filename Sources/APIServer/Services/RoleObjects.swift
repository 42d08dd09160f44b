import APIModel
import Access
import Store
import Units
import Values

/// Keeps the default roles and bindings as upstream does: makes what is missing, and gives those that may be brought up to
/// date the rules and subjects they lack. Nothing is taken away.
struct RoleObjects: Sendable {
    let server: APIServer

    /// So many objects are written at the same time, so that they share the store's commits.
    private static let width = 64

    func ensure() async {
        await withTaskGroup(of: Void.self) { group in
            for (index, entry) in BootstrapPolicy.entries().enumerated() {
                if index >= Self.width { await group.next() }
                group.addTask {
                    do throws(APIError) { try await ensure(entry) } catch {
                        server.environment.log.warning(
                            "default role not written",
                            metadata: ["name": "\(entry.name)", "problem": "\(error.message)"]
                        )
                    }
                }
            }
        }
    }

    private func ensure(_ entry: BootstrapPolicy.Entry) async throws(APIError) {
        guard let view = server.resources.storageView(entry.resource) else { return }
        let key = view.engine.key(namespace: entry.namespace, name: entry.name)
        var object = entry.object
        try ObjectDecoding(view).decode(&object, .strict, WarningList())
        guard let stored = try await view.engine.stored(key) else {
            do throws(APIError) {
                _ = try await view.engine.create(object, view: view, write: context(entry))
            } catch {
                guard error.isAlreadyExists else { throw error }
            }
            return
        }
        let found = try view.engine.tree(stored)
        let annotation = found.value(at: ["metadata", "annotations", BootstrapPolicy.autoUpdateKey])?.string
        guard annotation == "true" else { return }
        let wanted = ["rules", "subjects"].filter { field in
            let known = found[field]?.array ?? []
            return (object[field]?.array ?? []).contains { !known.contains($0) }
        }
        // The rules of what gathers other roles are its controller's to write.
        guard !wanted.isEmpty, object["aggregationRule"]?.object == nil else { return }
        let complete = object
        let change = ObjectChange(retriesConflicts: true) { old throws(APIError) in
            var changed = old
            for field in wanted {
                let known = old[field]?.array ?? []
                changed[field] = .array(known + (complete[field]?.array ?? []).filter { !known.contains($0) })
            }
            return changed
        }
        _ = try await view.engine.update(change, view: view, write: context(entry))
    }

    private func context(_ entry: BootstrapPolicy.Entry) -> WriteContext {
        WriteContext(
            user: APIServiceObjects.serverUser,
            now: server.environment.clock.now.wholeSeconds,
            namespace: entry.namespace,
            name: entry.name,
            admission: AdmissionChain([]),
            warnings: WarningList(),
            version: "v1",
            fieldManager: "kube-apiserver"
        )
    }
}
