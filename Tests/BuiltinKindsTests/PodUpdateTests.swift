import Testing
import Values

@testable import BuiltinKinds
@testable import PodKinds

@Suite struct PodUpdateTests {
    private let words =
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

    @Test(arguments: [
        Broken("spec.containers.0.image", "other:1", ""), Broken("spec.activeDeadlineSeconds", 5, ""),
        Broken("metadata.labels.app", "other", ""), Broken("spec.tolerations", [["key": "a", "operator": "Exists"]], ""),
    ])
    func `what may change can change`(_ change: Broken) throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        #expect(pods.problems(with(old, change.path, change.value), from: old) == [])
    }

    @Test(arguments: [
        Broken("spec.nodeName", "node-1", ""), Broken("spec.hostname", "other", ""),
        Broken("spec.terminationGracePeriodSeconds", 5, ""), Broken("spec.containers.0.command", ["sleep"], ""),
    ])
    func `what may not change is refused and named`(_ change: Broken) throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        let found = pods.problems(with(old, change.path, change.value), from: old)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(words) == true, "\(found)")
    }

    @Test func `containers may not come or go`() throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        let found = pods.problems(with(old, "spec.initContainers", nil), from: old)
        #expect(found == ["spec.initContainers: Forbidden: pod updates may not add or remove containers"])
    }

    @Test func `tolerations and gates`() throws {
        let pods = try Subject("pods")
        let old = try with(yaml(PodValidationTests.pod), "spec.tolerations", [["key": "a", "operator": "Exists"]])
        #expect(
            pods.problems(with(old, "spec.tolerations", []), from: old)
                == ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]
        )
        #expect(
            pods.problems(with(old, "spec.schedulingGates", [["name": "g"]]), from: old)
                == ["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"]
        )
    }

    @Test func `a negative grace period can become one second`() throws {
        let pods = try Subject("pods")
        let old = try with(yaml(PodValidationTests.pod), "spec.terminationGracePeriodSeconds", -1)
        #expect(pods.problems(with(old, "spec.terminationGracePeriodSeconds", 1), from: old) == [])
    }

    @Test func `ephemeral containers are added and stay`() throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        let debugged = with(old, "spec.ephemeralContainers", [["name": "debug", "image": "busybox"]])
        #expect(pods.problems(debugged, from: old, "ephemeralcontainers") == [])
        #expect(
            pods.problems(old, from: debugged, "ephemeralcontainers")
                == ["spec.ephemeralContainers: Forbidden: existing ephemeral containers \"debug\" may not be removed\n"]
        )
        let probing = with(debugged, "spec.ephemeralContainers.0.ports", [["containerPort": 1]])
        #expect(
            pods.problems(probing, from: old, "ephemeralcontainers")
                .contains("spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container")
        )
    }

    @Test func `a resize changes amounts of cpu and memory alone`() throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        #expect(pods.problems(with(old, "spec.containers.0.resources.limits.cpu", "200m"), from: old, "resize") == [])
        #expect(
            pods.problems(with(old, "spec.containers.0.command", ["x"]), from: old, "resize")
                == ["spec: Forbidden: only cpu and memory resources are mutable"]
        )
    }

    @Test(arguments: [
        ("Never", 0, false), ("Never", 1, false), ("OnFailure", 1, true), ("OnFailure", 0, false), ("Always", 0, true),
    ])
    func `a container that ended stays so unless it may restart`(_ policy: String, _ code: Int64, _ mayRestart: Bool) throws {
        let pods = try Subject("pods")
        var old = try with(yaml(PodValidationTests.pod), "spec.restartPolicy", .string(policy))
        old["status"] = ["containerStatuses": [["name": "main", "state": ["terminated": ["exitCode": .integer(code)]]]]]
        var new = old
        new["status"] = ["containerStatuses": [["name": "main", "state": ["running": [:]]]]]
        let words = "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
        #expect(pods.statusProblems(new, from: old) == (mayRestart ? [] : [words]))
    }

    @Test func `addresses of a pod are addresses, one of each family`() throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        #expect(pods.statusProblems(with(old, "status", ["podIPs": [["ip": "10.0.0.1"], ["ip": "fd00::1"]]]), from: old) == [])
        #expect(
            pods.statusProblems(with(old, "status", ["podIPs": [["ip": "10.0.0.1"], ["ip": "10.0.0.2"]]]), from: old)
                == [
                    "status.podIPs: Invalid value: [{\"ip\":\"10.0.0.1\"},{\"ip\":\"10.0.0.2\"}]: may specify no more than one IP for each IP family"
                ]
        )
    }

    @Test func `a pod that is on no node or ended goes at once`() throws {
        let hooks = try Subject("pods").descriptor.hooks
        let pod = try yaml(PodValidationTests.pod)
        let placed = with(pod, "spec.nodeName", "n")
        #expect(hooks.gracePeriod(pod, requested: nil) == 0)
        #expect(hooks.gracePeriod(placed, requested: nil) == 30)
        #expect(hooks.gracePeriod(placed, requested: 5) == 5)
        #expect(hooks.gracePeriod(placed, requested: -3) == 1)
        #expect(hooks.gracePeriod(with(placed, "status", ["phase": "Succeeded"]), requested: 5) == 0)
    }
}
