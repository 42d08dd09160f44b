import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite struct DeploymentPlanTests {
    @Test(arguments: [
        (10, IntOrString.string("25%"), IntOrString.string("25%"), 3, 2),
        (1, .string("25%"), .string("25%"), 1, 0),
        (3, .int(0), .int(0), 0, 1),
        (3, .string("0%"), .string("10%"), 0, 1),
        (2, .int(1), .int(5), 1, 2),
        (0, .string("25%"), .string("25%"), 0, 0),
    ])
    func `surge rounds up and unavailable down`(_ row: (Int, IntOrString, IntOrString, Int, Int)) {
        let deployment = makeDeployment(row.0, surge: row.1, unavailable: row.2)
        #expect(deployment.maxSurge == row.3)
        #expect(deployment.maxUnavailable == row.4)
    }

    @Test func `a new deployment gets a replica set at full size and says so`() {
        var model = RolloutModel(makeDeployment(3))
        model.reconcileDeployment()
        let set = model.sets.values.first
        #expect(model.sets.count == 1)
        #expect(set?.desired == 3)
        #expect(set?.metadata.annotations[DeploymentAnnotation.revision] == "1")
        #expect(set?.metadata.annotations[DeploymentAnnotation.desiredReplicas] == "3")
        #expect(set?.metadata.annotations[DeploymentAnnotation.maxReplicas] == "4")
        #expect(model.deployment.metadata.annotations[DeploymentAnnotation.revision] == "1")
        let hash = set?.labels[PodTemplates.hashLabel] ?? ""
        #expect(set?.name == "web-\(hash)")
        #expect(set?.fields["spec"]?["selector"]?["matchLabels"]?[PodTemplates.hashLabel]?.string == hash)
        #expect(set?.spec.template.metadata.labels[PodTemplates.hashLabel] == hash)
        #expect(model.events == ["Normal ScalingReplicaSet Scaled up replica set web-\(hash) from 0 to 3"])
        let progressing = model.deployment.status.condition("Progressing")
        #expect(progressing?.reason == "NewReplicaSetCreated")
        #expect(progressing?.message == "Created new replica set \"web-\(hash)\"")
        #expect(model.deployment.status.condition("Available")?.reason == "MinimumReplicasUnavailable")
    }

    @Test func `a finished rollout is available, complete and quiet`() {
        var model = RolloutModel(makeDeployment(3))
        model.settle()
        #expect(model.deployment.status.readyReplicas == 3)
        #expect(model.deployment.status.updatedReplicas == 3)
        #expect(model.deployment.status.observedGeneration == 1)
        #expect(model.deployment.status.condition("Progressing")?.reason == "NewReplicaSetAvailable")
        #expect(model.deployment.status.condition("Available")?.status == "True")
        let plan = DeploymentPlan.plan(model.deployment, replicaSets: Array(model.sets.values), now: model.now) { _ in true }
        #expect(plan.actions.isEmpty)
    }

    @Test func `a rolling update ends with the old set at zero and keeps history on the way back`() {
        var model = RolloutModel(makeDeployment(4))
        model.settle()
        let first = model.sets.keys.first ?? ""
        model.deployment.spec.template = makeTemplate("v2")
        model.deployment.metadata.generation += 1
        model.settle()
        #expect(model.sets.count == 2)
        #expect(model.sets[first]?.desired == 0)
        #expect(model.deployment.metadata.annotations[DeploymentAnnotation.revision] == "2")
        model.deployment.spec.template = makeTemplate("v1")
        model.deployment.metadata.generation += 1
        model.settle()
        #expect(model.sets[first]?.desired == 4)
        #expect(model.sets[first]?.metadata.annotations[DeploymentAnnotation.revision] == "3")
        #expect(model.sets[first]?.metadata.annotations[DeploymentAnnotation.revisionHistory] == "1")
        #expect(model.deployment.metadata.annotations[DeploymentAnnotation.revision] == "3")
    }

    @Test func `old sets beyond the history limit are removed when the rollout is complete`() {
        var model = RolloutModel(makeDeployment(2))
        model.deployment.spec.revisionHistoryLimit = 1
        for version in 1...4 {
            model.deployment.spec.template = makeTemplate("v\(version)")
            model.deployment.metadata.generation += 1
            model.settle()
        }
        #expect(model.sets.count == 2)
        #expect(Set(model.sets.values.compactMap(\.revision)) == [3, 4])
    }

    @Test func `recreate stops the old pods before it starts new ones`() {
        var model = RolloutModel(makeDeployment(3, strategy: "Recreate"))
        model.settle()
        let first = model.sets.keys.first ?? ""
        model.deployment.spec.template = makeTemplate("v2")
        model.deployment.metadata.generation += 1
        model.reconcileDeployment()
        #expect(model.sets[first]?.desired == 0)
        #expect(model.sets.count == 1)
        model.reconcileSet(first)
        model.reconcileDeployment()
        #expect(model.sets.count == 1, "terminating pods still run")
        for name in model.pods.keys { model.vanish(name) }
        model.reconcileDeployment()
        #expect(model.sets.count == 2)
        model.settle()
        #expect(model.deployment.status.updatedReplicas == 3)
    }

    @Test func `a paused deployment is resized but not rolled`() {
        var model = RolloutModel(makeDeployment(2))
        model.settle()
        model.deployment.spec.paused = true
        model.deployment.spec.replicas = 5
        model.deployment.spec.template = makeTemplate("v2")
        model.deployment.metadata.generation += 1
        model.settle()
        #expect(model.sets.count == 1)
        #expect(model.sets.values.first?.desired == 5)
        #expect(model.deployment.status.condition("Progressing")?.reason == "DeploymentPaused")
        model.deployment.spec.paused = false
        model.reconcileDeployment()
        #expect(model.events.contains { $0.contains("Scaled up replica set") && $0.hasSuffix("from 0 to 1") })
        model.settle()
        #expect(model.sets.count == 2)
        #expect(model.deployment.status.updatedReplicas == 5)
    }

    @Test func `scaling during a rollout is shared in proportion`() {
        var deployment = makeDeployment(10, surge: .int(3), unavailable: .int(2))
        var model = RolloutModel(deployment)
        model.settle()
        model.deployment.spec.template = makeTemplate("v2")
        model.deployment.metadata.generation += 1
        model.reconcileDeployment()
        let old = model.sets.values.first { $0.spec.template.spec.containers.first?.image == "v1" }
        let new = model.sets.values.first { $0.spec.template.spec.containers.first?.image == "v2" }
        #expect(old?.desired == 8)
        #expect(new?.desired == 3)
        for name in model.sets.keys { model.reconcileSet(name) }
        model.reconcileDeployment()
        let newer = model.sets.values.first { $0.spec.template.spec.containers.first?.image == "v2" }
        #expect(newer?.desired == 5)
        for name in model.sets.keys { model.reconcileSet(name) }
        deployment = model.deployment
        deployment.spec.replicas = 15
        deployment.metadata.generation += 1
        let plan = DeploymentPlan.plan(deployment, replicaSets: Array(model.sets.values), now: model.now) { _ in false }
        var sizes: [String: Int] = [:]
        for case .update(let set) in plan.actions { sizes[set.spec.template.spec.containers.first?.image ?? ""] = set.desired }
        #expect(sizes == ["v1": 11, "v2": 7])
    }

    @Test func `no progress within the deadline is reported once it has passed`() {
        var model = RolloutModel(makeDeployment(2))
        model.reconcileDeployment()
        for name in model.sets.keys { model.reconcileSet(name) }
        model.reconcileDeployment()
        let before = DeploymentPlan.plan(model.deployment, replicaSets: Array(model.sets.values), now: model.now) { _ in false }
        #expect(before.actions.isEmpty)
        #expect(before.recheckAfter == .seconds(601))
        model.now = model.now + .seconds(602)
        model.reconcileDeployment()
        let condition = model.deployment.status.condition("Progressing")
        #expect(condition?.reason == "ProgressDeadlineExceeded")
        #expect(condition?.status == "False")
        #expect(condition?.message.hasSuffix("has timed out progressing.") == true)
    }

    @Test func `a rollback annotation copies the old template and its change cause`() {
        var model = RolloutModel(makeDeployment(1))
        model.deployment.metadata.annotations["kubernetes.io/change-cause"] = "one"
        model.settle()
        model.deployment.spec.template = makeTemplate("v2")
        model.deployment.metadata.annotations["kubernetes.io/change-cause"] = "two"
        model.deployment.metadata.generation += 1
        model.settle()
        model.deployment.metadata.annotations[DeploymentAnnotation.rollbackTo] = "1"
        model.reconcileDeployment()
        #expect(model.deployment.spec.template.spec.containers.first?.image == "v1")
        #expect(model.deployment.spec.template.metadata.labels[PodTemplates.hashLabel] == nil)
        #expect(model.deployment.metadata.annotations["kubernetes.io/change-cause"] == "one")
        #expect(model.deployment.metadata.annotations[DeploymentAnnotation.rollbackTo] == nil)
        #expect(model.events.contains("Normal DeploymentRollback Rolled back deployment \"web\" to revision 1"))
    }

    @Test func `the template hash does not depend on field order and changes with the collision count`() throws {
        let one = try JSONParser.parse(#"{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}"#)
        let other = try JSONParser.parse(
            #"{"spec":{"containers":[{"image":"i","name":"c"}]},"metadata":{"creationTimestamp":null,"labels":{"a":"b","pod-template-hash":"x"}}}"#
        )
        let first = PodTemplates.hash(of: PodTemplateSpec(value: one), collisionCount: nil)
        #expect(first == PodTemplates.hash(of: PodTemplateSpec(value: other), collisionCount: nil))
        #expect(first != PodTemplates.hash(of: PodTemplateSpec(value: one), collisionCount: 1))
        #expect(first.allSatisfy { "bcdfghjklmnpqrstvwxz2456789".contains($0) })
    }
}

@Suite struct RollingUpdateProperties {
    /// Whatever the order in which controllers and pods move, never too few available and never too many at all.
    @Test(arguments: 1...60)
    func `availability and surge hold at every step`(_ seed: UInt64) {
        let random = SeededRandom(seed: seed)
        func pick(_ n: Int) -> Int { Int(random.next() % UInt64(n)) }
        let replicas = 1 + pick(12)
        let surge: IntOrString = [.int(0), .int(1), .int(3), .string("25%"), .string("100%")][pick(5)]
        let unavailable: IntOrString = [.int(0), .int(1), .int(2), .string("25%"), .string("50%")][pick(5)]
        var deployment = makeDeployment(replicas, surge: surge, unavailable: unavailable)
        deployment.spec.minReadySeconds = [0, 0, 7][pick(3)]
        var model = RolloutModel(deployment)
        model.settle()
        model.now = model.now + .seconds(10)
        model.settle()
        let floor = replicas - model.deployment.maxUnavailable
        let ceiling = replicas + model.deployment.maxSurge
        #expect(model.available == replicas)
        for version in 2...4 {
            model.deployment.spec.template = makeTemplate("v\(version)")
            model.deployment.metadata.generation += 1
            for _ in 0..<pick(150) {
                switch pick(6) {
                case 0: model.reconcileDeployment()
                case 1, 2:
                    let names = model.sets.keys.sorted()
                    if !names.isEmpty { model.reconcileSet(names[pick(names.count)]) }
                case 3:
                    let names = model.pods.keys.sorted()
                    if !names.isEmpty { model.makeReady(names[pick(names.count)]) }
                case 4:
                    let names = model.pods.keys.sorted()
                    if !names.isEmpty { model.vanish(names[pick(names.count)]) }
                default: model.now = model.now + .seconds(pick(4))
                }
                #expect(model.available >= floor, "seed \(seed)")
                #expect(model.living.count <= ceiling, "seed \(seed)")
            }
        }
        // Each wave of pods waits for `minReadySeconds` before the next one may go.
        for _ in 0..<60 {
            model.settle(rounds: 200)
            model.now = model.now + .seconds(10)
        }
        #expect(model.available == replicas)
        #expect(model.living.allSatisfy { $0.pod.spec.containers.first?.image == "v4" })
        #expect(model.deployment.status.condition("Progressing")?.reason == "NewReplicaSetAvailable")
    }
}
