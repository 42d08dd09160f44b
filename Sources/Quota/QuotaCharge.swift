import Units
import Values

/// One write that is to be charged to the quotas of its namespace. Pure: no clock, no I/O.
public struct QuotaCharge: Sendable {
    /// Why a write is refused, in upstream's words.
    public struct Refusal: Error, Sendable, Hashable {
        /// The words.
        public let message: String
    }

    private let measure: QuotaMeasure
    private let object: JSONValue
    private let old: JSONValue?
    private let isUnconditional: Bool

    /// A new object, or the change of one that was `old`. What is only reported (`isStatus`) is charged, but not refused.
    public init(_ measure: QuotaMeasure, object: JSONValue, old: JSONValue?, isStatus: Bool = false) {
        self.measure = measure
        self.object = object
        self.old = old
        isUnconditional = isStatus
    }

    /// The quotas as they are after the write; those that it does not concern are unchanged.
    public func charged(
        to quotas: [NamespaceQuota],
        now: Timestamp,
        _ surroundings: QuotaSurroundings
    ) throws(Refusal) -> [NamespaceQuota] {
        var concerned: [Int] = []
        for (index, quota) in quotas.enumerated() {
            let tracked = measure.tracked(quota.limitedNames, surroundings)
            guard !tracked.isEmpty, measure.matches(quota.scopes, object) else { continue }
            if let omissions = measure.omissions(object, limited: tracked) {
                throw Refusal(message: "failed quota: \(quota.name): \(omissions)")
            }
            if tracked.contains(where: { quota.used?[$0] == nil }) {
                let names = tracked.sorted().joined(separator: ",")
                throw Refusal(message: "status unknown for quota: \(quota.name), resources: \(names)")
            }
            concerned.append(index)
        }
        if concerned.isEmpty { return quotas }
        let usage = measure.usage(of: object, now: now, surroundings)
        let negative = usage.negative
        guard negative.isEmpty else {
            throw Refusal(message: "quota usage is negative for resource(s): \(negative.joined(separator: ","))")
        }
        let more = old.map { usage.remainder(after: measure.usage(of: $0, now: now, surroundings)) } ?? usage
        var result = quotas
        for index in concerned {
            // A change that brings the object under a quota is charged in full.
            let wasCharged = old.map { measure.matches(quotas[index].scopes, $0) } ?? false
            try charge((wasCharged ? more : usage).withoutZeros, to: &result[index])
        }
        return result
    }

    private func charge(_ usage: ResourceAmounts, to quota: inout NamespaceQuota) throws(Refusal) {
        guard let hard = quota.hard, let used = quota.used else { return }
        let requested = usage.only(hard.names)
        let total = used.adding(requested)
        let exceeded = isUnconditional ? [] : total.only(requested.names).exceeding(hard)
        guard exceeded.isEmpty else {
            let parts = [
                "requested: \(requested.only(exceeded).text)", "used: \(used.only(exceeded).text)", "limited: \(hard.only(exceeded).text)",
            ]
            throw Refusal(message: "exceeded quota: \(quota.name), \(parts.joined(separator: ", "))")
        }
        quota.used = total
    }
}
