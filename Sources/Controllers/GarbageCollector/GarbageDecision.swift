import Values

/// What happens to an object, given what live reads say of it and of its owners.
public enum GarbageDecision: Sendable, Hashable {
    /// Somebody still owns it, or nobody ever did.
    case keep
    /// Some owners are gone; their references go too.
    case dropReferences([String])
    /// Delete it, with this propagation policy; `unblock` first makes its references non-blocking, to break a cycle.
    case delete(policy: String, unblock: Bool)

    /// How an owner was found.
    public enum OwnerState: Sendable, Hashable {
        /// Exists.
        case solid
        /// Does not exist.
        case dangling
        /// Exists, and waits for its dependents to be deleted.
        case waiting
    }

    /// Decides about `latest`. `dependents` says whether objects depend on it, `cycle` whether one of those waits itself.
    public static func decide(
        _ latest: ObjectFacts,
        owners: [OwnerState],
        hasDependents: Bool,
        dependentIsDeletingDependents: Bool
    ) -> GarbageDecision {
        guard !latest.owners.isEmpty else { return .keep }
        let surplus = zip(latest.owners, owners).filter { $0.1 != .solid }.map(\.0.uid)
        if owners.contains(.solid) { return surplus.isEmpty ? .keep : .dropReferences(surplus) }
        if owners.contains(.waiting), hasDependents {
            return .delete(policy: "Foreground", unblock: dependentIsDeletingDependents)
        }
        if latest.hasOrphanFinalizer { return .delete(policy: "Orphan", unblock: false) }
        return .delete(policy: latest.hasForegroundFinalizer ? "Foreground" : "Background", unblock: false)
    }

    /// A merge patch that leaves out the references to `owners`. It carries the resource version, as it replaces the list.
    public static func patch(dropping owners: [String], from metadata: JSONValue) -> JSONValue {
        let kept = (metadata["ownerReferences"]?.array ?? []).filter { !owners.contains($0["uid"]?.string ?? "") }
        return listPatch("ownerReferences", kept, metadata)
    }

    /// A merge patch that makes every reference non-blocking.
    public static func patchUnblocking(_ metadata: JSONValue) -> JSONValue {
        let references = (metadata["ownerReferences"]?.array ?? []).map { reference in
            var copy = reference
            copy.set(.bool(false), at: ["blockOwnerDeletion"])
            return copy
        }
        return listPatch("ownerReferences", references, metadata)
    }

    /// A merge patch without one finalizer; nil when it is not there.
    public static func patch(removingFinalizer name: String, from metadata: JSONValue) -> JSONValue? {
        let finalizers = metadata["finalizers"]?.array ?? []
        let kept = finalizers.filter { $0.string != name }
        return kept.count == finalizers.count ? nil : listPatch("finalizers", kept, metadata)
    }

    private static func listPatch(_ field: String, _ list: [JSONValue], _ metadata: JSONValue) -> JSONValue {
        var fields: JSONObject = [field: .array(list)]
        fields["uid"] = metadata["uid"]
        fields["resourceVersion"] = metadata["resourceVersion"]
        return ["metadata": .object(fields)]
    }
}
