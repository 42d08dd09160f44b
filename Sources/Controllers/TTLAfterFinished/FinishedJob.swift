import APIModel
import APITypes
import Units

/// When a finished job may be removed.
public enum FinishedJob {
    /// What to do about a job.
    public enum Decision: Sendable, Hashable {
        /// Not finished, without limit, or being deleted already.
        case keep
        /// Look again after this time.
        case wait(Duration)
        /// Its time is over.
        case remove
    }

    /// Decides by the time since the job finished.
    public static func decide(_ job: Job, now: Timestamp) -> Decision {
        guard !job.isBeingDeleted, let ttl = job.spec.ttlSecondsAfterFinished, let finished = finishTime(job) else { return .keep }
        let rest = (finished + Duration.seconds(ttl)) - now
        return rest <= .zero ? .remove : .wait(rest)
    }

    static func finishTime(_ job: Job) -> Timestamp? {
        job.status.conditions.first { ($0.type == "Complete" || $0.type == "Failed") && $0.status == "True" }?.lastTransitionTime
    }
}
