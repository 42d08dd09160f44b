import APIModel
import APITypes
import Units
import Values

/// One pass over a deployment: works on copies, remembers what changed, and yields the writes at the end.
struct DeploymentRollout {
    let original: Deployment
    let now: Timestamp
    var deployment: Deployment
    /// Oldest first.
    var sets: [ReplicaSet]
    /// Index of the replica set with the current template.
    var newest: Int?
    /// Indices of written replica sets in the order of their first change; a set without uid is created.
    private var dirty: [Int] = []
    private var deleted: Set<Int> = []
    private var deletions: [ReplicaSet] = []
    private var events: [EventNote] = []
    /// Told once the write of the replica set at this index succeeded.
    private var setEvents: [Int: [EventNote]] = [:]
    private var replaced = false
    private var recheckAfter: Duration?
    private var problem: String?

    init(_ deployment: Deployment, replicaSets: [ReplicaSet], now: Timestamp) {
        original = deployment
        self.deployment = deployment
        self.now = now
        sets = replicaSets.sorted(by: ReplicaSet.olderFirst)
        newest = sets.firstIndex {
            PodTemplates.equalIgnoringHash(deployment.spec.template, $0.spec.template)
        }
    }

    var old: [Int] { sets.indices.filter { $0 != newest } }
    var newSet: ReplicaSet? { newest.map { sets[$0] } }
    var desired: Int { deployment.desired }
    func total(_ indices: some Sequence<Int>) -> Int { indices.reduce(0) { $0 + sets[$1].desired } }
    /// Beyond upstream: a status written before the last scaling counts for no more than the size asked for, or two
    /// quick passes would each take away the same spare pods.
    func available(_ indices: some Sequence<Int>) -> Int {
        indices.reduce(0) { $0 + min(sets[$1].status.availableReplicas, sets[$1].desired) }
    }
    /// Beyond upstream: pods that a shrunken set still has to stop take up room.
    func present(_ indices: some Sequence<Int>) -> Int {
        indices.reduce(0) { $0 + max(sets[$1].status.replicas, sets[$1].desired) }
    }

    mutating func decide(oldPodsRunning: (ReplicaSet?) -> Bool) {
        if selectsEverything {
            events.append(.init(.warning, "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required."))
            if deployment.status.observedGeneration < deployment.metadata.generation {
                deployment.status.observedGeneration = deployment.metadata.generation
            }
            return
        }
        if deployment.metadata.deletionTimestamp != nil {
            syncNewest(create: false)
            return syncStatus()
        }
        notePause()
        if deployment.spec.paused { return syncSize() }
        if let revision = deployment.rollbackRevision { return rollBack(to: revision) }
        syncNewest(create: false)
        if isScaled { return syncSize() }
        switch deployment.spec.strategy.type {
        case "Recreate": recreate(oldPodsRunning)
        case "RollingUpdate": roll()
        default: problem = "unexpected deployment strategy type: \(deployment.spec.strategy.type)"
        }
    }

    /// The writes, in the order in which they are safe: sizes first, then what they mean for the status.
    func finish() -> DeploymentPlan {
        var plan = DeploymentPlan()
        plan.problem = problem
        for index in dirty where !deleted.contains(index) {
            plan.actions.append(sets[index].uid.isEmpty ? .create(sets[index]) : .update(sets[index]))
            plan.actions += (setEvents[index] ?? []).map { .event($0) }
        }
        plan.actions += deletions.map { .delete($0) }
        if replaced {
            plan.actions.append(.updateDeployment(deployment))
        } else if deployment != original {
            plan.actions.append(.updateStatus(deployment))
        } else {
            plan.recheckAfter = recheckAfter
        }
        plan.actions += events.map { .event($0) }
        return plan
    }

    private var selectsEverything: Bool {
        guard let selector = deployment.fields["spec"]?["selector"] else { return false }
        let labels = selector["matchLabels"]?.object?.count ?? 0
        return labels == 0 && (selector["matchExpressions"]?.array?.isEmpty ?? true)
    }

