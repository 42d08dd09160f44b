import Testing
import Values

@testable import APIServer

/// What upstream's suite found: each test is the rule behind a spec that failed once.
@Suite struct ConformanceFindingsTests {
    @Test func `flags and counts that are left out are selected by what they mean`() async throws {
        try await withCluster { cluster in
            for (name, spec) in [("a", [:]), ("b", ["unschedulable": true])] as [(String, JSONValue)] {
                _ = try await cluster.post("/api/v1/nodes", ["metadata": ["name": .string(name)], "spec": spec])
            }
            func names(_ selector: String) async throws -> [String] {
                let list = try await cluster.get("/api/v1/nodes?fieldSelector=spec.unschedulable\(selector)")
                return (list["items"]?.array ?? []).compactMap { $0.value(at: ["metadata", "name"])?.string }
            }
            #expect(try await names("%3Dfalse") == ["a"])
            #expect(try await names("!%3Dfalse") == ["b"])
            #expect(try await names("%3Dtrue") == ["b"])
            #expect(try await names("!%3Dtrue") == ["a"])
            #expect(try await names("%3D") == [])
        }
    }

    @Test func `a deletion that changes nothing is not a change`() async throws {
        try await withCluster { cluster in
            let path = "/api/v1/namespaces/default/configmaps"
            _ = try await cluster.post(path, ["metadata": ["name": "m", "finalizers": ["apus.test/f"]]])
            let first = try await cluster.delete("\(path)/m")
            #expect(first["metadata", "deletionTimestamp"] != nil)
            let again = try await cluster.delete("\(path)/m")
            #expect(again["metadata", "resourceVersion"] == first["metadata", "resourceVersion"])
        }
    }

    @Test func `problems of a typed object are told in the order of the text`() async throws {
        try await withCluster { cluster in
            func message(_ spec: String) async throws -> String {
                let body = #"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{\#(spec)}}"#
                return try await cluster.send(
                    "POST",
                    "/apis/apps/v1/namespaces/default/deployments?fieldValidation=Strict",
                    Array(body.utf8),
                    type: "application/json"
                ).message
            }
            let unknownFirst = try await message(#""unknownField":"x","replicas":2,"replicas":3"#)
            #expect(unknownFirst.hasSuffix(#"strict decoding error: unknown field "spec.unknownField", duplicate field "spec.replicas""#))
            let duplicateFirst = try await message(#""replicas":2,"replicas":3,"unknownField":{"a":[1,"]"]}"#)
            #expect(duplicateFirst.hasSuffix(#"strict decoding error: duplicate field "spec.replicas", unknown field "spec.unknownField""#))
        }
    }

    @Test func `a review is no table`() async throws {
        try await withCluster { cluster in
            let review: JSONValue = ["spec": ["nonResourceAttributes": ["path": "/", "verb": "get"]]]
            let answer = try await cluster.send(
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                review.encoded(),
                type: "application/json",
                accept: "application/json;as=Table;v=v1;g=meta.k8s.io"
            )
            #expect(answer.status == 406)
        }
    }

    @Test func `a pod gets what its runtime class brings, and is refused when there is no such class`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            func pod(_ name: String, _ spec: JSONValue) -> JSONValue {
                var spec = spec
                spec["containers"] = [["name": "c", "image": "i"]]
                return ["metadata": ["name": .string(name)], "spec": spec]
            }
            let pods = "/api/v1/namespaces/default/pods"
            let refused = try await cluster.post(pods, pod("a", ["runtimeClassName": "none"]))
            #expect(refused.status == 403)
            #expect(refused.message == #"pods "a" is forbidden: pod rejected: RuntimeClass "none" not found"#)
            let made = try await cluster.post(
                "/apis/node.k8s.io/v1/runtimeclasses",
                [
                    "metadata": ["name": "r"], "handler": "runc", "overhead": ["podFixed": ["cpu": "10m"]],
                    "scheduling": ["nodeSelector": ["a": "b"], "tolerations": [["key": "k", "operator": "Exists"]]],
                ]
            )
            #expect(made.status == 201, "\(made.text)")
            let own: JSONValue = [["key": "k", "operator": "Equal", "value": "v"]]
            let admitted = try await cluster.post(pods, pod("b", ["runtimeClassName": "r", "tolerations": own]))
            #expect(admitted.status == 201, "\(admitted.text)")
            #expect(admitted["spec", "overhead"] == ["cpu": "10m"])
            #expect(admitted["spec", "nodeSelector"] == ["a": "b"])
            let keys = (admitted["spec", "tolerations"]?.array ?? []).compactMap { $0["key"]?.string }
            #expect(keys.filter { $0 == "k" }.count == 1)
            let conflict = try await cluster.post(pods, pod("c", ["runtimeClassName": "r", "nodeSelector": ["a": "c"]]))
            #expect(
                conflict.message
                    == #"pods "c" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[a] = b; pod.spec.nodeSelector[a] = c"#
            )
            let overhead = try await cluster.post(pods, pod("d", ["overhead": ["cpu": "1"]]))
            #expect(overhead.message.hasSuffix("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"))
        }
    }

    @Test func `events are selected by who reports them`() async throws {
        try await withCluster { cluster in
            let time = "2026-01-01T00:00:00.000000Z"
            let made = try await cluster.post(
                "/apis/events.k8s.io/v1/namespaces/default/events",
                [
                    "metadata": ["name": "e"], "reportingController": "test-controller", "reportingInstance": "i", "action": "a",
                    "reason": "r", "type": "Normal", "eventTime": .string(time),
                    "regarding": ["namespace": "default", "kind": "Pod", "name": "p"],
                ]
            )
            #expect(made.status == 201, "\(made.text)")
            func count(_ source: String) async throws -> Int? {
                try await cluster.get("/api/v1/namespaces/default/events?fieldSelector=source%3D\(source)")["items"]?.array?.count
            }
            #expect(try await count("test-controller") == 1)
            #expect(try await count("other") == 0)
        }
    }
}
