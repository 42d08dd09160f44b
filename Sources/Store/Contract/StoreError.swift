/// Why the store could not do what it was asked.
public struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure this is; the caller decides by it.
    public enum Code: Sendable, Hashable {
        /// The precondition did not hold; `current` is what is there now, nil when nothing is.
        case conflict(current: StoredEntry?)
        /// The key does not exist.
        case notFound
        /// The revision asked for is gone; the oldest that can still be asked for is given.
        case compacted(Revision)
        /// The revision asked for does not exist yet; the newest is given.
        case futureRevision(Revision)
        /// The watcher did not keep up and was closed; it lists again.
        case slow
        /// The store was closed.
        case closed
        /// No space left; reads go on, writes may be tried again.
        case full
        /// The value is larger than the store takes.
        case tooLarge
        /// What is on disk cannot be trusted; nothing was deleted.
        case corrupt
        /// The data directory is in use by another process.
        case locked(pid: Int32?)
        /// The store cannot answer now; the write may or may not have happened.
        case unavailable
    }

    /// What happened.
    public let code: Code
    /// What happened, for people: names the key, file or directory.
    public let message: String

    /// A failure with its explanation.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// For people.
    public var description: String { message }
}

extension StoreError {
    package static func conflict(key: String, wanted: Precondition, current: StoredEntry?) -> StoreError {
        let found = current.map { "it is at revision \($0.revision)" } ?? "it does not exist"
        let demand =
            switch wanted {
            case .none: "no precondition was given"
            case .absent: "it should not exist"
            case .revision(let revision): "revision \(revision) was expected"
            }
        return StoreError(.conflict(current: current), "\(key): \(demand), but \(found)")
    }

    package static func compacted(_ asked: Revision, oldest: Revision) -> StoreError {
        StoreError(.compacted(oldest), "revision \(asked) was compacted, the oldest kept is \(oldest)")
    }

    package static func futureRevision(_ asked: Revision, current: Revision) -> StoreError {
        StoreError(.futureRevision(current), "revision \(asked) does not exist yet, the newest is \(current)")
    }

    package static let closed = StoreError(.closed, "the store is closed")

    package static func slow(capacity: Int) -> StoreError {
        StoreError(.slow, "the watcher fell more than \(capacity) events behind and was closed")
    }
}
