import APIClient
import APIModel
import APITypes
import Channels
import Logging
import Synchronization
import Units
import Values

/// Writes events about objects, as client-go does: counted, aggregated, and never in the way of what they are about.
///
/// State guarded by `correlator`.
public final class EventRecorder: Sendable {
    /// The two types of events.
    public enum Kind: String, Sendable {
        /// Information.
        case normal = "Normal"
        /// Something is wrong.
        case warning = "Warning"
    }

    /// Events that wait to be written; above it the oldest are dropped.
    private static let queueLimit = 1_000
    /// How often one is tried.
    private static let attempts = 12

    private let client: APIClient
    private let component: String
    private let host: String
    private let clock: any ClusterClock
    private let log: Logger
    private let queue = BoundedChannel<Event>(capacity: EventRecorder.queueLimit, overflow: .dropOldest)
    private let correlator = Mutex(EventCorrelator())

    /// A recorder that speaks for `component`; `host` is the node, for components of one.
    public init(
        client: APIClient,
        component: String,
        host: String = "",
        clock: any ClusterClock = SystemClock(),
        log: Logger = Logger(label: "events")
    ) {
        self.client = client
        self.component = component
        self.host = host
        self.clock = clock
        self.log = log
    }

    /// Records something about an object; returns at once.
    public func record(_ object: some APIObject, _ kind: Kind, reason: String, _ message: String, action: String = "") {
        record(Self.reference(object), kind, reason: reason, message, action: action)
    }

    /// Records something about a referenced object (with `fieldPath` for a container); returns at once.
    public func record(
        _ object: ObjectReference,
        _ kind: Kind,
        reason: String,
        _ message: String,
        action: String = "",
        annotations: [String: String] = [:]
    ) {
        _ = queue.trySend(makeEvent(object, kind, reason, message, action, annotations))
    }

    /// A reference to an object.
    public static func reference<T: APIObject>(_ object: T, fieldPath: String = "") -> ObjectReference {
        ObjectReference {
            $0.kind = T.gvk.kind
            $0.apiVersion = T.gvk.apiVersion
            $0.namespace = object.namespace
            $0.name = object.name
            $0.uid = object.uid
            $0.resourceVersion = object.resourceVersion
            $0.fieldPath = fieldPath
        }
    }

    /// Tells apart what is recorded in the same microsecond, also by different recorders.
    private static let counter = Atomic<Int64>(0)

    /// The name of an event: the object's, a dot, and the time in hex.
    static func eventName(_ object: String, _ time: Timestamp) -> String {
        let nanoseconds = time.unixSeconds * 1_000_000_000 + Int64(time.nanoseconds)
        return "\(object).\(String(nanoseconds, radix: 16))"
    }

    /// The time to the microsecond; what is below counts up, so that two events about an object never have one name.
    static func unique(_ time: Timestamp) -> Timestamp {
        let count = Int32(counter.wrappingAdd(1, ordering: .relaxed).newValue % 1_000)
        return Timestamp(unixSeconds: time.unixSeconds, nanoseconds: time.nanoseconds / 1_000 * 1_000 + count)
    }

    /// Writes until the task is cancelled.
    public func run() async {
        while !Task.isCancelled {
            guard let event = try? await queue.receive() else { return }
            await write(event)
        }
    }

    private func makeEvent(
        _ object: ObjectReference,
        _ kind: Kind,
        _ reason: String,
        _ message: String,
        _ action: String,
        _ annotations: [String: String]
    ) -> Event {
        let now = clock.now
        let namespace = object.namespace.isEmpty ? "default" : object.namespace
        var event = Event(name: Self.eventName(object.name, Self.unique(now)), namespace: namespace)
        if !annotations.isEmpty { event.metadata.annotations = annotations }
        event.involvedObject = object
        event.reason = reason
        event.message = String(message.prefix(1024))
        event.type = kind.rawValue
        event.firstTimestamp = now
        event.lastTimestamp = now
        event.count = 1
        event.action = action
        event.source.component = component
        event.source.host = host
        event.reportingComponent = component
        event.reportingInstance = host
        return event
    }

    private func write(_ event: Event) async {
        let now = clock.now
        let verdict = correlator.withLock { $0.correlate(event, now: now) }
        for attempt in 1...Self.attempts {
            do {
                switch verdict {
                case .drop: return
                case .create(let event): try await create(event)
                case .update(let event, let patch): try await update(event, patch)
                }
                return
            } catch let error as APIError {
                // the server has decided: trying again would only ask the same
                let level: Logger.Level = error.isNotFound || error.isForbidden ? .debug : .info
                log.log(level: level, "event not taken", metadata: ["reason": "\(event.reason)", "error": "\(error)"])
                return
            } catch {
                if Task.isCancelled || attempt == Self.attempts { return }
                do { try await clock.sleep(for: .seconds(min(attempt, 10))) } catch { return }
            }
        }
    }

    private func create(_ event: Event) async throws {
        let stored = try await client.create(event)
        let now = clock.now
        correlator.withLock { $0.stored(stored, now: now) }
    }

    private func update(_ event: Event, _ patch: JSONValue) async throws {
        do {
            try await client.patch(Event.self, namespace: event.namespace, name: event.name, type: .strategic, patch)
        } catch let error as APIError where error.isNotFound {
            // the one counted up has expired
            var fresh = event
            fresh.metadata.resourceVersion = ""
            try await create(fresh)
        }
    }
}
