import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Units
import Values

/// Binds claims to volumes, and frees or gives up volumes whose claims are gone. One worker: a volume must not be
/// promised twice. Keys are `claim/<namespace>/<name>` and `volume/<name>`.
final class PersistentVolumeController: KeyedController {
    /// How often what is still waiting is looked at.
    static let resync: Duration = .seconds(15)

    let queue: WorkQueue<String>
    let workers = 1
    private let context: ControllerContext
    private let claims: Cache<PersistentVolumeClaim>
    private let volumes: Cache<PersistentVolume>
    private let classes: Cache<StorageClass>
    private let pods: Cache<Pod>
    private let events: EventSink
    private let pending: PendingWrites

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("persistentvolume")
        claims = context.cache(PersistentVolumeClaim.self)
        volumes = context.cache(PersistentVolume.self)
        classes = context.cache(StorageClass.self)
        pods = context.cache(Pod.self)
        events = context.events("persistentvolume-controller")
        pending = PendingWrites(clock: context.clock)
    }

    var synced: [any SyncedCache] { [claims, volumes, classes, pods] }

    func start() {
        claims.observe { [weak self] change in
            self?.queue.add("claim/\(change.key)")
            for name in Set([change.old?.spec.volumeName, change.new?.spec.volumeName].compactMap { $0 }) where !name.isEmpty {
                self?.queue.add("volume/\(name)")
            }
        }
        volumes.observe { [weak self] change in
            guard let self else { return }
            queue.add("volume/\(change.key)")
            if let claim = change.latest?.spec.claimRef { queue.add("claim/\(claim.namespace)/\(claim.name)") }
            // A new or freed volume may be what somebody waits for.
            for claim in claims.list() where !claim.isBound { queue.add("claim/\(claim.key)") }
        }
        classes.observe { [weak self] _ in
            guard let self else { return }
            for claim in claims.list() where !claim.isBound { queue.add("claim/\(claim.key)") }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard pending.areVisible("volumes", observed: volumes.revision, isGone: { _, _ in true }),
            pending.areVisible("claims", observed: claims.revision, isGone: { _, _ in true })
        else { return .requeue(after: .milliseconds(20)) }
        if key.hasPrefix("claim/") {
            guard let claim = claims.get(String(key.dropFirst(6))) else { return .done }
            return try await settle(claim)
        }
        if let volume = volumes.get(String(key.dropFirst(7))) { try await settle(volume) }
        return .done
    }

    // MARK: Claims

    private func settle(_ claim: PersistentVolumeClaim) async throws -> ReconcileResult {
        if claim.isBeingDeleted { return .done }
        if claim.isBound {
            try await check(claim)
            return .done
        }
        guard claim.spec.volumeName.isEmpty else {
            try await bindNamed(claim)
            return .done
        }
        let delayed = isDelayed(claim)
        if let volume = VolumeMatch.best(for: claim, among: volumes.list(), delayed: delayed) {
            try await bind(claim, volume)
            return .done
        }
        try await wait(claim, delayed: delayed)
        return .requeue(after: Self.resync)
    }

    /// A bound claim whose volume is gone has lost its data.
    private func check(_ claim: PersistentVolumeClaim) async throws {
        guard let volume = volumes.get(claim.spec.volumeName) else {
            return try await lose(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
        }
        if volume.spec.claimRef == nil || volume.spec.claimRef?.uid == claim.uid || volume.isFor(claim) {
            try await bind(claim, volume)
        } else {
            let message = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost! Cluster admin must take action"
            try await lose(claim, "ClaimMisbound", message)
        }
    }

    private func lose(_ claim: PersistentVolumeClaim, _ reason: String, _ message: String) async throws {
        guard claim.status.phase != "Lost" else { return }
        var copy = claim
        copy.status.phase = "Lost"
        copy.status.accessModes = []
        copy.status.capacity = [:]
        copy.status.currentVolumeAttributesClassName = nil
        wrote(try await context.client.updateStatus(copy))
        events.record(claim, .warning, reason, message)
    }

    private func bindNamed(_ claim: PersistentVolumeClaim) async throws {
        guard let volume = volumes.get(claim.spec.volumeName) else { return try await keepPending(claim) }
        if volume.spec.claimRef == nil, let why = VolumeMatch.mismatch(volume, claim) {
            events.record(claim, .warning, "VolumeMismatch", "Cannot bind to requested volume \"\(volume.name)\": \(why)")
            return try await keepPending(claim)
        }
        guard volume.spec.claimRef == nil || volume.isFor(claim) else {
            events.record(claim, .warning, "FailedBinding", "volume \"\(volume.name)\" already bound to a different claim.")
            return try await keepPending(claim)
        }
        try await bind(claim, volume)
    }

    /// Volume first: a promise that is not kept can be taken back, a claim that names a volume cannot.
    private func bind(_ claim: PersistentVolumeClaim, _ volume: PersistentVolume) async throws {
        var volume = volume
        if let changed = VolumeMatch.bound(volume, to: claim) {
            volume = try await context.client.update(changed)
            wrote(volume)
        }
        if let changed = VolumeMatch.withPhase(volume, "Bound", now: context.clock.now) {
            volume = try await context.client.updateStatus(changed)
            wrote(volume)
        }
        var claim = claim
        if let changed = VolumeMatch.bound(claim, to: volume) {
            claim = try await context.client.update(changed)
            wrote(claim)
        }
        if let changed = VolumeMatch.statusBound(claim, to: volume) { wrote(try await context.client.updateStatus(changed)) }
    }

    private func isDelayed(_ claim: PersistentVolumeClaim) -> Bool {
        guard claim.annotations[VolumeAnnotation.selectedNode] == nil, !claim.storageClass.isEmpty else { return false }
        return classes.get(claim.storageClass)?.volumeBindingMode == "WaitForFirstConsumer"
    }

    private func wait(_ claim: PersistentVolumeClaim, delayed: Bool) async throws {
        if claim.spec.storageClassName == nil, claim.annotations[VolumeAnnotation.classBeta] == nil, let name = defaultClass {
            var copy = claim
            copy.spec.storageClassName = name
            return wrote(try await context.client.update(copy))
        }
        if delayed {
            events.record(claim, waitingNote(claim))
        } else if let found = classes.get(claim.storageClass) {
            try await requestProvisioning(claim, found.provisioner)
        } else if claim.storageClass.isEmpty {
            let message = "no persistent volumes available for this claim and no storage class is set"
            events.record(claim, .normal, "FailedBinding", message)
        } else {
            let message = "storageclass.storage.k8s.io \"\(claim.storageClass)\" not found"
            events.record(claim, .warning, "ProvisioningFailed", message)
        }
        try await keepPending(claim)
    }

    private var defaultClass: String? {
        classes.list().filter { $0.annotations[VolumeAnnotation.isDefaultClass] == "true" }
            .max { ($0.metadata.creationTimestamp ?? .init(unixSeconds: 0)) < ($1.metadata.creationTimestamp ?? .init(unixSeconds: 0)) }?
            .name
    }

    private func waitingNote(_ claim: PersistentVolumeClaim) -> EventNote {
        let users = pods.list(namespace: claim.namespace).filter { pod in
            pod.spec.nodeName.isEmpty && pod.spec.volumes.contains { $0.persistentVolumeClaim?.claimName == claim.name }
        }
        guard !users.isEmpty else {
            return .init(.normal, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
        }
        let names = users.map(\.name).sorted().joined(separator: ",")
        return .init(.normal, "WaitForPodScheduled", "waiting for pod \(names) to be scheduled")
    }

    private func requestProvisioning(_ claim: PersistentVolumeClaim, _ provisioner: String) async throws {
        guard provisioner != "kubernetes.io/no-provisioner" else { return }
        if claim.annotations[VolumeAnnotation.storageProvisioner] != provisioner {
            var copy = claim
            copy.metadata.annotations[VolumeAnnotation.storageProvisioner] = provisioner
            copy.metadata.annotations[VolumeAnnotation.betaStorageProvisioner] = provisioner
            wrote(try await context.client.update(copy))
        }
        let wait =
            "Waiting for a volume to be created either by the external provisioner '\(provisioner)' or manually by the system administrator."
        let advice = "If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        events.record(claim, .normal, "ExternalProvisioning", "\(wait) \(advice)")
    }

    private func keepPending(_ claim: PersistentVolumeClaim) async throws {
        guard claim.status.phase != "Pending", let fresh = claims.get(claim.key), fresh.resourceVersion == claim.resourceVersion else {
            return
        }
        var copy = claim
        copy.status.phase = "Pending"
        wrote(try await context.client.updateStatus(copy))
    }

    // MARK: Volumes

    private func settle(_ volume: PersistentVolume) async throws {
        // Also of a volume that is to be deleted: it is kept while it is bound.
        guard let reference = volume.spec.claimRef, !reference.uid.isEmpty else { return try await setPhase(volume, "Available") }
        let key = "\(reference.namespace)/\(reference.name)"
        var claim = claims.get(key)
        if claim?.uid != reference.uid { claim = try await live(reference) }
        guard let claim else {
            if volume.status.phase != "Failed" { try await setPhase(volume, "Released") }
            return try await reclaim(volume)
        }
        if claim.spec.volumeName.isEmpty {
            queue.add("claim/\(key)")
        } else if claim.spec.volumeName == volume.name {
            try await setPhase(volume, "Bound")
        } else {
            wrote(try await context.client.update(VolumeMatch.unbound(volume)))
        }
    }

    private func live(_ reference: ObjectReference) async throws -> PersistentVolumeClaim? {
        do {
            let claim = try await context.client.get(
                PersistentVolumeClaim.self,
                namespace: reference.namespace,
                name: reference.name
            )
            return claim.uid == reference.uid ? claim : nil
        } catch let error as APIError where error.isNotFound {
            return nil
        }
    }

    private func setPhase(_ volume: PersistentVolume, _ phase: String, message: String = "") async throws {
        guard let changed = VolumeMatch.withPhase(volume, phase, message: message, now: context.clock.now) else { return }
        wrote(try await context.client.updateStatus(changed))
    }

    /// Volumes of drivers are theirs to delete; of those that nobody drives only the object could go, and their data
    /// would stay behind unseen.
    private func reclaim(_ volume: PersistentVolume) async throws {
        guard volume.spec.persistentVolumeReclaimPolicy == "Delete", volume.spec.csi == nil,
            volume.annotations["pv.kubernetes.io/provisioned-by"] == nil, volume.status.phase != "Failed",
            let fresh = volumes.get(volume.name), fresh.resourceVersion == volume.resourceVersion
        else { return }
        let message = "error getting deleter volume plugin for volume \"\(volume.name)\": no deletable volume plugin matched"
        try await setPhase(volume, "Failed", message: message)
        events.record(volume, .warning, "VolumeFailedDelete", message)
    }

    private func wrote(_ volume: PersistentVolume) { pending.wrote("volumes", resourceVersion: volume.resourceVersion) }
    private func wrote(_ claim: PersistentVolumeClaim) { pending.wrote("claims", resourceVersion: claim.resourceVersion) }
}
