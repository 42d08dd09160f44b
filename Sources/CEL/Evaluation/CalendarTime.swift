import Units

/// Dates and times as expressions see them.
enum CalendarTime {
    /// The years 1 to 9999, in seconds since 1970.
    static func isInRange(_ seconds: Int64) -> Bool { seconds >= -62_135_596_800 && seconds <= 253_402_300_799 }

    /// Reads RFC 3339; nil when the text is none, or outside of the years that are allowed.
    static func parseRFC3339(_ text: String) -> Timestamp? {
        guard text.utf8.count <= 64, let moment = Timestamp(text), isInRange(moment.unixSeconds) else { return nil }
        return moment
    }

    /// Reads a date such as `2026-01-31`.
    static func parseDate(_ text: String) -> Timestamp? { text.utf8.count == 10 ? parseRFC3339("\(text)T00:00:00Z") : nil }

    /// RFC 3339 in UTC, with as many digits of a second as are needed.
    static func text(_ moment: Timestamp) -> String {
        guard moment.nanoseconds != 0 else { return moment.rfc3339 }
        var text = moment.rfc3339Nano
        text.removeLast()
        while text.hasSuffix("0") { text.removeLast() }
        return text + "Z"
    }

    /// The parts of a moment at some place.
    struct Parts {
        let year: Int64
        let month: Int64
        let day: Int64
        let dayOfYear: Int64
        let dayOfWeek: Int64
        let second: Int64

        /// The parts of a moment `offset` seconds east of Greenwich.
        init(_ moment: Timestamp, offset: Int64) {
            let local = moment.unixSeconds + offset
            let days = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
            second = local - days * 86_400
            dayOfWeek = ((days + 4) % 7 + 7) % 7
            let shifted = days + 719_468
            let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
            let dayOfEra = shifted - era * 146_097
            let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
            let dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let monthFromMarch = (5 * dayFromMarch + 2) / 153
            day = dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1
            month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
            year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
            let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
            // January and February stand at the end of a year that begins in March.
            dayOfYear = month > 2 ? dayFromMarch + (isLeap ? 60 : 59) : dayFromMarch - 306
        }
    }

    /// Seconds east of Greenwich in `zone` at a moment: `+02:00`, `-3:30`, `UTC`, or a name of the tz database.
    static func offset(_ zone: String, at moment: Timestamp) throws(CELError) -> Int64 {
        guard zone.utf8.contains(UInt8(ascii: ":")) else { return try ZoneRules.offset(zone, at: moment) }
        let parts = zone.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let hours = number(parts[0]) else { throw syntax(parts[0]) }
        guard let minutes = number(parts[1]) else { throw syntax(parts[1]) }
        let total = zone.hasPrefix("-") ? hours * 60 - minutes : hours * 60 + minutes
        return total * 60
    }

    private static func number(_ text: Substring) -> Int64? {
        guard text.utf8.count <= 9 else { return nil }
        return Int64(text)
    }

    private static func syntax(_ text: Substring) -> CELError { CELError("strconv.Atoi: parsing \"\(text)\": invalid syntax") }
}

/// Durations as Go writes them, in nanoseconds.
enum GoDuration {
    /// Reads what `time.ParseDuration` reads.
    static func parse(_ text: String) -> Int64? {
        guard text.utf8.count <= 128, let span = DurationText.parse(text) else { return nil }
        return nanoseconds(span)
    }

    private static func nanoseconds(_ span: Duration) -> Int64? {
        let (seconds, attoseconds) = span.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        let (sum, carried) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? nil : sum
    }

    /// Reads what OpenAPI's `duration` allows besides: `3 days`, `2 weeks`, `1 hour`.
    static func parseLoose(_ text: String) -> Int64? {
        if let span = parse(text) { return span }
        let units: [(String, Int64)] = [
            ("nanosecond", 1), ("microsecond", 1_000), ("millisecond", 1_000_000), ("second", 1_000_000_000),
            ("minute", 60_000_000_000), ("hour", 3_600_000_000_000), ("day", 86_400_000_000_000),
            ("week", 604_800_000_000_000), ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("sec", 1_000_000_000),
            ("m", 60_000_000_000), ("min", 60_000_000_000), ("h", 3_600_000_000_000), ("hr", 3_600_000_000_000),
            ("d", 86_400_000_000_000), ("w", 604_800_000_000_000), ("wk", 604_800_000_000_000),
        ]
        let trimmed = text.drop { $0 == " " }
        let digits = trimmed.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        guard digits.utf8.count <= 18, let count = Double(digits) else { return nil }
        var name = trimmed.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        if name.utf8.count > 3, name.hasSuffix("s") { name.removeLast() }
        guard let unit = units.first(where: { $0.0 == name })?.1 else { return nil }
        let product = count * Double(unit)
        return product < 9.2e18 ? Int64(product) : nil
    }

    /// Seconds, as `string(duration)` writes them.
    static func text(_ span: Int64) -> String {
        let seconds = Double(span / 1_000_000_000) + Double(span % 1_000_000_000) / 1e9
        return NumberText.fixedShortest(seconds) + "s"
    }
}
