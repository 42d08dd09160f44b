import APITypes
import PodRuntime
import Testing
import Units

@testable import Kubelet

@Suite struct PodPlanTests {
    private let web = """
        metadata: {name: web}
        spec:
          containers: [{name: a, image: x}, {name: b, image: y}]
        """
    private let withInit = """
        metadata: {name: web}
        spec:
          initContainers: [{name: one, image: x}, {name: side, image: s, restartPolicy: Always}, {name: two, image: y}]
          containers: [{name: main, image: z}]
        """

    private func plan(_ pod: Pod, _ containers: [ObservedContainer], _ probes: ProbeOutcomes = ProbeOutcomes()) -> PodPlan {
        PodPlan.plan(pod, observed: Samples.observed(pod, containers), probes: probes)
    }

    @Test func `a new pod gets a sandbox and all its containers`() throws {
        let pod = try Samples.pod(web)
        let plan = PodPlan.plan(pod, observed: ObservedPod(uid: "uid-1"), probes: ProbeOutcomes())
        #expect(plan.createSandbox)
        #expect(plan.attempt == 0)
        #expect(plan.containersToStart == [0, 1])
    }

    @Test func `a new pod with init containers starts the first of them only`() throws {
        let pod = try Samples.pod(withInit)
        let plan = PodPlan.plan(pod, observed: ObservedPod(uid: "uid-1"), probes: ProbeOutcomes())
        #expect(plan.initContainersToStart == [0])
        #expect(plan.containersToStart.isEmpty)
    }

    @Test func `a running pod needs nothing`() throws {
        let pod = try Samples.pod(web)
        #expect(plan(pod, [Samples.container("a", .running), Samples.container("b", .running)]).isEmpty)
    }

    @Test func `a pod whose sandbox died is killed and made again with the next attempt`() throws {
        let pod = try Samples.pod(web)
        var observed = Samples.observed(pod, [Samples.container("a", .exited)])
        observed.sandboxes[0].isReady = false
        observed.sandboxes[0].attempt = 3
        let plan = PodPlan.plan(pod, observed: observed, probes: ProbeOutcomes())
        #expect(plan.killPod && plan.createSandbox)
        #expect(plan.attempt == 4)
    }

    @Test func `a pod that never restarts and has run is not made again`() throws {
        let pod = try Samples.pod(web + "\n  restartPolicy: Never")
        var observed = Samples.observed(pod, [Samples.container("a", .exited), Samples.container("b", .exited)])
        observed.sandboxes[0].isReady = false
        let plan = PodPlan.plan(pod, observed: observed, probes: ProbeOutcomes())
        #expect(plan.killPod && !plan.createSandbox)
    }

    @Test(arguments: [
        ("Always", 0, true), ("Always", 1, true), ("OnFailure", 0, false), ("OnFailure", 2, true), ("Never", 1, false),
    ])
    func `an ended container is started again as the policy says`(policy: String, exitCode: Int, restarts: Bool) throws {
        let pod = try Samples.pod(web + "\n  restartPolicy: \(policy)")
        let plan = plan(pod, [Samples.container("a", .exited, exitCode: exitCode), Samples.container("b", .running)])
        #expect(plan.containersToStart == (restarts ? [0] : []))
        #expect(!plan.killPod)
    }

    @Test func `when nothing runs and nothing will, the sandbox goes too`() throws {
        let pod = try Samples.pod(web + "\n  restartPolicy: OnFailure")
        #expect(plan(pod, [Samples.container("a", .exited), Samples.container("b", .exited)]).killPod)
    }

    @Test func `a failed liveness probe kills and restarts`() throws {
        let pod = try Samples.pod(web)
        var probes = ProbeOutcomes()
        probes[.liveness, "a-0"] = .failure
        let plan = plan(pod, [Samples.container("a", .running), Samples.container("b", .running)], probes)
        #expect(plan.containersToKill.map(\.message) == ["Container a failed liveness probe, will be restarted"])
        #expect(plan.containersToKill.map(\.reason) == [.livenessProbe])
        #expect(plan.containersToStart == [0])
    }

    @Test func `a changed image restarts the container whatever the policy`() throws {
        let pod = try Samples.pod(web + "\n  restartPolicy: Never")
        var old = Samples.container("a", .running)
        old.hash = "other"
        let plan = plan(pod, [old, Samples.container("b", .running)])
        #expect(plan.containersToKill.map(\.message) == ["Container a definition changed, will be restarted"])
        #expect(plan.containersToStart == [0])
    }

