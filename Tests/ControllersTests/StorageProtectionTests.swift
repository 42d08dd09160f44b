import APIModel
import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct StorageProtectionTests {
    private func metadata(_ finalizers: [String], isDeleted: Bool = false) -> ObjectMeta {
        var metadata = ObjectMeta()
        metadata.finalizers = finalizers
        if isDeleted { metadata.deletionTimestamp = Timestamp(unixSeconds: 1) }
        return metadata
    }

    @Test func `a finalizer is added to the living and taken from the dying alone`() {
        let own = StorageProtection.claimFinalizer
        #expect(StorageProtection.decide(metadata(["x/y"]), own) == .add)
        #expect(StorageProtection.decide(metadata(["x/y", own]), own) == .keep)
        #expect(StorageProtection.decide(metadata([own], isDeleted: true), own) == .removeIfUnused)
        #expect(StorageProtection.decide(metadata(["x/y"], isDeleted: true), own) == .keep)
    }

    private func pod(_ volume: JSONValue, node: String = "n", more: JSONValue = [:]) -> Pod {
        var metadata: JSONValue = ["name": "p", "namespace": "n", "uid": "u"]
        for (key, value) in more.object ?? [:] { metadata[key] = value }
        return Pod(fields: ["metadata": metadata, "spec": ["nodeName": .string(node), "volumes": [volume]]])
    }

    @Test func `a pod uses a claim from when it has a node, even when it has ended`() {
        let claim = PersistentVolumeClaim(name: "c", namespace: "n")
        let volume: JSONValue = ["name": "v", "persistentVolumeClaim": ["claimName": "c"]]
        #expect(StorageProtection.uses(pod(volume), claim))
        #expect(!StorageProtection.uses(pod(volume, node: ""), claim))
        #expect(!StorageProtection.uses(pod(["name": "v", "persistentVolumeClaim": ["claimName": "d"]]), claim))
        var ended = pod(volume)
        ended.fields["status"] = ["phase": "Succeeded"]
        #expect(StorageProtection.uses(ended, claim))
    }

    @Test func `a claim of a pod's own is used until the pod is shut down`() {
        var claim = PersistentVolumeClaim(name: "p-v", namespace: "n")
        let volume: JSONValue = ["name": "v", "ephemeral": [:]]
        #expect(!StorageProtection.uses(pod(volume), claim), "it belongs to nobody")
        claim.fields["metadata"]?["ownerReferences"] = [
            ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": true]
        ]
        #expect(StorageProtection.uses(pod(volume), claim))
        let shutDown: JSONValue = ["deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 0]
        #expect(!StorageProtection.uses(pod(volume, more: shutDown), claim))
        #expect(StorageProtection.claims(of: pod(volume)) == ["p-v"])
    }

    @Test func `a claim names the classes it has, had and is to have`() {
        let claim = PersistentVolumeClaim(fields: [
            "spec": ["volumeAttributesClassName": "a"],
            "status": [
                "currentVolumeAttributesClassName": "b",
                "modifyVolumeStatus": ["status": "Pending", "targetVolumeAttributesClassName": "c"],
            ],
        ])
        #expect(StorageProtection.classes(of: claim) == ["a", "b", "c"])
        #expect(StorageProtection.classes(of: PersistentVolume(fields: ["spec": ["volumeAttributesClassName": ""]])).isEmpty)
    }
}
