import APIClient
import APIModel
import APITypes
import Units
import Values

/// The two jobs of the workers. Each reads the live object first, and returns whether it is settled.
extension GarbageCollector {
    private enum Found {
        case object(JSONValue, ObjectFacts)
        case absent
    }

    func attemptDelete(_ id: ObjectUID) async throws -> Bool {
        guard let node = state.withLock({ $0.graph[id] }) else { return true }
        guard node.isObserved else { return try await verify(id, node) }
        if node.isBeingDeleted, !node.isDeletingDependents { return true }
        guard let index = node.resource, let found = resource(index) else { return true }
        guard case .object(let latest, let facts) = try await live(found, node.namespace, node.name, node.uid) else {
            enqueue(state.withLock { $0.graph.deleted(id) })
            return true
        }
        if node.isDeletingDependents { return try await finishForeground(id, found, latest, facts) }
        if facts.isBeingDeleted || facts.owners.isEmpty { return true }
        var states: [GarbageDecision.OwnerState] = []
        for owner in facts.owners {
            guard let state = try await ownerState(owner, of: facts) else { return true }
            states.append(state)
        }
        let (hasDependents, cycle) = state.withLock { state in
            let dependents = state.graph[id]?.dependents ?? []
            return (!dependents.isEmpty, dependents.contains { state.graph[$0]?.isDeletingDependents == true })
        }
        let decision = GarbageDecision.decide(
            facts,
            owners: states,
            hasDependents: hasDependents,
            dependentIsDeletingDependents: cycle
        )
        try await carryOut(decision, found, latest, facts, id)
        return true
    }

    func attemptOrphan(_ id: ObjectUID) async throws -> Bool {
        guard let node = state.withLock({ $0.graph[id] }), let index = node.resource, let found = resource(index) else { return true }
        for dependent in node.dependents { try await release(dependent, from: node.uid) }
        try await removeFinalizer("orphan", found, node.namespace, node.name, node.uid)
        return true
    }

    // MARK: Parts

    /// An owner known only from references: does it exist?
    private func verify(_ id: ObjectUID, _ node: OwnerGraph.Node) async throws -> Bool {
        guard let (index, found) = resource(apiVersion: node.apiVersion, kind: node.kind) else { return false }
        // A cluster-scoped object cannot be owned by a namespaced one; there is nowhere to look.
        if found.namespaced, node.namespace.isEmpty { return true }
        let namespace = found.namespaced ? node.namespace : ""
        switch try await live(found, namespace, node.name, node.uid) {
        case .object(_, let facts):
            enqueue(
                state.withLock { state in
                    state.graph.verified(id, facts, resource: index, apiVersion: found.resource.apiVersion, kind: found.kind)
                }
            )
        case .absent:
            absent.insert(Self.absentKey(node.apiVersion, node.kind, namespace, node.name, node.uid))
            enqueue(state.withLock { $0.graph.deleted(id) })
        }
        return true
    }

    private func finishForeground(
        _ id: ObjectUID,
        _ found: DiscoveredResource,
        _ latest: JSONValue,
        _ facts: ObjectFacts
    ) async throws -> Bool {
        let waiting = state.withLock { state in
            state.graph.blockingDependents(of: id).map { ($0, state.graph[$0]?.isDeletingDependents ?? false) }
        }
        if waiting.isEmpty {
            try await removeFinalizer("foregroundDeletion", found, facts.namespace, facts.name, facts.uid)
            return true
        }
        for (dependent, isDeleting) in waiting where !isDeleting { deletions.add(dependent) }
        return true
    }

    /// Nil when the reference makes no sense and the object has to stay.
    private func ownerState(_ owner: ObjectFacts.Owner, of facts: ObjectFacts) async throws -> GarbageDecision.OwnerState? {
        guard let (_, found) = resource(apiVersion: owner.apiVersion, kind: owner.kind) else {
            throw APIError.internalError("no matches for kind \"\(owner.kind)\" in version \"\(owner.apiVersion)\"")
        }
        if found.namespaced, facts.namespace.isEmpty { return nil }
        let namespace = found.namespaced ? facts.namespace : ""
        let key = Self.absentKey(owner.apiVersion, owner.kind, namespace, owner.name, owner.uid)
        if absent.contains(key) { return .dangling }
        switch try await live(found, namespace, owner.name, owner.uid) {
        case .absent:
            absent.insert(key)
            return .dangling
        case .object(_, let live):
            return live.isBeingDeleted && live.hasForegroundFinalizer ? .waiting : .solid
        }
    }

