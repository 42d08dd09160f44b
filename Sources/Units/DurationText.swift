/// Durations as Go writes them: `1h2m3.5s`.
public enum DurationText {
    private static let units: [(name: String, nanoseconds: Int128)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
        ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Reads a duration as time.ParseDuration does; nil when the text is none.
    public static func parse(_ text: String) -> Duration? {
        var rest = text[...]
        var isNegative = false
        if let first = rest.first, first == "-" || first == "+" {
            isNegative = first == "-"
            rest = rest.dropFirst()
        }
        if rest == "0" { return .zero }
        guard !rest.isEmpty else { return nil }
        var total: Int128 = 0
        while !rest.isEmpty {
            guard let part = component(&rest) else { return nil }
            total += part
            guard total < Int128(Int64.max) else { return nil }
        }
        return .nanoseconds(Int64(isNegative ? -total : total))
    }

    /// Writes a duration as Go's Duration.String does.
    public static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var nanoseconds = Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        nanoseconds = abs(nanoseconds)
        if nanoseconds < 1_000_000_000 {
            let unit: (String, Int128) = nanoseconds < 1_000 ? ("ns", 1) : (nanoseconds < 1_000_000 ? ("µs", 1_000) : ("ms", 1_000_000))
            return sign + decimal(nanoseconds, unit: unit.1) + unit.0
        }
        let hours = nanoseconds / 3_600_000_000_000
        let minutes = nanoseconds / 60_000_000_000 % 60
        var text = sign
        if hours > 0 { text += "\(hours)h" }
        if hours > 0 || minutes > 0 { text += "\(minutes)m" }
        return text + decimal(nanoseconds % 60_000_000_000, unit: 1_000_000_000) + "s"
    }

    private static func component(_ rest: inout Substring) -> Int128? {
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        var fraction = Substring()
        if rest.first == "." {
            fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(fraction.count + 1)
        }
        guard !whole.isEmpty || !fraction.isEmpty, whole.count < 19 else { return nil }
        let name = rest.prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
        guard let unit = units.first(where: { $0.name == name }) else { return nil }
        rest = rest.dropFirst(name.count)
        var value = (Int128(whole) ?? 0) * unit.nanoseconds
        var scale = unit.nanoseconds
        for digit in fraction {
            scale /= 10
            value += Int128(digit.wholeNumberValue ?? 0) * scale
        }
        return value
    }

    private static func decimal(_ value: Int128, unit: Int128) -> String {
        let whole = value / unit
        var fraction = value % unit
        if fraction == 0 { return "\(whole)" }
        var digits = ""
        var scale = unit
        while fraction > 0 {
            scale /= 10
            digits += "\(fraction / scale)"
            fraction %= scale
        }
        return "\(whole).\(digits)"
    }
}

/// An age as kubectl shows it: `5s`, `3m20s`, `5d4h`, `2y30d`. Source: apimachinery util/duration.HumanDuration.
public func humanDuration(_ duration: Duration) -> String {
    let seconds = Int(duration.components.seconds)
    if seconds < -1 { return "<invalid>" }
    if seconds < 0 { return "0s" }
    if seconds < 120 { return "\(seconds)s" }
    let minutes = seconds / 60
    if minutes < 10 {
        return seconds % 60 == 0 ? "\(minutes)m" : "\(minutes)m\(seconds % 60)s"
    }
    if minutes < 180 { return "\(minutes)m" }
    let hours = minutes / 60
    if hours < 8 {
        return minutes % 60 == 0 ? "\(hours)h" : "\(hours)h\(minutes % 60)m"
    }
    if hours < 48 { return "\(hours)h" }
    if hours < 192 {
        return hours % 24 == 0 ? "\(hours / 24)d" : "\(hours / 24)d\(hours % 24)h"
    }
    let days = hours / 24
    if days < 730 { return "\(days)d" }
    if days < 2920 {
        return days % 365 == 0 ? "\(days / 365)y" : "\(days / 365)y\(days % 365)d"
    }
    return "\(days / 365)y"
}
