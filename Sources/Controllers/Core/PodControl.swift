import APIClient
import APIModel
import APITypes
import ControllerRuntime
import Units
import Values

/// Starts and stops pods for an owner, remembers what has yet to be seen again, and tells about it.
struct PodControl: Sendable {
    let context: ControllerContext
    let events: EventSink
    let pending: PendingWrites
    let key: String

    func create(_ pod: Pod, for owner: some APIObject) async throws {
        do {
            let created = try await context.client.create(pod)
            pending.wrote(key, resourceVersion: created.resourceVersion)
            events.record(owner, .normal, "SuccessfulCreate", "Created pod: \(created.name)")
        } catch let error as APIError {
            if error.isNamespaceTerminating { return }
            events.record(owner, .warning, "FailedCreate", "Error creating: \(error.message)")
            throw error
        }
    }

    func delete(_ pod: Pod, for owner: some APIObject) async throws {
        do {
            pending.deleted(key, object: pod.key, uid: pod.uid)
            try await context.client.delete(Pod.self, namespace: pod.namespace, name: pod.name)
            events.record(owner, .normal, "SuccessfulDelete", "Deleted pod: \(pod.name)")
        } catch let error as APIError {
            pending.forget(key)
            if error.isNotFound { return }
            events.record(owner, .warning, "FailedDelete", "Error deleting: \(error.message)")
            throw error
        }
    }
}

/// Puts ControllerRevisions on record.
struct RevisionWriter: Sendable {
    let client: APIClient

    func record(_ history: RevisionHistory, of owner: some APIObject) async throws {
        if history.mustCreate {
            do {
                try await client.create(history.current)
            } catch let error as APIError where error.isAlreadyExists {
                // Recorded by the last pass and not yet seen, or a collision: the name says which template it is.
            } catch let error as APIError where error.isNamespaceTerminating {}
        } else if history.mustRenumber {
            try await client.update(history.current)
        }
    }

    func remove(_ revision: ControllerRevision) async throws {
        do {
            try await client.delete(ControllerRevision.self, namespace: revision.namespace, name: revision.name)
        } catch let error as APIError where error.isNotFound {}
    }
}

/// The keys of the managing owners that a change concerns.
enum OwnerKeys {
    static func of<T: APIObject>(_ change: CacheChange<T>, kind: String) -> Set<String> {
        var keys: Set<String> = []
        if change.newSummary?.controllerUID != nil, let object = change.new, let reference = object.controllerRef, reference.kind == kind {
            keys.insert("\(object.namespace)/\(reference.name)")
        }
        if let before = change.oldSummary?.controllerUID, before != change.newSummary?.controllerUID, let object = change.old,
            let reference = object.controllerRef, reference.kind == kind
        {
            keys.insert("\(object.namespace)/\(reference.name)")
        }
        return keys
    }
}
