import APITypes
import PodRuntime
import Testing
import Units

@testable import Kubelet

/// Whoever may create a pod may give it thousands of containers. Work that grows with their square would hold one of the few
/// threads that the node shares with the API server.
@Suite struct LargePodTests {
    private static let count = 2_000
    private static let names = (0..<count).map { "c\($0)" }

    private func pod() throws -> Pod {
        let containers = Self.names.map { "{name: \($0), image: i}" }.joined(separator: ", ")
        return try Samples.pod("metadata: {name: large}\nspec: {containers: [\(containers)]}")
    }

    @Test(.timeLimit(.minutes(1)))
    func `the status of a pod of thousands of containers is made at once`() throws {
        let pod = try pod()
        let running = Self.names.map { Samples.container($0, .running) }
        var inputs = StatusInputs(pod: pod, previous: pod.status, observed: Samples.observed(pod, running), now: Samples.now)
        inputs.previous = inputs.status()
        let status = inputs.status()
        #expect(status.phase == "Running")
        #expect(status.containerStatuses.count == Self.count)
        #expect(status.containerStatuses.allSatisfy { $0.ready })
    }

    @Test(.timeLimit(.minutes(1)))
    func `a pod of thousands of containers is planned at once`() throws {
        let pod = try pod()
        let plan = PodPlan.plan(pod, observed: ObservedPod(uid: "uid-1"), probes: ProbeOutcomes())
        #expect(plan.containersToStart == Array(0..<Self.count))
    }
}