    @Test func `init containers come one after the other`() throws {
        let pod = try Samples.pod(withInit)
        let one = Samples.container("one", .exited)
        #expect(plan(pod, [Samples.container("one", .running)]).isEmpty)
        #expect(plan(pod, [one]).initContainersToStart == [1])
        #expect(plan(pod, [Samples.container("side", .running), one]).initContainersToStart == [2])
        let two = Samples.container("two", .exited)
        let ready = plan(pod, [two, Samples.container("side", .running), one])
        #expect(ready.initContainersToStart.isEmpty)
        #expect(ready.containersToStart == [0])
    }

    @Test func `a sidecar that ended is started again beside the running container`() throws {
        let pod = try Samples.pod(withInit)
        let plan = plan(pod, [Samples.container("main", .running), Samples.container("side", .exited, exitCode: 1)])
        #expect(plan.initContainersToStart == [1])
        #expect(plan.containersToStart.isEmpty)
    }

    @Test func `a sidecar with a startup probe holds back what follows until it succeeded`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: web}
            spec:
              initContainers:
              - {name: side, image: s, restartPolicy: Always, startupProbe: {exec: {command: ["true"]}}}
              containers: [{name: main, image: z}]
            """
        )
        let side = Samples.container("side", .running)
        #expect(plan(pod, [side]).isEmpty)
        var probes = ProbeOutcomes()
        probes[.startup, "side-0"] = .success
        #expect(plan(pod, [side], probes).containersToStart == [0])
        probes[.startup, "side-0"] = .failure
        let failed = plan(pod, [side], probes)
        #expect(failed.initContainersToStart == [0])
        #expect(failed.containersToKill.map(\.reason) == [.startupProbe])
    }

    @Test func `a failed init container of a pod that never restarts ends the pod`() throws {
        let pod = try Samples.pod(withInit + "\n  restartPolicy: Never")
        #expect(plan(pod, [Samples.container("one", .exited, exitCode: 1)]).killPod)
    }

    @Test func `a pod being deleted starts nothing`() throws {
        var pod = try Samples.pod(web)
        pod.metadata.deletionTimestamp = Samples.now
        #expect(plan(pod, [Samples.container("a", .exited), Samples.container("b", .running)]).containersToStart.isEmpty)
    }

    @Test func `restart rules of a container decide before its policy`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: web}
            spec:
              restartPolicy: Never
              containers:
              - name: a
                image: x
                restartPolicy: Never
                restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]
              - {name: b, image: y}
            """
        )
        #expect(plan(pod, [Samples.container("a", .exited, exitCode: 42), Samples.container("b", .running)]).containersToStart == [0])
        #expect(plan(pod, [Samples.container("a", .exited, exitCode: 1), Samples.container("b", .running)]).containersToStart == [])
    }

    @Test func `waits double from ten seconds to five minutes and start over after a long calm`() {
        var backoff = Backoff()
        let start = Samples.now
        #expect(backoff.waitingUntil("k", since: start, now: start) == nil)
        var event = start
        var waits: [Duration] = []
        for _ in 0..<8 {
            backoff.next("k", event: event, now: event)
            waits.append(backoff.wait("k"))
            event = event + .seconds(1)
        }
        #expect(waits == [10, 20, 40, 80, 160, 300, 300, 300].map { .seconds($0) })
        #expect(backoff.waitingUntil("k", since: event, now: event + .seconds(299)) == event + .seconds(300))
        #expect(backoff.waitingUntil("k", since: event, now: event + .seconds(300)) == nil)
        let later = event + .seconds(1000)
        backoff.next("k", event: later, now: later)
        #expect(backoff.wait("k") == .seconds(10))
    }

    @Test func `a probe concludes at its thresholds`() {
        var tally = ProbeTally(kind: .liveness, successThreshold: 1, failureThreshold: 3)
        #expect(tally.record(.failure) == nil)
        #expect(tally.record(.unknown) == nil)
        #expect(tally.record(.failure) == nil)
        #expect(tally.record(.success) == .success)
        #expect([tally.record(.failure), tally.record(.failure), tally.record(.failure)] == [nil, nil, .failure])
        #expect(tally.isOver)
        var startup = ProbeTally(kind: .startup, successThreshold: 1, failureThreshold: 1)
        #expect(startup.record(.success) == .success)
        #expect(startup.isOver)
    }
}
