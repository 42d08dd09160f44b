import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite(.serialized) struct LifecycleSimulation {
    func configMap(_ name: String, namespace: String = "default", owner: ConfigMap? = nil, blocking: Bool = true) -> ConfigMap {
        var map = ConfigMap(name: name, namespace: namespace)
        if let owner {
            map.metadata.ownerReferences = [
                OwnerReference {
                    $0.apiVersion = "v1"
                    $0.kind = "ConfigMap"
                    $0.name = owner.name
                    $0.uid = owner.uid
                    $0.blockOwnerDeletion = blocking
                }
            ]
        }
        return map
    }

    @Test func `every namespace gets its service account and the root certificate, also after they were deleted`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(Namespace(name: "team"))
            func isFurnished() async throws -> Bool {
                let account = try await cluster.exists(ServiceAccount.self, "default", namespace: "team")
                let map = try await cluster.exists(ConfigMap.self, "kube-root-ca.crt", namespace: "team")
                return account && map
            }
            try await cluster.wait("furnished") { try await isFurnished() }
            try await cluster.client.delete(ServiceAccount.self, namespace: "team", name: "default")
            try await cluster.client.delete(ConfigMap.self, namespace: "team", name: "kube-root-ca.crt")
            try await cluster.wait("furnished again") { try await isFurnished() }
        }
    }

    @Test func `a namespace goes with everything in it, pods first`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(Namespace(name: "team"))
            try await cluster.wait("account") { try await cluster.exists(ServiceAccount.self, "default", namespace: "team") }
            var deployment = webDeployment(3)
            deployment.metadata.namespace = "team"
            try await cluster.client.create(deployment)
            try await cluster.client.create(configMap("settings", namespace: "team"))
            try await cluster.wait("running") { try await cluster.pods(namespace: "team").count { $0.isReady } == 3 }
            try await cluster.client.delete(Namespace.self, name: "team")
            try await cluster.wait("gone") { try await !cluster.exists(Namespace.self, "team", namespace: nil) }
            #expect(try await cluster.pods(namespace: "team").isEmpty)
            #expect(try await !cluster.exists(ConfigMap.self, "settings", namespace: "team"))
        }
    }

    @Test func `a finalizer holds a namespace back and the conditions say so`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(Namespace(name: "team"))
            var map = configMap("held", namespace: "team")
            map.metadata.finalizers = ["example.com/hold"]
            try await cluster.client.create(map)
            try await cluster.client.delete(Namespace.self, name: "team")
            try await cluster.wait("condition") {
                let namespace = try await cluster.client.get(Namespace.self, name: "team")
                let condition = namespace.status.conditions.first { $0.type == "NamespaceFinalizersRemaining" }
                return condition?.message.contains("example.com/hold in 1 resource instances") == true
            }
            let release: JSONValue = ["metadata": ["finalizers": .null]]
            let _: ConfigMap = try await cluster.client.patch(namespace: "team", name: "held", type: .merge, release)
            try await cluster.wait("gone") { try await !cluster.exists(Namespace.self, "team", namespace: nil) }
        }
    }

    @Test func `dependents go with the last owner, in the background`() async throws {
        try await SimulatedCluster.run { cluster in
            let one = try await cluster.client.create(configMap("one"))
            let two = try await cluster.client.create(configMap("two"))
            var child = configMap("child", owner: one)
            child.metadata.ownerReferences += configMap("x", owner: two).metadata.ownerReferences
            try await cluster.client.create(child)
            try await cluster.client.create(
                configMap("grandchild", owner: try await cluster.client.get(namespace: "default", name: "child"))
            )
            try await cluster.passTime(.seconds(5))
            try await cluster.client.delete(ConfigMap.self, namespace: "default", name: "one")
            try await cluster.wait("one reference dropped") {
                try await cluster.client.get(ConfigMap.self, namespace: "default", name: "child").metadata.ownerReferences.count == 1
            }
            try await cluster.client.delete(ConfigMap.self, namespace: "default", name: "two")
            try await cluster.wait("all gone") {
                let child = try await cluster.exists(ConfigMap.self, "child")
                let grandchild = try await cluster.exists(ConfigMap.self, "grandchild")
                return !child && !grandchild
            }
        }
    }

    @Test func `foreground deletion removes the owner last`() async throws {
        try await SimulatedCluster.run { cluster in
            let owner = try await cluster.client.create(configMap("owner"))
            var child = configMap("child", owner: owner)
            child.metadata.finalizers = ["example.com/hold"]
            try await cluster.client.create(child)
            try await cluster.passTime(.seconds(2))
            let options = DeleteOptions { $0.propagationPolicy = "Foreground" }
            try await cluster.client.delete(ConfigMap.self, namespace: "default", name: "owner", options: options)
            try await cluster.wait("child is being deleted") {
                try await cluster.client.get(ConfigMap.self, namespace: "default", name: "child").isBeingDeleted
            }
            try await cluster.passTime(.seconds(3))
            #expect(try await cluster.exists(ConfigMap.self, "owner"))
            let release: JSONValue = ["metadata": ["finalizers": .null]]
            let _: ConfigMap = try await cluster.client.patch(namespace: "default", name: "child", type: .merge, release)
            try await cluster.wait("both gone") {
                let owner = try await cluster.exists(ConfigMap.self, "owner")
                let child = try await cluster.exists(ConfigMap.self, "child")
                return !owner && !child
            }
        }
    }

    @Test func `orphaned dependents stay without a reference`() async throws {
        try await SimulatedCluster.run { cluster in
            let owner = try await cluster.client.create(configMap("owner"))
            try await cluster.client.create(configMap("child", owner: owner))
            try await cluster.passTime(.seconds(2))
            let options = DeleteOptions { $0.propagationPolicy = "Orphan" }
            try await cluster.client.delete(ConfigMap.self, namespace: "default", name: "owner", options: options)
            try await cluster.wait("owner gone") { try await !cluster.exists(ConfigMap.self, "owner") }
            #expect(try await cluster.client.get(ConfigMap.self, namespace: "default", name: "child").metadata.ownerReferences.isEmpty)
        }
    }

    @Test func `an owner that never was does not keep an object`() async throws {
        try await SimulatedCluster.run { cluster in
            var ghost = configMap("ghost")
            ghost.metadata.uid = "11111111-2222-3333-4444-555555555555"
            try await cluster.client.create(configMap("child", owner: ghost))
            try await cluster.wait("collected") { try await !cluster.exists(ConfigMap.self, "child") }
        }
    }

    @Test func `every node gets a range of pod addresses of its own`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.wait("ranges") {
                let ranges = try await cluster.client.list(Node.self).items.map(\.spec.podCIDR)
                return Set(ranges).count == 3 && ranges.allSatisfy { $0.hasPrefix("10.244.") && $0.hasSuffix("/24") }
            }
        }
    }

    @Test func `the pods of a silent node are marked, evicted and replaced`() async throws {
        try await SimulatedCluster.run { cluster in
            var deployment = webDeployment(4)
            deployment.spec.template.spec.tolerations = [
                Toleration {
                    $0.key = "node.kubernetes.io/unreachable"
                    $0.operator = "Exists"
                    $0.effect = "NoExecute"
                    $0.tolerationSeconds = 30
                }
            ]
            try await cluster.client.create(deployment)
            try await cluster.wait("running") { try await cluster.pods("app=web").count { $0.isReady } == 4 }
            cluster.nodes.silence("n2")
            try await cluster.wait("unknown", within: .seconds(70)) {
                try await cluster.client.get(Node.self, name: "n2").readyStatus == "Unknown"
            }
            try await cluster.wait("pods unready and node tainted") {
                let node = try await cluster.client.get(Node.self, name: "n2")
                let effects = Set(node.spec.taints.filter { $0.key == "node.kubernetes.io/unreachable" }.map(\.effect))
                let pods = try await cluster.pods("app=web").filter { $0.spec.nodeName == "n2" }
                return effects == ["NoSchedule", "NoExecute"] && pods.allSatisfy { !$0.isReady }
            }
            try await cluster.wait("replaced elsewhere") {
                try await cluster.pods("app=web").count { $0.isReady && $0.isActive && $0.spec.nodeName != "n2" } == 4
            }
            cluster.nodes.wake("n2")
            try await cluster.wait("taints of a returned node", within: .seconds(60)) {
                // The kubelet of a returned node writes its status again.
                let node = try await cluster.client.get(Node.self, name: "n2")
                if node.readyStatus == "Unknown" {
                    var status = node
                    status.status.conditions = [
                        NodeCondition {
                            $0.type = "Ready"
                            $0.status = "True"
                            $0.lastHeartbeatTime = cluster.clock.now
                            $0.lastTransitionTime = cluster.clock.now
                        }
                    ]
                    _ = try? await cluster.client.updateStatus(status)
                }
                return node.readyStatus == "True" && node.spec.taints.isEmpty
            }
        }
    }

    @Test func `pods of a removed node are collected`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(webDeployment(3))
            try await cluster.wait("running") { try await cluster.pods("app=web").count { $0.isReady } == 3 }
            cluster.nodes.silence("n3")
            try await cluster.client.delete(Node.self, name: "n3")
            try await cluster.wait("collected and replaced", within: .seconds(200)) {
                let pods = try await cluster.pods("app=web")
                return pods.allSatisfy { $0.spec.nodeName != "n3" } && pods.count { $0.isReady } == 3
            }
        }
    }
}
