import APIClient
import APIModel
import APITypes
import Values

/// Carries out a claim: adopts and releases by patches that fail when the object is no longer the one that was seen.
struct Claimer: Sendable {
    let client: APIClient

    /// What a controller holds after a claim.
    struct Outcome<Object: APIObject>: Sendable {
        /// The objects that are its own now.
        var owned: [Object]
        /// Those that were written.
        var written: [Object]
    }

    func carryOut<Owner: APIObject, Object: APIObject>(_ claim: Claim<Object>, owner: Owner) async throws -> Outcome<Object> {
        var outcome = Outcome<Object>(owned: claim.owned, written: [])
        for object in claim.release { try await release(object, from: owner) }
        guard !claim.adopt.isEmpty else { return outcome }
        // A stale cache must not let a deleted owner adopt.
        let fresh = try await client.get(Owner.self, namespace: owner.namespace, name: owner.name)
        guard fresh.uid == owner.uid else {
            let was = "\(Owner.gvk.kind) \(owner.key)"
            throw APIError.internalError("original \(was) is gone: got uid \(fresh.uid), wanted \(owner.uid)")
        }
        guard !fresh.isBeingDeleted else { return outcome }
        for object in claim.adopt {
            guard let adopted = try await adopt(object, by: owner) else { continue }
            outcome.owned.append(adopted)
            outcome.written.append(adopted)
        }
        return outcome
    }

    private func adopt<Object: APIObject>(_ object: Object, by owner: some APIObject) async throws -> Object? {
        let patch = ControllerRefPatch.adopt(owner.controllerReference(), uid: object.uid)
        do {
            return try await client.patch(
                Object.self,
                namespace: object.namespace,
                name: object.name,
                type: .strategic,
                patch
            )
        } catch let error as APIError where error.isNotFound {
            return nil
        }
    }

    private func release<Object: APIObject>(_ object: Object, from owner: some APIObject) async throws {
        let patch = ControllerRefPatch.release(ownerUID: owner.uid, uid: object.uid)
        do {
            _ = try await client.patch(
                Object.self,
                namespace: object.namespace,
                name: object.name,
                type: .strategic,
                patch
            )
        } catch let error as APIError where error.isNotFound || error.code == 422 {
            // Gone, or replaced by another of the same name: nothing to release.
        }
    }
}
