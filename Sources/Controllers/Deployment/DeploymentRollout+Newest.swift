import APIModel
import APITypes
import Units
import Values

/// Finding, marking or making the replica set of the current template.
extension DeploymentRollout {
    mutating func syncNewest(create: Bool) {
        let revision = (old.compactMap { sets[$0].revision }.max() ?? 0) + 1
        if let newest {
            adjust(newest, revision: revision)
        } else if create {
            makeNewest(revision: revision)
        }
    }

    private mutating func adjust(_ index: Int, revision: Int) {
        var set = sets[index]
        mark(&set, revision: revision)
        if set.spec.minReadySeconds != deployment.spec.minReadySeconds {
            set.spec.minReadySeconds = deployment.spec.minReadySeconds
        }
        if set != sets[index] {
            sets[index] = set
            touch(index)
        }
        setRevision(set.metadata.annotations[DeploymentAnnotation.revision] ?? "")
        if deployment.progressDeadline != nil, deployment.status.condition("Progressing") == nil {
            let message = "Found new replica set \"\(set.name)\""
            deployment.status.set(.make("Progressing", "True", "FoundNewReplicaSet", message, now))
        }
    }

    private mutating func makeNewest(revision: Int) {
        let hash = PodTemplates.hash(of: deployment.spec.template, collisionCount: deployment.status.collisionCount.map { Int($0) })
        var template = deployment.spec.template
        template.metadata.labels[PodTemplates.hashLabel] = hash
        var set = ReplicaSet(fields: [:])
        set.metadata.name = Self.setName(deployment.name, hash: hash)
        set.metadata.namespace = deployment.metadata.namespace
        set.metadata.ownerReferences = [deployment.controllerReference()]
        set.metadata.labels = template.metadata.labels
        set.spec.minReadySeconds = deployment.spec.minReadySeconds
        set.spec.template = template
        var spec = set.fields["spec"] ?? [:]
        var selector = deployment.fields["spec"]?["selector"] ?? [:]
        selector.set(.string(hash), at: ["matchLabels", PodTemplates.hashLabel])
        spec["selector"] = selector
        set.fields["spec"] = spec
        set.spec.replicas = 0
        sets.append(set)
        let index = sets.count - 1
        newest = index
        let size = newSize(index)
        sets[index].spec.replicas = .init(size)
        mark(&sets[index], revision: revision)
        _ = sets[index].setSizeAnnotations(deployment)
        touch(index)
        if size > 0 {
            noteScaling(index, "Scaled up replica set \(set.name) from 0 to \(size)")
        }
        setRevision(String(revision))
        if deployment.progressDeadline != nil {
            let message = "Created new replica set \"\(set.name)\""
            deployment.status.set(.make("Progressing", "True", "NewReplicaSetCreated", message, now))
        }
    }

    /// `name-hash`, the name shortened where that would be too long.
    static func setName(_ name: String, hash: String) -> String {
        let room = 253 - 1 - hash.utf8.count
        let kept = name.utf8.count > room && room > 0 ? String(name.prefix(room)) : name
        return "\(kept)-\(hash)"
    }

    /// How large the newest set may become without exceeding the surge.
    func newSize(_ index: Int) -> Int {
        guard deployment.isRolling else { return desired }
        let most = desired + deployment.maxSurgeAlone
        let current = present(sets.indices)
        let size = sets[index].desired
        return current >= most ? size : size + min(most - current, desired - size)
    }

    private mutating func setRevision(_ revision: String) {
        guard deployment.metadata.annotations[DeploymentAnnotation.revision] != revision else { return }
        deployment.metadata.annotations[DeploymentAnnotation.revision] = revision
    }

    /// Copies the deployment's annotations and gives the set its revision, keeping the earlier one as history.
    private func mark(_ set: inout ReplicaSet, revision: Int) {
        var annotations = set.metadata.annotations
        defer {
            if annotations != set.metadata.annotations { set.metadata.annotations = annotations }
        }
        for (key, value) in deployment.metadata.annotations where !DeploymentAnnotation.own.contains(key) {
            annotations[key] = value
        }
        let written = annotations[DeploymentAnnotation.revision]
        guard let before = written.map({ $0.isEmpty ? 0 : Int($0) }) ?? 0, before < revision else { return }
        annotations[DeploymentAnnotation.revision] = String(revision)
        guard let written else { return }
        var history = (annotations[DeploymentAnnotation.revisionHistory] ?? "").split(separator: ",").map(String.init)
        var length = history.reduce(0) { $0 + $1.utf8.count + 1 } + written.utf8.count
        while length > DeploymentAnnotation.longestHistory, !history.isEmpty {
            length -= history.removeFirst().utf8.count + 1
        }
        guard length <= DeploymentAnnotation.longestHistory else { return }
        annotations[DeploymentAnnotation.revisionHistory] = (history + [written]).joined(separator: ",")
    }
}

extension Deployment {
    /// The surge as written, without the escape for a strategy that could not move.
    var maxSurgeAlone: Int {
        guard let value = spec.strategy.rollingUpdate?.maxSurge else { return 0 }
        return value.scaledValue(total: desired, roundUp: true).map { Int($0) } ?? 0
    }
}
