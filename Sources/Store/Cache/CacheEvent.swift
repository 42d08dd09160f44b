import Synchronization

/// What happened to an object, as one watcher sees it through its selectors.
public enum CacheEventType: UInt8, Sendable, Hashable {
    case added, modified, deleted, bookmark
}

/// Which wire format a frame is encoded in; the server numbers the formats it speaks.
public struct FrameEncoding: Sendable, Hashable {
    /// The server's number for the format.
    public let rawValue: Int

    /// Names a format by number.
    public init(_ rawValue: Int) {
        self.rawValue = rawValue
    }
}

/// The encoded frames of one change, made by the first watcher that needs one and shared by all others.
///
/// They live until the last watcher has written them; history does not keep them.
final class SharedFrames: Sendable {
    struct Key: Hashable {
        let type: CacheEventType
        let encoding: FrameEncoding
    }

    private let frames = Mutex<[(key: Key, bytes: [UInt8])]>([])
    private let companion = Mutex<(any Sendable)?>(nil)

    func companion<Value: Sendable>(make: () -> Value) -> Value {
        companion.withLock { companion in
            if let known = companion as? Value { return known }
            let value = make()
            companion = value
            return value
        }
    }

    func frame(_ key: Key, make: () -> [UInt8]) -> [UInt8] {
        frames.withLock { frames in
            if let known = frames.first(where: { $0.key == key }) { return known.bytes }
            let bytes = make()
            frames.append((key, bytes))
            return bytes
        }
    }
}

/// One change to one object, as delivered to a watcher.
///
/// Copying one copies a reference: a thousand watchers hold the same.
public struct CacheEvent: Sendable {
    private final class Content: Sendable {
        let type: CacheEventType
        let object: CachedObject?
        let previous: CachedObject?
        let revision: Revision
        let frames: SharedFrames

        init(_ type: CacheEventType, _ object: CachedObject?, _ previous: CachedObject?, _ revision: Revision, _ frames: SharedFrames) {
            self.type = type
            self.object = object
            self.previous = previous
            self.revision = revision
            self.frames = frames
        }
    }

    private let content: Content

    init(
        _ type: CacheEventType,
        object: CachedObject?,
        previous: CachedObject?,
        revision: Revision,
        frames: SharedFrames
    ) {
        content = Content(type, object, previous, revision, frames)
    }

    /// What the watcher is told.
    public var type: CacheEventType { content.type }
    /// The object to send; nil only in a bookmark. For DELETED: its last state at the revision of the deletion.
    public var object: CachedObject? { content.object }
    /// The object before the change.
    public var previous: CachedObject? { content.previous }
    /// The write behind the event; for a bookmark, up to where everything was delivered.
    public var revision: Revision { content.revision }

    /// An event of an object outside the cache's own stream (an initial ADDED event of a watch-list).
    public init(_ type: CacheEventType, object: CachedObject?, revision: Revision) {
        self.init(type, object: object, previous: nil, revision: revision, frames: SharedFrames())
    }

    /// Something that all who receive the event share for as long as one of them holds it; `make` runs once.
    public func companion<Value: Sendable>(make: () -> Value) -> Value {
        content.frames.companion(make: make)
    }

    /// The encoded frame; `make` runs once for each encoding, whoever asks first.
    public func frame(_ encoding: FrameEncoding, make: (CacheEvent) -> [UInt8]) -> [UInt8] {
        content.frames.frame(SharedFrames.Key(type: content.type, encoding: encoding)) { make(self) }
    }
}

/// One change as the cache remembers it.
struct CacheChange: Sendable {
    /// nil when the object was removed.
    let current: CachedObject?
    let previous: CachedObject?
    let revision: Revision

    /// The one of the two that names the object.
    var subject: CachedObject? { current ?? previous }

    var weight: Int { (current?.weight ?? 0) + (current == nil ? previous?.weight ?? 0 : 0) }

    /// What a watcher is told that sees what passes `filter`; nil when it sees nothing of it.
    func type(filter: (@Sendable (CachedObject) -> Bool)?) -> CacheEventType? {
        let isSeen = current.map { filter?($0) ?? true } ?? false
        let wasSeen = previous.map { filter?($0) ?? true } ?? false
        switch (wasSeen, isSeen) {
        case (false, false): return nil
        case (false, true): return .added
        case (true, true): return .modified
        case (true, false): return .deleted
        }
    }

    /// The event for a watcher that sees what passes `filter`; nil when it sees nothing of it.
    func event(filter: (@Sendable (CachedObject) -> Bool)?) -> CacheEvent? {
        type(filter: filter).map { event($0, frames: SharedFrames()) }
    }

    func event(_ type: CacheEventType, frames: SharedFrames) -> CacheEvent {
        let object = type == .deleted ? previous?.at(revision) : current
        return CacheEvent(type, object: object, previous: previous, revision: revision, frames: frames)
    }
}

/// The events that one change comes to while it is dispatched: a list of one for each type, made once and held by all its
/// watchers, each until it has something of its own.
struct ChangeEvents {
    let change: CacheChange
    private let frames = SharedFrames()
    private var added: [CacheEvent] = []
    private var modified: [CacheEvent] = []
    private var deleted: [CacheEvent] = []

    init(_ change: CacheChange) {
        self.change = change
    }

    /// The event for a watcher that sees what passes `filter`; empty when it sees nothing of it.
    mutating func events(filter: (@Sendable (CachedObject) -> Bool)?) -> [CacheEvent] {
        switch change.type(filter: filter) {
        case .added: made(.added, &added)
        case .modified: made(.modified, &modified)
        case .deleted: made(.deleted, &deleted)
        case .bookmark, nil: []
        }
    }

    private func made(_ type: CacheEventType, _ events: inout [CacheEvent]) -> [CacheEvent] {
        if events.isEmpty { events = [change.event(type, frames: frames)] }
        return events
    }
}
