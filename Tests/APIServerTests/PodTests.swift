import Access
import HTTPTransport
import Proxying
import Testing
import Values

@testable import APIServer

@Suite struct PodTests {
    private static let pods = "/api/v1/namespaces/default/pods"

    static func pod(_ name: String, labels: JSONValue = [:]) -> JSONValue {
        [
            "metadata": ["name": .string(name), "labels": labels],
            "spec": ["containers": [["name": "c", "image": "i"]]],
        ]
    }

    @Test func `a pod without its service account is refused`() async throws {
        try await withCluster { cluster in
            let refused = try await cluster.post(Self.pods, Self.pod("p"))
            #expect(refused.status == 403)
            #expect(
                refused.message
                    == "pods \"p\" is forbidden: error looking up service account default/default: serviceaccount \"default\" not found"
            )
        }
    }

    @Test func `a pod gets its account, token volume, tolerations and priority`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            var pod = Self.pod("p")
            pod.set("system-node-critical", at: ["spec", "priorityClassName"])
            let made = try await cluster.post(Self.pods, pod)
            #expect(made.status == 201, "\(made.text)")
            #expect(made["spec", "serviceAccountName"] == "default")
            let volume = made["spec", "volumes", "0"]
            #expect(volume?["name"]?.string?.hasPrefix("kube-api-access-") == true)
            #expect(volume?.value(at: ["projected", "defaultMode"]) == 420)
            #expect(volume?.value(at: ["projected", "sources", "0", "serviceAccountToken", "expirationSeconds"]) == 3607)
            #expect(volume?.value(at: ["projected", "sources", "1", "configMap", "name"]) == "kube-root-ca.crt")
            #expect(
                volume?.value(at: ["projected", "sources", "2", "downwardAPI", "items", "0", "fieldRef", "fieldPath"])
                    == "metadata.namespace"
            )
            let mount = made["spec", "containers", "0", "volumeMounts", "0"]
            #expect(mount?["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount")
            #expect(mount?["readOnly"] == true)
            #expect(made["spec", "priority"] == 2_000_001_000)
            #expect(made["spec", "tolerations"]?.array?.count == 2)
            #expect(made["spec", "tolerations", "0", "tolerationSeconds"] == 300)
        }
    }

    @Test func `binding assigns a node once`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            _ = try await cluster.post(Self.pods, Self.pod("p"))
            let binding: JSONValue = ["metadata": ["name": "p"], "target": ["kind": "Node", "name": "n1"]]
            let bound = try await cluster.post(Self.pods + "/p/binding", binding)
            #expect(bound.status == 201, "\(bound.text)")
            #expect(bound["status"] == "Success")
            let pod = try await cluster.get(Self.pods + "/p")
            #expect(pod["spec", "nodeName"] == "n1")
            #expect(pod["status", "conditions"]?.array?.contains { $0["type"] == "PodScheduled" && $0["status"] == "True" } == true)
            let again = try await cluster.post(Self.pods + "/p/binding", binding)
            #expect(again.status == 409)
            #expect(again.message.hasSuffix("pod p is already assigned to node \"n1\""))
        }
    }

    @Test func `eviction heeds the disruption budget`() async throws {
        try await withCluster { cluster in
            try await cluster.addServiceAccount()
            _ = try await cluster.post(Self.pods, Self.pod("p", labels: ["app": "x"]))
            _ = try await cluster.patch(
                Self.pods + "/p/status",
                ["status": ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]]
            )
            let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
            _ = try await cluster.post(
                budgets,
                ["metadata": ["name": "b"], "spec": ["minAvailable": 1, "selector": ["matchLabels": ["app": "x"]]]]
            )
            let allowance: JSONValue = [
                "status": [
                    "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1, "observedGeneration": 9,
                ]
            ]
            let status = try await cluster.patch(budgets + "/b/status", allowance)
            #expect(status.status == 200, "\(status.text)")
            try await cluster.server.resources.engines[.init(group: "policy", resource: "poddisruptionbudgets")]?.catchUp()
            let refused = try await cluster.post(Self.pods + "/p/eviction", ["metadata": ["name": "p"]])
            #expect(refused.status == 429)
            #expect(refused.message == "Cannot evict pod as it would violate the pod's disruption budget.")
            _ = try await cluster.patch(budgets + "/b/status", ["status": ["disruptionsAllowed": 1]])
            try await cluster.server.resources.engines[.init(group: "policy", resource: "poddisruptionbudgets")]?.catchUp()
            let evicted = try await cluster.post(Self.pods + "/p/eviction", ["metadata": ["name": "p"]])
            #expect(evicted.status == 201, "\(evicted.text)")
            #expect(try await cluster.get(budgets + "/b")["status", "disruptionsAllowed"] == 0)
        }
    }

    @Test func `logs and exec go to the node's kubelet`() async throws {
        try await withCluster(kubelet: EchoKubelet()) { cluster in
            try await cluster.addServiceAccount()
            var pod = Self.pod("p")
            pod.set("n1", at: ["spec", "nodeName"])
            _ = try await cluster.post(Self.pods, pod)
            let node: JSONValue = [
                "metadata": ["name": "n1"],
                "status": [
                    "addresses": [["type": "InternalIP", "address": "10.0.0.5"]],
                    "daemonEndpoints": ["kubeletEndpoint": ["Port": 10250]],
                ],
            ]
            #expect(try await cluster.post("/api/v1/nodes", node).status == 201)
            let log = try await cluster.get(Self.pods + "/p/log?tailLines=5&follow=true")
            #expect(log.status == 200, "\(log.text)")
            #expect(log.text == "GET 10.0.0.5:10250 /containerLogs/default/p/c?follow=true&tailLines=5")
            for (offered, chosen) in [([], ""), (["x", "base64.binary.k8s.io", "binary.k8s.io"], "base64.binary.k8s.io")] {
                let (socket, subprotocol) = try await WebSocketHandshake.connect(
                    cluster.transport(),
                    cluster.request("GET", Self.pods + "/p/log?tailLines=5"),
                    subprotocols: offered
                )
                #expect(subprotocol == chosen)
                let line = Array("GET 10.0.0.5:10250 /containerLogs/default/p/c?tailLines=5".utf8)
                if chosen.isEmpty {
                    #expect(try await socket.receive() == .binary([]))
                    #expect(try await socket.receive() == .binary(line))
                } else {
                    #expect(try await socket.receive() == .text([]))
                    #expect(try await socket.receive() == .text(Array(Base64.encode(line).utf8)))
                }
                #expect(try await socket.receive() == nil)
            }
            await #expect(throws: TransportError.self) {
                _ = try await WebSocketHandshake.connect(
                    cluster.transport(),
                    cluster.request("GET", Self.pods + "/p/log"),
                    subprotocols: ["v4.channel.k8s.io"]
                )
            }
            let wrong = try await cluster.get(Self.pods + "/p/log?container=zzz")
            #expect(wrong.message == "container zzz is not valid for pod p")
            var request = cluster.request("POST", Self.pods + "/p/exec?command=sh&command=-c&stdin=1&tty=true")
            request.headers.append("Connection", "Upgrade")
            request.headers.append("Upgrade", "SPDY/3.1")
            let (response, stream) = try await cluster.transport().upgrade(request)
            #expect(response.status == 101)
            try await stream.write(Array("hello".utf8))
            let expected = "/exec/default/p/c?input=1&tty=1&command=sh&command=-c hello"
            var heard: [UInt8] = []
            while heard.count < expected.utf8.count, let bytes = try await stream.read() { heard += bytes }
            #expect(String(decoding: heard, as: UTF8.self) == expected)
            await stream.close()
        }
    }
}

/// A kubelet that repeats what it was asked.
private struct EchoKubelet: KubeletDialer, HTTPHandler {
    var endpoint: KubeletEndpoint?

    func transport(to endpoint: KubeletEndpoint) async throws -> any APITransport {
        InProcessTransport(handler: EchoKubelet(endpoint: endpoint), peer: Peer())
    }

    func respond(to request: HTTPRequest) async -> HTTPResponse {
        guard request.isUpgrade else {
            let text = "\(request.method) \(endpoint?.host ?? ""):\(endpoint?.port ?? 0) \(request.target)"
            return HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(Array(text.utf8)))
        }
        return HTTPResponse(
            status: 101,
            headers: ["Connection": "Upgrade", "Upgrade": "SPDY/3.1"],
            body: .upgrade { stream in
                let first = try await stream.read() ?? []
                try await stream.write(Array((request.target + " ").utf8) + first)
                _ = try await stream.read()
            }
        )
    }
}