    private func carryOut(
        _ decision: GarbageDecision,
        _ found: DiscoveredResource,
        _ latest: JSONValue,
        _ facts: ObjectFacts,
        _ id: ObjectUID
    ) async throws {
        let metadata = latest["metadata"] ?? [:]
        switch decision {
        case .keep: return
        case .dropReferences(let uids):
            try await patch(found, facts, GarbageDecision.patch(dropping: uids, from: metadata))
        case .delete(let policy, let unblock):
            var version = facts.resourceVersion
            if unblock {
                version = try await patch(found, facts, GarbageDecision.patchUnblocking(metadata)) ?? version
            }
            let options = DeleteOptions {
                $0.propagationPolicy = policy
                $0.preconditions = Preconditions(fields: ["uid": .string(facts.uid), "resourceVersion": .string(version)])
            }
            do {
                try await context.client.delete(found.resource, namespace: place(facts.namespace), name: facts.name, options: options)
            } catch let error as APIError where error.isNotFound {
                enqueue(state.withLock { $0.graph.deleted(id) })
            }
        }
    }

    private func release(_ dependent: ObjectUID, from owner: String) async throws {
        guard let node = state.withLock({ $0.graph[dependent] }), let index = node.resource, let found = resource(index) else { return }
        try await context.client.retryOnConflict {
            guard case .object(let latest, let facts) = try await live(found, node.namespace, node.name, node.uid),
                facts.owners.contains(where: { $0.uid == owner })
            else { return }
            try await patch(found, facts, GarbageDecision.patch(dropping: [owner], from: latest["metadata"] ?? [:]))
        }
    }

    private func removeFinalizer(
        _ finalizer: String,
        _ found: DiscoveredResource,
        _ namespace: String,
        _ name: String,
        _ uid: String
    ) async throws {
        try await context.client.retryOnConflict {
            guard case .object(let latest, let facts) = try await live(found, namespace, name, uid),
                let patch = GarbageDecision.patch(removingFinalizer: finalizer, from: latest["metadata"] ?? [:])
            else { return }
            try await self.patch(found, facts, patch)
        }
    }

    /// Returns the new resource version; nil when the object is gone.
    @discardableResult
    private func patch(_ found: DiscoveredResource, _ facts: ObjectFacts, _ patch: JSONValue) async throws -> String? {
        do {
            let written = try await context.client.patch(
                found.resource,
                namespace: place(facts.namespace),
                name: facts.name,
                type: .merge,
                patch
            )
            return written["metadata"]?["resourceVersion"]?.string
        } catch let error as APIError where error.isNotFound {
            return nil
        }
    }

    private func live(_ found: DiscoveredResource, _ namespace: String, _ name: String, _ uid: String) async throws -> Found {
        do {
            let object = try await context.client.get(found.resource, namespace: place(namespace), name: name)
            guard let facts = object["metadata"].flatMap(ObjectFacts.init(metadata:)), facts.uid == uid else { return .absent }
            return .object(object, facts)
        } catch let error as APIError where error.isNotFound {
            return .absent
        }
    }

    private func place(_ namespace: String) -> String? { namespace.isEmpty ? nil : namespace }

    private func resource(_ index: Int) -> DiscoveredResource? {
        state.withLock { $0.resources.indices.contains(index) ? $0.resources[index] : nil }
    }

    /// A kind in any version of its group: references may be older than the preferred version.
    private func resource(apiVersion: String, kind: String) -> (Int, DiscoveredResource)? {
        let group = apiVersion.contains("/") ? String(apiVersion.prefix { $0 != "/" }) : ""
        // An owner named in an old group is an object of today's, under the same kind and uid.
        let isAlias = Discovery.aliasGroups.contains(group)
        return state.withLock { state in
            let index = state.resources.firstIndex { $0.kind == kind && (isAlias || $0.resource.group == group) }
            guard let index else { return nil }
            return (index, state.resources[index])
        }
    }

    private static func absentKey(_ apiVersion: String, _ kind: String, _ namespace: String, _ name: String, _ uid: String) -> String {
        [apiVersion, kind, namespace, name, uid].joined(separator: "\n")
    }
}
