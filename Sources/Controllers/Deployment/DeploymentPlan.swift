import APIModel
import APITypes
import Units
import Values

/// What the deployment controller does next, decided from one snapshot.
public struct DeploymentPlan: Sendable {
    /// One write or event; they are executed in order, and the first failure ends the pass.
    public enum Action: Sendable {
        /// Start a replica set for a new template.
        case create(ReplicaSet)
        /// Write a replica set: size, annotations or both.
        case update(ReplicaSet)
        /// Remove a replica set beyond the history limit.
        case delete(ReplicaSet)
        /// Write status and revision annotation.
        case updateStatus(Deployment)
        /// Write the whole deployment (rollback).
        case updateDeployment(Deployment)
        /// Tell the user.
        case event(EventNote)
    }

    /// What to do, in order.
    public var actions: [Action] = []
    /// When to look again although nothing may have changed: the progress deadline.
    public var recheckAfter: Duration?
    /// Why nothing can be done, for the log.
    public var problem: String?

    /// Decides. `replicaSets` are those the deployment controls; `oldPodsRunning` says whether pods of
    /// replica sets other than the newest still run (asked only for `Recreate`).
    public static func plan(
        _ deployment: Deployment,
        replicaSets: [ReplicaSet],
        now: Timestamp,
        oldPodsRunning: (_ except: ReplicaSet?) -> Bool
    ) -> DeploymentPlan {
        var rollout = DeploymentRollout(deployment, replicaSets: replicaSets, now: now)
        rollout.decide(oldPodsRunning: oldPodsRunning)
        return rollout.finish()
    }

    /// Whether an existing replica set of the wanted name is the wanted one; otherwise the names collide.
    public static func isOwn(_ existing: ReplicaSet, of deployment: Deployment) -> Bool {
        existing.controllerRef?.uid == deployment.uid
            && PodTemplates.equalIgnoringHash(deployment.spec.template, existing.spec.template)
    }

    /// The status that makes the next pass choose another name.
    public static func afterCollision(_ deployment: Deployment) -> Deployment {
        var copy = deployment
        copy.status.collisionCount = (deployment.status.collisionCount ?? 0) + 1
        return copy
    }

    /// The status and event after a replica set could not be created.
    public static func afterFailedCreate(
        _ deployment: Deployment,
        name: String,
        error: String,
        now: Timestamp
    ) -> (status: Deployment?, event: EventNote) {
        let message = "Failed to create new replica set \"\(name)\": \(error)"
        var copy = deployment
        if deployment.progressDeadline != nil {
            copy.status.set(.make("Progressing", "False", "ReplicaSetCreateError", message, now))
        }
        let event = EventNote(.warning, "ReplicaSetCreateError", message)
        return (copy == deployment ? nil : copy, event)
    }
}
