import Channels
import Synchronization
import Units

/// Counters of the DNS server, under CoreDNS' metric names.
public struct DNSMetrics: Sendable, Equatable {
    /// coredns_dns_requests_total.
    public var requests: UInt64 = 0
    /// coredns_dns_responses_total by code.
    public var responses: [UInt8: UInt64] = [:]
    /// coredns_cache_hits_total.
    public var cacheHits: UInt64 = 0
    /// coredns_cache_misses_total.
    public var cacheMisses: UInt64 = 0
    /// coredns_forward_requests_total.
    public var forwards: UInt64 = 0
    /// Queries refused because too many were under way.
    public var overloads: UInt64 = 0
    /// Datagrams that were no queries.
    public var malformed: UInt64 = 0
}

/// Whom to ask what is not ours.
public protocol UpstreamResolver: Sendable {
    /// Asks; nil when nobody answered in time.
    func resolve(_ question: DNSQuestion, wantsSignatures: Bool) async -> DNSMessage?
}

/// Answers queries: from the zone at once, from the cache, or by asking others. Guarded by `state`.
public final class QueryEngine: Sendable {
    private struct State {
        var zone: DNSZone
        var cache: DNSCache
        var metrics = DNSMetrics()
        var inFlight = 0
    }

    /// How a query is dealt with.
    public enum Step: Sendable {
        /// Send this.
        case reply(DNSMessage)
        /// Say nothing.
        case ignore
        /// `forward` must be called.
        case forward(DNSMessage, known: [DNSRecord], DNSQuestion)
    }

    /// The most queries that wait for others at a time.
    public static let mostInFlight = 1000

    private let upstream: any UpstreamResolver
    private let clock: any ClusterClock
    private let state: Mutex<State>

    /// An engine for a zone.
    public init(zone: DNSZone, upstream: any UpstreamResolver, clock: any ClusterClock = SystemClock(), cacheCapacity: Int = 10_000) {
        self.upstream = upstream
        self.clock = clock
        state = Mutex(State(zone: zone, cache: DNSCache(capacity: cacheCapacity)))
    }

    /// Changes the zone.
    public func update(_ change: @Sendable (inout DNSZone) -> Void) { state.withLock { change(&$0.zone) } }

    /// The counters so far.
    public var metrics: DNSMetrics { state.withLock { $0.metrics } }

    /// Decides about the bytes of one query, without waiting.
    public func receive(_ bytes: [UInt8]) -> Step {
        let query: DNSMessage
        do throws(DNSFormatError) {
            query = try DNSMessage(decoding: bytes)
        } catch {
            state.withLock { $0.metrics.malformed += 1 }
            return Self.complaint(about: bytes)
        }
        guard !query.isResponse else { return .ignore }
        let step = decide(query)
        state.withLock { state in
            state.metrics.requests += 1
            if case .reply(let reply) = step { state.metrics.responses[reply.code, default: 0] += 1 }
        }
        return step
    }

    /// The answer to what has a readable header and is no answer itself.
    private static func complaint(about bytes: [UInt8]) -> Step {
        guard bytes.count >= 12, bytes[2] & 0x80 == 0 else { return .ignore }
        var reply = DNSMessage()
        reply.id = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        reply.isResponse = true
        reply.opcode = bytes[2] >> 3 & 15
        reply.wantsRecursion = bytes[2] & 1 != 0
        reply.code = ResponseCode.formatError.rawValue
        return .reply(reply)
    }

    private func decide(_ query: DNSMessage) -> Step {
        guard query.opcode == 0 else { return .reply(query.reply(.notImplemented)) }
        guard query.questions.count == 1, let question = query.questions.first else { return .reply(query.reply(.formatError)) }
        if let edns = query.edns, edns.version != 0 {
            var reply = query.reply()
            reply.edns?.upperCode = 1  // BADVERS, 16
            return .reply(reply)
        }
        guard question.recordClass == 1, !(RecordType.axfr - 1...RecordType.axfr).contains(question.type) else {
            return .reply(query.reply(.refused))
        }
        return state.withLock { state in
            let outcome = state.zone.answer(question)
            if case .elsewhere = outcome { return cached(&state, query, question, known: []) }
            return own(&state, query, question, outcome)
        }
    }

    private func own(_ state: inout State, _ query: DNSMessage, _ question: DNSQuestion, _ outcome: DNSZone.Outcome) -> Step {
        var reply = query.reply()
        reply.isAuthoritative = true
        switch outcome {
        case .records(let records):
            reply.answers = records
            reply.additionals = state.zone.additionals(for: records)
            if records.isEmpty { reply.authorities = [state.zone.authority()] }
        case .noSuchName:
            reply.code = ResponseCode.nameError.rawValue
            reply.authorities = [state.zone.authority()]
        case .alias(let records, let target):
            let next = DNSQuestion(target, question.type)
            switch state.zone.answer(next) {
            case .records(let more): reply.answers = records + more
            case .elsewhere: return cached(&state, query, next, known: records)
            case .alias, .noSuchName: reply.answers = records
            }
        case .elsewhere: break
        }
        return .reply(reply)
    }

    private func cached(_ state: inout State, _ query: DNSMessage, _ question: DNSQuestion, known: [DNSRecord]) -> Step {
        let key = DNSCache.Key(question, wantsSignatures: query.edns?.wantsSignatures ?? false)
        if let found = state.cache.get(key, at: clock.monotonic) {
            state.metrics.cacheHits += 1
            return .reply(Self.adapt(found, to: query, known: known))
        }
        state.metrics.cacheMisses += 1
        guard state.inFlight < Self.mostInFlight else {
            state.metrics.overloads += 1
            return .reply(query.reply(.serverFailure))
        }
        state.inFlight += 1
        return .forward(query, known: known, question)
    }

    /// Asks others what `receive` could not answer.
    public func forward(_ query: DNSMessage, known: [DNSRecord], _ question: DNSQuestion) async -> DNSMessage {
        let wantsSignatures = query.edns?.wantsSignatures ?? false
        let found = await upstream.resolve(question, wantsSignatures: wantsSignatures)
        return state.withLock { state in
            state.inFlight -= 1
            state.metrics.forwards += 1
            guard let found else {
                state.metrics.responses[ResponseCode.serverFailure.rawValue, default: 0] += 1
                return query.reply(.serverFailure)
            }
            state.cache.put(DNSCache.Key(question, wantsSignatures: wantsSignatures), found, at: clock.monotonic)
            state.metrics.responses[found.code, default: 0] += 1
            return Self.adapt(found, to: query, known: known)
        }
    }

    /// Dresses the answer to one question up as the answer to another query for it.
    private static func adapt(_ found: DNSMessage, to query: DNSMessage, known: [DNSRecord]) -> DNSMessage {
        var reply = query.reply()
        reply.code = found.code
        reply.securityBits = found.securityBits & 2 | query.securityBits & 1
        reply.answers = known + found.answers
        reply.authorities = found.authorities
        reply.additionals = found.additionals
        return reply
    }
}
