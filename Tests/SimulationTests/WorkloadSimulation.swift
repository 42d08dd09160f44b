import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

func webDeployment(_ replicas: Int, image: String = "web:1", name: String = "web") -> Deployment {
    var deployment = Deployment(name: name, namespace: "default")
    deployment.spec.replicas = replicas
    deployment.fields["spec"]?.set(["app": .string(name)], at: ["selector", "matchLabels"])
    deployment.spec.template = PodTemplateSpec {
        $0.metadata.labels = ["app": name]
        $0.spec.containers = [
            Container {
                $0.name = "main"
                $0.image = image
                $0.ports = [
                    ContainerPort {
                        $0.name = "http"; $0.containerPort = 8080
                    }
                ]
            }
        ]
    }
    return deployment
}

@Suite(.serialized) struct WorkloadSimulation {
    func isComplete(_ cluster: SimulatedCluster, _ name: String, _ replicas: Int) async throws -> Bool {
        let found = try await cluster.deployment(name)
        let status = found.status
        return status.observedGeneration >= found.metadata.generation && status.updatedReplicas == replicas
            && status.availableReplicas == replicas && status.replicas == replicas
    }

    func update(_ cluster: SimulatedCluster, _ name: String, _ change: (inout Deployment) -> Void) async throws {
        try await cluster.client.retryOnConflict {
            var deployment = try await cluster.deployment(name)
            change(&deployment)
            try await cluster.client.update(deployment)
        }
    }

