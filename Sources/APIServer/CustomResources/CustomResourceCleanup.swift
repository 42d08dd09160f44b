import APIModel
import Access
import CustomResources
import Store
import Units
import Values

/// Deletes the objects of a kind whose definition is being deleted, then lets the definition go.
///
/// Source: apiextensions-apiserver controller/finalizer.
struct CustomResourceCleanup {
    let environment: ServerEnvironment
    let resources: ServedResourcesBox

    private static let pollInterval = Duration.milliseconds(200)
    private static let retryInterval = Duration.seconds(2)
    /// So long objects with finalizers of their own may take before the definition says what it waits for.
    private static let patience = Duration.seconds(60)

    /// Tries until the definition is gone.
    func run(_ name: String) async {
        while !Task.isCancelled {
            do throws(APIError) {
                try await step(name)
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

    private func step(_ name: String) async throws(APIError) {
        try await set(name, .init("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"))
        guard let custom = resources.value.custom[name] else {
            try await set(name, .init("False", "NeverEstablished", "resource was never established"), isDone: true)
            return
        }
        do throws(APIError) {
            try await deleteAll(custom)
        } catch {
            try await set(name, .init("True", "InstanceDeletionFailed", "could not issue all deletes: \(error.message)"))
            throw error
        }
        try await waitUntilEmpty(custom, name)
        try await set(name, .init("False", "InstanceDeletionCompleted", "removed all instances"), isDone: true)
    }

    private func deleteAll(_ custom: ServedResources.Custom) async throws(APIError) {
        let engine = custom.engine
        guard let view = resources.value.storageView(engine.resource) else { return }
        try await engine.catchUp()
        for object in engine.cache.snapshot() {
            let write = ServerWrite.context(environment, namespace: object.namespace, name: object.name, view: view)
            do throws(APIError) {
                _ = try await engine.delete(DeletionRequest(), view: view, write: write)
            } catch {
                if !error.isNotFound { throw error }
            }
        }
    }

    private func waitUntilEmpty(_ custom: ServedResources.Custom, _ name: String) async throws(APIError) {
        let start = environment.clock.monotonic
        while custom.engine.cache.count > 0 {
            guard environment.clock.monotonic - start < Self.patience else {
                let words = "could not confirm zero CustomResources remaining: timed out waiting for the condition"
                try await set(name, .init("True", "InstanceDeletionCheck", words))
                throw .timeout(words)
            }
            do { try await environment.clock.sleep(for: Self.pollInterval) } catch { throw .timeout("stopped") }
        }
    }

    private struct Terminating {
        var condition: DefinitionConditions.Condition

        init(_ status: String, _ reason: String, _ message: String) {
            condition = .init(type: "Terminating", status: status, reason: reason, message: message)
        }
    }

    /// Writes the condition; with `isDone` also takes the finalizer away, so that the definition can go.
    private func set(_ name: String, _ terminating: Terminating, isDone: Bool = false) async throws(APIError) {
        guard let view = resources.value.storageView(CustomResourceService.resource) else { return }
        let now = environment.clock.now.wholeSeconds
        let change = ObjectChange(part: .other, retriesConflicts: true) { old throws(APIError) in
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
