import APIModel
import APITypes
import Units
import Values

/// Decides what becomes of an event: written, counted up on one that exists, aggregated, or dropped as spam.
///
/// The rules and numbers are client-go's. Pure: the caller brings the time.
struct EventCorrelator {
    /// What to do with an event.
    enum Verdict: Equatable {
        /// Create it.
        case create(Event)
        /// Count up the one that exists.
        case update(Event, patch: JSONValue)
        /// The object has had too many.
        case drop
    }

    private struct Observation {
        var count: Int
        var first: Timestamp?
        var name: String
    }

    private struct Aggregate {
        var messages: Set<String> = []
        var last: Timestamp
    }

    private struct Bucket {
        var tokens: Double
        var at: Timestamp
    }

    /// Entries of each memory.
    static let capacity = 4096
    /// Different messages of one reason before they are combined.
    static let aggregateAfter = 10
    /// Silence after which counting messages starts anew.
    static let aggregateWindow = Duration.seconds(600)
    /// Events of one source about one object at once.
    static let spamBurst = 25.0
    /// And one more every five minutes.
    static let spamRefill = 1.0 / 300.0

    private var observations = BoundedMemory<String, Observation>(capacity: EventCorrelator.capacity)
    private var aggregates = BoundedMemory<String, Aggregate>(capacity: EventCorrelator.capacity)
    private var buckets = BoundedMemory<String, Bucket>(capacity: EventCorrelator.capacity)

    mutating func correlate(_ event: Event, now: Timestamp) -> Verdict {
        let (event, key) = aggregate(event, now: now)
        let verdict = observe(event, key: key)
        return isSpam(event, now: now) ? .drop : verdict
    }

    /// What the server stored of an event, so that the next one finds it.
    mutating func stored(_ event: Event, now: Timestamp) {
        let (aggregateKey, _) = Self.keys(event)
        let key = event.message.hasPrefix(Self.combined) ? aggregateKey : Self.eventKey(event)
        if var known = observations[key] {
            known.name = event.name
            observations[key] = known
        }
    }

    private static let combined = "(combined from similar events): "

    private mutating func aggregate(_ event: Event, now: Timestamp) -> (Event, String) {
        let (key, message) = Self.keys(event)
        var record = aggregates[key] ?? Aggregate(last: now)
        if now - record.last > Self.aggregateWindow { record = Aggregate(last: now) }
        record.messages.insert(message)
        record.last = now
        guard record.messages.count >= Self.aggregateAfter else {
            aggregates[key] = record
            return (event, Self.eventKey(event))
        }
        if let any = record.messages.first { record.messages.remove(any) }
        aggregates[key] = record
        var whole = event
        whole.metadata.name = EventRecorder.eventName(event.involvedObject.name, now)
        whole.message = Self.combined + event.message
        whole.count = 1
        whole.firstTimestamp = now
        whole.lastTimestamp = now
        return (whole, key)
    }

    private mutating func observe(_ event: Event, key: String) -> Verdict {
        guard var known = observations[key] else {
            observations[key] = Observation(count: event.count, first: event.firstTimestamp, name: event.name)
            return .create(event)
        }
        known.count += 1
        observations[key] = known
        var counted = event
        counted.metadata.name = known.name
        counted.firstTimestamp = known.first
        counted.count = known.count
        let patch: JSONValue = [
            "count": .integer(Int64(known.count)),
            "lastTimestamp": counted.lastTimestamp.map { .string($0.rfc3339) } ?? .null,
            "message": .string(counted.message),
        ]
        return .update(counted, patch: patch)
    }

    private mutating func isSpam(_ event: Event, now: Timestamp) -> Bool {
        let object = event.involvedObject
        let key = [
            event.source.component, event.source.host, object.kind, object.namespace, object.name, object.uid,
            object.apiVersion,
        ].joined(separator: "\u{0}")
        var bucket = buckets[key] ?? Bucket(tokens: Self.spamBurst, at: now)
        let passed = now - bucket.at
        bucket.tokens = min(Self.spamBurst, bucket.tokens + (passed / Duration.seconds(1)) * Self.spamRefill)
        bucket.at = now
        let isSpam = bucket.tokens < 1
        if !isSpam { bucket.tokens -= 1 }
        buckets[key] = bucket
        return isSpam
    }

    private static func keys(_ event: Event) -> (aggregate: String, local: String) {
        let object = event.involvedObject
        let parts = [
            event.source.component, event.source.host, object.kind, object.namespace, object.name, object.uid,
            object.apiVersion, event.type, event.reason, event.reportingComponent, event.reportingInstance,
        ]
        return (parts.joined(separator: "\u{0}"), event.message)
    }

    private static func eventKey(_ event: Event) -> String {
        let (aggregate, _) = keys(event)
        return [aggregate, event.involvedObject.fieldPath, event.message].joined(separator: "\u{0}")
    }
}

/// A dictionary that forgets the entries that came first. Pure.
struct BoundedMemory<Key: Hashable, Value> {
    private var values: [Key: Value] = [:]
    private var order: [Key] = []
    private var head = 0
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    subscript(_ key: Key) -> Value? {
        get { values[key] }
        set {
            guard let newValue else {
                values[key] = nil
                return
            }
            if values.updateValue(newValue, forKey: key) == nil { order.append(key) }
            while values.count > capacity, head < order.count {
                values[order[head]] = nil
                head += 1
            }
            if head > capacity {
                order.removeFirst(head)
                head = 0
            }
        }
    }
}
