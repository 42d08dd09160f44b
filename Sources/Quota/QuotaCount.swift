import Units
import Values

/// What was found of one kind.
public enum QuotaFinding: Sendable {
    /// The objects themselves.
    case objects([JSONValue])
    /// How many there are.
    case count(Int)
}

/// A quota counted anew. Pure: no clock, no I/O.
public enum QuotaCount {
    /// The usage to note, from what was found; names of kinds of which nothing is known keep the number they had, if any.
    public static func used(
        _ quota: NamespaceQuota,
        findings: [QuotaMeasure: QuotaFinding],
        now: Timestamp,
        _ surroundings: QuotaSurroundings
    ) -> ResourceAmounts {
        let names = quota.wanted.names
        var fresh = ResourceAmounts()
        for (measure, finding) in findings {
            let tracked = measure.tracked(names, surroundings)
            var sum = ResourceAmounts()
            for name in tracked { sum[name] = .zero }
            switch finding {
            case .objects(let objects):
                for object in objects where measure.matches(quota.scopes, object) {
                    sum.add(measure.usage(of: object, now: now, surroundings).only(tracked))
                }
            case .count(let number):
                if measure.matches(quota.scopes, [:]) { sum.add(measure.usage(ofMany: number).only(tracked)) }
            }
            fresh.add(sum)
        }
        var used = (quota.used ?? ResourceAmounts()).only(names)
        for (name, amount) in fresh.entries { used[name] = amount }
        return used
    }

    /// Whether the status has to be written.
    public static func isDirty(_ quota: NamespaceQuota, used: ResourceAmounts) -> Bool {
        quota.hard != quota.wanted || quota.used != used
    }
}
