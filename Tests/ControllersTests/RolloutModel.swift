import APIModel
import APITypes
import Channels
import Units
import Values

@testable import Controllers

/// A deployment, its replica sets and pods in memory, moved on by the real plans and by chance.
struct RolloutModel {
    struct ModelPod {
        var pod: Pod
        var set: String
    }

    var deployment: Deployment
    var sets: [String: ReplicaSet] = [:]
    var pods: [String: ModelPod] = [:]
    var now = epoch
    var serial = 0
    var events: [String] = []

    init(_ deployment: Deployment) { self.deployment = deployment }

    var living: [ModelPod] { pods.values.filter { $0.pod.isActive } }
    var available: Int { living.count { $0.pod.isAvailable(minReadySeconds: deployment.spec.minReadySeconds, now: now) } }

    mutating func reconcileDeployment() {
        let pods = self.pods
        let plan = DeploymentPlan.plan(deployment, replicaSets: Array(sets.values), now: now) { newest in
            pods.values.contains { !$0.pod.isFinished && $0.set != newest?.name }
        }
        for action in plan.actions { apply(action) }
    }

    private mutating func apply(_ action: DeploymentPlan.Action) {
        switch action {
        case .create(var set):
            serial += 1
            set.metadata.uid = "uid-\(set.name)"
            set.metadata.generation = 1
            set.metadata.creationTimestamp = now + .seconds(serial)
            sets[set.name] = set
        case .update(var set):
            set.status = sets[set.name]?.status ?? set.status
            set.metadata.generation += 1
            sets[set.name] = set
        case .delete(let set):
            sets[set.name] = nil
        case .updateStatus(let updated):
            deployment.status = updated.status
            deployment.metadata.annotations = updated.metadata.annotations
        case .updateDeployment(let updated):
            deployment = updated
            deployment.metadata.generation += 1
        case .event(let note):
            events.append("\(note.level.rawValue) \(note.reason) \(note.message)")
        }
    }

    mutating func reconcileSet(_ name: String) {
        guard var set = sets[name] else { return }
        let own = pods.values.filter { $0.set == name }.map(\.pod)
        let active = own.filter(\.isActive)
        let plan = ReplicaSetPlan.scale(set, active: active, related: active, now: now)
        for _ in 0..<plan.create {
            serial += 1
            var pod = PodTemplates.pod(from: set.spec.template, ownerName: name, namespace: "default", reference: set.controllerReference())
            pod.metadata.name = "pod-\(serial)"
            pod.metadata.uid = "uid-pod-\(serial)"
            pod.metadata.namespace = "default"
            pod.metadata.creationTimestamp = now
            pod.status.phase = "Pending"
            pods[pod.name] = ModelPod(pod: pod, set: name)
        }
        for pod in plan.delete { pods[pod.name]?.pod.metadata.deletionTimestamp = now }
        let after = pods.values.filter { $0.set == name }.map(\.pod)
        set.status = ReplicaSetPlan.status(
            set,
            active: after.filter(\.isActive),
            terminating: after.count { $0.isTerminating },
            failure: nil,
            now: now
        )
        set.status.observedGeneration = set.metadata.generation
        sets[name] = set
    }

    mutating func makeReady(_ name: String) {
        guard pods[name]?.pod.isActive == true, pods[name]?.pod.isReady == false else { return }
        pods[name]?.pod.status.phase = "Running"
        pods[name]?.pod.spec.nodeName = "n1"
        let time = now
        pods[name]?.pod.status.conditions = [
            PodCondition {
                $0.type = "Ready"
                $0.status = "True"
                $0.lastTransitionTime = time
            }
        ]
    }

    mutating func vanish(_ name: String) {
        if pods[name]?.pod.metadata.deletionTimestamp != nil { pods[name] = nil }
    }

    /// Runs everything in turn until nothing changes, at most so many rounds.
    mutating func settle(rounds: Int = 100) {
        for _ in 0..<rounds {
            let before = (deployment, sets)
            reconcileDeployment()
            for name in sets.keys.sorted() { reconcileSet(name) }
            for name in pods.keys.sorted() {
                makeReady(name)
                vanish(name)
            }
            now = now + .seconds(1)
            if before.0 == deployment, before.1 == sets { return }
        }
    }
}
