import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

/// The controller manager is stopped and started again in the middle of things, pods vanish, templates change.
@Suite(.serialized) struct FaultSimulation {
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `a rollout survives restarts and losses without pods too many`(_ seed: UInt64) async throws {
        try await SimulatedCluster.run(seed: seed) { cluster in
            let random = SeededRandom(seed: seed &* 7919)
            func pick(_ n: Int) -> Int { Int(random.next() % UInt64(n)) }
            let replicas = 3 + pick(5)
            try await cluster.client.create(webDeployment(replicas))
            var version = 1
            var sinceRestart = 0
            for _ in 0..<25 {
                sinceRestart += 1
                switch pick(5) {
                case 0:
                    sinceRestart = 0
                    await cluster.stopControllers()
                    await cluster.pass(.milliseconds(200))
                    cluster.startControllers()
                case 1:
                    version += 1
                    let image = "web:\(version)"
                    try await cluster.client.retryOnConflict {
                        var deployment = try await cluster.deployment("web")
                        deployment.spec.template = webDeployment(replicas, image: image).spec.template
                        try await cluster.client.update(deployment)
                    }
                case 2:
                    let pods = try await cluster.pods("app=web").filter(\.isActive)
                    if !pods.isEmpty {
                        try? await cluster.client.delete(Pod.self, namespace: "default", name: pods[pick(pods.count)].name)
                    }
                default: break
                }
                for _ in 0..<pick(8) { await cluster.pass(.milliseconds(100)) }
                let pods = try await cluster.pods("app=web").filter(\.isActive)
                // A request that was under way when its sender stopped may still be carried out, and is put right later.
                if sinceRestart > 2 { #expect(pods.count <= replicas + (replicas + 3) / 4, "seed \(seed)") }
            }
            try await cluster.wait("settled", within: .seconds(300)) {
                let found = try await cluster.deployment("web")
                let leaving = try await cluster.pods("app=web").contains { !$0.isActive }
                return found.isComplete(found.status) && !leaving
            }
            let pods = try await cluster.pods("app=web")
            #expect(pods.count == replicas)
            #expect(pods.allSatisfy { $0.spec.containers.first?.image == "web:\(version)" && $0.isReady })
            let owners = Set(pods.compactMap { $0.controllerRef?.uid })
            #expect(owners.count == 1)
        }
    }
}
