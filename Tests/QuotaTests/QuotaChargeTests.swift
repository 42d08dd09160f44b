import APIModel
import Testing
import Units
import Values

@testable import Quota

private let now = Timestamp(unixSeconds: 1_000_000)

private func quota(_ name: String = "q", hard: JSONValue, used: JSONValue?, spec: JSONValue = [:]) -> NamespaceQuota {
    var body = spec
    body["hard"] = hard
    var status: JSONValue = ["hard": hard]
    status["used"] = used
    return NamespaceQuota(["metadata": ["name": .string(name)], "spec": body, "status": status])
}

private func pod(_ resources: JSONValue = [:], _ spec: JSONValue = [:], status: JSONValue = [:]) -> JSONValue {
    var body = spec
    body["containers"] = [["name": "c1", "resources": resources]]
    return ["metadata": ["name": "p"], "spec": body, "status": status]
}

private func charge(
    _ resource: String,
    group: String = "",
    _ object: JSONValue,
    old: JSONValue? = nil,
    to quotas: NamespaceQuota...,
    isStatus: Bool = false,
    surroundings: QuotaSurroundings = QuotaSurroundings()
) throws -> [ResourceAmounts] {
    let measure = try #require(QuotaMeasure(GroupResource(group: group, resource: resource)))
    let charge = QuotaCharge(measure, object: object, old: old, isStatus: isStatus)
    return try charge.charged(to: quotas, now: now, surroundings).map { $0.used ?? ResourceAmounts() }
}

private func refusal(_ body: () throws -> [ResourceAmounts]) -> String {
    do {
        return "admitted: \(try body().map(\.text))"
    } catch let error as QuotaCharge.Refusal {
        return error.message
    } catch {
        return "\(error)"
    }
}

@Suite struct QuotaChargeTests {
    @Test func `a pod is charged for everything that is limited`() throws {
        let limits: JSONValue = ["pods": "5", "cpu": "2", "limits.memory": "1Gi", "secrets": "1"]
        let before = quota(hard: limits, used: ["pods": "1", "cpu": "200m", "limits.memory": "0", "secrets": "0"])
        let after = try charge("pods", pod(["requests": ["cpu": "300m"], "limits": ["memory": "100Mi"]]), to: before)
        #expect(after.map(\.text) == ["cpu=500m,limits.memory=100Mi,pods=2,secrets=0"])
    }

