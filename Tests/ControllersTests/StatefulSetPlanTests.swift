import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

/// Rounds over stateful sets whose template has changed.
@Suite struct StatefulSetPlanTests {
    private func revision(_ name: String, _ image: String, _ number: Int) -> ControllerRevision {
        var revision = ControllerRevision(name: name, namespace: "default")
        revision.metadata.uid = "uid-\(name)"
        revision.revision = number
        revision.fields["data"] = ["spec": ["template": .object(makeTemplate(image).fields)]]
        return revision
    }

    private func set(_ strategy: String, partition: Int? = nil, currentReplicas: Int = 3) -> StatefulSet {
        var set = StatefulSet(name: "db", namespace: "default")
        set.metadata.uid = "uid-db"
        set.spec.replicas = 3
        set.spec.template = makeTemplate("new")
        set.spec.updateStrategy.type = strategy
        if strategy == "RollingUpdate" {
            set.spec.updateStrategy.rollingUpdate = RollingUpdateStatefulSetStrategy { $0.partition = partition ?? 0 }
        }
        set.status.currentRevision = "db-old"
        set.status.currentReplicas = currentReplicas
        return set
    }

    private func round(_ set: StatefulSet, _ pods: [Pod]) -> StatefulSetPlan {
        var history = RevisionHistory(owner: set, template: set.spec.template, collisionCount: nil, existing: [])
        history.current = revision("db-new", "new", 2)
        history.old = [revision("db-old", "old", 1)]
        var round = StatefulRound(set, revisions: StatefulRevisions(set: set, history: history), pods: pods, now: epoch + .seconds(60))
        round.decide()
        return round.plan
    }

    private func pods(_ revisions: [Int: String]) -> [Pod] {
        revisions.sorted { $0.key < $1.key }.map { ordinal, revision in
            makePod("db-\(ordinal)", labels: ["app": "web", "controller-revision-hash": revision])
        }
    }

    private func started(_ plan: StatefulSetPlan) -> [String: String] {
        Dictionary(uniqueKeysWithValues: plan.start.map { ($0.pod.name, $0.pod.spec.containers[0].image) })
    }

    @Test func `with OnDelete no pod is stopped, and one that was deleted comes back as the template now says`() {
        let all = round(set("OnDelete"), pods([0: "db-old", 1: "db-old", 2: "db-old"]))
        #expect(all.stop.isEmpty && all.start.isEmpty)
        #expect(all.status.currentRevision == "db-old" && all.status.updateRevision == "db-new")
        let missing = round(set("OnDelete"), pods([1: "db-old", 2: "db-old"]))
        #expect(started(missing) == ["db-0": "new"])
        let through = round(set("OnDelete"), pods([0: "db-new", 1: "db-new", 2: "db-new"]))
        #expect(through.status.currentRevision == "db-old", "only a rolling update completes")
    }

    @Test func `a rolling update keeps pods below its partition as they were`() {
        let set = set("RollingUpdate", partition: 1)
        #expect(started(round(set, pods([1: "db-old", 2: "db-old"]))) == ["db-0": "old"])
        #expect(started(round(set, pods([0: "db-old", 2: "db-old"]))) == ["db-1": "new"])
        let next = round(set, pods([0: "db-old", 1: "db-old", 2: "db-old"]))
        #expect(next.stop.map(\.name) == ["db-2"])
    }

    @Test func `a rolling update that is through is the current revision`() {
        let plan = round(set("RollingUpdate"), pods([0: "db-new", 1: "db-new", 2: "db-new"]))
        #expect(plan.status.currentRevision == "db-new" && plan.status.currentReplicas == 3)
        #expect(plan.stop.isEmpty && plan.start.isEmpty)
    }
}
