import APIClient
import APIModel
import APITypes
import Channels
import Testing
import Units
import Values

@testable import Controllers

@Suite(.serialized) struct VolumeSimulation {
    func makeVolume(_ name: String, _ size: String, storageClass: String = "manual") -> PersistentVolume {
        var volume = PersistentVolume(name: name)
        volume.fields["spec"] = [
            "capacity": ["storage": .string(size)], "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": .string(storageClass), "hostPath": ["path": "/data"],
        ]
        return volume
    }

    func makeClaim(_ name: String, _ size: String, storageClass: String = "manual") -> PersistentVolumeClaim {
        var claim = PersistentVolumeClaim(name: name, namespace: "default")
        claim.fields["spec"] = [
            "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": .string(size)]],
            "storageClassName": .string(storageClass),
        ]
        return claim
    }

    func claim(_ cluster: SimulatedCluster, _ name: String) async throws -> PersistentVolumeClaim {
        try await cluster.client.get(PersistentVolumeClaim.self, namespace: "default", name: name)
    }

    func volume(_ cluster: SimulatedCluster, _ name: String) async throws -> PersistentVolume {
        try await cluster.client.get(PersistentVolume.self, name: name)
    }

    @Test func `a claim gets the smallest volume that suits it, each volume one claim`() async throws {
        try await SimulatedCluster.run { cluster in
            for (name, size) in [("big", "10Gi"), ("small", "2Gi"), ("tiny", "100Mi")] {
                try await cluster.client.create(makeVolume(name, size))
            }
            try await cluster.client.create(makeClaim("a", "1Gi"))
            try await cluster.client.create(makeClaim("b", "1Gi"))
            try await cluster.client.create(makeClaim("c", "1Gi"))
            try await cluster.wait("two bound") {
                var names: [String] = []
                for name in ["a", "b", "c"] {
                    let found = try await claim(cluster, name)
                    if found.status.phase == "Bound" { names.append(found.spec.volumeName) }
                }
                return names.sorted() == ["big", "small"]
            }
            try await cluster.wait("the third is free") { try await volume(cluster, "tiny").status.phase == "Available" }
            let bound = try await volume(cluster, "small")
            #expect(bound.status.phase == "Bound")
            let holder = try #require(bound.spec.claimRef?.name)
            #expect(try await claim(cluster, holder).status.capacity["storage"]?.description == "2Gi")
            try await cluster.client.delete(PersistentVolumeClaim.self, namespace: "default", name: holder)
            try await cluster.wait("released, not given away") { try await volume(cluster, "small").status.phase == "Released" }
        }
    }

    @Test func `a claim that a pod uses outlives its deletion, a volume the claim's`() async throws {
        try await SimulatedCluster.run { cluster in
            try await cluster.client.create(makeVolume("v", "1Gi"))
            try await cluster.client.create(makeClaim("a", "1Gi"))
            try await cluster.wait("bound") { try await claim(cluster, "a").status.phase == "Bound" }
            var pod = Pod(name: "p", namespace: "default")
            pod.fields["spec"] = [
                "nodeName": "nowhere", "containers": [["name": "c", "image": "i"]],
                "volumes": [["name": "v", "persistentVolumeClaim": ["claimName": "a"]]],
            ]
            try await cluster.client.create(pod)
            #expect(try await claim(cluster, "a").metadata.finalizers == [StorageProtection.claimFinalizer])
            #expect(try await volume(cluster, "v").metadata.finalizers == [StorageProtection.volumeFinalizer])
            try await cluster.client.delete(PersistentVolume.self, name: "v")
            try await cluster.client.delete(PersistentVolumeClaim.self, namespace: "default", name: "a")
            // Another claim comes and goes meanwhile: the controllers have seen the first one by then.
            try await cluster.client.create(makeClaim("b", "1Gi"))
            try await cluster.client.delete(PersistentVolumeClaim.self, namespace: "default", name: "b")
            try await cluster.wait("the unused one is gone") {
                try await cluster.client.list(PersistentVolumeClaim.self, namespace: "default").items.map(\.name) == ["a"]
            }
            #expect(try await claim(cluster, "a").isBeingDeleted)
            #expect(try await volume(cluster, "v").status.phase == "Bound")
            try await cluster.client.delete(
                Pod.self,
                namespace: "default",
                name: "p",
                options: DeleteOptions { $0.gracePeriodSeconds = 0 }
            )
            try await cluster.wait("claim and volume are gone") {
                let claims = try await cluster.client.list(PersistentVolumeClaim.self, namespace: "default").items
                let volumes = try await cluster.client.list(PersistentVolume.self).items
                return claims.isEmpty && volumes.isEmpty
            }
        }
    }

    @Test func `a class of volume attributes outlives its deletion while a claim names it`() async throws {
        try await SimulatedCluster.run { cluster in
            var gold = VolumeAttributesClass(name: "gold")
            gold.fields["driverName"] = "d.io"
            gold.fields["parameters"] = ["a": "b"]
            try await cluster.client.create(gold)
            var named = makeClaim("a", "1Gi")
            named.spec.volumeAttributesClassName = "gold"
            try await cluster.client.create(named)
            try await cluster.wait("pending") { try await claim(cluster, "a").status.phase == "Pending" }
            try await cluster.client.delete(VolumeAttributesClass.self, name: "gold")
            var silver = gold
            silver.metadata.name = "silver"
            try await cluster.client.create(silver)
            try await cluster.client.delete(VolumeAttributesClass.self, name: "silver")
            try await cluster.wait("the unused one is gone") {
                try await cluster.client.list(VolumeAttributesClass.self).items.map(\.name) == ["gold"]
            }
            try await cluster.client.delete(PersistentVolumeClaim.self, namespace: "default", name: "a")
            try await cluster.wait("gone") { try await cluster.client.list(VolumeAttributesClass.self).items.isEmpty }
        }
    }

    @Test func `a claim of a waiting class is bound once a pod is placed`() async throws {
        try await SimulatedCluster.run { cluster in
            var late = StorageClass(name: "late")
            late.provisioner = "kubernetes.io/no-provisioner"
            late.volumeBindingMode = "WaitForFirstConsumer"
            try await cluster.client.create(late)
            try await cluster.client.create(makeVolume("v", "1Gi", storageClass: "late"))
            try await cluster.client.create(makeClaim("a", "1Gi", storageClass: "late"))
            try await cluster.wait("told to wait") {
                let events = try await cluster.client.list(Event.self, namespace: "default").items
                return events.contains { $0.reason == "WaitForFirstConsumer" }
            }
            #expect(try await claim(cluster, "a").status.phase == "Pending")
            let chosen: JSONValue = ["metadata": ["annotations": ["volume.kubernetes.io/selected-node": "n1"]]]
            let _: PersistentVolumeClaim = try await cluster.client.patch(namespace: "default", name: "a", type: .merge, chosen)
            try await cluster.wait("bound") { try await claim(cluster, "a").status.phase == "Bound" }
        }
    }
}
