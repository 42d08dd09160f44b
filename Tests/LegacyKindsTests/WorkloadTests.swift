import Testing
import Values

@testable import LegacyKinds

@Suite struct WorkloadTests {
    private static let pod = """
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: nginx}]}
        """

    private static func manifest(_ apiVersion: String, _ kind: String, _ more: String = "") -> String {
        "apiVersion: \(apiVersion)\nkind: \(kind)\nmetadata: {name: web, namespace: default}\nspec:\n\(more)\(pod)\n"
    }

    @Test func `an extensions Deployment takes its selector and labels from the template and rolls one by one`() throws {
        let form = try OldForm("extensions/v1beta1", "deployments")
        let stored = try form.stored(Self.manifest("extensions/v1beta1", "Deployment"))
        #expect(stored["apiVersion"] == "apps/v1")
        #expect(stored.value(at: ["spec", "selector"]) == ["matchLabels": ["app": "web"]])
        #expect(stored.value(at: ["metadata", "labels"]) == ["app": "web"])
        #expect(
            stored.value(at: ["spec", "strategy"]) == ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 1]]
        )
        #expect(stored.value(at: ["spec", "progressDeadlineSeconds"]) == 2_147_483_647)
        #expect(stored.value(at: ["spec", "revisionHistoryLimit"]) == 2_147_483_647)
        #expect(stored.value(at: ["spec", "replicas"]) == 1)
        #expect(stored.value(at: ["spec", "template", "spec", "restartPolicy"]) == "Always")
        #expect(form.issues(stored) == [])
    }

    @Test func `an apps v1beta1 Deployment keeps two old revisions`() throws {
        let form = try OldForm("apps/v1beta1", "deployments")
        let stored = try form.stored(Self.manifest("apps/v1beta1", "Deployment"))
        #expect(stored.value(at: ["spec", "revisionHistoryLimit"]) == 2)
        #expect(stored.value(at: ["spec", "progressDeadlineSeconds"]) == 600)
        #expect(stored.value(at: ["spec", "strategy", "rollingUpdate"]) == ["maxSurge": "25%", "maxUnavailable": "25%"])
        #expect(form.issues(stored) == [])
    }

    @Test func `rollbackTo is kept in an annotation and comes back`() throws {
        let form = try OldForm("extensions/v1beta1", "deployments")
        let stored = try form.stored(Self.manifest("extensions/v1beta1", "Deployment", "  rollbackTo: {revision: 3}\n"))
        #expect(stored.value(at: ["metadata", "annotations", "deprecated.deployment.rollback.to"]) == "3")
        #expect(stored.value(at: ["spec", "rollbackTo"]) == nil)
        let back = try #require(form.version.conversion).fromStorage(stored)
        #expect(back.value(at: ["spec", "rollbackTo", "revision"]) == 3)
        #expect(back.value(at: ["metadata", "annotations"]) == nil)
    }

    @Test func `what was said is not overruled by a default`() throws {
        let form = try OldForm("extensions/v1beta1", "deployments")
        let more = "  selector: {matchLabels: {app: web}}\n  strategy: {type: Recreate}\n  revisionHistoryLimit: 4\n"
        let stored = try form.stored(Self.manifest("extensions/v1beta1", "Deployment", more))
        #expect(stored.value(at: ["spec", "strategy"]) == ["type": "Recreate"])
        #expect(stored.value(at: ["spec", "revisionHistoryLimit"]) == 4)
    }

    @Test func `an old DaemonSet and StatefulSet replace pods only by hand`() throws {
        for (apiVersion, plural, kind) in [
            ("extensions/v1beta1", "daemonsets", "DaemonSet"), ("apps/v1beta1", "statefulsets", "StatefulSet"),
        ] {
            let form = try OldForm(apiVersion, plural)
            let stored = try form.stored(Self.manifest(apiVersion, kind))
            #expect(stored.value(at: ["spec", "updateStrategy"]) == ["type": "OnDelete"], "\(kind)")
            #expect(stored.value(at: ["spec", "selector", "matchLabels", "app"]) == "web")
            #expect(form.issues(stored) == [])
        }
    }

    @Test func `the number of a DaemonSet's templates lives in an annotation today`() throws {
        let form = try OldForm("extensions/v1beta1", "daemonsets")
        var stored = try form.stored(Self.manifest("extensions/v1beta1", "DaemonSet", "  templateGeneration: 5\n"))
        #expect(stored.value(at: ["metadata", "annotations", "deprecated.daemonset.template.generation"]) == "5")
        stored = try #require(form.version.conversion).fromStorage(stored)
        #expect(stored.value(at: ["spec", "templateGeneration"]) == 5)
    }

    @Test func `v1beta2 workloads differ by name only, and a field of the past is unknown there`() throws {
        let form = try OldForm("apps/v1beta2", "deployments")
        let more = "  selector: {matchLabels: {app: web}}\n"
        let stored = try form.stored(Self.manifest("apps/v1beta2", "Deployment", more))
        #expect(stored.value(at: ["spec", "revisionHistoryLimit"]) == 10)
        let (_, unknown) = try form.decoded(Self.manifest("apps/v1beta2", "Deployment", more + "  rollbackTo: {revision: 1}\n"))
        #expect(unknown == ["unknown field \"spec.rollbackTo\""])
    }

    @Test func `a beta CronJob`() throws {
        let form = try OldForm("batch/v1beta1", "cronjobs")
        let stored = try form.stored(
            """
            apiVersion: batch/v1beta1
            kind: CronJob
            metadata: {name: hello, namespace: default}
            spec:
              schedule: "*/1 * * * *"
              jobTemplate:
                spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: hello, image: busybox}]}}}
            """
        )
        #expect(stored["apiVersion"] == "batch/v1")
        #expect(stored.value(at: ["spec", "concurrencyPolicy"]) == "Allow")
        #expect(form.issues(stored) == [])
    }
}
