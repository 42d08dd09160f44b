import Store
import Synchronization

/// Which revision the store was at when: what "an hour ago" means to a store that knows no time. Guarded by its mutex.
final class RevisionHistory: Sendable {
    private let samples = Mutex<[(at: Duration, revision: Revision)]>([])
    private let span: Duration

    /// A history that reaches back `span`.
    init(span: Duration) {
        self.span = span
    }

    /// Notes the revision of now; times only grow.
    func note(_ revision: Revision, at now: Duration) {
        samples.withLock { samples in
            samples.append((now, revision))
            // One sample older than the span is kept: it is the answer for the span itself.
            let old = samples.prefix { $0.at <= now - span }.count
            if old > 1 { samples.removeFirst(old - 1) }
        }
    }

    /// The newest revision that is known to be older than `age`; nil when the history does not reach back so far.
    func revision(olderThan age: Duration, at now: Duration) -> Revision? {
        samples.withLock { samples in samples.last { $0.at <= now - age }?.revision }
    }
}
