import Testing
import Values

@testable import BuiltinKinds
@testable import PodKinds

private let template = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: i}]}}"

@Suite struct WorkloadTests {
    static let deployment =
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {app: a}}, \(template)}}"
    static let job =
        "{apiVersion: batch/v1, kind: Job, metadata: {name: j, uid: u-1}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}"
    static let cronJob =
        "{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {schedule: '*/5 * * * *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}}}"

    @Test(arguments: [
        Broken("spec.selector", nil, "spec.selector: Required value"),
        Broken("spec.selector", [:], "spec.selector: Invalid value: {}: empty selector is invalid for deployment"),
        Broken(
            "spec.selector",
            ["matchLabels": ["app": "b"]],
            "spec.template.metadata.labels: Invalid value: {\"app\":\"a\"}: `selector` does not match template `labels`"
        ),
        Broken(
            "spec.selector",
            ["matchExpressions": [["key": "app", "operator": "Like"]]],
            "spec.selector.matchExpressions[0].operator: Invalid value: \"Like\": not a valid selector operator"
        ),
        Broken("spec.replicas", -1, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        Broken(
            "spec.template.spec.restartPolicy",
            "Never",
            "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\""
        ),
        Broken(
            "spec.template.spec.activeDeadlineSeconds",
            3,
            "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"
        ),
        Broken("spec.template.spec.containers.0.image", "", "spec.template.spec.containers[0].image: Required value"),
        Broken(
            "spec.strategy",
            ["type": "Recreate", "rollingUpdate": ["maxSurge": 1]],
            "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"
        ),
        Broken(
            "spec.strategy",
            ["rollingUpdate": ["maxSurge": 0, "maxUnavailable": 0]],
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"
        ),
        Broken(
            "spec.strategy",
            ["rollingUpdate": ["maxUnavailable": "101%"]],
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"101%\": must not be greater than 100%"
        ),
        Broken("spec.minReadySeconds", 600, "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"),
    ])
    func `a broken deployment`(_ broken: Broken) throws {
        let found = try Subject("deployments.apps").problems(with(yaml(Self.deployment), broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test func `a sound deployment, its defaults and its fixed selector`() throws {
        let deployments = try Subject("deployments.apps")
        let deployment = try yaml(Self.deployment)
        #expect(deployments.problems(deployment) == [])
        let made = deployments.created(deployment)
        #expect(
            made.value(at: ["spec", "strategy"]) == [
                "type": "RollingUpdate", "rollingUpdate": ["maxSurge": "25%", "maxUnavailable": "25%"],
            ]
        )
        #expect(
            deployments.created(with(deployment, "spec.strategy", ["type": "Recreate"])).value(at: ["spec", "strategy"]) == [
                "type": "Recreate"
            ]
        )
        var other = with(deployment, "spec.selector.matchLabels.app", "b")
        other = with(other, "spec.template.metadata.labels.app", "b")
        #expect(
            deployments.problems(other, from: deployment) == [
                "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"b\"}}: field is immutable"
            ]
        )
    }

    @Test func `a replication controller takes selector and labels from its template`() throws {
        let controllers = try Subject("replicationcontrollers")
        let controller = try yaml("{metadata: {name: r}, spec: {\(template)}}")
        let made = controllers.created(controller)
        #expect(made.value(at: ["spec", "selector"]) == ["app": "a"])
        #expect(made.value(at: ["metadata", "labels"]) == ["app": "a"])
        #expect(controllers.problems(controller) == [])
    }

    @Test(arguments: [
        Broken(
            "spec.podManagementPolicy",
            "Random",
            "spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"
        ),
        Broken(
            "spec.updateStrategy",
            ["type": "Blue"],
            "spec.updateStrategy: Invalid value: {\"Type\":\"Blue\",\"RollingUpdate\":null}: must be 'RollingUpdate' or 'OnDelete'"
        ),
        Broken("spec.ordinals", ["start": -1], "spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"),
        Broken(
            "spec.volumeClaimTemplates",
            [["metadata": ["name": "d"], "spec": ["accessModes": ["ReadWriteOnce"]]]],
            "spec.volumeClaimTemplates[0].spec.resources[storage]: Required value"
        ),
        Broken(
            "spec.template.spec.containers.0.volumeMounts",
            [["name": "d", "mountPath": "/d"]],
            "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"d\""
        ),
    ])
    func `a broken stateful set`(_ broken: Broken) throws {
        let set = "{metadata: {name: s}, spec: {selector: {matchLabels: {app: a}}, \(template)}}"
        let found = try Subject("statefulsets.apps").problems(with(yaml(set), broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test func `pods of a stateful set may mount its claims; few fields can change`() throws {
        let sets = try Subject("statefulsets.apps")
        var set = try yaml("{metadata: {name: s}, spec: {selector: {matchLabels: {app: a}}, \(template)}}")
        set.set([["name": "d", "mountPath": "/d"]], at: ["spec", "template", "spec", "containers", "0", "volumeMounts"])
        set.set(
            [["metadata": ["name": "d"], "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]]],
            at: ["spec", "volumeClaimTemplates"]
        )
        #expect(sets.problems(set) == [])
        #expect(sets.problems(with(set, "spec.replicas", 5), from: set) == [])
        #expect(
            sets.problems(with(set, "spec.serviceName", "x"), from: set) == [
                "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            ]
        )
    }

    @Test func `a daemon set has one way to roll`() throws {
        let sets = try Subject("daemonsets.apps")
        let set = try yaml("{metadata: {name: s}, spec: {selector: {matchLabels: {app: a}}, \(template)}}")
        #expect(sets.problems(set) == [])
        let both = with(set, "spec.updateStrategy", ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 1]])
        #expect(
            sets.problems(both) == [
                "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"
            ]
        )
        let none = with(set, "spec.updateStrategy", ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 0, "maxUnavailable": 0]])
        #expect(sets.problems(none) == ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"])
    }

    @Test(arguments: [
        Broken(
            "spec.template.spec.restartPolicy",
            "Always",
            "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""
        ),
        Broken("spec.completionMode", "Indexed", "spec.completions: Required value: when completion mode is Indexed"),
        Broken("spec.backoffLimitPerIndex", 1, "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
        Broken("spec.backoffLimit", -1, "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"),
        Broken("spec.managedBy", "me", "spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path (such as \"acme.io/foo\")"),
        Broken(
            "spec.podFailurePolicy",
            ["rules": [["action": "Ignore"]]],
            "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"
        ),
        Broken(
            "spec.podFailurePolicy",
            ["rules": [["action": "Ignore", "onExitCodes": ["operator": "In", "values": [0]]]]],
            "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator"
        ),
        Broken(
            "spec.template.metadata.labels",
            ["job-name": "other"],
            "spec.template.metadata.labels[job-name]: Invalid value: {\"batch.kubernetes.io/controller-uid\":\"u-1\",\"batch.kubernetes.io/job-name\":\"j\",\"controller-uid\":\"u-1\",\"job-name\":\"other\"}: must be 'j'"
        ),
    ])
    func `a broken job`(_ broken: Broken) throws {
        var job = try with(yaml(Self.job), broken.path, broken.value)
        if broken.path == "spec.completionMode" { job.set(2, at: ["spec", "parallelism"]) }
        let found = try Subject("jobs.batch").problems(job)
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test func `defaults of a job in all their branches`() throws {
        let jobs = try Subject("jobs.batch")
        let job = try yaml(Self.job)
        #expect(jobs.problems(job) == [])
        let spec = try #require(jobs.created(job)["spec"])
        #expect(spec["completions"] == 1 && spec["parallelism"] == 1 && spec["backoffLimit"] == 6)
        #expect(spec["podReplacementPolicy"] == "TerminatingOrFailed")
        #expect(spec["selector"] == ["matchLabels": ["batch.kubernetes.io/controller-uid": "u-1"]])
        var indexed = with(with(job, "spec.backoffLimitPerIndex", 1), "spec.completionMode", "Indexed")
        indexed = with(with(indexed, "spec.completions", 2), "spec.podFailurePolicy", ["rules": []])
        let other = try #require(jobs.created(indexed)["spec"])
        #expect(other["backoffLimit"] == 2_147_483_647 && other["podReplacementPolicy"] == "Failed")
        let labelled = with(job, "spec.template.metadata", ["labels": ["a": "b"]])
        #expect(jobs.completed(labelled).value(at: ["metadata", "labels"]) == ["a": "b"])
    }

    @Test func `what a job's status may not become`() throws {
        let jobs = try Subject("jobs.batch")
        let job = try yaml(Self.job)
        let failed = with(
            job,
            "status",
            [
                "failed": 2, "startTime": "2026-01-01T00:00:00Z",
                "conditions": [["type": "FailureTarget", "status": "True"], ["type": "Failed", "status": "True"]],
            ]
        )
        #expect(jobs.statusProblems(failed, from: job) == [])
        #expect(
            jobs.statusProblems(with(failed, "status.failed", 1), from: failed) == [
                "status.failed: Invalid value: 1: cannot decrease the failed counter"
            ]
        )
        #expect(
            jobs.statusProblems(with(failed, "status.conditions", []), from: failed) == [
                "status.conditions: Invalid value: cannot disable the terminal Failed=True condition",
                "status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition",
            ]
        )
        #expect(
            jobs.statusProblems(with(job, "status", ["active": 1, "ready": 2]), from: job) == [
                "status.ready: Invalid value: 2: cannot set more ready pods than active"
            ]
        )
    }

    @Test(
        arguments: [
            ("*/5 * * * *", nil), ("@daily", nil), ("@every 1h30m", nil), ("0 9-17 * jan,MAR mon-fri", nil), ("0 0 1,15 * ?", nil),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"), ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"), ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"), ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("@noon", "unrecognized descriptor: @noon"),
        ] as [(String, String?)]
    )
    func `schedules`(_ schedule: String, _ problem: String?) {
        #expect(CronSchedule.problem(schedule) == problem)
    }

    @Test(arguments: [
        Broken("spec.schedule", "", "spec.schedule: Required value"),
        Broken(
            "spec.schedule",
            "TZ=UTC 0 0 * * *",
            "spec.schedule: Invalid value: \"TZ=UTC 0 0 * * *\": cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        ),
        Broken(
            "spec.timeZone",
            "Local",
            "spec.timeZone: Invalid value: \"Local\": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        ),
        Broken(
            "spec.concurrencyPolicy",
            "Maybe",
            "spec.concurrencyPolicy: Unsupported value: \"Maybe\": supported values: \"Allow\", \"Forbid\", \"Replace\""
        ),
        Broken(
            "metadata.name",
            "a2345678901234567890123456789012345678901234567890123",
            "metadata.name: Invalid value: \"a2345678901234567890123456789012345678901234567890123\": must be no more than 52 characters"
        ),
        Broken(
            "spec.jobTemplate.spec.selector",
            ["matchLabels": ["a": "b"]],
            "spec.jobTemplate.spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\"}}: `selector` will be auto-generated"
        ),
    ])
    func `a broken cron job`(_ broken: Broken) throws {
        let jobs = try Subject("cronjobs.batch")
        #expect(try jobs.problems(yaml(Self.cronJob)) == [])
        let found = try jobs.problems(with(yaml(Self.cronJob), broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test func `counts of a status that do not add up`() throws {
        let sets = try Subject("replicasets.apps")
        let old: JSONValue = ["metadata": ["name": "r"]]
        let new = with(old, "status", ["replicas": 1, "readyReplicas": 2])
        #expect(sets.statusProblems(new, from: old) == ["status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas"])
    }
}
