import APIModel
import APITypes
import Units
import Values

extension APIObject {
    /// The one owner that manages this object, if any.
    public var controllerRef: OwnerReference? {
        metadata.controller
    }
}

/// Which of the objects around a controller are its own: by reference, by adoption of orphans, by release.
public struct Claim<Object: APIObject>: Sendable {
    /// Belongs to the controller already.
    public var owned: [Object] = []
    /// Orphans that match the selector and are to be adopted.
    public var adopt: [Object] = []
    /// Owned objects that ceased to match and are to be let go.
    public var release: [Object] = []

    /// Sorts `candidates` (of the owner's namespace) into owned, adoptable and releasable; others are left out.
    public static func plan(
        owner: ObjectMeta,
        candidates: [Object],
        matches: (Object) -> Bool
    ) -> Claim {
        var claim = Claim()
        let leaving = owner.deletionTimestamp != nil
        for candidate in candidates {
            if let reference = candidate.controllerRef {
                guard reference.uid == owner.uid else { continue }
                if matches(candidate) {
                    claim.owned.append(candidate)
                } else if !leaving {
                    claim.release.append(candidate)
                }
                continue
            }
            guard !leaving, candidate.metadata.deletionTimestamp == nil else { continue }
            guard owner.namespace == candidate.metadata.namespace, matches(candidate) else { continue }
            claim.adopt.append(candidate)
        }
        return claim
    }
}

/// The two patches that move an object in and out of a controller's hands.
public enum ControllerRefPatch {
    /// Adds `reference`; the uid makes the server refuse when another object took the name meanwhile.
    public static func adopt(_ reference: OwnerReference, uid: String) -> JSONValue {
        ["metadata": ["ownerReferences": [.object(reference.fields)], "uid": .string(uid)]]
    }

    /// Removes the reference to `ownerUID`.
    public static func release(ownerUID: String, uid: String) -> JSONValue {
        ["metadata": ["ownerReferences": [["$patch": "delete", "uid": .string(ownerUID)]], "uid": .string(uid)]]
    }
}
