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

    @Test func `a negative grace period is one second, of new pods and of changed ones`() throws {
        let pods = try Subject("pods")
        let path = ["spec", "terminationGracePeriodSeconds"]
        let old = try pods.created(with(yaml(PodValidationTests.pod), "spec.terminationGracePeriodSeconds", -5))
        #expect(old.value(at: path) == 1)
        var new = with(old, "spec.terminationGracePeriodSeconds", -1)
        pods.descriptor.hooks.prepareForUpdate(&new, old: old, pods.context())
        #expect(new.value(at: path) == 1)
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

    @Test func `a resize keeps everything but resources`() throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        var new = with(with(old, "spec.containers.0.command", ["x"]), "metadata.labels", ["a": "b"])
        new = with(new, "spec.containers.0.resources.limits.cpu", "200m")
        pods.descriptor.hooks.prepareForUpdate(&new, old: old, pods.context("resize"))
        #expect(new.value(at: ["spec", "containers", "0", "command"]) == old.value(at: ["spec", "containers", "0", "command"]))
        #expect(new.value(at: ["spec", "containers", "0", "resources", "limits", "cpu"]) == "200m")
        #expect(new["metadata"]?["labels"] == old["metadata"]?["labels"])
        #expect(new.value(at: ["metadata", "generation"]) == 1)
        var added = with(with(old, "spec.hostname", "x"), "spec.ephemeralContainers", [["name": "e", "image": "i:1"]])
        pods.descriptor.hooks.prepareForUpdate(&added, old: old, pods.context("ephemeralcontainers"))
        #expect(added["spec"]?["hostname"] == nil && added.value(at: ["spec", "ephemeralContainers", "0", "name"]) == "e")
    }

    @Test func `what is behind a gate that is off is dropped, unless it was there`() throws {
        let pods = try Subject("pods")
        var object = with(try yaml(PodValidationTests.pod), "spec.containers.0.lifecycle", ["stopSignal": "SIGTERM"])
        object.set([["name": "p", "projected": ["sources": [["podCertificate": ["signerName": "a.b/c"]]]]]], at: ["spec", "volumes"])
        let made = pods.created(object)
        #expect(made.value(at: ["spec", "containers", "0", "lifecycle"]) == nil)
        #expect(made.value(at: ["spec", "volumes", "0", "projected", "sources", "0"]) == [:])
        var kept = object
        pods.descriptor.hooks.prepareForUpdate(&kept, old: object, pods.context())
        #expect(kept.value(at: ["spec", "containers", "0", "lifecycle", "stopSignal"]) == "SIGTERM")
        let deployments = try Subject("deployments.apps")
        let template: JSONValue = ["spec": ["template": ["spec": ["schedulingGroup": ["podGroupName": "g"], "containers": []]]]]
        #expect(deployments.created(template).value(at: ["spec", "template", "spec", "schedulingGroup"]) == nil)
    }

    @Test func `what a resize may not do`() throws {
        let pods = try Subject("pods")
        let old = try pods.completed(yaml(PodValidationTests.pod))
        let fixed = with(old, "metadata.annotations", ["kubernetes.io/config.mirror": "x"])
        #expect(pods.problems(fixed, from: fixed, "resize") == [": Forbidden: static pods cannot be resized"])
        let gone = pods.problems(with(old, "spec.containers.0.resources.limits.cpu", nil), from: old, "resize")
        #expect(gone.contains("spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"))
        let renamed = pods.problems(with(old, "spec.containers.0.name", "other"), from: old, "resize")
        #expect(renamed.contains("spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"))
        let other = pods.problems(
            with(old, "spec.containers.0.resources", ["limits": ["cpu": "1"], "requests": ["cpu": "1"]]),
            from: old,
            "resize"
        )
        #expect(other.contains { $0.hasPrefix("spec.containers[0].resources") || $0.contains("QOS") })
        let whole = with(old, "spec.resources", ["requests": ["cpu": "1"]])
        let removed = pods.problems(old, from: whole, "resize")
        #expect(removed.contains("spec.resources: Forbidden: pod-level resources cannot be removed"))
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
                    "status.podIPs: Invalid value: [{\"IP\":\"10.0.0.1\"},{\"IP\":\"10.0.0.2\"}]: may specify no more than one IP for each IP family"
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