    /// A paused rollout must not run into its deadline.
    private mutating func notePause() {
        guard deployment.progressDeadline != nil else { return }
        let reason = deployment.status.condition("Progressing")?.reason
        if reason == "ProgressDeadlineExceeded" { return }
        let noted = reason == "DeploymentPaused"
        if deployment.spec.paused, !noted {
            deployment.status.set(.make("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now))
        } else if !deployment.spec.paused, noted {
            deployment.status.set(.make("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now))
        }
    }

    // MARK: Changing replica sets

    mutating func touch(_ index: Int) {
        if !dirty.contains(index) { dirty.append(index) }
    }

    mutating func note(_ level: EventNote.Level, _ reason: String, _ message: String) {
        events.append(.init(level, reason, message))
    }

    mutating func noteScaling(_ index: Int, _ message: String) {
        setEvents[index, default: []].append(.init(.normal, "ScalingReplicaSet", message))
    }

    /// Gives a replica set a size; with `force` its annotations are brought up to date even if the size stays.
    @discardableResult
    mutating func scale(_ index: Int, to size: Int, force: Bool = false) -> Bool {
        let before = sets[index].desired
        guard force || before != size else { return false }
        let annotated = sets[index].setSizeAnnotations(deployment)
        guard annotated || before != size else { return false }
        sets[index].spec.replicas = .init(size)
        touch(index)
        guard before != size else { return false }
        let way = before < size ? "up" : "down"
        noteScaling(index, "Scaled \(way) replica set \(sets[index].name) from \(before) to \(size)")
        return true
    }

    /// Keeps only as much history as wanted; sets that still have pods stay.
    mutating func trimHistory() {
        guard let limit = deployment.historyLimit else { return }
        let alive = old.filter { sets[$0].metadata.deletionTimestamp == nil }
        let surplus = alive.count - limit
        guard surplus > 0 else { return }
        let ordered = alive.sorted { a, b in
            let one = sets[a].revision
            let other = sets[b].revision
            guard let one, let other, one != other else { return ReplicaSet.olderFirst(sets[a], sets[b]) }
            return one < other
        }
        for index in ordered.prefix(surplus) {
            let set = sets[index]
            guard set.status.replicas == 0, set.desired == 0, set.metadata.generation <= set.status.observedGeneration
            else { continue }
            deleted.insert(index)
            deletions.append(set)
        }
    }

    /// Asks for another look when the progress deadline passes.
    mutating func awaitDeadline(_ status: DeploymentStatus) {
        guard let deadline = deployment.progressDeadline, let condition = deployment.status.condition("Progressing") else { return }
        if deployment.isComplete(status) || condition.reason == "ProgressDeadlineExceeded" { return }
        guard let from = condition.lastUpdateTime else { return }
        let rest = (from + Duration.seconds(deadline)) - now
        recheckAfter = max(rest, .zero) + .seconds(1)
    }

    // MARK: Going back

    private mutating func rollBack(to wanted: Int) {
        syncNewest(create: true)
        var revision = wanted
        replaced = true
        deployment.metadata.annotations[DeploymentAnnotation.rollbackTo] = nil
        if revision == 0 { revision = lastRevision }
        guard revision != 0 else {
            return note(.warning, "DeploymentRollbackRevisionNotFound", "Unable to find last revision.")
        }
        guard let target = sets.first(where: { $0.revision == revision }) else {
            return note(.warning, "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to.")
        }
        guard !PodTemplates.equalIgnoringHash(deployment.spec.template, target.spec.template) else {
            let message = "The rollback revision contains the same template as current deployment \"\(deployment.name)\""
            return note(.warning, "DeploymentRollbackTemplateUnchanged", message)
        }
        var template = target.spec.template
        template.metadata.labels[PodTemplates.hashLabel] = nil
        deployment.spec.template = template
        var annotations = deployment.metadata.annotations.filter { DeploymentAnnotation.own.contains($0.key) }
        for (key, value) in target.metadata.annotations where !DeploymentAnnotation.own.contains(key) {
            annotations[key] = value
        }
        deployment.metadata.annotations = annotations
        note(.normal, "DeploymentRollback", "Rolled back deployment \"\(deployment.name)\" to revision \(revision)")
    }

    /// The second highest revision.
    private var lastRevision: Int {
        let revisions = sets.compactMap(\.revision).sorted(by: >)
        return revisions.count > 1 ? revisions[1] : 0
    }
}
