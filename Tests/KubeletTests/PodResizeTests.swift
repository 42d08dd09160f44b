import APITypes
import Channels
import Logging
import PodRuntime
import Testing
import Units
import Values

@testable import Kubelet

@Suite struct PodResizeTests {
    private func pod(_ resources: String, policy: String = "[]", name: String = "p", priority: Int = 0) throws -> Pod {
        try Samples.pod(
            """
            metadata: {name: \(name), uid: uid-\(name)}
            spec:
              nodeName: n
              priority: \(priority)
              containers: [{name: a, image: x, resizePolicy: \(policy), resources: \(resources)}]
            """
        )
    }

    private let small = "{requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 128Mi}}"
    private let large = "{requests: {cpu: 300m, memory: 64Mi}, limits: {cpu: 400m, memory: 128Mi}}"

    /// A pod that runs with what `resources` says.
    private func running(_ pod: Pod) -> (PodAllocation, ObservedPod) {
        var allocation = PodAllocation(pod)
        allocation.actual = allocation.granted
        return (allocation, Samples.observed(pod, [Samples.container("a", .running)]))
    }

    private func admission(cpu: String) throws -> PodAdmission {
        var allocatable: [String: Quantity] = [:]
        for (name, amount) in ["cpu": cpu, "memory": "1Gi", "pods": "10"] { allocatable[name] = try #require(Quantity(amount)) }
        return PodAdmission(allocatable: allocatable, node: nil)
    }

    /// A table with pods that run with their present amounts.
    private func table(_ pods: [Pod]) -> PodTable {
        let table = PodTable()
        for pod in pods {
            _ = table.updated(pod)
            table.change(pod.metadata.uid) { record in
                record.isAdmitted = true
                record.status = PodStatus(fields: ["phase": "Running"])
                (record.allocation, record.observed) = running(pod)
            }
        }
        return table
    }

    // MARK: What must be done

    @Test func `other amounts reach a running container in place, or by a restart where its policy says so`() throws {
        var (allocation, observed) = running(try pod(small))
        let wanted = try pod(large)
        allocation.grant(wanted)
        var plan = PodPlan.plan(wanted, observed: observed, probes: ProbeOutcomes(), allocation: allocation)
        #expect(plan.containersToResize == ["a"] && plan.containersToKill.isEmpty && plan.containersToStart.isEmpty)
        #expect(!plan.isEmpty)

        let memory = try pod(large, policy: "[{resourceName: memory, restartPolicy: RestartContainer}]")
        plan = PodPlan.plan(memory, observed: observed, probes: ProbeOutcomes(), allocation: allocation)
        #expect(plan.containersToResize == ["a"], "only cpu changes")

        let both = try pod(large, policy: "[{resourceName: cpu, restartPolicy: RestartContainer}]")
        plan = PodPlan.plan(both, observed: observed, probes: ProbeOutcomes(), allocation: allocation)
        #expect(plan.containersToKill.map(\.message) == ["Container a resize requires restart"])
        #expect(plan.containersToStart == [0] && plan.resizesPod && plan.containersToResize.isEmpty)

        allocation.actual = allocation.granted
        #expect(PodPlan.plan(both, observed: observed, probes: ProbeOutcomes(), allocation: allocation).isEmpty)
        observed.containers[0].state = .exited
        allocation.actual["a"] = try pod(small).spec.containers[0].resources
        plan = PodPlan.plan(both, observed: observed, probes: ProbeOutcomes(), allocation: allocation)
        #expect(plan.containersToKill.isEmpty && plan.containersToStart == [0], "what does not run is only started")
    }

    @Test func `sidecars and running init containers are resized too`() throws {
        func pod(_ cpu: String, _ policy: String = "[]") throws -> Pod {
            try Samples.pod(
                """
                metadata: {name: p, uid: uid-p}
                spec:
                  initContainers:
                  - {name: side, image: s, restartPolicy: Always, resizePolicy: \(policy), resources: {requests: {cpu: \(cpu)}}}
                  containers: [{name: main, image: z}]
                """
            )
        }
        let before = try pod("100m")
        let observed = Samples.observed(before, [Samples.container("main", .running), Samples.container("side", .running)])
        var allocation = PodAllocation(before)
        allocation.actual = allocation.granted
        let after = try pod("200m")
        allocation.grant(after)
        let plan = PodPlan.plan(after, observed: observed, probes: ProbeOutcomes(), allocation: allocation)
        #expect(plan.containersToResize == ["side"])
        let restarting = try pod("200m", "[{resourceName: cpu, restartPolicy: RestartContainer}]")
        let other = PodPlan.plan(restarting, observed: observed, probes: ProbeOutcomes(), allocation: allocation)
        #expect(other.initContainersToStart == [0] && other.containersToKill.map(\.name) == ["side"])
    }

    // MARK: What the node gives

    @Test func `a resize that fits is given, and told until the containers have it`() throws {
        let table = table([try pod(small)])
        var wanted = try pod(large)
        wanted.metadata.generation = 2
        _ = table.updated(wanted)
        let admission = try admission(cpu: "1")
        #expect(table.answerResizes(for: "uid-p", now: Samples.now) { admission } == nil)
        let record = try #require(table.record("uid-p"))
        #expect(record.resize.pending == nil && record.allocation?.differs(from: wanted) == false)
        let observed = record.observed
        let began = table.change("uid-p") { $0.noteProgress(observed, now: Samples.now) } ?? nil
        let summary =
            #"{"containers":[{"name":"a","resources":{"limits":{"cpu":"400m","memory":"128Mi"},"#
            + #""requests":{"cpu":"300m","memory":"64Mi"}}}],"generation":2}"#
        #expect(began?.reason == "ResizeStarted" && began?.message == "Pod resize started: " + summary)
        let inProgress = try #require(table.record("uid-p")?.resize.inProgress)
        #expect(inProgress.type == "PodResizeInProgress" && inProgress.status == "True" && inProgress.observedGeneration == 2)
        table.change("uid-p") { $0.allocation?.actual["a"] = wanted.spec.containers[0].resources }
        let ended = table.change("uid-p") { $0.noteProgress(observed, now: Samples.now) } ?? nil
        #expect(ended?.reason == "ResizeCompleted" && ended?.message == "Pod resize completed: " + summary)
        #expect(table.record("uid-p")?.resize.all == [])
    }

    @Test func `a resize that does not fit waits, in the words of upstream, and is given when there is room`() throws {
        let table = table([try pod(small), try pod(small, name: "other")])
        var wanted = try pod(large)
        wanted.metadata.generation = 3
        _ = table.updated(wanted)
        let narrow = try admission(cpu: "350m")
        let words = "Node didn't have enough resource: cpu, requested: 300, used: 100, capacity: 350"
        let told = table.answerResizes(for: "uid-p", now: Samples.now) { narrow }
        #expect(told?.reason == "ResizeDeferred" && told?.isWarning == true)
        #expect(told?.message.hasPrefix("Pod resize OutOfcpu: {\"containers\":") == true)
        #expect(told?.message.hasSuffix("\"generation\":3,\"error\":\"\(words)\"}") == true)
        let pending = try #require(table.record("uid-p")?.resize.pending)
        #expect(pending.type == "PodResizePending" && pending.reason == "Deferred" && pending.message == words)
        let before = try pod(small).spec.containers
        #expect(table.record("uid-p")?.grantedPod?.spec.containers == before)
        #expect(table.answerResizes(for: "uid-p", now: Samples.now) { narrow } == nil, "told once")
        // A newcomer is weighed against what was given, not against what is wished for.
        let newcomer = try pod("{requests: {cpu: 150m}}", name: "new")
        let present = table.uids.compactMap { table.record($0)?.grantedPod }
        #expect(narrow.refusal(newcomer, beside: present) == nil)
        _ = table.removed("uid-other", graceSeconds: 0)
        table.forget("uid-other")
        #expect(table.answerResizes(for: "uid-p", now: Samples.now) { narrow } == nil)
        #expect(table.record("uid-p")?.resize.pending == nil)
        #expect(table.record("uid-p")?.grantedPod == wanted)
    }

    @Test func `of several that wait the one with the higher priority is served first`() throws {
        let table = table([try pod(small), try pod(small, name: "high", priority: 10)])
        _ = table.updated(try pod(large))
        _ = table.updated(try pod(large, name: "high", priority: 10))
        let room = try admission(cpu: "450m")
        _ = table.answerResizes(for: "uid-p", now: Samples.now) { room }
        #expect(table.record("uid-p")?.resize.pending != nil)
        #expect(table.record("uid-high")?.resize.pending == nil)
        let high = try pod(large, name: "high", priority: 10)
        #expect(table.record("uid-high")?.allocation?.differs(from: high) == false)
    }

    @Test func `a wish that is taken back no longer waits`() throws {
        let table = table([try pod(small)])
        _ = table.updated(try pod(large))
        let narrow = try admission(cpu: "200m")
        _ = table.answerResizes(for: "uid-p", now: Samples.now) { narrow }
        #expect(table.record("uid-p")?.resize.pending != nil)
        _ = table.updated(try pod(small))
        _ = table.answerResizes(for: "uid-p", now: Samples.now) { narrow }
        #expect(table.record("uid-p")?.resize.all == [])
    }

    @Test func `a pod that runs already has what its status says, whatever the spec wants by now`() throws {
        var wanted = try pod(large)
        wanted.status.containerStatuses = [
            ContainerStatus {
                $0.name = "a"
                $0.resources = try? pod(small).spec.containers[0].resources
            }
        ]
        let adopted = PodAllocation(adopting: wanted, ["a"])
        #expect(adopted.differs(from: wanted))
        let has = try pod(small).spec.containers[0].resources
        #expect(adopted.actual == adopted.granted && adopted.actual["a"] == has)
        #expect(PodAllocation(adopting: wanted, []).differs(from: wanted) == false, "nothing was begun")
    }

    @Test func `what was given outlives the kubelet`() throws {
        var (allocation, _) = running(try pod(small))
        allocation.grant(try pod(large))
        let read = PodAllocation(json: try JSONParser.parse(allocation.json.encoded()))
        #expect(read == allocation)
        #expect(PodAllocation(json: ["granted": 3]) == nil)
    }

    // MARK: Status

    @Test func `the status shows what was given, what is there, and the conditions`() throws {
        let before = try pod(small)
        var (allocation, observed) = running(before)
        let wanted = try pod(large)
        allocation.grant(wanted)
        let condition = ResizeConditions.condition("PodResizeInProgress", "", "", generation: 2, after: nil, now: Samples.now)
        var inputs = StatusInputs(pod: wanted, previous: PodStatus(fields: [:]), observed: observed, now: Samples.now)
        inputs.allocation = allocation
        inputs.resize = [condition]
        let status = inputs.status()
        #expect(status.containerStatuses[0].resources == before.spec.containers[0].resources)
        #expect(status.containerStatuses[0].allocatedResources == wanted.spec.containers[0].resources.requests)
        #expect(status.conditions.contains { $0.type == "PodResizeInProgress" && $0.status == "True" })
        inputs.previous = status
        inputs.pod.status = status
        inputs.resize = []
        observed.containers[0].state = .exited
        inputs.observed = observed
        let later = inputs.status()
        #expect(!later.conditions.contains { $0.type.hasPrefix("PodResize") })
        #expect(later.containerStatuses[0].resources == wanted.spec.containers[0].resources, "what does not run will have what was given")
        let patch = StatusPatch.patch(from: status, to: later, uid: "uid-p")
        let conditions = patch?["status"]?["conditions"]?.array ?? []
        #expect(conditions.contains(["$patch": "delete", "type": "PodResizeInProgress"]))
    }

    @Test func `the status says what the pod has as a whole`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: p, uid: uid-p}
            spec:
              overhead: {memory: 1Mi}
              initContainers:
              - {name: side, image: s, restartPolicy: Always, resources: {requests: {cpu: 50m}}}
              - {name: init, image: s, resources: {requests: {cpu: 400m}}}
              containers:
              - {name: a, image: x, resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 64Mi}}}
              - {name: b, image: x, resources: {requests: {cpu: 100m, memory: 32Mi}, limits: {memory: 64Mi}}}
            """
        )
        #expect(PodAmounts.requests(pod).mapValues(\.description) == ["cpu": "450m", "memory": "97Mi"])
        #expect(PodAmounts.limits(pod).mapValues(\.description) == ["cpu": "200m", "memory": "129Mi"])
        var inputs = StatusInputs(pod: pod, previous: PodStatus(fields: [:]), observed: ObservedPod(uid: "uid-p"), now: Samples.now)
        let first = inputs.status()
        #expect(first.fields["allocatedResources"] == ["cpu": "450m", "memory": "97Mi"])
        #expect(first.fields["resources"]?["limits"] == ["cpu": "200m", "memory": "129Mi"])
        inputs.previous = PodStatus(fields: ["phase": "Running"])
        // Not every container has a limit of cpu or memory: the pod's cgroup has none.
        #expect(inputs.status().fields["resources"] == ["requests": ["cpu": "450m", "memory": "97Mi"]])
        let none = try Samples.pod("metadata: {name: q}\nspec: {containers: [{name: a, image: x}]}")
        inputs.pod = none
        #expect(inputs.status().fields["resources"] == nil && inputs.status().fields["allocatedResources"] == nil)
    }

    // MARK: cgroups

    @Test func `the pod's cgroup follows, and loses a limit that it has no more`() async throws {
        let mount = try temporaryDirectory()
        defer { try? HostFiles.removeTree(mount) }
        for controller in ["cpu", "memory"] { try HostFiles.makeDirectories("\(mount)/\(controller)") }
        func cgroups() -> PodCgroups {
            PodCgroups(
                root: "/r",
                pool: BlockingPool(name: "test", threads: 1),
                isEnabled: true,
                logger: Logger(label: "test"),
                mountPoint: mount
            )
        }
        let (before, after) = (try pod(small), try pod("{requests: {cpu: 300m, memory: 64Mi}}"))
        let first = cgroups()
        #expect(first.version == .v1)
        await first.setUp(before)
        let directory = "r/kubepods/burstable/poduid-p"
        #expect(HostFiles.text("\(mount)/cpu/\(directory)/cpu.cfs_quota_us") == "20000")
        try await first.resize(after, to: LinuxResources.pod(after))
        #expect(HostFiles.text("\(mount)/cpu/\(directory)/cpu.shares") == "307")
        #expect(HostFiles.text("\(mount)/cpu/\(directory)/cpu.cfs_quota_us") == "-1")
        #expect(HostFiles.text("\(mount)/memory/\(directory)/memory.limit_in_bytes") == "-1")
        try HostFiles.write("\(mount)/cgroup.controllers", "cpu memory pids\n")
        let second = cgroups()
        #expect(second.version == .v2)
        await second.setUp(before)
        #expect(HostFiles.text("\(mount)/\(directory)/cpu.max") == "20000 100000")
        try await second.resize(after, to: LinuxResources.pod(after))
        #expect(HostFiles.text("\(mount)/\(directory)/cpu.max") == "max 100000")
        #expect(HostFiles.text("\(mount)/\(directory)/memory.max") == "max")
    }

    @Test func `between two sizes a pod has the larger of each limit`() {
        let few = LinuxResources.PodLimits(shares: 100, quota: 10_000, memory: nil)
        let many = LinuxResources.PodLimits(shares: 50, quota: 20_000, memory: 1 << 20)
        #expect(few.union(many) == LinuxResources.PodLimits(shares: 100, quota: 20_000, memory: nil))
    }

    @Test func `amounts of the pod as a whole limit its containers and its cgroup`() throws {
        let pod = try Samples.pod(
            """
            metadata: {name: p}
            spec:
              resources: {requests: {cpu: 200m}, limits: {cpu: "1", memory: 1Gi}}
              containers: [{name: a, image: x, resources: {limits: {cpu: 500m}}}, {name: b, image: x}]
            """
        )
        #expect(LinuxResources.pod(pod) == LinuxResources.PodLimits(shares: 204, quota: 100_000, memory: 1 << 30))
        let limits = pod.spec.containers.map { LinuxResources.container($0, in: pod, memoryCapacity: 8 << 30) }
        #expect(limits.map(\.cpuQuota) == [50_000, 100_000])
        #expect(limits.map(\.memoryLimitInBytes) == [1 << 30, 1 << 30])
    }
}
