/// Answers of others, kept for a while. Bounded: the oldest goes first. Pure; owned by whoever locks it.
public struct DNSCache: Sendable {
    /// What tells two questions apart.
    public struct Key: Hashable, Sendable {
        var question: DNSQuestion
        var wantsSignatures: Bool

        /// The key of a question.
        public init(_ question: DNSQuestion, wantsSignatures: Bool) {
            self.question = question
            self.wantsSignatures = wantsSignatures
        }
    }

    private struct Entry {
        var message: DNSMessage
        var stored: Duration
        var lifetime: UInt32
        var sequence: UInt64
    }

    /// The longest that an answer is kept, in seconds.
    public static let longestLifetime: UInt32 = 30
    /// The longest that an absence is kept, in seconds.
    public static let longestAbsence: UInt32 = 30

    private let capacity: Int
    private var entries: [Key: Entry] = [:]
    private var order: [(key: Key, sequence: UInt64)] = []
    private var head = 0
    private var sequence: UInt64 = 0

    /// An empty cache.
    public init(capacity: Int = 10_000) { self.capacity = max(1, capacity) }

    /// How many answers are kept.
    public var count: Int { entries.count }

    /// The answer, its times to live shortened by its age; nil when there is none or it is too old.
    public mutating func get(_ key: Key, at now: Duration) -> DNSMessage? {
        guard let entry = entries[key] else { return nil }
        let age = UInt32(clamping: (now - entry.stored).components.seconds)
        guard age < entry.lifetime else {
            entries[key] = nil
            return nil
        }
        var message = entry.message
        Self.shorten(&message.answers, by: age, limit: entry.lifetime)
        Self.shorten(&message.authorities, by: age, limit: entry.lifetime)
        Self.shorten(&message.additionals, by: age, limit: entry.lifetime)
        return message
    }

    private static func shorten(_ records: inout [DNSRecord], by age: UInt32, limit: UInt32) {
        for index in records.indices { records[index].ttl = min(records[index].ttl, limit) - min(age, min(records[index].ttl, limit)) }
    }

    /// Keeps an answer if it may be kept.
    public mutating func put(_ key: Key, _ message: DNSMessage, at now: Duration) {
        guard let lifetime = Self.lifetime(of: message), lifetime > 0 else { return }
        sequence += 1
        entries[key] = Entry(message: message, stored: now, lifetime: lifetime, sequence: sequence)
        order.append((key, sequence))
        while entries.count > capacity || order.count - head > 2 * capacity { dropOldest() }
    }

    private mutating func dropOldest() {
        guard head < order.count else { return }
        let oldest = order[head]
        head += 1
        if entries[oldest.key]?.sequence == oldest.sequence { entries[oldest.key] = nil }
        if head > capacity {
            order.removeFirst(head)
            head = 0
        }
    }

    /// Nil for what must not be kept: failures and truncated answers, absences without a zone's word for it.
    static func lifetime(of message: DNSMessage) -> UInt32? {
        guard !message.isTruncated, message.code == 0 || message.code == 3 else { return nil }
        if message.code == 0, !message.answers.isEmpty {
            return min(longestLifetime, message.answers.map(\.ttl).min() ?? 0)
        }
        for record in message.authorities {
            if case .authority(_, _, _, _, _, _, let minimum) = record.content {
                return min(longestAbsence, record.ttl, minimum)
            }
        }
        return nil
    }
}
