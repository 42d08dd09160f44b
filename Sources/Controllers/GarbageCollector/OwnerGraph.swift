/// Who owns whom, as far as anybody owns anybody: objects without owners, dependents or pending finalizers are not held.
/// A state machine guarded by the collector; inputs are watch events, outputs say what to look at.
public struct OwnerGraph: Sendable {
    /// What a change calls for.
    public enum Action: Sendable, Hashable {
        /// Look whether the object still has an owner, or may finish its foreground deletion.
        case attemptDelete(ObjectUID)
        /// Release the dependents of the object.
        case attemptOrphan(ObjectUID)
        /// An owner is in another namespace than the dependent believes.
        case invalidNamespace(dependent: ObjectUID, owner: ObjectUID)
    }

    /// An object, or an owner known only from references to it.
    public struct Node: Sendable {
        /// Index of its resource in the collector's table; nil while only referred to.
        public var resource: Int?
        /// Where it is, as observed or as believed by the first dependent.
        public var namespace: String
        /// Its name.
        public var name: String
        /// Its uid.
        public var uid: String
        /// For an owner that was not observed: what its dependents call it.
        public var apiVersion = ""
        /// The same.
        public var kind = ""
        /// Whom it belongs to.
        public var owners: [ObjectFacts.Owner] = []
        /// Who belongs to it.
        public var dependents: Set<ObjectUID> = []
        /// A watch or a GET has shown it.
        public var isObserved = false
        /// Deletion was asked for.
        public var isBeingDeleted = false
        /// Waits for its blocking dependents.
        public var isDeletingDependents = false
        /// Waits for its dependents to be released.
        public var isOrphaning = false

        var isNeeded: Bool { !owners.isEmpty || !dependents.isEmpty || isDeletingDependents || isOrphaning }
    }

    private(set) var nodes: [ObjectUID: Node] = [:]

    /// An empty graph.
    public init() {}

    /// How many objects are held.
    public var count: Int { nodes.count }

    /// The node of a uid.
    public subscript(id: ObjectUID) -> Node? { nodes[id] }

    /// A watch or list showed the object in this state.
    public mutating func observed(_ facts: ObjectFacts, resource: Int, apiVersion: String, kind: String) -> [Action] {
        let id = facts.id
        var actions: [Action] = []
        let known = nodes[id]
        if known == nil, facts.owners.isEmpty, !facts.isBeingDeleted { return [] }
        var node = known ?? Node(resource: resource, namespace: facts.namespace, name: facts.name, uid: facts.uid)
        if let known, !known.isObserved {
            actions += correct(known, id: id, namespace: facts.namespace, apiVersion: apiVersion, kind: kind, name: facts.name)
        }
        node.resource = resource
        node.namespace = facts.namespace
        node.name = facts.name
        node.isObserved = true
        node.apiVersion = apiVersion
        node.kind = kind
        let before = node.owners
        node.owners = facts.owners
        node.isBeingDeleted = facts.isBeingDeleted
        let deletes = facts.isBeingDeleted && facts.hasForegroundFinalizer
        let orphans = facts.isBeingDeleted && facts.hasOrphanFinalizer
        if deletes, !node.isDeletingDependents {
            actions += node.dependents.map { .attemptDelete($0) } + [.attemptDelete(id)]
        }
        if orphans, !node.isOrphaning { actions.append(.attemptOrphan(id)) }
        node.isDeletingDependents = deletes
        node.isOrphaning = orphans
        nodes[id] = node
        if before != facts.owners { actions += relink(id, from: before, to: facts.owners) }
        discardIfIdle(id)
        return actions
    }

    /// The object is gone: by watch, or because a GET did not find it.
    public mutating func deleted(_ id: ObjectUID) -> [Action] {
        guard let node = nodes.removeValue(forKey: id) else { return [] }
        var actions: [Action] = node.dependents.map { .attemptDelete($0) }
        for owner in node.owners {
            guard var holder = nodes[owner.id] else { continue }
            holder.dependents.remove(id)
            if holder.isDeletingDependents { actions.append(.attemptDelete(owner.id)) }
            nodes[owner.id] = holder
            discardIfIdle(owner.id)
        }
        return actions
    }

    /// A GET found the owner that had only been referred to.
    public mutating func verified(_ id: ObjectUID, _ facts: ObjectFacts, resource: Int, apiVersion: String, kind: String) -> [Action] {
        guard let node = nodes[id], !node.isObserved else { return [] }
        return observed(facts, resource: resource, apiVersion: apiVersion, kind: kind)
    }

    /// The dependents an owner's foreground deletion has to wait for.
    public func blockingDependents(of id: ObjectUID) -> [ObjectUID] {
        (nodes[id]?.dependents ?? []).filter { dependent in
            nodes[dependent]?.owners.contains { $0.id == id && $0.blocking } ?? false
        }
    }

    // MARK: Links

    private mutating func relink(_ id: ObjectUID, from before: [ObjectFacts.Owner], to after: [ObjectFacts.Owner]) -> [Action] {
        var actions: [Action] = []
        let kept = Set(after.map(\.id))
        for owner in before {
            let blocksStill = after.contains { $0.id == owner.id && $0.blocking }
            if owner.blocking, !blocksStill, nodes[owner.id]?.isDeletingDependents == true {
                actions.append(.attemptDelete(owner.id))
            }
            if !kept.contains(owner.id) {
                nodes[owner.id]?.dependents.remove(id)
                discardIfIdle(owner.id)
            }
        }
        let known = Set(before.map(\.id))
        for owner in after where !known.contains(owner.id) { actions += link(id, to: owner) }
        return actions
    }

    private mutating func link(_ id: ObjectUID, to owner: ObjectFacts.Owner) -> [Action] {
        guard let dependent = nodes[id] else { return [] }
        guard var holder = nodes[owner.id] else {
            var placeholder = Node(resource: nil, namespace: dependent.namespace, name: owner.name, uid: owner.uid)
            placeholder.apiVersion = owner.apiVersion
            placeholder.kind = owner.kind
            placeholder.dependents = [id]
            nodes[owner.id] = placeholder
            return [.attemptDelete(owner.id)]
        }
        holder.dependents.insert(id)
        nodes[owner.id] = holder
        if !holder.namespace.isEmpty, holder.namespace != dependent.namespace {
            let report: [Action] = holder.isObserved ? [.invalidNamespace(dependent: id, owner: owner.id)] : []
            return report + [.attemptDelete(id)]
        }
        let agrees = holder.name == owner.name && holder.kind == owner.kind && holder.apiVersion == owner.apiVersion
        return agrees ? [] : [.attemptDelete(id)]
    }

    /// An owner turned out to be another than some dependents believed: those are looked at.
    private func correct(
        _ believed: Node,
        id: ObjectUID,
        namespace: String,
        apiVersion: String,
        kind: String,
        name: String
    ) -> [Action] {
        var actions: [Action] = []
        for dependent in believed.dependents {
            guard let node = nodes[dependent], let owner = node.owners.first(where: { $0.id == id }) else { continue }
            if !namespace.isEmpty, node.namespace != namespace {
                actions += [.invalidNamespace(dependent: dependent, owner: id), .attemptDelete(dependent)]
            } else if owner.name != name || owner.kind != kind || owner.apiVersion != apiVersion {
                actions.append(.attemptDelete(dependent))
            }
        }
        return actions
    }

    private mutating func discardIfIdle(_ id: ObjectUID) {
        if nodes[id]?.isNeeded == false { nodes[id] = nil }
    }
}
