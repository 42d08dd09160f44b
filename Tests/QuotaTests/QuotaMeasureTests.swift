import APIModel
import Testing
import Units
import Values

@testable import Quota

private let now = Timestamp(unixSeconds: 1_000_000)

private func usage(_ resource: String, group: String = "", _ object: JSONValue, _ around: QuotaSurroundings = QuotaSurroundings()) -> String
{
    QuotaMeasure(GroupResource(group: group, resource: resource))?.usage(of: object, now: now, around).text ?? "not counted"
}

@Suite struct QuotaMeasureTests {
    @Test func `a pod takes what its containers ask for together`() {
        let pod: JSONValue = [
            "spec": [
                "containers": [
                    ["name": "a", "resources": ["requests": ["cpu": "100m", "memory": "1Gi", "example.com/gpu": "2"]]],
                    ["name": "b", "resources": ["requests": ["cpu": "1", "hugepages-2Mi": "4Mi"], "limits": ["cpu": "2"]]],
                ],
                "initContainers": [["name": "i", "resources": ["requests": ["memory": "2Gi", "ephemeral-storage": "5"]]]],
                "overhead": ["cpu": "10m", "memory": "1Mi"],
            ]
        ]
        #expect(
            usage("pods", pod)
                == "count/pods=1,cpu=1110m,ephemeral-storage=5,hugepages-2Mi=4Mi,limits.cpu=2010m,memory=2049Mi,pods=1,"
                + "requests.cpu=1110m,requests.ephemeral-storage=5,requests.example.com/gpu=2,requests.hugepages-2Mi=4Mi,requests.memory=2049Mi"
        )
    }

    @Test func `sidecars run beside what comes after them`() {
        let pod: JSONValue = [
            "spec": [
                "containers": [["name": "a", "resources": ["requests": ["cpu": "1"]]]],
                "initContainers": [
                    ["name": "s", "restartPolicy": "Always", "resources": ["requests": ["cpu": "2"]]],
                    ["name": "i", "resources": ["requests": ["cpu": "3"]]],
                ],
            ]
        ]
        #expect(PodAmounts.total(of: pod, .requests).text == "cpu=5")
    }

    @Test func `a pod that is being resized takes the most it has or is to have`() {
        func pod(_ wanted: String, _ has: String, reason: String = "Deferred") -> JSONValue {
            [
                "spec": ["containers": [["name": "a", "resources": ["requests": ["cpu": .string(wanted)]]]]],
                "status": [
                    "conditions": [["type": "PodResizePending", "status": "True", "reason": .string(reason)]],
                    "containerStatuses": [["name": "a", "resources": ["requests": ["cpu": .string(has)]]]],
                ],
            ]
        }
        #expect(PodAmounts.total(of: pod("1", "3"), .requests).text == "cpu=3")
        #expect(PodAmounts.total(of: pod("4", "3"), .requests).text == "cpu=4")
        #expect(PodAmounts.total(of: pod("4", "3", reason: "Infeasible"), .requests).text == "cpu=3")
    }

    @Test func `what a pod states for itself goes before its containers`() {
        let pod: JSONValue = [
            "spec": [
                "resources": ["requests": ["cpu": "4"]],
                "containers": [["name": "a", "resources": ["requests": ["cpu": "1", "ephemeral-storage": "7"]]]],
            ]
        ]
        #expect(PodAmounts.total(of: pod, .requests).text == "cpu=4,ephemeral-storage=7")
    }

    @Test func `a pod at its end or overdue is only counted`() {
        #expect(usage("pods", ["status": ["phase": "Succeeded"], "spec": [:]]) == "count/pods=1")
        #expect(usage("pods", ["status": ["phase": "Failed"], "spec": [:]]) == "count/pods=1")
        func deleted(_ grace: Int64) -> JSONValue {
            let time = Timestamp(unixSeconds: now.unixSeconds - 60).rfc3339
            return ["metadata": ["deletionTimestamp": .string(time), "deletionGracePeriodSeconds": .integer(grace)], "spec": [:]]
        }
        #expect(usage("pods", deleted(30)) == "count/pods=1")
        #expect(usage("pods", deleted(90)) == "count/pods=1,pods=1")
    }

    @Test(
        arguments: [
            ("ClusterIP", nil, 0, 0), ("NodePort", nil, 2, 0), ("LoadBalancer", nil, 2, 1), ("LoadBalancer", false, 1, 1),
            ("ExternalName", nil, 0, 0),
        ] as [(String, Bool?, Int, Int)]
    )
    func `a service takes node ports and load balancers by its type`(_ type: String, _ allocates: Bool?, _ ports: Int, _ balancers: Int) {
        var service: JSONValue = ["spec": ["type": .string(type), "ports": [["port": 1, "nodePort": 30001], ["port": 2]]]]
        if let allocates { service.set(.bool(allocates), at: ["spec", "allocateLoadBalancerNodePorts"]) }
        #expect(usage("services", service) == "count/services=1,services=1,services.loadbalancers=\(balancers),services.nodeports=\(ports)")
    }

    @Test func `a volume claim takes storage of its class`() {
        var claim: JSONValue = ["spec": ["storageClassName": "gold", "resources": ["requests": ["storage": "1500m"]]]]
        #expect(
            usage("persistentvolumeclaims", claim)
                == "count/persistentvolumeclaims=1,gold.storageclass.storage.k8s.io/persistentvolumeclaims=1,"
                + "gold.storageclass.storage.k8s.io/requests.storage=2,persistentvolumeclaims=1,requests.storage=2"
        )
        claim.set("old", at: ["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"])
        claim.set("5", at: ["status", "allocatedResources", "storage"])
        #expect(usage("persistentvolumeclaims", claim).contains("old.storageclass.storage.k8s.io/requests.storage=5"))
        #expect(usage("persistentvolumeclaims", ["spec": [:]]) == "count/persistentvolumeclaims=1,persistentvolumeclaims=1")
    }

    @Test func `a volume claim falls under the classes of attributes it has or is on its way to`() {
        let measure = QuotaMeasure(GroupResource(group: "", resource: "persistentvolumeclaims"))
        let claim: JSONValue = [
            "spec": ["volumeAttributesClassName": "new"], "status": ["currentVolumeAttributesClassName": "old"],
        ]
        for name in ["old", "new"] {
            #expect(measure?.matches([ScopeRequirement("VolumeAttributesClass", "In", [name])], claim) == true)
        }
        #expect(measure?.matches([ScopeRequirement("VolumeAttributesClass", "In", ["other"])], claim) == false)
        #expect(measure?.matches([ScopeRequirement("VolumeAttributesClass")], claim) == true)
        #expect(measure?.matches([ScopeRequirement("VolumeAttributesClass", "DoesNotExist")], [:]) == true)
        #expect(measure?.matches([ScopeRequirement("BestEffort")], claim) == false)
    }

    @Test func `objects are counted under the name of their kind`() {
        #expect(usage("secrets", [:]) == "count/secrets=1,secrets=1")
        #expect(usage("deployments", group: "apps", [:]) == "count/deployments.apps=1")
        #expect(usage("crontabs", group: "stable.example.com", [:]) == "count/crontabs.stable.example.com=1")
        #expect(usage("events", [:]) == "not counted")
        let names = ["count/crontabs.stable.example.com", "pods", "requests.example.com/gpu", "nothing"]
        let needed = QuotaMeasure.needed(for: names, QuotaSurroundings()).map(\.resource.resource)
        #expect(Set(needed) == ["crontabs", "pods"])
    }

    @Test func `a device claim takes the worst of its alternatives`() {
        func request(_ name: String, _ mode: String, _ count: Int64) -> JSONValue {
            ["deviceClassName": .string(name), "allocationMode": .string(mode), "count": .integer(count)]
        }
        let claim: JSONValue = [
            "spec": [
                "devices": [
                    "requests": [
                        ["name": "a", "exactly": request("gpu", "ExactCount", 2)],
                        [
                            "name": "b",
                            "firstAvailable": [
                                request("gpu", "ExactCount", 3), request("gpu", "ExactCount", 1), request("fpga", "All", 0),
                            ],
                        ],
                    ]
                ]
            ]
        ]
        let around = QuotaSurroundings(deviceClasses: { ["gpu": "example.com/gpu", "fpga": ""] })
        let text = usage("resourceclaims", group: "resource.k8s.io", claim, around)
        #expect(
            text == "count/resourceclaims.resource.k8s.io=1,fpga.deviceclass.resource.k8s.io/devices=32,"
                + "gpu.deviceclass.resource.k8s.io/devices=5,requests.deviceclass.resource.kubernetes.io/fpga=32,"
                + "requests.deviceclass.resource.kubernetes.io/gpu=5,requests.example.com/gpu=5"
        )
        let measure = QuotaMeasure(GroupResource(group: "resource.k8s.io", resource: "resourceclaims"))
        #expect(measure?.tracked(["requests.example.com/gpu", "requests.example.com/other"], around) == ["requests.example.com/gpu"])
    }

    @Test func `a claim made for a pod's extended resource is not charged twice`() {
        let pod: JSONValue = [
            "metadata": ["name": "p", "uid": "u"],
            "spec": ["containers": [["name": "c", "resources": ["requests": ["example.com/gpu": "1"]]]]],
            "status": ["extendedResourceClaimStatus": ["resourceClaimName": "claim"]],
        ]
        let claim: JSONValue = [
            "metadata": [
                "name": "claim", "namespace": "n", "annotations": ["resource.kubernetes.io/extended-resource-claim": "true"],
                "ownerReferences": [["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": true]],
            ],
            "spec": [
                "devices": [
                    "requests": [["name": "a", "exactly": ["deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 1]]]
                ]
            ],
        ]
        let around = QuotaSurroundings(deviceClasses: { ["gpu": "example.com/gpu"] }, pod: { _, name in name == "p" ? pod : nil })
        let text = usage("resourceclaims", group: "resource.k8s.io", claim, around)
        #expect(!text.contains("requests.example.com/gpu"))
        #expect(text.contains("gpu.deviceclass.resource.k8s.io/devices=1"))
    }

    @Test func `only writes that can take more are looked at`() throws {
        let pods = try #require(QuotaMeasure(GroupResource(group: "", resource: "pods")))
        #expect(pods.handles(.create, subresource: "", object: [:], old: nil))
        #expect(!pods.handles(.create, subresource: "binding", object: [:], old: nil))
        #expect(!pods.handles(.update, subresource: "", object: [:], old: [:]))
        #expect(pods.handles(.update, subresource: "", object: ["spec": ["activeDeadlineSeconds": 1]], old: [:]))
        #expect(pods.handles(.update, subresource: "resize", object: [:], old: [:]))
        #expect(!pods.handles(.update, subresource: "status", object: [:], old: [:]))
        let secrets = try #require(QuotaMeasure(GroupResource(group: "", resource: "secrets")))
        #expect(!secrets.handles(.update, subresource: "", object: [:], old: [:]))
        let claims = try #require(QuotaMeasure(GroupResource(group: "", resource: "persistentvolumeclaims")))
        #expect(claims.handles(.update, subresource: "", object: [:], old: [:]))
        #expect(!claims.handles(.update, subresource: "status", object: [:], old: [:]))
    }
}

@Suite struct QuotaCountTests {
    private func quota(_ hard: JSONValue, _ status: JSONValue? = nil, _ spec: JSONValue = [:]) -> NamespaceQuota {
        var object: JSONValue = ["spec": spec]
        object.set(hard, at: ["spec", "hard"])
        object["status"] = status
        return NamespaceQuota(object)
    }

    private func measure(_ resource: String, _ group: String = "") throws -> QuotaMeasure {
        try #require(QuotaMeasure(GroupResource(group: group, resource: resource)))
    }

    @Test func `a new quota is filled with what there is`() throws {
        let fresh = quota(["pods": "5", "count/deployments.apps": "2", "secrets": "9", "count/unknown.example.com": "1"])
        let used = QuotaCount.used(
            fresh,
            findings: [
                try measure("pods"): .objects([["spec": [:]], ["spec": [:], "status": ["phase": "Failed"]]]),
                try measure("deployments", "apps"): .count(1), try measure("secrets"): .count(0),
            ],
            now: now,
            QuotaSurroundings()
        )
        #expect(used.text == "count/deployments.apps=1,pods=1,secrets=0")
        #expect(QuotaCount.isDirty(fresh, used: used))
        let filled = quota(["pods": "5"], ["hard": ["pods": "5"], "used": ["pods": "1"]])
        #expect(!QuotaCount.isDirty(filled, used: ResourceAmounts(["pods": Quantity(value: 1)])))
    }

    @Test func `what is no longer limited is no longer counted and what is unknown stays`() throws {
        let changed = quota(
            ["pods": "5", "count/a.example.com": "1"],
            ["hard": ["cpu": "1"], "used": ["cpu": "1", "count/a.example.com": "3"]]
        )
        let used = QuotaCount.used(changed, findings: [try measure("pods"): .objects([])], now: now, QuotaSurroundings())
        #expect(used.text == "count/a.example.com=3,pods=0")
        #expect(QuotaCount.isDirty(changed, used: used))
    }

    @Test func `objects without scopes do not count for a quota that has some`() throws {
        let scoped = quota(["services": "5", "secrets": "2"], nil, ["scopes": ["BestEffort"]])
        let used = QuotaCount.used(
            scoped,
            findings: [try measure("services"): .objects([["spec": [:]]]), try measure("secrets"): .count(4)],
            now: now,
            QuotaSurroundings()
        )
        #expect(used.text == "secrets=0,services=0")
    }

    @Test func `only changes that free something are heard`() throws {
        let pods = try measure("pods")
        let running: JSONValue = ["spec": [:], "status": ["phase": "Running"]]
        #expect(pods.frees(running, ["spec": [:], "status": ["phase": "Succeeded"]], now: now))
        #expect(!pods.frees(running, running, now: now))
        #expect(pods.frees(running, ["spec": ["activeDeadlineSeconds": 5], "status": ["phase": "Running"]], now: now))
        let services = try measure("services")
        #expect(services.frees(["spec": ["type": "NodePort"]], ["spec": ["type": "ClusterIP"]], now: now))
        #expect(!services.frees(["spec": ["type": "ExternalName"]], ["spec": ["type": "ClusterIP"]], now: now))
    }
}
