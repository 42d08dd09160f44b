import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite(.serialized) struct IdleSimulation {
    func versions<T: APIObject>(_ cluster: SimulatedCluster, _: T.Type) async throws -> [String: String] {
        let items = try await cluster.client.list(T.self).items
        return Dictionary(uniqueKeysWithValues: items.map { ("\(T.gvk.kind) \($0.key)", $0.resourceVersion) })
    }

    func snapshot(_ cluster: SimulatedCluster) async throws -> [String: String] {
        var all: [String: String] = [:]
        all.merge(try await versions(cluster, Deployment.self)) { $1 }
        all.merge(try await versions(cluster, ReplicaSet.self)) { $1 }
        all.merge(try await versions(cluster, DaemonSet.self)) { $1 }
        all.merge(try await versions(cluster, StatefulSet.self)) { $1 }
        all.merge(try await versions(cluster, Job.self)) { $1 }
        all.merge(try await versions(cluster, Pod.self)) { $1 }
        all.merge(try await versions(cluster, Node.self)) { $1 }
        all.merge(try await versions(cluster, Namespace.self)) { $1 }
        all.merge(try await versions(cluster, ConfigMap.self)) { $1 }
        all.merge(try await versions(cluster, Service.self)) { $1 }
        all.merge(try await versions(cluster, Endpoints.self)) { $1 }
        all.merge(try await versions(cluster, EndpointSlice.self)) { $1 }
        all.merge(try await versions(cluster, PodDisruptionBudget.self)) { $1 }
        all.merge(try await versions(cluster, ControllerRevision.self)) { $1 }
        all.merge(try await versions(cluster, PersistentVolume.self)) { $1 }
        all.merge(try await versions(cluster, PersistentVolumeClaim.self)) { $1 }
        all.merge(try await versions(cluster, Event.self)) { $1 }
        return all
    }

    @Test func `when nothing happens nothing is written, also after a restart`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(webService())
            try await cluster.client.create(webDeployment(3))
            try await cluster.client.create(DaemonSimulation().makeSet())
            try await cluster.client.create(StatefulSimulation().makeSet(2, claims: false))
            try await cluster.client.create(JobSimulation().makeJob("once", image: "ends:0"))
            try await cluster.client.create(VolumeSimulation().makeVolume("v", "1Gi"))
            try await cluster.client.create(VolumeSimulation().makeClaim("c", "1Gi"))
            var budget = PodDisruptionBudget(name: "web", namespace: "default")
            budget.spec.maxUnavailable = .string("30%")
            budget.spec.selector = MetaLabelSelector(fields: ["matchLabels": ["app": "web"]])
            try await cluster.client.create(budget)
            try await cluster.wait("all at rest") {
                let deployment = try await cluster.deployment("web")
                let set = try await StatefulSimulation().status(cluster)
                let daemons = try await DaemonSimulation().status(cluster)
                let job = try await cluster.client.get(Job.self, namespace: "default", name: "once")
                return deployment.isComplete(deployment.status) && set.readyReplicas == 2 && daemons.numberReady == 3 && job.isFinished
            }
            try await cluster.passTime(.seconds(20))
            let before = try await snapshot(cluster)
            try await cluster.passTime(.seconds(60))
            #expect(changes(before, try await snapshot(cluster)) == [])
            await cluster.stopControllers()
            cluster.startControllers()
            try await cluster.passTime(.seconds(60))
            let after = try await snapshot(cluster).filter { !$0.key.hasPrefix("Event ") }
            #expect(changes(before.filter { !$0.key.hasPrefix("Event ") }, after) == [])
        }
    }

    func changes(_ before: [String: String], _ after: [String: String]) -> [String] {
        Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
    }
}