    @Test func `a deployment comes up, is updated without loss, rolled back, scaled and removed`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(webDeployment(4))
            try await cluster.wait("four available") { try await isComplete(cluster, "web", 4) }
            #expect(try await cluster.pods("app=web").count == 4, "no pod too many")
            try await update(cluster, "web") {
                $0.spec.template.spec.containers = webDeployment(4, image: "web:2").spec.template.spec.containers
            }
            try await cluster.wait("second version") {
                let pods = try await cluster.pods("app=web")
                #expect(pods.count { $0.isActive && $0.isReady } >= 3)
                #expect(pods.count(where: \.isActive) <= 5)
                return try await isComplete(cluster, "web", 4)
            }
            let sets = try await cluster.client.list(ReplicaSet.self, namespace: "default").items
            #expect(Set(sets.compactMap(\.revision)) == [1, 2])
            #expect(try await cluster.deployment("web").annotations["deployment.kubernetes.io/revision"] == "2")
            try await update(cluster, "web") { $0.spec.template.spec.containers = webDeployment(4).spec.template.spec.containers }
            try await cluster.wait("back to the first") {
                let revision = try await cluster.deployment("web").annotations["deployment.kubernetes.io/revision"]
                let complete = try await isComplete(cluster, "web", 4)
                return revision == "3" && complete
            }
            #expect(try await cluster.client.list(ReplicaSet.self, namespace: "default").items.count == 2)
            try await update(cluster, "web") { $0.spec.replicas = 1 }
            try await cluster.wait("one left") { try await cluster.pods("app=web").count == 1 }
            try await cluster.client.delete(Deployment.self, namespace: "default", name: "web")
            try await cluster.wait("collected") {
                let pods = try await cluster.pods("app=web")
                let sets = try await cluster.client.list(ReplicaSet.self, namespace: "default").items
                return pods.isEmpty && sets.isEmpty
            }
        }
    }

    @Test func `events tell what happened in upstream's words`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(webDeployment(1))
            try await cluster.wait("events") {
                let events = try await cluster.client.list(Event.self, namespace: "default").items
                let reasons = Set(events.map(\.reason))
                return reasons.isSuperset(of: ["ScalingReplicaSet", "SuccessfulCreate"])
            }
            let events = try await cluster.client.list(Event.self, namespace: "default").items
            let scaling = events.first { $0.reason == "ScalingReplicaSet" }
            #expect(scaling?.message.hasPrefix("Scaled up replica set web-") == true)
            #expect(scaling?.message.hasSuffix("from 0 to 1") == true)
            #expect(scaling?.involvedObject.kind == "Deployment")
            #expect(scaling?.source.component == "deployment-controller")
        }
    }

    @Test func `a rollout that cannot finish is reported and undone without loss`() async throws {
        try await SimulatedCluster.run { cluster in
            cluster.nodes.neverReady("web:bad")
            var deployment = webDeployment(3)
            deployment.spec.progressDeadlineSeconds = 30
            try await cluster.client.create(deployment)
            try await cluster.wait("up") { try await isComplete(cluster, "web", 3) }
            try await update(cluster, "web") {
                $0.spec.template.spec.containers = webDeployment(3, image: "web:bad").spec.template.spec.containers
            }
            try await cluster.wait("deadline") {
                #expect(try await cluster.pods("app=web").count { $0.isActive && $0.isReady } == 3)
                return try await cluster.deployment("web").status.condition("Progressing")?.reason == "ProgressDeadlineExceeded"
            }
            try await update(cluster, "web") { $0.spec.template.spec.containers = webDeployment(3).spec.template.spec.containers }
            try await cluster.wait("undone") { try await isComplete(cluster, "web", 3) }
        }
    }

    @Test func `pods that vanish are replaced, and pods are never duplicated`() async throws {
        try await SimulatedCluster.run(seed: 7) { cluster in
            try await cluster.client.create(webDeployment(10))
            try await cluster.wait("up") { try await isComplete(cluster, "web", 10) }
            for round in 0..<5 {
                let pods = try await cluster.pods("app=web").filter(\.isActive)
                for pod in pods.prefix(1 + round) {
                    try await cluster.client.delete(Pod.self, namespace: "default", name: pod.name)
                }
                try await cluster.wait("replaced") {
                    #expect(try await cluster.pods("app=web").count(where: \.isActive) <= 10)
                    return try await isComplete(cluster, "web", 10)
                }
            }
        }
    }

    @Test func `recreate never runs two versions at once`() async throws {
        try await SimulatedCluster.run { cluster in
            var deployment = webDeployment(3)
            deployment.spec.strategy.type = "Recreate"
            try await cluster.client.create(deployment)
            try await cluster.wait("up") { try await isComplete(cluster, "web", 3) }
            try await update(cluster, "web") {
                $0.spec.template.spec.containers = webDeployment(3, image: "web:2").spec.template.spec.containers
            }
            try await cluster.wait("second") {
                let images = Set(try await cluster.pods("app=web").compactMap { $0.spec.containers.first?.image })
                #expect(images.count <= 1)
                return try await isComplete(cluster, "web", 3)
            }
        }
    }

    @Test func `a pod whose label is taken away is released and replaced, an orphan adopted`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(webDeployment(2))
            try await cluster.wait("up") { try await isComplete(cluster, "web", 2) }
            let pod = try #require(try await cluster.pods("app=web").first)
            let strip: JSONValue = ["metadata": ["labels": ["app": "debug"]]]
            let _: Pod = try await cluster.client.patch(namespace: "default", name: pod.name, type: .merge, strip)
            try await cluster.wait("released and replaced") {
                let released = try await cluster.client.get(Pod.self, namespace: "default", name: pod.name)
                let members = try await cluster.pods("app=web")
                return released.controllerRef == nil && members.count == 2
            }
            let back: JSONValue = ["metadata": ["labels": ["app": "web"]]]
            let _: Pod = try await cluster.client.patch(namespace: "default", name: pod.name, type: .merge, back)
            try await cluster.wait("adopted, and one too many removed") {
                let all = try await cluster.pods("app=web")
                return all.count == 2 && all.allSatisfy { $0.controllerRef != nil }
            }
        }
    }

    @Test func `a replication controller keeps its pods too`() async throws {
        try await SimulatedCluster.run { cluster in
            var controller = ReplicationController(name: "rc", namespace: "default")
            controller.fields["spec"] = [
                "replicas": 2, "selector": ["app": "rc"],
                "template": ["metadata": ["labels": ["app": "rc"]], "spec": ["containers": [["name": "c", "image": "i"]]]],
            ]
            try await cluster.client.create(controller)
            try await cluster.wait("two ready") {
                try await cluster.client.get(ReplicationController.self, namespace: "default", name: "rc").status.readyReplicas == 2
            }
            #expect(try await cluster.pods("app=rc").allSatisfy { $0.controllerRef?.kind == "ReplicationController" })
        }
    }
}
