import APIModel
import APITypes
import Units
import Values

/// What the sizes mean for the status.
extension DeploymentRollout {
    /// Counts and availability only.
    mutating func syncStatus() {
        deployment.status = counted()
    }

    /// Counts, availability and progress.
    mutating func syncRollout() {
        var status = counted()
        let current = deployment.status.condition("Progressing")
        let complete = status.replicas == status.updatedReplicas && current?.reason == "NewReplicaSetAvailable"
        if deployment.progressDeadline != nil, !complete {
            noteProgress(&status, current: current)
        }
        if let failure = failure {
            status.set(failure)
        } else {
            status.remove("ReplicaFailure")
        }
        if status == original.status { awaitDeadline(status) }
        deployment.status = status
    }

    private mutating func noteProgress(_ status: inout DeploymentStatus, current: DeploymentCondition?) {
        let subject = newSet.map { "ReplicaSet \"\($0.name)\"" } ?? "Deployment \"\(deployment.name)\""
        if deployment.isComplete(status) {
            status.set(.make("Progressing", "True", "NewReplicaSetAvailable", "\(subject) has successfully progressed.", now))
        } else if deployment.isProgressing(status) {
            var condition = DeploymentCondition.make("Progressing", "True", "ReplicaSetUpdated", "\(subject) is progressing.", now)
            if let current {
                if current.status == "True" { condition.lastTransitionTime = current.lastTransitionTime }
                status.remove("Progressing")
            }
            status.set(condition)
        } else if isLate(status) {
            status.set(.make("Progressing", "False", "ProgressDeadlineExceeded", "\(subject) has timed out progressing.", now))
        }
    }

    private func isLate(_ status: DeploymentStatus) -> Bool {
        guard let deadline = deployment.progressDeadline, let condition = status.condition("Progressing") else { return false }
        if condition.reason == "NewReplicaSetAvailable" { return false }
        if condition.reason == "ProgressDeadlineExceeded" { return true }
        guard let from = condition.lastUpdateTime else { return true }
        return from + Duration.seconds(deadline) < now
    }

    private func counted() -> DeploymentStatus {
        let all = sets.map(\.status)
        var status = deployment.status
        let available = all.reduce(0) { $0 + $1.availableReplicas }
        let total = total(sets.indices)
        status.observedGeneration = deployment.metadata.generation
        status.replicas = all.reduce(0) { $0 + $1.replicas }
        status.updatedReplicas = newSet?.status.replicas ?? 0
        status.readyReplicas = all.reduce(0) { $0 + $1.readyReplicas }
        status.availableReplicas = available
        status.unavailableReplicas = .init(max(0, total - Int(available)))
        // Sets never looked at yet say nothing; one that was and does not know makes the sum unknown.
        let terminating = all.filter { $0.observedGeneration != 0 || $0.terminatingReplicas != nil }.map(\.terminatingReplicas)
        status.terminatingReplicas = terminating.contains { $0 == nil } ? nil : terminating.reduce(0) { $0 + ($1 ?? 0) }
        if Int(available) >= desired - deployment.maxUnavailable {
            status.set(.make("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now))
        } else {
            status.set(.make("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now))
        }
        return status
    }

    /// The newest set's complaint about pods it cannot make, or else any other's.
    private var failure: DeploymentCondition? {
        let candidates = (newSet.map { [$0] } ?? []) + sets
        for set in candidates {
            guard let found = set.status.conditions.first(where: { $0.type == "ReplicaFailure" }) else { continue }
            var condition = DeploymentCondition(fields: [:])
            condition.type = "ReplicaFailure"
            condition.status = found.status
            condition.reason = found.reason
            condition.message = found.message
            condition.lastTransitionTime = found.lastTransitionTime
            condition.lastUpdateTime = found.lastTransitionTime
            return condition
        }
        return nil
    }
}
