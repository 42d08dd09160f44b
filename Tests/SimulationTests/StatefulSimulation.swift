import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite(.serialized) struct StatefulSimulation {
    func makeSet(_ replicas: Int, image: String = "db:1", claims: Bool = true) -> StatefulSet {
        var set = StatefulSet(name: "db", namespace: "default")
        set.spec.replicas = replicas
        set.spec.serviceName = "db"
        set.spec.selector = MetaLabelSelector(fields: ["matchLabels": ["app": "db"]])
        set.spec.template = PodTemplateSpec {
            $0.metadata.labels = ["app": "db"]
            $0.spec.containers = [
                Container {
                    $0.name = "main"
                    $0.image = image
                }
            ]
        }
        if claims {
            let spec: JSONValue = ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]
            set.spec.volumeClaimTemplates = [PersistentVolumeClaim(fields: ["metadata": ["name": "data"], "spec": spec])]
        }
        return set
    }

    func status(_ cluster: SimulatedCluster) async throws -> StatefulSetStatus {
        try await cluster.client.get(StatefulSet.self, namespace: "default", name: "db").status
    }

    func change(_ cluster: SimulatedCluster, _ body: (inout StatefulSet) -> Void) async throws {
        try await cluster.client.retryOnConflict {
            var set = try await cluster.client.get(StatefulSet.self, namespace: "default", name: "db")
            body(&set)
            try await cluster.client.update(set)
        }
    }

    @Test func `pods start in order with storage of their own and stop in reverse`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(makeSet(3))
            try await cluster.wait("three ready") {
                let pods = try await cluster.pods("app=db").sorted { $0.name < $1.name }
                #expect(pods.dropLast().count { !$0.isReady } == 0, "each waits for the one before")
                return try await status(cluster).readyReplicas == 3
            }
            #expect(try await cluster.pods("app=db").map(\.name).sorted() == ["db-0", "db-1", "db-2"])
            let claims = try await cluster.client.list(PersistentVolumeClaim.self, namespace: "default").items
            #expect(Set(claims.map(\.name)) == ["data-db-0", "data-db-1", "data-db-2"])
            let pod = try await cluster.client.get(Pod.self, namespace: "default", name: "db-1")
            #expect(pod.spec.hostname == "db-1")
            #expect(pod.spec.subdomain == "db")
            #expect(pod.labels["apps.kubernetes.io/pod-index"] == "1")
            #expect(pod.spec.volumes.first { $0.name == "data" }?.persistentVolumeClaim?.claimName == "data-db-1")
            try await change(cluster) { $0.spec.replicas = 1 }
            try await cluster.wait("one left") {
                let names = Set(try await cluster.pods("app=db").filter { !$0.isBeingDeleted }.map(\.name))
                #expect(names.contains("db-0"))
                #expect(!(names.contains("db-2") && !names.contains("db-1")))
                return names == ["db-0"]
            }
            #expect(try await cluster.client.list(PersistentVolumeClaim.self, namespace: "default").items.count == 3)
        }
    }

    @Test func `an update replaces one pod at a time from the last`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(makeSet(3, claims: false))
            try await cluster.wait("up") { try await status(cluster).readyReplicas == 3 }
            try await change(cluster) { $0.spec.template = makeSet(3, image: "db:2").spec.template }
            try await cluster.wait("updated") {
                let pods = try await cluster.pods("app=db")
                #expect(pods.count { $0.isReady && $0.isActive } >= 2)
                let found = try await cluster.client.get(StatefulSet.self, namespace: "default", name: "db")
                let now = found.status
                let isSeen = now.observedGeneration >= found.metadata.generation
                return isSeen && now.updatedReplicas == 3 && now.readyReplicas == 3 && now.currentRevision == now.updateRevision
            }
            #expect(try await cluster.pods("app=db").allSatisfy { $0.spec.containers.first?.image == "db:2" })
            try await cluster.client.delete(Pod.self, namespace: "default", name: "db-1")
            try await cluster.wait("replaced under the same name") {
                let now = try await status(cluster)
                return now.readyReplicas == 3 && now.replicas == 3
            }
        }
    }
}
