import APIModel
import APITypes
import Channels
import Logging
import Synchronization
import Units
import Values

/// Writes pod statuses to the API server: only what changed, in order for each pod, again after failures, and the newest
/// only. Deletes a pod whose end is written. Guarded by `entries`.
final class StatusWriter: Sendable {
    /// Writes that may be under way at once.
    static let workers = 8

    private struct Entry {
        var namespace: String
        var name: String
        var status: PodStatus
        /// What the API server is known to have.
        var base: PodStatus
        var baseVersion: UInt64
        var isDirty: Bool
        var mustDelete = false
        /// The API server took the deletion: what still holds the pod are finalizers, and asking again changes nothing.
        var isDeleted = false
    }

    private let api: any NodeAPI
    private let logger: Logger
    private let entries = Mutex<[String: Entry]>([:])
    private let queue: WorkQueue<String>

    init(api: any NodeAPI, clock: any ClusterClock, logger: Logger) {
        self.api = api
        self.logger = logger
        queue = WorkQueue(
            name: "pod-status",
            clock: clock,
            backoff: RetryBackoff(base: .milliseconds(100), limit: .seconds(10))
        )
    }

    func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<Self.workers { group.addTask { await self.work() } }
            }
        } onCancel: {
            queue.shutDown()
        }
    }

    /// The status of `pod` is now `status`; `pod` is as the API server last showed it.
    func set(_ pod: Pod, _ status: PodStatus) {
        let uid = pod.metadata.uid
        let isDirty = entries.withLock { entries -> Bool in
            let version = UInt64(pod.metadata.resourceVersion) ?? 0
            guard var entry = entries[uid] else {
                let isDirty = Self.differ(pod.status, status)
                entries[uid] = Self.entry(pod, status, isDirty: isDirty)
                return isDirty
            }
            if version > entry.baseVersion {
                entry.base = pod.status
                entry.baseVersion = version
            }
            entry.status = status
            entry.isDirty = Self.differ(entry.base, status)
            // Equal trees are kept once: a process of hollow nodes has very many.
            if !entry.isDirty { entry.base = status }
            entries[uid] = entry
            return entry.isDirty
        }
        if isDirty { queue.add(uid) }
    }

    /// The pod has ended and its last status is set: delete it from the API server once that is written.
    func deleteWhenWritten(_ pod: Pod) {
        let uid = pod.metadata.uid
        let isDeleted = entries.withLock { entries in
            if entries[uid] == nil {
                entries[uid] = Self.entry(pod, pod.status, isDirty: false)
            }
            entries[uid]?.mustDelete = true
            return entries[uid]?.isDeleted ?? false
        }
        if !isDeleted { queue.add(uid) }
    }

    private static func entry(_ pod: Pod, _ status: PodStatus, isDirty: Bool) -> Entry {
        Entry(
            namespace: pod.metadata.namespace,
            name: pod.metadata.name,
            status: status,
            base: isDirty ? pod.status : status,
            baseVersion: UInt64(pod.metadata.resourceVersion) ?? 0,
            isDirty: isDirty
        )
    }

    func forget(_ uid: String) {
        entries.withLock { _ = $0.removeValue(forKey: uid) }
        queue.forget(uid)
    }

    private func work() async {
        while let uid = await queue.get() {
            do {
                try await write(uid)
                queue.forget(uid)
            } catch {
                logger.debug("pod status not written", metadata: ["uid": "\(uid)", "error": "\(error)"])
                await refresh(uid, after: error)
                queue.addRateLimited(uid)
            }
            queue.done(uid)
        }
    }

    private func write(_ uid: String) async throws {
        guard let entry = entries.withLock({ $0[uid] }) else { return }
        if entry.isDirty, let patch = StatusPatch.patch(from: entry.base, to: entry.status, uid: uid) {
            let answer = try await api.patchPodStatus(entry.namespace, entry.name, patch: patch)
            guard let answer, answer.metadata.uid == uid else {
                forget(uid)
                return
            }
            written(uid, answer, sent: patch)
        }
        let mustDelete = entries.withLock { $0[uid].map { $0.mustDelete && !$0.isDirty && !$0.isDeleted } ?? false }
        guard mustDelete else { return }
        try await api.deletePod(entry.namespace, entry.name, uid: uid)
        entries.withLock { $0[uid]?.isDeleted = true }
    }

    private static func differ(_ left: PodStatus, _ right: PodStatus) -> Bool {
        left != right && StatusPatch.plain(left.fields) != StatusPatch.plain(right.fields)
    }

    private func written(_ uid: String, _ answer: Pod, sent: JSONValue) {
        let isDirty = entries.withLock { entries -> Bool in
            guard var entry = entries[uid] else { return false }
            let version = UInt64(answer.metadata.resourceVersion) ?? 0
            if version >= entry.baseVersion {
                entry.base = answer.status
                entry.baseVersion = version
            }
            // What the server does not take over must not be sent for ever.
            let left = StatusPatch.patch(from: entry.base, to: entry.status, uid: uid)
            entry.isDirty = left != nil && left != sent
            if !entry.isDirty { entry.base = entry.status }
            entries[uid] = entry
            return entry.isDirty
        }
        if isDirty { queue.addRateLimited(uid) }
    }

    /// After a conflict the pod is read again: its uid or status may have changed.
    private func refresh(_ uid: String, after error: any Error) async {
        guard let failure = error as? APIError, failure.code == 409 || failure.code == 422,
            let entry = entries.withLock({ $0[uid] })
        else { return }
        guard let current = try? await api.pod(entry.namespace, entry.name) else { return }
        guard current.metadata.uid == uid else {
            forget(uid)
            return
        }
        entries.withLock { entries in
            entries[uid]?.base = current.status
            entries[uid]?.baseVersion = UInt64(current.metadata.resourceVersion) ?? 0
        }
    }
}
