import APIClient
import APIModel
import APITypes
import Channels
import ControllerRuntime
import Logging
import Synchronization

/// Keeps claims that are to be deleted while a pod uses them.
final class ClaimProtectionController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let claims: Cache<PersistentVolumeClaim>
    private let pods: Cache<Pod>
    /// The claims that are to be deleted: while there are none, changes of pods tell nothing.
    private let deleted = Mutex<Set<String>>([])

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("pvcprotection")
        workers = context.configuration.workers
        claims = context.cache(PersistentVolumeClaim.self)
        pods = context.cache(Pod.self)
    }

    var synced: [any SyncedCache] { [claims, pods] }

    func start() {
        claims.observe { [weak self] change in
            guard let self else { return }
            let decision = change.new.map { StorageProtection.decide($0.metadata, StorageProtection.claimFinalizer) } ?? .keep
            deleted.withLock { keys in
                if decision == .removeIfUnused { keys.insert(change.key) } else { keys.remove(change.key) }
            }
            if decision != .keep { queue.add(change.key) }
        }
        pods.observe { [weak self] change in
            guard let self, deleted.withLock({ !$0.isEmpty }) else { return }
            for pod in [change.old, change.new].compactMap({ $0 }) {
                let keys = StorageProtection.claims(of: pod).map { "\(pod.namespace)/\($0)" }
                for key in deleted.withLock({ known in keys.filter(known.contains) }) { queue.add(key) }
            }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let claim = claims.get(key) else { return .done }
        switch StorageProtection.decide(claim.metadata, StorageProtection.claimFinalizer) {
        case .keep: return .done
        case .add: return try await context.protect(claim, StorageProtection.claimFinalizer)
        case .removeIfUnused: break
        }
        if pods.list(namespace: claim.namespace).contains(where: { StorageProtection.uses($0, claim) }) { return .done }
        // The cache may not have seen a pod yet; the server has.
        let live = try await context.client.list(Pod.self, namespace: claim.namespace).items
        if live.contains(where: { StorageProtection.uses($0, claim) }) { return .done }
        return try await context.unprotect(claim, StorageProtection.claimFinalizer)
    }
}

/// Keeps volumes that are to be deleted while they are bound.
final class VolumeProtectionController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let volumes: Cache<PersistentVolume>

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("pvprotection")
        workers = context.configuration.workers
        volumes = context.cache(PersistentVolume.self)
    }

    var synced: [any SyncedCache] { [volumes] }

    func start() {
        volumes.observe { [weak self] change in
            guard let volume = change.new else { return }
            if StorageProtection.decide(volume.metadata, StorageProtection.volumeFinalizer) != .keep { self?.queue.add(change.key) }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let volume = volumes.get(key) else { return .done }
        switch StorageProtection.decide(volume.metadata, StorageProtection.volumeFinalizer) {
        case .keep: return .done
        case .add: return try await context.protect(volume, StorageProtection.volumeFinalizer)
        case .removeIfUnused:
            if volume.status.phase == "Bound" { return .done }
            return try await context.unprotect(volume, StorageProtection.volumeFinalizer)
        }
    }
}

/// Keeps classes of volume attributes that are to be deleted while a volume or a claim names them.
final class AttributesClassProtectionController: KeyedController {
    let queue: WorkQueue<String>
    let workers: Int
    private let context: ControllerContext
    private let classes: Cache<VolumeAttributesClass>
    private let claims: Cache<PersistentVolumeClaim>
    private let volumes: Cache<PersistentVolume>

    init(_ context: ControllerContext) {
        self.context = context
        queue = context.queue("vacprotection")
        workers = context.configuration.workers
        classes = context.cache(VolumeAttributesClass.self)
        claims = context.cache(PersistentVolumeClaim.self)
        volumes = context.cache(PersistentVolume.self)
    }

    var synced: [any SyncedCache] { [classes, claims, volumes] }

    func start() {
        classes.observe { [weak self] change in
            guard let found = change.new else { return }
            if StorageProtection.decide(found.metadata, StorageProtection.classFinalizer) != .keep { self?.queue.add(change.key) }
        }
        claims.observe { [weak self] change in
            let now = change.new.map { StorageProtection.classes(of: $0) } ?? []
            for name in (change.old.map { StorageProtection.classes(of: $0) } ?? []).subtracting(now) { self?.queue.add(name) }
        }
        volumes.observe { [weak self] change in
            let now = change.new.map { StorageProtection.classes(of: $0) } ?? []
            for name in (change.old.map { StorageProtection.classes(of: $0) } ?? []).subtracting(now) { self?.queue.add(name) }
        }
    }

    func reconcile(_ key: String) async throws -> ReconcileResult {
        guard let found = classes.get(key) else { return .done }
        switch StorageProtection.decide(found.metadata, StorageProtection.classFinalizer) {
        case .keep: return .done
        case .add: return try await context.protect(found, StorageProtection.classFinalizer)
        case .removeIfUnused: break
        }
        let isUsed =
            volumes.list().contains { StorageProtection.classes(of: $0).contains(key) }
            || claims.list().contains { StorageProtection.classes(of: $0).contains(key) }
        return isUsed ? .done : try await context.unprotect(found, StorageProtection.classFinalizer)
    }
}

extension ControllerContext {
    /// Adds a finalizer that an object should have had from the start.
    fileprivate func protect(_ object: some APIObject, _ finalizer: String) async throws -> ReconcileResult {
        var copy = object
        copy.metadata.finalizers.append(finalizer)
        return try await write(copy)
    }

    /// Takes a finalizer away.
    fileprivate func unprotect(_ object: some APIObject, _ finalizer: String) async throws -> ReconcileResult {
        var copy = object
        copy.metadata.finalizers.removeAll { $0 == finalizer }
        return try await write(copy)
    }

    private func write(_ object: some APIObject) async throws -> ReconcileResult {
        do {
            _ = try await client.update(object)
        } catch let error as APIError where error.isNotFound {}
        return .done
    }
}
