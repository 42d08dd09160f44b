import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite(.serialized) struct DaemonSimulation {
    func makeSet(_ image: String = "agent:1") -> DaemonSet {
        var set = DaemonSet(name: "agent", namespace: "default")
        set.spec.selector = MetaLabelSelector(fields: ["matchLabels": ["app": "agent"]])
        set.spec.template = PodTemplateSpec {
            $0.metadata.labels = ["app": "agent"]
            $0.spec.containers = [
                Container {
                    $0.name = "main"
                    $0.image = image
                }
            ]
        }
        return set
    }

    func status(_ cluster: SimulatedCluster) async throws -> DaemonSetStatus {
        try await cluster.client.get(DaemonSet.self, namespace: "default", name: "agent").status
    }

    @Test func `every node runs one, new nodes too, and an update goes node by node`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(makeSet())
            try await cluster.wait("three ready") { try await status(cluster).numberReady == 3 }
            #expect(Set(try await cluster.pods("app=agent").map(\.spec.nodeName)) == ["n1", "n2", "n3"])
            try await cluster.client.retryOnConflict {
                var set = try await cluster.client.get(DaemonSet.self, namespace: "default", name: "agent")
                set.spec.template = makeSet("agent:2").spec.template
                try await cluster.client.update(set)
            }
            try await cluster.wait("updated") {
                let pods = try await cluster.pods("app=agent")
                #expect(pods.count { $0.isActive && $0.isReady } >= 2)
                let found = try await cluster.client.get(DaemonSet.self, namespace: "default", name: "agent")
                let now = found.status
                let isSeen = now.observedGeneration >= found.metadata.generation
                return isSeen && now.updatedNumberScheduled == 3 && now.numberAvailable == 3
            }
            let revisions = try await cluster.client.list(ControllerRevision.self, namespace: "default").items
            #expect(Set(revisions.map(\.revision)) == [1, 2])
            var node = Node(name: "n4")
            node.metadata.labels = ["kubernetes.io/os": "linux"]
            try await cluster.client.create(node)
            try await cluster.wait("a pod for the new node") { try await cluster.pods("app=agent").contains { $0.spec.nodeName == "n4" } }
            try await cluster.client.delete(DaemonSet.self, namespace: "default", name: "agent")
            try await cluster.wait("removed") { try await cluster.pods("app=agent").allSatisfy { $0.spec.nodeName == "n4" } }
        }
    }

    @Test func `a selector and taints keep daemons off nodes`() async throws {
        try await SimulatedCluster.run { cluster in
            let taint: JSONValue = ["spec": ["taints": [["key": "gpu", "effect": "NoSchedule"]]]]
            let _: Node = try await cluster.client.patch(name: "n1", type: .merge, taint)
            try await cluster.client.create(makeSet())
            try await cluster.wait("two of three") {
                let now = try await status(cluster)
                return now.desiredNumberScheduled == 2 && now.numberReady == 2
            }
            #expect(try await cluster.pods("app=agent").allSatisfy { $0.spec.nodeName != "n1" })
        }
    }
}
