import APIModel
import Access
import CustomResources
import Store
import Units
import Values

/// Deletes the objects of a kind whose definition is being deleted, then lets the definition go.
///
/// It is about one definition, by its uid: one made anew under the same name has nothing to do with it, and loses nothing.
///
/// Source: apiextensions-apiserver controller/finalizer.
struct CustomResourceCleanup {
    let environment: ServerEnvironment
    let resources: ServedResourcesBox
    /// The definition that goes.
    let name: String
    let uid: String

    private static let pollInterval = Duration.milliseconds(200)
    private static let retryInterval = Duration.seconds(2)
    /// So long objects with finalizers of their own may take before the definition says what it waits for.
    private static let patience = Duration.seconds(60)

    /// Tries until the definition is gone, or waits for nobody any more.
    func run() async {
        while !Task.isCancelled {
            do throws(APIError) {
                try await step()
                return
            } catch {
                if error.isNotFound { return }
                environment.log.warning(
                    "custom resources are not deleted yet",
                    metadata: ["name": "\(name)", "problem": "\(error.message)"]
                )
            }
            try? await environment.clock.sleep(for: Self.retryInterval)
        }
    }

    private func step() async throws(APIError) {
        try await set(.init("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"))
        guard resources.value.custom[name] != nil else {
            try await set(.init("False", "NeverEstablished", "resource was never established"), isDone: true)
            return
        }
        var asked: Set<String> = []
        do throws(APIError) {
            try await deleteAll(try custom(), &asked)
        } catch {
            if error.isNotFound { throw error }
            try await set(.init("True", "InstanceDeletionFailed", "could not issue all deletes: \(error.message)"))
            throw error
        }
        try await waitUntilEmpty(&asked)
        try await set(.init("False", "InstanceDeletionCompleted", "removed all instances"), isDone: true)
    }

    /// What is served of the definition now; an update in the meantime has given it another engine.
    private func custom() throws(APIError) -> ServedResources.Custom {
        guard let custom = resources.value.custom[name], custom.kind.uid == uid else {
            throw .notFound(CustomResourceService.resource, name)
        }
        return custom
    }

    /// Deletes what has not been asked to go yet.
    private func deleteAll(_ custom: ServedResources.Custom, _ asked: inout Set<String>) async throws(APIError) {
        let engine = custom.engine
        guard let view = resources.value.storageView(engine.resource) else { return }
        try await engine.catchUp()
        for object in engine.cache.snapshot() where !asked.contains(object.key) {
            let write = ServerWrite.context(environment, namespace: object.namespace, name: object.name, view: view)
            do throws(APIError) {
                _ = try await engine.delete(DeletionRequest(), view: view, write: write)
            } catch {
                if !error.isNotFound { throw error }
            }
            asked.insert(object.key)
        }
    }

    /// Waits until no objects are left, those included whose creation was under way when the kind began to go.
    private func waitUntilEmpty(_ asked: inout Set<String>) async throws(APIError) {
        let start = environment.clock.monotonic
        while true {
            let custom = try custom()
            try await deleteAll(custom, &asked)
            try await custom.engine.catchUp()
            if custom.engine.cache.count == 0 { return }
            guard await isStillGoing() else { throw .notFound(CustomResourceService.resource, name) }
            guard environment.clock.monotonic - start < Self.patience else {
                let words = "could not confirm zero CustomResources remaining: timed out waiting for the condition"
                try await set(.init("True", "InstanceDeletionCheck", words))
                throw .timeout(words)
            }
            do { try await environment.clock.sleep(for: Self.pollInterval) } catch { throw .timeout("stopped") }
        }
    }

    private func isStillGoing() async -> Bool {
        guard let engine = resources.value.engines[CustomResourceService.resource],
            let stored = try? await engine.stored(engine.key(namespace: "", name: name)),
            let definition = try? engine.tree(stored)
        else { return false }
        return Self.isGoing(definition, uid)
    }

    /// Whether it is this definition, and being deleted, and waits for its objects to go.
    private static func isGoing(_ definition: JSONValue, _ uid: String) -> Bool {
        definition.value(at: ["metadata", "uid"])?.string == uid && DefinitionStatus.isGoing(definition)
    }

    private struct Terminating {
        var condition: DefinitionConditions.Condition

        init(_ status: String, _ reason: String, _ message: String) {
            condition = .init(type: "Terminating", status: status, reason: reason, message: message)
        }
    }

    /// Writes the condition; with `isDone` also takes the finalizer away, so that the definition can go. A definition that
    /// nobody deletes, or that no longer waits, counts as not found: someone may have taken the finalizer away.
    private func set(_ terminating: Terminating, isDone: Bool = false) async throws(APIError) {
        guard let view = resources.value.storageView(CustomResourceService.resource) else { return }
        let now = environment.clock.now.wholeSeconds
        let change = ObjectChange(part: .other, retriesConflicts: true) { [name, uid] old throws(APIError) in
            guard Self.isGoing(old, uid) else { throw .notFound(CustomResourceService.resource, name) }
            var new = old
            var conditions = DefinitionConditions(old)
            conditions.set(terminating.condition, now: now)
            new.set(.array(conditions.json), at: ["status", "conditions"])
            guard isDone else { return new }
            let own = JSONValue.string(DefinitionStatus.cleanupFinalizer)
            let rest = (old.value(at: ["metadata", "finalizers"])?.array ?? []).filter { $0 != own }
            if rest.isEmpty {
                new.remove(at: ["metadata", "finalizers"])
            } else {
                new.set(.array(rest), at: ["metadata", "finalizers"])
            }
            return new
        }
        let write = ServerWrite.context(environment, name: name, subresource: "status", view: view, owns: resources.value)
        _ = try await view.engine.update(change, view: view, write: write)
    }
}
