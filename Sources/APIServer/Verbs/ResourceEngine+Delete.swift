import APIModel
import Access
import Negotiation
import Store
import Values

/// What became of a deletion.
struct DeletionOutcome: Sendable {
    var stored: ResourceEngine.Stored
    var uid: String
    /// False while grace or finalizers keep the object.
    var isGone: Bool
}

extension ResourceEngine {
    private static let deletionRetries = 16

    /// Deletes an object, or begins to.
    func delete(_ request: DeletionRequest, view: ResourceView, write: WriteContext) async throws(APIError) -> DeletionOutcome {
        for _ in 0..<Self.deletionRetries {
            let current = try await existing(namespace: write.namespace, name: write.name)
            do throws(APIError) {
                return try await deleteOnce(request, current, view: view, write: write)
            } catch {
                guard error.isConflict, error.isLostRace else { throw error }
            }
        }
        throw .modified(resource, write.name)
    }

    private func deleteOnce(
        _ request: DeletionRequest,
        _ current: Stored,
        view: ResourceView,
        write: WriteContext
    ) async throws(APIError) -> DeletionOutcome {
        guard let old = try? JSONParser.parse(current.bytes) else {
            // What cannot be decoded can still be deleted, when someone asks for it by name.
            return try await drop(current, [:], write)
        }
        try checkPreconditions(request, old, current, write.name)
        var seen = try await view.fromStorage(old)
        seen.set(.string(current.revision.description), at: ["metadata", "resourceVersion"])
        var admitted = write.admissionRequest(.delete, view, object: nil, oldObject: seen, options: request.json)
        try await write.admission.mutate(&admitted)
        try await write.admission.validate(admitted)
        switch DeletionPlan.make(old, request, descriptor, traits, now: write.now) {
        case .remove: return try await drop(current, old, write, shown: goneAtOnce(old, write))
        case .pending: return DeletionOutcome(stored: current, uid: Self.uid(old), isGone: false)
        case .mark(let object):
            let stored = try await mark(object, current, write)
            return DeletionOutcome(stored: stored, uid: Self.uid(old), isGone: false)
        }
    }

    private static func uid(_ object: JSONValue) -> String { object.value(at: ["metadata", "uid"])?.string ?? "" }

    private func checkPreconditions(
        _ request: DeletionRequest,
        _ old: JSONValue,
        _ current: Stored,
        _ name: String
    ) throws(APIError) {
        let kind = GroupResource(group: resource.group, resource: descriptor.kind)
        if let uid = request.uid, uid != Self.uid(old) {
            throw .conflict(
                kind,
                name,
                "the UID in the precondition (\(uid)) does not match the UID in record (\(Self.uid(old))). "
                    + "The object might have been deleted and then recreated"
            )
        }
        if let version = request.resourceVersion, version != current.revision.description {
            throw .conflict(
                kind,
                name,
                "the ResourceVersion in the precondition (\(version)) does not match the ResourceVersion in record "
                    + "(\(current.revision)). The object might have been modified"
            )
        }
    }

    /// What a kind with a grace period shows of an object whose grace is over: it was told to go at once.
    private func goneAtOnce(_ old: JSONValue, _ write: WriteContext) -> [UInt8]? {
        guard traits.returnsDeleted, descriptor.hooks.gracePeriod(old, requested: nil) != nil else { return nil }
        var object = old
        DeletionPlan.markAsDeleting(&object, now: write.now)
        return object.encoded()
    }

    private func drop(
        _ current: Stored,
        _ old: JSONValue,
        _ write: WriteContext,
        shown: [UInt8]? = nil
    ) async throws(APIError) -> DeletionOutcome {
        let bytes = shown ?? current.bytes
        if write.isDryRun {
            let stored = Stored(key: current.key, bytes: bytes, revision: current.revision)
            return DeletionOutcome(stored: stored, uid: Self.uid(old), isGone: true)
        }
        do throws(StoreError) {
            let removal = try await environment.store.delete(current.key, if: .revision(current.revision))
            await step?.removed(old)
            let stored = Stored(key: current.key, bytes: bytes, revision: removal.revision)
            return DeletionOutcome(stored: stored, uid: Self.uid(old), isGone: true)
        } catch {
            throw conflictOrFailure(error, write.name)
        }
    }

    private func mark(_ object: JSONValue, _ current: Stored, _ write: WriteContext) async throws(APIError) -> Stored {
        let bytes = object.encoded()
        if write.isDryRun { return Stored(key: current.key, bytes: bytes, revision: current.revision) }
        // Asked again, an object that waits for its finalizers stays as it is: nobody has to hear of it.
        if bytes == current.bytes { return current }
        do throws(StoreError) {
            let revision = try await environment.store.put(current.key, indexer.storable(bytes), if: .revision(current.revision))
            return Stored(key: current.key, bytes: bytes, revision: revision)
        } catch {
            throw conflictOrFailure(error, write.name)
        }
    }

    /// The answer to a DELETE: the object while it remains (or when the kind shows what it deleted), else a Status.
    func answer(_ outcome: DeletionOutcome, view: ResourceView, name: String) async throws(APIError) -> [UInt8] {
        if !outcome.isGone || traits.returnsDeleted { return try await view.answered(outcome.stored) }
        let details = APIError.Details(name: name, group: resource.group, kind: resource.resource, uid: outcome.uid)
        return Responses.encoded(APIError.success(details))
    }
}
