import APITypes
import PodRuntime
import Testing
import Units
import Values

@testable import Kubelet

@Suite struct PodStatusTests {
    private let web = """
        metadata: {name: web}
        spec:
          containers: [{name: b, image: y}, {name: a, image: x}]
        """

    private func inputs(_ pod: Pod, _ containers: [ObservedContainer], previous: PodStatus? = nil) -> StatusInputs {
        var inputs = StatusInputs(
            pod: pod,
            previous: previous ?? pod.status,
            observed: Samples.observed(pod, containers),
            now: Samples.now
        )
        inputs.hostAddresses = ["192.168.1.9"]
        return inputs
    }

    private func condition(_ status: PodStatus, _ type: String) -> PodCondition? {
        status.conditions.first { $0.type == type }
    }

    @Test func `a pod just bound is Pending with all containers creating`() throws {
        let pod = try Samples.pod(web)
        var inputs = inputs(pod, [])
        inputs.observed.sandboxes = []
        let status = inputs.status()
        #expect(status.phase == "Pending")
        #expect(status.containerStatuses.map(\.name) == ["a", "b"])
        #expect(status.containerStatuses.allSatisfy { $0.state.waiting?.reason == "ContainerCreating" })
        #expect(condition(status, "PodReadyToStartContainers")?.status == "False")
        #expect(condition(status, "Initialized")?.status == "True")
        #expect(condition(status, "Ready")?.reason == "ContainersNotReady")
        #expect(condition(status, "Ready")?.message == "containers with unready status: [b a]")
        #expect(condition(status, "PodScheduled")?.status == "True")
        #expect(condition(status, "Ready")?.observedGeneration == 1)
        #expect(status.hostIP == "192.168.1.9")
        #expect(status.podIP == "")
        #expect(status.qosClass == "BestEffort")
        #expect(status.startTime == Samples.now)
    }

    @Test func `a pod whose containers run is Running and Ready`() throws {
        let pod = try Samples.pod(web)
        let status = inputs(pod, [Samples.container("a", .running), Samples.container("b", .running)]).status()
        #expect(status.phase == "Running")
        #expect(condition(status, "Ready")?.status == "True")
        #expect(condition(status, "PodReadyToStartContainers")?.status == "True")
        #expect(status.podIP == "10.0.0.5")
        #expect(status.podIPs.map(\.ip) == ["10.0.0.5"])
        #expect(status.containerStatuses[0].containerID == "containerd://a-0")
        #expect(status.containerStatuses[0].started == true)
        #expect(status.containerStatuses[0].ready)
    }

