import Units
import Values

/// Amounts by resource name, as requests, limits and quotas have them. Equal when the amounts are, however written.
public struct ResourceAmounts: Sendable, Hashable {
    private var values: [String: Quantity]

    /// The amounts given.
    public init(_ values: [String: Quantity] = [:]) {
        self.values = values
    }

    /// What a manifest says; entries that are no quantities are left out.
    public init(json: JSONValue?) {
        values = [:]
        for (name, value) in json?.object ?? [:] {
            switch value {
            case .string(let text): values[name] = Quantity(text)
            case .integer(let number): values[name] = Quantity(value: number)
            default: break
            }
        }
    }

    /// As manifests have it.
    public var json: JSONValue {
        .object(JSONObject(values.map { ($0.key, .string($0.value.description)) }))
    }

    /// The amount of one resource; nil when it is not named.
    public subscript(_ name: String) -> Quantity? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// The names, in order.
    public var names: [String] { values.keys.sorted() }

    /// Whether nothing is named.
    public var isEmpty: Bool { values.isEmpty }

    /// Names with their amounts, in order of the names.
    public var entries: [(name: String, amount: Quantity)] { names.compactMap { name in values[name].map { (name, $0) } } }

    /// Adds what is named in `other`.
    public mutating func add(_ other: ResourceAmounts) {
        for (name, amount) in other.values { values[name] = values[name].map { $0 + amount } ?? amount }
    }

    /// The sum.
    public func adding(_ other: ResourceAmounts) -> ResourceAmounts {
        var sum = self
        sum.add(other)
        return sum
    }

    /// The difference, of every name in either, never below nothing.
    public func remainder(after other: ResourceAmounts) -> ResourceAmounts {
        var rest = self
        for (name, amount) in values {
            let left = other.values[name].map { amount - $0 } ?? amount
            rest.values[name] = left > .zero ? left : .zero
        }
        for name in other.values.keys where rest.values[name] == nil { rest.values[name] = .zero }
        return rest
    }

    /// Takes over what is more in `other`, or named only there.
    public mutating func raise(to other: ResourceAmounts) {
        for (name, amount) in other.values where values[name].map({ $0 < amount }) ?? true { values[name] = amount }
    }

    /// Only what is named.
    public func only(_ names: some Sequence<String>) -> ResourceAmounts {
        var kept = ResourceAmounts()
        for name in names { kept.values[name] = values[name] }
        return kept
    }

    /// Without what is nothing.
    public var withoutZeros: ResourceAmounts { ResourceAmounts(values.filter { !$0.value.isZero }) }

    /// The names of amounts below nothing.
    public var negative: [String] { names.filter { values[$0]?.isNegative == true } }

    /// The names of which there is more than `limits` allow.
    public func exceeding(_ limits: ResourceAmounts) -> [String] {
        names.filter { name in
            guard let amount = values[name], let limit = limits.values[name] else { return false }
            return limit < amount
        }
    }

    /// `cpu=1,pods=2`
    public var text: String { entries.map { "\($0.name)=\($0.amount)" }.joined(separator: ",") }
}
