import Units

/// A time table in cron's notation: five fields, names, ranges, steps, the `@` words and `@every`.
public struct CronSchedule: Sendable, Hashable {
    /// Why a text is no time table.
    public struct ParseError: Error, Sendable, CustomStringConvertible {
        /// The reason.
        public let description: String
    }

    private enum Rule: Hashable {
        case every(Duration)
        case fields(minutes: UInt64, hours: UInt64, days: UInt64, months: UInt64, weekdays: UInt64, anyDay: Bool, anyWeekday: Bool)
    }

    private let rule: Rule

    /// How far ahead a matching time is looked for.
    private static let horizonYears = 5
    private static let monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let words = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// Reads a time table.
    public init(_ text: String) throws(ParseError) {
        let trimmed = text.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        if trimmed.hasPrefix("@every ") {
            guard let pause = DurationText.parse(String(trimmed.dropFirst(7))), pause > .zero else {
                throw ParseError(description: "failed to parse duration \(trimmed)")
            }
            rule = .every(max(.seconds(1), .seconds(pause.components.seconds)))
            return
        }
        let expanded = Self.words[trimmed.lowercased()] ?? trimmed
        if expanded.hasPrefix("@") { throw ParseError(description: "unrecognized descriptor: \(trimmed)") }
        let parts = expanded.split(separator: " ").map(String.init)
        guard parts.count == 5 else {
            throw ParseError(description: "expected exactly 5 fields, found \(parts.count): [\(parts.joined(separator: " "))]")
        }
        rule = .fields(
            minutes: try Self.bits(parts[0], 0...59),
            hours: try Self.bits(parts[1], 0...23),
            days: try Self.bits(parts[2], 1...31),
            months: try Self.bits(parts[3], 1...12, Self.monthNames, first: 1),
            weekdays: Self.foldSunday(try Self.bits(parts[4], 0...7, Self.dayNames, first: 0)),
            anyDay: parts[2].hasPrefix("*") || parts[2] == "?",
            anyWeekday: parts[4].hasPrefix("*") || parts[4] == "?"
        )
    }

    /// The first time after `time`; nil when there is none in five years. `offset` gives the seconds east of UTC.
    public func next(after time: Timestamp, offset: (Timestamp) -> Int64 = { _ in 0 }) -> Timestamp? {
        switch rule {
        case .every(let pause): return time.wholeSeconds + pause
        case .fields(let minutes, let hours, let days, let months, let weekdays, let anyDay, let anyWeekday):
            var local = Civil(unixSeconds: time.unixSeconds + offset(time)).startOfNextMinute
            let lastYear = local.year + Self.horizonYears
            while local.year <= lastYear {
                if months & (1 << UInt64(local.month)) == 0 {
                    local = local.startOfNextMonth
                    continue
                }
                let dayFits = days & (1 << UInt64(local.day)) != 0
                let weekdayFits = weekdays & (1 << UInt64(local.weekday)) != 0
                guard anyDay || anyWeekday ? dayFits && weekdayFits : dayFits || weekdayFits else {
                    local = local.startOfNextDay
                    continue
                }
                guard hours & (1 << UInt64(local.hour)) != 0 else {
                    local = local.startOfNextHour
                    continue
                }
                guard minutes & (1 << UInt64(local.minute)) != 0 else {
                    local = local.startOfNextMinute
                    continue
                }
                let guess = Timestamp(unixSeconds: local.unixSeconds - offset(time))
                let found = Timestamp(unixSeconds: local.unixSeconds - offset(guess))
                if found > time { return found }
                local = local.startOfNextMinute
            }
            return nil
        }
    }

    private static func foldSunday(_ bits: UInt64) -> UInt64 { bits & (1 << 7) != 0 ? bits | 1 : bits }

    private static func bits(
        _ field: String,
        _ range: ClosedRange<Int>,
        _ names: [String] = [],
        first: Int = 0
    ) throws(ParseError) -> UInt64 {
        var result: UInt64 = 0
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard halves.count <= 2, let base = halves.first else { throw ParseError(description: "too many slashes: \(part)") }
            var span = range
            if base != "*", base != "?" {
                let ends = base.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
                guard ends.count <= 2, let low = ends.first.flatMap({ number($0, names, first) }) else {
                    throw ParseError(description: "failed to parse int from \(base)")
                }
                guard let high = ends.count == 2 ? number(ends[1], names, first) : halves.count == 2 ? range.upperBound : low else {
                    throw ParseError(description: "failed to parse int from \(base)")
                }
                guard low >= range.lowerBound else {
                    throw ParseError(description: "beginning of range (\(low)) below minimum (\(range.lowerBound)): \(part)")
                }
                guard high <= range.upperBound else {
                    throw ParseError(description: "end of range (\(high)) above maximum (\(range.upperBound)): \(part)")
                }
                guard low <= high else {
                    throw ParseError(description: "beginning of range (\(low)) beyond end of range (\(high)): \(part)")
                }
                span = low...high
            }
            var step = 1
            if halves.count == 2 {
                guard let parsed = Int(halves[1]), parsed > 0 else {
                    throw ParseError(description: "step of range should be a positive number: \(part)")
                }
                step = parsed
            }
            for value in stride(from: span.lowerBound, through: span.upperBound, by: step) { result |= 1 << UInt64(value) }
        }
        return result
    }

    private static func number(_ text: String, _ names: [String], _ first: Int) -> Int? {
        if let index = names.firstIndex(of: text.lowercased()) { return index + first }
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }
}

/// A moment on the calendar.
struct Civil: Hashable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int

    init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        (self.year, self.month, self.day, self.hour, self.minute, self.second) = (year, month, day, hour, minute, second)
    }

    init(unixSeconds: Int64) {
        let days = Int((unixSeconds - (unixSeconds % 86400 + 86400) % 86400) / 86400)
        let rest = Int(unixSeconds - Int64(days) * 86400)
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        // Howard Hinnant's days-to-civil: years begin in March, so that the leap day is the last.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    var unixSeconds: Int64 { Int64(daysSinceEpoch) * 86400 + Int64(hour * 3600 + minute * 60 + second) }
    /// 0 is Sunday.
    var weekday: Int { ((daysSinceEpoch + 4) % 7 + 7) % 7 }

    var startOfNextMinute: Civil { Civil(unixSeconds: unixSeconds - Int64(second) + 60) }
    var startOfNextHour: Civil { Civil(unixSeconds: unixSeconds - Int64(minute * 60 + second) + 3600) }
    var startOfNextDay: Civil { Civil(unixSeconds: Int64(daysSinceEpoch + 1) * 86400) }
    var startOfNextMonth: Civil { month == 12 ? Civil(year: year + 1, month: 1, day: 1) : Civil(year: year, month: month + 1, day: 1) }
}
