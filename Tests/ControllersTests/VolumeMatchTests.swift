import APIModel
import APITypes
import Testing
import Values

@testable import Controllers

@Suite struct VolumeMatchTests {
    private func volume(class name: JSONValue) -> PersistentVolume {
        PersistentVolume(fields: [
            "metadata": ["name": "v"], "status": ["phase": "Available"],
            "spec": ["capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteOnce"], "volumeAttributesClassName": name],
        ])
    }

    private func claim(phase: String = "Pending", class name: JSONValue = "gold", current: JSONValue = .null) -> PersistentVolumeClaim {
        PersistentVolumeClaim(fields: [
            "metadata": ["name": "c", "namespace": "n", "uid": "u"],
            "spec": [
                "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]], "volumeAttributesClassName": name,
            ],
            "status": ["phase": .string(phase), "currentVolumeAttributesClassName": current],
        ])
    }

    @Test func `a claim that is bound has its volume's class of attributes, which then is the driver's`() {
        let bound = VolumeMatch.statusBound(claim(), to: volume(class: "gold"))
        #expect(bound?.status.phase == "Bound")
        #expect(bound?.status.currentVolumeAttributesClassName == "gold")
        let later = VolumeMatch.statusBound(claim(phase: "Bound", current: "gold"), to: volume(class: "silver"))
        #expect(later?.status.currentVolumeAttributesClassName == "gold")
        #expect(VolumeMatch.statusBound(claim(class: .null), to: volume(class: .null))?.status.currentVolumeAttributesClassName == nil)
    }

    @Test func `a volume of another class of attributes does not suit`() {
        #expect(VolumeMatch.mismatch(volume(class: "gold"), claim()) == nil)
        #expect(VolumeMatch.mismatch(volume(class: "silver"), claim()) == "volumeAttributesClassName does not match")
        #expect(VolumeMatch.mismatch(volume(class: .null), claim(class: "")) == nil)
        #expect(VolumeMatch.best(for: claim(), among: [volume(class: "silver")], delayed: false) == nil)
        #expect(VolumeMatch.best(for: claim(), among: [volume(class: "gold")], delayed: false)?.name == "v")
    }
}
