/// One key with the value it has, or had, at a revision.
///
/// The value is shared by reference: copying an entry never copies the bytes.
public struct StoredEntry: Sendable, Hashable {
    /// The whole key, for example `/registry/core/pods/default/web-0`.
    public let key: String
    /// What was written, byte for byte.
    public let value: [UInt8]
    /// The write that put this value there.
    public let revision: Revision
    /// The write that created the key (after its last deletion).
    public let createRevision: Revision

    /// An entry as a store returns it.
    public init(key: String, value: [UInt8], revision: Revision, createRevision: Revision) {
        self.key = key
        self.value = value
        self.revision = revision
        self.createRevision = createRevision
    }
}

/// What must hold for a write to happen.
public enum Precondition: Sendable, Hashable {
    /// Nothing: the write always happens.
    case none
    /// The key does not exist.
    case absent
    /// The key exists and was last written at this revision.
    case revision(Revision)
}

/// One change, as a watch delivers it.
public enum StoreEvent: Sendable, Hashable {
    /// A key was created (`previous` is nil) or overwritten.
    case put(StoredEntry, previous: StoredEntry?)
    /// A key was removed by the write `at`.
    case deleted(key: String, previous: StoredEntry, at: Revision)

    /// The write that made the change.
    public var revision: Revision {
        switch self {
        case .put(let entry, _): entry.revision
        case .deleted(_, _, let revision): revision
        }
    }

    /// The key that changed.
    public var key: String {
        switch self {
        case .put(let entry, _): entry.key
        case .deleted(let key, _, _): key
        }
    }

    /// The value before the change; nil when the key was created.
    public var previous: StoredEntry? {
        switch self {
        case .put(_, let previous): previous
        case .deleted(_, let previous, _): previous
        }
    }

    /// The value after the change; nil when the key was removed.
    public var current: StoredEntry? {
        switch self {
        case .put(let entry, _): entry
        case .deleted: nil
        }
    }

    /// How much memory the event keeps alive in values.
    package var weight: Int {
        (current?.value.count ?? 0) + (previous?.value.count ?? 0)
    }
}