    @Test func `what is too much is refused with what was asked, used and allowed`() {
        let full = quota(hard: ["pods": "2", "requests.cpu": "1"], used: ["pods": "2", "requests.cpu": "900m"])
        let words = refusal { try charge("pods", pod(["requests": ["cpu": "200m"]]), to: full) }
        #expect(
            words
                == "exceeded quota: q, requested: pods=1,requests.cpu=200m, used: pods=2,requests.cpu=900m, limited: pods=2,requests.cpu=1"
        )
        let onlyPods = quota(hard: ["pods": "2"], used: ["pods": "2"])
        #expect(
            refusal { try charge("pods", pod(), to: onlyPods) } == "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
        )
    }

    @Test func `every container has to state what is limited`() {
        let limited = quota("x", hard: ["limits.cpu": "1", "requests.memory": "1Gi"], used: ["limits.cpu": "0", "requests.memory": "0"])
        var object = pod(["limits": ["cpu": "1"]])
        object.set([["name": "i1"]], at: ["spec", "initContainers"])
        let words = refusal { try charge("pods", object, to: limited) }
        #expect(words == "failed quota: x: must specify limits.cpu for: i1; requests.memory for: c1,i1")
        // A pod that states resources for itself need not.
        object.set(["limits": ["cpu": "1"], "requests": ["memory": "1Mi"]], at: ["spec", "resources"])
        #expect(refusal { try charge("pods", object, to: limited) } == "admitted: [\"limits.cpu=1,requests.memory=1Mi\"]")
    }

    @Test func `a quota that nobody has counted admits nothing that it limits`() {
        let fresh = quota(hard: ["pods": "2", "cpu": "1"], used: ["pods": "0"])
        #expect(
            refusal { try charge("pods", pod(["requests": ["cpu": "1"]]), to: fresh) }
                == "status unknown for quota: q, resources: cpu,pods"
        )
        // What the controller has not put in force limits nothing.
        let unseen = NamespaceQuota(["metadata": ["name": "q"], "spec": ["hard": ["pods": "0"]]])
        #expect(refusal { try charge("pods", pod(), to: unseen) } == "admitted: [\"\"]")
    }

    @Test func `negative amounts are refused`() {
        let some = quota(hard: ["requests.storage": "1Gi"], used: ["requests.storage": "0"])
        let claim: JSONValue = ["spec": ["resources": ["requests": ["storage": "-1"]]]]
        #expect(
            refusal { try charge("persistentvolumeclaims", claim, to: some) }
                == "quota usage is negative for resource(s): requests.storage"
        )
    }

    @Test func `a change is charged for the difference and never gives back`() throws {
        let before = quota(hard: ["services.nodeports": "3", "services": "9"], used: ["services.nodeports": "1", "services": "1"])
        func service(_ type: String, _ ports: Int) -> JSONValue {
            ["spec": ["type": .string(type), "ports": .array((0..<ports).map { ["port": .integer(Int64($0 + 1))] })]]
        }
        #expect(
            try charge("services", service("NodePort", 3), old: service("NodePort", 1), to: before).map(\.text) == [
                "services=1,services.nodeports=3"
            ]
        )
        #expect(
            try charge("services", service("ClusterIP", 3), old: service("NodePort", 3), to: before).map(\.text) == [
                "services=1,services.nodeports=1"
            ]
        )
        let words = refusal { try charge("services", service("NodePort", 4), old: service("ClusterIP", 4), to: before) }
        #expect(words == "exceeded quota: q, requested: services.nodeports=4, used: services.nodeports=1, limited: services.nodeports=3")
    }

    @Test func `a pod that comes under a quota by a change is charged in full`() throws {
        let timed = quota(hard: ["pods": "1"], used: ["pods": "0"], spec: ["scopes": ["Terminating"]])
        let after = try charge("pods", pod([:], ["activeDeadlineSeconds": 5]), old: pod(), to: timed)
        #expect(after.map(\.text) == ["pods=1"])
    }

    @Test func `what a status tells is charged but not refused`() throws {
        let full = quota(hard: ["requests.storage": "1Gi"], used: ["requests.storage": "1Gi"])
        func claim(_ allocated: String) -> JSONValue {
            [
                "spec": ["resources": ["requests": ["storage": "1Gi"]]], "status": ["allocatedResources": ["storage": .string(allocated)]],
            ]
        }
        let after = try charge("persistentvolumeclaims", claim("3Gi"), old: claim("1Gi"), to: full, isStatus: true)
        #expect(after.map(\.text) == ["requests.storage=3Gi"])
    }

    @Test func `the first quota that is exceeded refuses, and none is charged`() {
        let roomy = quota("a", hard: ["pods": "9"], used: ["pods": "0"])
        let full = quota("b", hard: ["count/pods": "1"], used: ["count/pods": "1"])
        let words = refusal { try charge("pods", pod(), to: roomy, full) }
        #expect(words == "exceeded quota: b, requested: count/pods=1, used: count/pods=1, limited: count/pods=1")
    }

    @Test(
        arguments: [
            (["scopes": ["Terminating"]], false), (["scopes": ["NotTerminating"]], true), (["scopes": ["BestEffort"]], false),
            (["scopes": ["NotBestEffort", "NotTerminating"]], true), (["scopes": ["NotBestEffort", "Terminating"]], false),
            (["scopes": ["PriorityClass"]], true), (["scopes": ["CrossNamespacePodAffinity"]], false),
            (["scopes": ["VolumeAttributesClass"]], false),
            (selector("PriorityClass", "In", ["high", "low"]), true), (selector("PriorityClass", "In", ["low"]), false),
            (selector("PriorityClass", "NotIn", ["high"]), false), (selector("PriorityClass", "NotIn", ["low"]), true),
            (selector("PriorityClass", "Exists"), true), (selector("PriorityClass", "DoesNotExist"), false),
        ] as [(JSONValue, Bool)]
    )
    func `a quota counts only what is in its scopes`(_ spec: JSONValue, _ counts: Bool) throws {
        let object = pod(["requests": ["cpu": "1"]], ["priorityClassName": "high"])
        let after = try charge("pods", object, to: quota(hard: ["pods": "1"], used: ["pods": "0"], spec: spec))
        #expect(after.map(\.text) == [counts ? "pods=1" : "pods=0"])
    }

    @Test func `affinity to pods of other namespaces is a scope of its own`() throws {
        let scoped = quota(hard: ["pods": "1"], used: ["pods": "0"], spec: ["scopes": ["CrossNamespacePodAffinity"]])
        let term: JSONValue = ["topologyKey": "z", "namespaces": ["other"]]
        let here: JSONValue = ["topologyKey": "z"]
        func with(_ kind: String, _ list: String, _ item: JSONValue) throws -> [String] {
            var object = pod()
            object.set([item], at: ["spec", "affinity", kind, list])
            return try charge("pods", object, to: scoped).map(\.text)
        }
        let required = "requiredDuringSchedulingIgnoredDuringExecution"
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution"
        #expect(try with("podAffinity", required, term) == ["pods=1"])
        #expect(try with("podAntiAffinity", preferred, ["weight": 1, "podAffinityTerm": term]) == ["pods=1"])
        #expect(try with("podAffinity", required, ["topologyKey": "z", "namespaceSelector": [:]]) == ["pods=1"])
        #expect(try with("podAffinity", required, here) == ["pods=0"])
    }
}

private func selector(_ scope: String, _ comparison: String, _ values: [String] = []) -> JSONValue {
    [
        "scopeSelector": [
            "matchExpressions": [["scopeName": .string(scope), "operator": .string(comparison), "values": JSONValue(values)]]
        ]
    ]
}
