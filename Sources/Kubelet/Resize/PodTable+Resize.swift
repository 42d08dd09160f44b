import APITypes
import Units

extension PodTable {
    /// Answers all pods that want other amounts than they were given, in order of their claim: each is given them if the
    /// node has them left beside what all others were given. Returns what the pod `uid` is to be told.
    func answerResizes(for uid: String, now: Timestamp, _ admission: () -> PodAdmission) -> ResizeEvent? {
        withRecords { records in
            guard let asking = records[uid] else { return nil }
            if !asking.wantsResize {
                records[uid]?.resize.pending = nil
                return nil
            }
            let admission = admission()
            var event: ResizeEvent?
            let waiting = records.values.filter(\.wantsResize).sorted(by: Self.hasEarlierClaim).map(\.uid)
            for each in waiting {
                let others = records.values.filter { $0.uid != each && $0.occupiesNode }.compactMap(\.grantedPod)
                let told = records[each]?.answer(admission, others, now: now)
                if each == uid { event = told }
            }
            return event
        }
    }

    /// Less before more, then by priority, quality of service and how long it waits.
    private static func hasEarlierClaim(_ left: PodRecord, _ right: PodRecord) -> Bool {
        func rank(_ record: PodRecord) -> (grows: Int, priority: Int, quality: Int, since: Timestamp) {
            let never = Timestamp(unixSeconds: 1 << 40)
            guard let pod = record.pod, let granted = record.grantedPod else { return (1, 0, 2, never) }
            let (wants, has) = (PodRequests(pod).amounts, PodRequests(granted).amounts)
            let grows = ["cpu", "memory"].contains { (wants[$0] ?? 0) > (has[$0] ?? 0) }
            let quality =
                switch QoSClass(pod) {
                case .guaranteed: 0
                case .burstable: 1
                case .bestEffort: 2
                }
            let since = record.resize.pending?.lastTransitionTime ?? never
            return (grows ? 1 : 0, -(pod.spec.priority ?? 0), quality, since)
        }
        return rank(left) < rank(right)
    }
}

extension PodRecord {
    /// Gives the pod what it wants, or notes why not; what is new of that is told.
    fileprivate mutating func answer(_ admission: PodAdmission, _ others: [Pod], now: Timestamp) -> ResizeEvent? {
        guard let pod else { return nil }
        let generation = pod.metadata.generation
        if let refusal = admission.refusal(pod, beside: others) {
            let old = resize.pending
            resize.pending = ResizeConditions.condition(
                "PodResizePending",
                "Deferred",
                refusal.message,
                generation: generation,
                after: old,
                now: now
            )
            if resize.pending == old { return nil }
            return ResizeEvent(
                "ResizeDeferred",
                isWarning: true,
                refusal.reason,
                pod,
                generation: generation,
                problem: refusal.message
            )
        }
        allocation?.grant(pod)
        resize.pending = nil
        resize.inProgress = nil
        return nil
    }
}
