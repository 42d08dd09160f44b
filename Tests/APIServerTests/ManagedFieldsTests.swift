import Channels
import HTTPTransport
import Testing
import Units
import Values

@testable import APIServer

/// `metadata.managedFields` on the wire, as upstream's server writes them.
@Suite struct ManagedFieldsTests {
    private static let deployments = "/apis/apps/v1/namespaces/default/deployments"
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let apply = "application/apply-patch+yaml"

    private static func entry(_ answer: TestCluster.Answer, _ manager: String) -> JSONValue? {
        answer["metadata", "managedFields"]?.array?.first { $0["manager"]?.string == manager }
    }

    @Test func `a creation owns all it set, with what was defaulted`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.send(
                "POST",
                Self.deployments + "?fieldManager=kubectl-create",
                UpdateTests.deployment.encoded(),
                type: "application/json"
            )
            let wanted: JSONValue = try JSONParser.parse(
                #"""
                {"f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:revisionHistoryLimit":{},"f:selector":{},
                "f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},
                "f:template":{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},
                "f:image":{},"f:imagePullPolicy":{},"f:name":{},
                "f:ports":{".":{},"k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{},"f:protocol":{}}},
                "f:resources":{},"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}},
                "f:dnsPolicy":{},"f:restartPolicy":{},"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}}}}
                """#
            )
            let entry = Self.entry(made, "kubectl-create")
            #expect(entry?["fieldsV1"] == wanted, "\(made.text)")
            #expect(entry?["operation"] == "Update" && entry?["apiVersion"] == "apps/v1" && entry?["fieldsType"] == "FieldsV1")
            #expect(entry?["time"] == made["metadata", "creationTimestamp"])
        }
    }

    @Test func `writes through a subresource have entries of their own`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.deployments, UpdateTests.deployment)
            let status = try await cluster.patch(
                Self.deployments + "/web/status?fieldManager=ctl",
                ["status": ["replicas": 2, "conditions": [["type": "Available", "status": "True"]]], "spec": ["replicas": 9]]
            )
            let entry = Self.entry(status, "ctl")
            #expect(entry?["subresource"] == "status")
            #expect(
                entry?["fieldsV1"]
                    == [
                        "f:status": [
                            "f:conditions": [
                                ".": [:],
                                "k:{\"type\":\"Available\"}": [
                                    ".": [:], "f:lastTransitionTime": [:], "f:lastUpdateTime": [:], "f:status": [:], "f:type": [:],
                                ],
                            ],
                            "f:replicas": [:],
                        ]
                    ],
                "\(status.text)"
            )
            let scaled = try await cluster.patch(Self.deployments + "/web/scale?fieldManager=scaler", ["spec": ["replicas": 5]])
            #expect(scaled.status == 200)
            let now = try await cluster.get(Self.deployments + "/web")
            #expect(Self.entry(now, "scaler")?["subresource"] == "scale")
            #expect(Self.entry(now, "scaler")?["fieldsV1"] == ["f:spec": ["f:replicas": [:]]])
            #expect(Self.entry(now, "unknown")?["fieldsV1"]?["f:spec"]?["f:replicas"] == nil, "the creator gave it up")
        }
    }

    @Test func `who sets a value that is there owns it with the others, without a time`() async throws {
        try await withCluster { cluster in
            let object: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "data": ["k": "v"]]
            _ = try await cluster.patch(Self.maps + "/a?fieldManager=one", object, type: Self.apply)
            let second = try await cluster.patch(Self.maps + "/a?fieldManager=two", object, type: Self.apply)
            #expect(Self.entry(second, "two")?["fieldsV1"] == ["f:data": ["f:k": [:]]])
            #expect(Self.entry(second, "two")?["time"] == nil)
            let alone = try await cluster.patch(
                Self.maps + "/a?fieldManager=one",
                ["apiVersion": "v1", "kind": "ConfigMap"],
                type: Self.apply
            )
            #expect(alone["data"] == ["k": "v"], "two still wants it")
            #expect(Self.entry(alone, "one") == nil)
            let none = try await cluster.patch(
                Self.maps + "/a?fieldManager=two",
                ["apiVersion": "v1", "kind": "ConfigMap"],
                type: Self.apply
            )
            #expect(none["data"] == nil, "\(none.text)")
            #expect(none["metadata", "managedFields"] == nil)
        }
    }

    @Test func `a list with one empty entry resets the records`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "a"], "data": ["k": "v"]])
            let reset = try await cluster.patch(Self.maps + "/a", ["metadata": ["managedFields": [[:]]]])
            #expect(reset.status == 200)
            #expect(reset["metadata", "managedFields"] == nil)
            let update = try await cluster.patch(Self.maps + "/a?fieldManager=x", ["data": ["k": "w"]])
            #expect(update["metadata", "managedFields"] == nil, "nothing is tracked until somebody applies")
            let conflict = try await cluster.patch(
                Self.maps + "/a?fieldManager=b",
                ["apiVersion": "v1", "kind": "ConfigMap", "data": ["k": "z"]],
                type: Self.apply
            )
            #expect(conflict.message == "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.k")
        }
    }

    @Test(arguments: ["application/merge-patch+json", "application/strategic-merge-patch+json", "application/json-patch+json", "PUT"])
    func `an empty list resets the records, null does not`(_ type: String) async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(Self.maps, ["metadata": ["name": "a"], "data": ["k": "v"]])
            func write(_ records: JSONValue) async throws -> TestCluster.Answer {
                switch type {
                case "PUT":
                    var object = made.json
                    object.set(records, at: ["metadata", "managedFields"])
                    object.remove(at: ["metadata", "resourceVersion"])
                    return try await cluster.put(Self.maps + "/a", object)
                case "application/json-patch+json":
                    let operation: JSONValue = ["op": "replace", "path": "/metadata/managedFields", "value": records]
                    return try await cluster.patch(Self.maps + "/a", [operation], type: type)
                default: return try await cluster.patch(Self.maps + "/a", ["metadata": ["managedFields": records]], type: type)
                }
            }
            let kept = try await write(.null)
            #expect(kept.status == 200, "\(kept.text)")
            #expect(kept["metadata", "managedFields"]?.array?.isEmpty == false)
            let reset = try await write([])
            #expect(reset.status == 200, "\(reset.text)")
            #expect(reset["metadata", "managedFields"] == nil)
            #expect(try await cluster.get(Self.maps + "/a")["metadata", "managedFields"] == nil)
        }
    }

    @Test func `kubectl takes over what its client side applied`() async throws {
        try await withCluster { cluster in
            let last = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default"},"data":{"k":"v"}}"#
            let annotation = "kubectl.kubernetes.io/last-applied-configuration"
            let object: JSONValue = [
                "metadata": ["name": "a", "annotations": [annotation: .string(last)]], "data": ["k": "v", "other": "x"],
            ]
            _ = try await cluster.send(
                "POST",
                Self.maps + "?fieldManager=kubectl-client-side-apply",
                object.encoded(),
                type: "application/json"
            )
            let wanted: JSONValue = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a"], "data": ["k": "new"]]
            let stranger = try await cluster.patch(Self.maps + "/a?fieldManager=x", wanted, type: Self.apply)
            #expect(stranger.status == 409)
            let kubectl = try await cluster.patch(Self.maps + "/a?fieldManager=kubectl", wanted, type: Self.apply)
            #expect(kubectl["data"] == ["k": "new", "other": "x"], "\(kubectl.text)")
            let text = kubectl["metadata", "annotations", annotation]?.string ?? ""
            #expect(try JSONParser.parse(text) == wanted)
            #expect(text.hasSuffix("}\n"))
        }
    }

    @Test func `several conflicts are listed by owner`() async throws {
        try await withCluster { cluster in
            _ = try await cluster.patch(
                Self.maps + "/a?fieldManager=one",
                ["apiVersion": "v1", "kind": "ConfigMap", "data": ["a": "1", "b": "1"]],
                type: Self.apply
            )
            _ = try await cluster.patch(Self.maps + "/a?fieldManager=two", ["data": ["c": "1"]])
            let answer = try await cluster.patch(
                Self.maps + "/a?fieldManager=three",
                ["apiVersion": "v1", "kind": "ConfigMap", "data": ["a": "2", "b": "2", "c": "2"]],
                type: Self.apply
            )
            #expect(answer.status == 409)
            #expect(answer.reason == "Conflict")
            #expect(
                answer.message
                    == "Apply failed with 3 conflicts: conflicts with \"one\":\n- .data.a\n- .data.b\nconflicts with \"two\" using v1:\n- .data.c"
            )
            #expect(
                answer["details", "causes"]
                    == [
                        ["reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".data.a"],
                        ["reason": "FieldManagerConflict", "message": "conflict with \"one\"", "field": ".data.b"],
                        ["reason": "FieldManagerConflict", "message": "conflict with \"two\" using v1", "field": ".data.c"],
                    ]
            )
        }
    }

    @Test func `names of managers are checked`() async throws {
        try await withCluster { cluster in
            let long = String(repeating: "x", count: 129)
            let answer = try await cluster.send(
                "POST",
                Self.maps + "?fieldManager=\(long)",
                JSONValue.object(["metadata": ["name": "a"]]).encoded(),
                type: "application/json"
            )
            #expect(answer.status == 422)
            #expect(answer.message == "CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes")
            let agent = try await cluster.send(
                "POST",
                Self.maps,
                JSONValue.object(["metadata": ["name": "b"]]).encoded(),
                type: "application/json",
                headers: ["User-Agent": "kubelet/v1.36.2 (linux/amd64) kubernetes/1234"]
            )
            #expect(agent.status == 201)
        }
    }
}
