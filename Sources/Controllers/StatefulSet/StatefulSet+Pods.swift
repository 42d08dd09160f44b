import APIModel
import APITypes
import Units
import Values

extension StatefulSet {
    static let podNameLabel = "statefulset.kubernetes.io/pod-name"
    static let podIndexLabel = "apps.kubernetes.io/pod-index"

    /// The ordinal in the name of one of its pods.
    func ordinal(of podName: String) -> Int? {
        guard podName.hasPrefix(name + "-") else { return nil }
        let digits = podName.dropFirst(name.count + 1)
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }), digits == "0" || digits.first != "0" else { return nil }
        return Int(digits)
    }

    /// The pod of an ordinal, with its claims.
    func makePod(_ ordinal: Int, template: PodTemplateSpec, revision: String) -> StatefulSetPlan.Start {
        var pod = PodTemplates.pod(from: template, ownerName: name, namespace: namespace, reference: controllerReference())
        let podName = "\(name)-\(ordinal)"
        pod.metadata.generateName = ""
        pod.metadata.name = podName
        pod.metadata.labels[Self.podNameLabel] = podName
        pod.metadata.labels[Self.podIndexLabel] = "\(ordinal)"
        pod.metadata.labels[RevisionHistory.hashLabel] = revision
        pod.spec.hostname = podName
        pod.spec.subdomain = spec.serviceName
        let claims = spec.volumeClaimTemplates.map { claim($0, ordinal: ordinal) }
        pod.spec.volumes = volumes(pod.spec.volumes, ordinal: ordinal)
        return .init(pod: pod, claims: claims)
    }

    func claimName(_ template: String, _ ordinal: Int) -> String { "\(template)-\(name)-\(ordinal)" }

    private func claim(_ template: PersistentVolumeClaim, ordinal: Int) -> PersistentVolumeClaim {
        var claim = template
        claim.fields["status"] = nil
        claim.metadata.name = claimName(template.name, ordinal)
        claim.metadata.namespace = namespace
        let labels = fields["spec"]?["selector"]?["matchLabels"]?.object ?? [:]
        for (key, value) in labels { claim.metadata.labels[key] = value.string }
        if spec.persistentVolumeClaimRetentionPolicy?.whenDeleted == "Delete" {
            var reference = controllerReference()
            reference.controller = nil
            reference.blockOwnerDeletion = nil
            claim.metadata.ownerReferences = [reference]
        }
        return claim
    }

    /// The claims take the place of template volumes of the same name.
    private func volumes(_ present: [Volume], ordinal: Int) -> [Volume] {
        let names = spec.volumeClaimTemplates.map(\.name)
        let own = names.map { template -> Volume in
            let source: JSONValue = ["claimName": .string(claimName(template, ordinal))]
            return Volume(fields: ["name": .string(template), "persistentVolumeClaim": source])
        }
        return own + present.filter { !names.contains($0.name) }
    }
}