    @Test func `a crashing container waits in CrashLoopBackOff and shows its last end`() throws {
        let pod = try Samples.pod(web)
        var inputs = inputs(
            pod,
            [
                Samples.container("a", .exited, exitCode: 3, restartCount: 1), Samples.container("a", .exited, exitCode: 2),
                Samples.container("b", .running),
            ]
        )
        inputs.waiting["a"] = WaitingReason(reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container=a")
        let a = inputs.status().containerStatuses[0]
        #expect(a.state.waiting?.reason == "CrashLoopBackOff")
        #expect(a.state.terminated == nil)
        #expect(a.lastState.terminated?.exitCode == 3)
        #expect(a.restartCount == 1)
        #expect(inputs.status().phase == "Running")
    }

    @Test func `a restarted container shows how the one before ended`() throws {
        let pod = try Samples.pod(web)
        let status = inputs(
            pod,
            [Samples.container("a", .running, restartCount: 1), Samples.container("a", .exited, exitCode: 137)]
        ).status()
        #expect(status.containerStatuses[0].state.running != nil)
        #expect(status.containerStatuses[0].lastState.terminated?.exitCode == 137)
        #expect(status.containerStatuses[0].lastState.terminated?.containerID == "containerd://a-0")
    }

    @Test(arguments: [(0, "Succeeded"), (1, "Failed")])
    func `a pod that never restarts ends with its containers`(exitCode: Int, phase: String) throws {
        let pod = try Samples.pod(web + "\n  restartPolicy: Never")
        let status = inputs(pod, [Samples.container("a", .exited, exitCode: exitCode), Samples.container("b", .exited)]).status()
        #expect(status.phase == phase)
        #expect(condition(status, "Ready")?.reason == (exitCode == 0 ? "PodCompleted" : "PodFailed"))
    }

    @Test func `terminal phases are never left`() throws {
        var pod = try Samples.pod(web)
        pod.status.phase = "Failed"
        #expect(inputs(pod, [Samples.container("a", .running), Samples.container("b", .running)]).status().phase == "Failed")
    }

    @Test func `readiness follows its probe, and what was said before a restart of the kubelet`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: web}
            spec:
              containers: [{name: a, image: x, readinessProbe: {tcpSocket: {port: 80}}}]
            """
        )
        let running = [Samples.container("a", .running)]
        var inputs = inputs(pod, running)
        #expect(inputs.status().containerStatuses[0].ready == false)
        inputs.probes[.readiness, "a-0"] = .success
        let ready = inputs.status()
        #expect(ready.containerStatuses[0].ready)
        let restarted = self.inputs(pod, running, previous: ready)
        #expect(restarted.status().containerStatuses[0].ready)
        #expect(restarted.status() == ready)
        var failing = restarted
        failing.probes[.readiness, "a-0"] = .failure
        #expect(failing.status().containerStatuses[0].ready == false)
        let other = self.inputs(pod, [Samples.container("a", .running, restartCount: 1)], previous: ready)
        #expect(other.status().containerStatuses[0].ready == false)
    }

    @Test func `readiness gates hold Ready back`() throws {
        let pod = try Samples.pod(web + "\n  readinessGates: [{conditionType: example.com/live}]")
        let running = [Samples.container("a", .running), Samples.container("b", .running)]
        let status = inputs(pod, running).status()
        #expect(condition(status, "ContainersReady")?.status == "True")
        #expect(condition(status, "Ready")?.reason == "ReadinessGatesNotReady")
        #expect(
            condition(status, "Ready")?.message
                == "corresponding condition of pod readiness gate \"example.com/live\" does not exist."
        )
        var open = pod
        open.status.conditions = [
            PodCondition {
                $0.type = "example.com/live"
                $0.status = "True"
            }
        ]
        let ready = inputs(open, running).status()
        #expect(condition(ready, "Ready")?.status == "True")
        #expect(condition(ready, "example.com/live")?.status == "True")
    }

    @Test func `pending init containers show in the words of kubectl`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: web}
            spec:
              initContainers: [{name: one, image: x}, {name: two, image: x}]
              containers: [{name: a, image: x}]
            """
        )
        let status = inputs(pod, [Samples.container("two", .running), Samples.container("one", .exited)]).status()
        #expect(status.phase == "Pending")
        #expect(condition(status, "Initialized")?.message == "containers with incomplete status: [two]")
        #expect(status.containerStatuses[0].state.waiting?.reason == "PodInitializing")
        #expect(status.initContainerStatuses.map(\.ready) == [true, false])
    }

    @Test func `a container that vanished is told as lost, once`() throws {
        let pod = try Samples.pod(web)
        let before = inputs(pod, [Samples.container("a", .running), Samples.container("b", .running)]).status()
        let after = inputs(pod, [Samples.container("b", .running)], previous: before).status()
        #expect(after.containerStatuses[0].lastState.terminated?.exitCode == 137)
        #expect(after.containerStatuses[0].restartCount == 1)
        #expect(after.phase == "Running")
    }

    @Test func `a condition keeps its time while it does not change`() throws {
        let pod = try Samples.pod(web)
        let running = [Samples.container("a", .running), Samples.container("b", .running)]
        let first = inputs(pod, running).status()
        var later = inputs(pod, running, previous: first)
        later.now = Samples.now + .seconds(60)
        #expect(later.status() == first)
        later.observed.containers[0].state = .exited
        let changed = later.status()
        #expect(condition(changed, "Ready")?.lastTransitionTime == later.now)
        #expect(condition(changed, "PodScheduled")?.lastTransitionTime == Samples.now)
    }

    @Test(arguments: [
        ("{}", "BestEffort"), ("{requests: {cpu: 10m}}", "Burstable"), ("{limits: {cpu: 1, memory: 1Mi}}", "Guaranteed"),
        ("{limits: {cpu: 1, memory: 1Mi}, requests: {cpu: 500m}}", "Burstable"), ("{limits: {cpu: 1}}", "Burstable"),
    ])
    func `the quality of service class follows from the resources`(resources: String, expected: String) throws {
        let pod = try Samples.pod("metadata: {name: p}\nspec: {containers: [{name: a, image: x, resources: \(resources)}]}")
        #expect(QoSClass(pod).rawValue == expected)
    }

    @Test func `what the server writes out or leaves away is no change`() throws {
        let pod = try Samples.pod(web)
        let status = inputs(pod, [Samples.container("a", .running), Samples.container("b", .running)]).status()
        var answer = status
        answer.conditions = answer.conditions.map { condition in
            var condition = condition
            condition.fields["lastProbeTime"] = .null
            return condition
        }
        answer.containerStatuses = answer.containerStatuses.map { container in
            var container = container
            container.fields["lastState"] = [:]
            return container
        }
        answer.fields["resize"] = ""
        #expect(StatusPatch.patch(from: answer, to: status, uid: "u") == nil)
    }

    @Test func `a container without amounts says that it has none`() throws {
        let pod = try Samples.pod(web)
        let before = PodStatus(fields: [:])
        let status = inputs(pod, [Samples.container("a", .running), Samples.container("b", .running)]).status()
        let patch = try #require(StatusPatch.patch(from: before, to: status, uid: "u"))
        let shown = patch["status"]?["containerStatuses"]?.array ?? []
        #expect(shown.count == 2 && shown.allSatisfy { $0["resources"] == [:] })
        #expect(StatusPatch.patch(from: PodStatus(fields: patch["status"]?.object ?? [:]), to: status, uid: "u") == nil)
    }

    @Test func `a patch holds only what changed`() throws {
        let pod = try Samples.pod(web)
        let first = inputs(pod, [Samples.container("a", .running), Samples.container("b", .running)]).status()
        #expect(StatusPatch.patch(from: first, to: first, uid: "u") == nil)
        var second = first
        second.phase = "Failed"
        second.conditions[0].status = "False"
        let patch = try #require(StatusPatch.patch(from: first, to: second, uid: "u"))
        #expect(patch["metadata"]?["uid"]?.string == "u")
        #expect(patch["status"]?.object?.keys.map { String($0) } == ["conditions", "phase"])
        #expect(patch["status"]?["conditions"]?.array?.count == 1)
    }
}
