/// Counts results of one probe and concludes when a threshold is reached. Pure.
struct ProbeTally: Sendable {
    let kind: ProbeKind
    let successThreshold: Int
    let failureThreshold: Int
    private var last: ProbeOutcome = .unknown
    private var run = 0
    /// Concluded for good until the container is replaced: a startup probe that ended, a liveness probe that failed.
    private(set) var isOver = false

    init(kind: ProbeKind, successThreshold: Int, failureThreshold: Int) {
        self.kind = kind
        self.successThreshold = max(successThreshold, 1)
        self.failureThreshold = max(failureThreshold, 1)
    }

    /// Counts a result; returns a conclusion when its threshold is reached.
    mutating func record(_ result: ProbeOutcome) -> ProbeOutcome? {
        if result == .unknown { return nil }
        if result == last {
            run += 1
        } else {
            last = result
            run = 1
        }
        let threshold = result == .success ? successThreshold : failureThreshold
        guard run >= threshold else { return nil }
        if kind == .startup || (kind == .liveness && result == .failure) { isOver = true }
        return result
    }
}
