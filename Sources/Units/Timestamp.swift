/// A moment: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Whole seconds since the epoch.
    public let unixSeconds: Int64
    /// The part of a second, 0..<1,000,000,000.
    public let nanoseconds: Int32

    /// A moment; `nanoseconds` outside one second are carried.
    public init(unixSeconds: Int64, nanoseconds: Int32 = 0) {
        let carry = Int64(nanoseconds).floorDivided(by: 1_000_000_000)
        self.unixSeconds = unixSeconds + carry
        self.nanoseconds = Int32(Int64(nanoseconds) - carry * 1_000_000_000)
    }

    /// Reads RFC 3339, with any fraction and offset; nil when the text is none.
    public init?(_ text: String) {
        var scanner = DateScanner(text)
        guard let parsed = scanner.timestamp() else { return nil }
        self = parsed
    }

    /// RFC 3339 in UTC to the second, as metav1.Time prints it.
    public var rfc3339: String { formatted(fractionDigits: 0) }

    /// RFC 3339 in UTC with six digits of a second, as metav1.MicroTime prints it.
    public var rfc3339Micro: String { formatted(fractionDigits: 6) }

    /// RFC 3339 in UTC with nine digits of a second.
    public var rfc3339Nano: String { formatted(fractionDigits: 9) }

    /// The same as `rfc3339Nano`.
    public var description: String { rfc3339Nano }

    /// The moment without its part of a second: what a metav1.Time keeps.
    public var wholeSeconds: Timestamp { Timestamp(unixSeconds: unixSeconds) }

    /// Earlier first.
    public static func < (a: Timestamp, b: Timestamp) -> Bool {
        (a.unixSeconds, a.nanoseconds) < (b.unixSeconds, b.nanoseconds)
    }

    /// The moment `duration` later.
    public static func + (moment: Timestamp, duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(
            unixSeconds: moment.unixSeconds + seconds,
            nanoseconds: moment.nanoseconds + Int32(attoseconds / 1_000_000_000)
        )
    }

    /// The moment `duration` earlier.
    public static func - (moment: Timestamp, duration: Duration) -> Timestamp {
        moment + (.zero - duration)
    }

    /// How much later `a` is than `b`.
    public static func - (a: Timestamp, b: Timestamp) -> Duration {
        .seconds(a.unixSeconds - b.unixSeconds) + .nanoseconds(Int64(a.nanoseconds) - Int64(b.nanoseconds))
    }

    private func formatted(fractionDigits: Int) -> String {
        let days = unixSeconds.floorDivided(by: 86_400)
        let second = Int(unixSeconds - days * 86_400)
        let (year, month, day) = civilDate(days: days)
        var text: [UInt8] = []
        text.reserveCapacity(32)
        text.append(year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.append(month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.append(day, digits: 2)
        text.append(UInt8(ascii: "T"))
        text.append(second / 3600, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(second / 60 % 60, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(second % 60, digits: 2)
        if fractionDigits > 0 {
            var divisor = 1
            for _ in fractionDigits..<9 { divisor *= 10 }
            text.append(UInt8(ascii: "."))
            text.append(Int(nanoseconds) / divisor, digits: fractionDigits)
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

extension [UInt8] {
    /// Appends a number with leading zeros.
    fileprivate mutating func append(_ value: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<Swift.max(1, digits) { divisor *= 10 }
        var rest = value
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(clamping: rest / divisor % 10))
            rest %= divisor
            divisor /= 10
        }
    }
}

/// The proleptic Gregorian date of a day count since 1970-01-01.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
private func civilDate(days: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (Int(yearOfEra + era * 400 + (month <= 2 ? 1 : 0)), Int(month), Int(day))
}

/// The day count since 1970-01-01 of a proleptic Gregorian date.
private func dayCount(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear.floorDivided(by: 400)
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
}

/// Reads RFC 3339 from left to right.
private struct DateScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func timestamp() -> Timestamp? {
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2),
            skip("T") || skip("t"), let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2),
            (1...12).contains(month), day >= 1, day <= daysIn(month, year), hour < 24, minute < 60, second < 60,
            let nanoseconds = fraction(), let offset = offset(), position == bytes.count
        else { return nil }
        let seconds = dayCount(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
        return Timestamp(unixSeconds: seconds - offset, nanoseconds: nanoseconds)
    }

    private func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func number(_ digits: Int) -> Int64? {
        guard position + digits <= bytes.count else { return nil }
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private mutating func digit() -> Int64? {
        guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { return nil }
        position += 1
        return Int64(bytes[position - 1] - UInt8(ascii: "0"))
    }

    /// Zero where there is none; nil for a point without digits. Digits past the ninth are dropped.
    private mutating func fraction() -> Int32? {
        guard skip(".") || skip(",") else { return 0 }
        var value: Int64 = 0
        var count = 0
        while let digit = digit() {
            if count < 9 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        while count < 9 {
            value *= 10
            count += 1
        }
        return Int32(value)
    }

    /// The offset from UTC in seconds.
    private mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64 = skip("+") ? 1 : (skip("-") ? -1 : 0)
        guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
