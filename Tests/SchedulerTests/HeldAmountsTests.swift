import APITypes
import Testing
import Values

@testable import Scheduler

@Suite struct HeldAmountsTests {
    private func status(_ has: String, given: String, reason: String? = nil) -> JSONValue {
        var status: JSONValue = [
            "containerStatuses": [
                [
                    "name": "c", "resources": ["requests": ["cpu": .string(has), "memory": "64Mi"]],
                    "allocatedResources": ["cpu": .string(given), "memory": "64Mi"],
                ]
            ]
        ]
        if let reason { status["conditions"] = [["type": "PodResizePending", "status": "True", "reason": .string(reason)]] }
        return status
    }

    @Test(
        arguments: [
            ("1", "1", "1", nil, 1_000), ("500m", "2", "2", nil, 2_000), ("500m", "2", "500m", nil, 2_000), ("500m", "1", "2", nil, 2_000),
            ("3", "2", "2", "Deferred", 3_000), ("3", "2", "2", "Infeasible", 2_000),
        ] as [(String, String, String, String?, Int64)]
    )
    func `a pod that is resized takes the most it has or is to have`(
        wanted: String,
        has: String,
        given: String,
        reason: String?,
        expected: Int64
    ) {
        let resized = pod("a", cpu: wanted, memory: "64Mi", on: "n", status: status(has, given: given, reason: reason))
        #expect(resized.requests == Resources(milliCPU: expected, memory: 64 << 20))
        #expect(resized.scoredMilliCPU == expected)
    }

    @Test func `a container that says nothing of its amounts counts with what its spec wants`() {
        #expect(pod("a", cpu: "1", on: "n", status: ["containerStatuses": [["name": "c"]]]).requests.milliCPU == 1_000)
        #expect(pod("a", cpu: "1", on: "n", status: ["containerStatuses": [["name": "c", "resources": [:]]]]).requests.milliCPU == 1_000)
    }

    @Test func `an init container that ends counts with its spec, a sidecar with what it has`() {
        func starting(_ policy: JSONValue) -> SchedulingPod {
            let first: JSONValue = ["name": "i", "restartPolicy": policy, "resources": ["requests": ["cpu": "1"]]]
            let known: JSONValue = ["name": "i", "resources": ["requests": ["cpu": "4"]]]
            return pod("a", cpu: "2", on: "n", spec: ["initContainers": [first]], status: ["initContainerStatuses": [known]])
        }
        #expect(starting(.null).requests.milliCPU == 2_000)
        #expect(starting("Always").requests.milliCPU == 6_000)
    }

    @Test func `what a pod states for itself counts with what it has as a whole`() {
        let shown: JSONValue = [
            "containerStatuses": [["name": "c", "resources": [:]]], "resources": ["requests": ["cpu": "3", "memory": "1Gi"]],
            "allocatedResources": ["cpu": "2"],
        ]
        let whole = pod("a", on: "n", spec: ["resources": ["requests": ["cpu": "1"]]], status: shown)
        #expect(whole.requests == Resources(milliCPU: 3_000))
    }
}
