import APITypes
import PodRuntime
import Synchronization
import Units

/// All pods of the node. Guarded by `records`; decisions are taken under the lock, effects follow outside.
final class PodTable: Sendable {
    /// What a pod deleted by force still gets.
    static let shortestGraceSeconds: Int64 = 1

    private let records = Mutex<[String: PodRecord]>([:])

    func record(_ uid: String) -> PodRecord? { records.withLock { $0[uid] } }

    var uids: [String] { records.withLock { Array($0.keys) } }

    /// The API's pods, as last shown, with the newest status generated.
    var pods: [Pod] {
        records.withLock { records in
            records.values.compactMap { record in
                guard var pod = record.pod else { return nil }
                if let status = record.status { pod.status = status }
                return pod
            }
        }
    }

    func pod(namespace: String, name: String) -> PodRecord? {
        records.withLock { records in
            let found = records.values.filter { $0.pod?.metadata.name == name && $0.pod?.metadata.namespace == namespace }
            return found.first { !$0.isRemoved } ?? found.first
        }
    }

    /// What is to be done after a change to a record.
    enum Action: Sendable {
        case none
        case sync
        /// End the running sync first: it works on something that is to be ended.
        case interrupt(@Sendable () -> Void)
    }

    /// The API server shows a pod.
    func updated(_ pod: Pod) -> Action {
        records.withLock { records in
            let uid = pod.metadata.uid
            guard var record = records[uid] else {
                var record = PodRecord(uid: uid, pod: pod)
                record.graceSeconds = pod.metadata.deletionGracePeriodSeconds.map { Int64($0) }
                records[uid] = record
                return .sync
            }
            guard record.pod?.fields != pod.fields || record.isRemoved else { return .none }
            let wasTerminating = record.pod?.metadata.deletionTimestamp != nil
            let isStatusOnly = record.pod.map { Self.sameForSync($0, pod) } ?? false
            record.pod = pod
            // Equal trees are kept once.
            if let status = record.status, status == pod.status { record.pod?.status = status }
            record.isRemoved = false
            var action = isStatusOnly ? Action.none : .sync
            if pod.metadata.deletionTimestamp != nil {
                let grace = pod.metadata.deletionGracePeriodSeconds.map { Int64($0) }
                let isShorter = (grace ?? .max) < (record.graceSeconds ?? .max)
                record.graceSeconds = [grace, record.graceSeconds].compactMap { $0 }.min()
                if !wasTerminating || isShorter, let cancel = record.cancelSync { action = .interrupt(cancel) }
                if record.stage == .terminated { action = .sync }
            }
            records[uid] = record
            return action
        }
    }

    /// The API server does not have the pod any more; `graceSeconds` is what its last state allowed (0 when forced).
    func removed(_ uid: String, graceSeconds: Int64?) -> Action {
        records.withLock { records in
            guard var record = records[uid], !record.isRemoved else { return .none }
            let wasEnding = record.mustTerminate
            // A container always gets a moment, even when the deletion was forced.
            let grace = graceSeconds.map { max($0, Self.shortestGraceSeconds) }
            let isShorter = (grace ?? .max) < (record.graceSeconds ?? .max)
            record.isRemoved = true
            record.graceSeconds = [grace, record.graceSeconds].compactMap { $0 }.min()
            records[uid] = record
            if !wasEnding || (isShorter && record.stage < .terminated), let cancel = record.cancelSync {
                return .interrupt(cancel)
            }
            return .sync
        }
    }

    /// The runtime shows a pod that the API server never did.
    func foundInRuntime(_ observed: ObservedPod) -> Action {
        records.withLock { records in
            guard records[observed.uid] == nil else { return .none }
            var record = PodRecord(uid: observed.uid, pod: nil)
            record.isRemoved = true
            record.observed = observed
            records[observed.uid] = record
            return .sync
        }
    }

    /// Takes a pod, once, or says why not. One at a time: two that fit alone may not fit together.
    /// - Parameter hasBegun: it is in the runtime already, so an earlier kubelet took it.
    func admit(_ uid: String, hasBegun: Bool, _ admission: () -> PodAdmission) -> PodFailure? {
        records.withLock { records in
            guard let record = records[uid], !record.isAdmitted, let pod = record.pod else { return nil }
            if !hasBegun {
                let others = records.values.filter { $0.uid != uid && $0.occupiesNode }.compactMap(\.grantedPod)
                if let refusal = admission().refusal(pod, beside: others) { return refusal }
            }
            records[uid]?.isAdmitted = true
            return nil
        }
    }

    /// The kubelet decides to end a pod.
    func failed(_ uid: String, _ failure: PodFailure, graceSeconds: Int64?) -> Action {
        records.withLock { records in
            guard var record = records[uid], record.failure == nil, record.stage == .syncing else { return .none }
            record.failure = failure
            if let graceSeconds { record.graceSeconds = graceSeconds }
            records[uid] = record
            if let cancel = record.cancelSync { return .interrupt(cancel) }
            return .sync
        }
    }

    /// Changes a record in place; nothing happens when there is none.
    @discardableResult
    func change<T>(_ uid: String, _ body: (inout PodRecord) -> T) -> T? {
        records.withLock { records in
            guard var record = records[uid] else { return nil }
            defer { records[uid] = record }
            return body(&record)
        }
    }

    /// Decides over all records at once.
    func withRecords<T>(_ body: (inout [String: PodRecord]) -> T) -> T {
        records.withLock { body(&$0) }
    }

    func forget(_ uid: String) {
        records.withLock { _ = $0.removeValue(forKey: uid) }
    }

    /// Whether only what the kubelet itself writes differs: its own status comes back on the watch after every patch.
    private static func sameForSync(_ left: Pod, _ right: Pod) -> Bool {
        func foreign(_ pod: Pod) -> [PodCondition] {
            pod.status.conditions.filter { !PodConditions.owned.contains($0.type) }
        }
        let isTerminal = right.status.phase == "Failed" || right.status.phase == "Succeeded"
        if isTerminal, left.status.phase != right.status.phase { return false }
        return sameButStatus(left, right) && foreign(left) == foreign(right)
    }

    private static func sameButStatus(_ left: Pod, _ right: Pod) -> Bool {
        var (a, b) = (left.fields, right.fields)
        a["status"] = nil
        b["status"] = nil
        var (metaA, metaB) = (left.metadata, right.metadata)
        for key in ["resourceVersion", "managedFields"] {
            metaA.fields[key] = nil
            metaB.fields[key] = nil
        }
        a["metadata"] = .object(metaA.fields)
        b["metadata"] = .object(metaB.fields)
        return a == b
    }
}
