import APIModel
import APITypes
import Units
import Values

/// The strategies: how sizes move from the old replica sets to the newest.
extension DeploymentRollout {
    /// The deployment was resized since its replica sets were last scaled.
    var isScaled: Bool {
        sets.contains { set in
            guard set.desired > 0, let before = set.count(annotation: DeploymentAnnotation.desiredReplicas) else { return false }
            return before != desired
        }
    }

    /// Resizes without rolling: paused, or during a rollout in proportion.
    mutating func syncSize() {
        syncNewest(create: false)
        resize()
        if deployment.spec.paused, deployment.rollbackRevision == nil { trimHistory() }
        syncStatus()
    }

    private mutating func resize() {
        let active = sets.indices.filter { sets[$0].desired > 0 }
        if active.count <= 1 {
            guard let target = active.first ?? newest ?? old.last else { return }
            if sets[target].desired != desired { scale(target, to: desired) }
            return
        }
        if let newest, isSaturated(newest) {
            for index in active where index != newest { scale(index, to: 0) }
            return
        }
        guard deployment.isRolling else { return }
        resizeInProportion(active)
    }

    /// The newest set has everything that is wanted, available.
    private func isSaturated(_ index: Int) -> Bool {
        let set = sets[index]
        guard let noted = set.metadata.annotations[DeploymentAnnotation.desiredReplicas].flatMap({ Int($0) }) else { return false }
        return set.desired == desired && noted == desired && Int(set.status.availableReplicas) == desired
    }

    /// Spreads the change over the sets by their share; the first takes what rounding leaves.
    private mutating func resizeInProportion(_ active: [Int]) {
        let allowed = desired > 0 ? desired + deployment.maxSurge : 0
        let toAdd = allowed - total(active)
        let ordered = active.sorted { a, b in
            if sets[a].desired != sets[b].desired { return sets[a].desired > sets[b].desired }
            return toAdd > 0 ? ReplicaSet.olderFirst(sets[b], sets[a]) : ReplicaSet.olderFirst(sets[a], sets[b])
        }
        var added = 0
        var sizes: [Int: Int] = [:]
        for index in ordered {
            let share = toAdd == 0 ? 0 : proportion(sets[index], toAdd: toAdd, added: added)
            sizes[index] = sets[index].desired + share
            added += share
        }
        if let first = ordered.first, toAdd != 0 {
            sizes[first] = max(0, (sizes[first] ?? 0) + toAdd - added)
        }
        for index in ordered { scale(index, to: sizes[index] ?? 0, force: true) }
    }

    private func proportion(_ set: ReplicaSet, toAdd: Int, added: Int) -> Int {
        guard set.desired != 0, toAdd != added else { return 0 }
        let rest = toAdd - added
        let share = fraction(set)
        return toAdd > 0 ? min(share, rest) : max(share, rest)
    }

    private func fraction(_ set: ReplicaSet) -> Int {
        guard desired != 0 else { return -set.desired }
        var before = set.count(annotation: DeploymentAnnotation.maxReplicas) ?? 0
        if before == 0 { before = Int(original.status.replicas) }
        guard before != 0 else { return 0 }
        let size = Double(set.desired * (desired + deployment.maxSurge)) / Double(before)
        return Int(size.rounded(.toNearestOrAwayFromZero)) - set.desired
    }

    // MARK: Rolling update

    mutating func roll() {
        syncNewest(create: true)
        guard let newest else { return }
        if !growNewest(newest), !shrinkOld(newest), deployment.isComplete(deployment.status) {
            trimHistory()
        }
        syncRollout()
    }

    private mutating func growNewest(_ index: Int) -> Bool {
        let size = sets[index].desired
        if size == desired { return false }
        return scale(index, to: size > desired ? desired : newSize(index))
    }

    /// Never goes below what must stay available, counting pods that are only about to become so as missing.
    private mutating func shrinkOld(_ newest: Int) -> Bool {
        let active = old.filter { sets[$0].desired > 0 }
        guard !active.isEmpty else { return false }
        let floor = desired - deployment.maxUnavailable
        let pending = sets[newest].desired - available([newest])
        let most = total(sets.indices) - floor - pending
        guard most > 0 else { return false }
        let cleaned = dropUnhealthy(active, most: most)
        return cleaned + shrinkHealthy(active, newest: newest, floor: floor) > 0
    }

    /// Pods that serve nobody go first.
    private mutating func dropUnhealthy(_ indices: [Int], most: Int) -> Int {
        var dropped = 0
        for index in indices where dropped < most {
            let size = sets[index].desired
            let count = min(most - dropped, size - available([index]))
            guard count > 0 else { continue }
            scale(index, to: size - count)
            dropped += count
        }
        return dropped
    }

    private mutating func shrinkHealthy(_ indices: [Int], newest: Int, floor: Int) -> Int {
        let spare = available(indices + [newest]) - floor
        guard spare > 0 else { return 0 }
        var dropped = 0
        for index in indices where dropped < spare {
            let size = sets[index].desired
            guard size > 0 else { continue }
            let count = min(size, spare - dropped)
            scale(index, to: size - count)
            dropped += count
        }
        return dropped
    }

    // MARK: Recreate

    mutating func recreate(_ oldPodsRunning: (ReplicaSet?) -> Bool) {
        syncNewest(create: false)
        var stopped = false
        for index in old where sets[index].desired > 0 {
            stopped = scale(index, to: 0) || stopped
        }
        if stopped { return syncRollout() }
        let counted = old.reduce(0) { $0 + Int(sets[$1].status.replicas) }
        if counted > 0 || oldPodsRunning(newSet) { return syncRollout() }
        if newest == nil { syncNewest(create: true) }
        guard let newest else { return }
        scale(newest, to: desired)
        if deployment.isComplete(deployment.status) { trimHistory() }
        syncRollout()
    }
}
