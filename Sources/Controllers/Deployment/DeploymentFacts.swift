import APIModel
import APITypes
import Units
import Values

/// The annotations the deployment controller keeps on deployments and replica sets.
public enum DeploymentAnnotation {
    /// Which rollout an object belongs to.
    public static let revision = "deployment.kubernetes.io/revision"
    /// The earlier rollouts a replica set has served.
    public static let revisionHistory = "deployment.kubernetes.io/revision-history"
    /// The deployment's size when the replica set was last scaled.
    public static let desiredReplicas = "deployment.kubernetes.io/desired-replicas"
    /// The same plus the allowed surge.
    public static let maxReplicas = "deployment.kubernetes.io/max-replicas"
    /// How the removed `spec.rollbackTo` travels.
    public static let rollbackTo = "deprecated.deployment.rollback.to"
    /// Never copied between a deployment and its replica sets.
    static let own: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", revision, revisionHistory, desiredReplicas, maxReplicas, rollbackTo,
    ]
    /// The longest revision history, in bytes.
    static let longestHistory = 2000
}

extension Deployment {
    /// The wanted number of pods.
    var desired: Int { Int(spec.replicas ?? 1) }

    var isRolling: Bool { spec.strategy.type == "RollingUpdate" }

    /// How many pods may exist above the wanted number.
    public var maxSurge: Int { isRolling ? fenceposts.surge : 0 }

    /// How many of the wanted pods may be missing during a rollout.
    public var maxUnavailable: Int {
        guard isRolling, desired > 0 else { return 0 }
        return min(fenceposts.unavailable, desired)
    }

    /// Surge rounds up, unavailability down; both zero would never move, so one pod may then be missing.
    private var fenceposts: (surge: Int, unavailable: Int) {
        let rolling = spec.strategy.rollingUpdate
        let surge = scaled(rolling?.maxSurge, roundUp: true)
        let unavailable = scaled(rolling?.maxUnavailable, roundUp: false)
        return surge == 0 && unavailable == 0 ? (0, 1) : (surge, unavailable)
    }

    private func scaled(_ value: IntOrString?, roundUp: Bool) -> Int {
        guard let value, let result = value.scaledValue(total: desired, roundUp: roundUp) else { return 0 }
        return Int(result)
    }

    /// Unlimited when unset or the largest 32-bit number.
    var progressDeadline: Int? {
        guard let seconds = spec.progressDeadlineSeconds, seconds != Int32.max else { return nil }
        return Int(seconds)
    }

    var historyLimit: Int? {
        guard let limit = spec.revisionHistoryLimit, limit != Int32.max else { return nil }
        return Int(limit)
    }

    /// The revision an old client asked to go back to; 0 means the one before.
    var rollbackRevision: Int? {
        metadata.annotations[DeploymentAnnotation.rollbackTo].flatMap { Int($0) }
    }

    /// Everything wanted runs in the newest form and nothing else does.
    func isComplete(_ status: DeploymentStatus) -> Bool {
        Int(status.updatedReplicas) == desired && Int(status.replicas) == desired && Int(status.availableReplicas) == desired
            && status.observedGeneration >= metadata.generation
    }

    /// `status` shows more done than the stored one.
    func isProgressing(_ status: DeploymentStatus) -> Bool {
        let old = self.status
        return status.updatedReplicas > old.updatedReplicas
            || status.replicas - status.updatedReplicas < old.replicas - old.updatedReplicas
            || status.readyReplicas > old.readyReplicas || status.availableReplicas > old.availableReplicas
    }
}

extension ReplicaSet {
    /// The wanted number of pods.
    var desired: Int { Int(spec.replicas ?? 1) }

    /// Its rollout number; nil where the annotation is not a number, 0 where it is missing.
    var revision: Int? {
        guard let text = metadata.annotations[DeploymentAnnotation.revision] else { return 0 }
        return Int(text)
    }

    func count(annotation: String) -> Int? {
        metadata.annotations[annotation].flatMap { Int32($0) }.flatMap { $0 >= 0 ? Int($0) : nil }
    }

    /// Sets the two size annotations; says whether that changed anything.
    mutating func setSizeAnnotations(_ deployment: Deployment) -> Bool {
        let desired = String(deployment.desired)
        let most = String(deployment.desired + deployment.maxSurge)
        var annotations = metadata.annotations
        guard
            annotations[DeploymentAnnotation.desiredReplicas] != desired
                || annotations[DeploymentAnnotation.maxReplicas] != most
        else { return false }
        annotations[DeploymentAnnotation.desiredReplicas] = desired
        annotations[DeploymentAnnotation.maxReplicas] = most
        metadata.annotations = annotations
        return true
    }

    static func olderFirst(_ one: ReplicaSet, _ other: ReplicaSet) -> Bool {
        let a = one.metadata.creationTimestamp ?? Timestamp(unixSeconds: 0, nanoseconds: 0)
        let b = other.metadata.creationTimestamp ?? Timestamp(unixSeconds: 0, nanoseconds: 0)
        return a == b ? one.name < other.name : a < b
    }
}

extension DeploymentStatus {
    func condition(_ type: String) -> DeploymentCondition? {
        conditions.first { $0.type == type }
    }

    /// Puts a condition in; nothing happens when status and reason are as before, the transition time stays when only the reason changes.
    mutating func set(_ condition: DeploymentCondition) {
        var condition = condition
        if let current = self.condition(condition.type), current.status == condition.status {
            if current.reason == condition.reason { return }
            condition.lastTransitionTime = current.lastTransitionTime
        }
        remove(condition.type)
        conditions.append(condition)
    }

    mutating func remove(_ type: String) {
        guard conditions.contains(where: { $0.type == type }) else { return }
        conditions.removeAll { $0.type == type }
    }
}

extension DeploymentCondition {
    static func make(_ type: String, _ status: String, _ reason: String, _ message: String, _ now: Timestamp) -> DeploymentCondition {
        var condition = DeploymentCondition(fields: [:])
        condition.type = type
        condition.status = status
        condition.reason = reason
        condition.message = message
        condition.lastUpdateTime = now
        condition.lastTransitionTime = now
        return condition
    }
}
