import Glibc
import Synchronization
import Units

/// Offsets of the tz database's zones, read from the host where it has them.
enum ZoneRules {
    private static let directories = ["/usr/share/zoneinfo/", "/usr/share/lib/zoneinfo/", "/usr/lib/locale/TZ/", "/etc/zoneinfo/"]
    private static let largestFile = 64 * 1024
    private static let mostZones = 64

    /// The moments at which a zone's offset changes, and the offsets from then on.
    private struct Zone: Sendable {
        let moments: [Int64]
        let offsets: [Int64]
        let first: Int64
        let rule: ZoneRule?

        func offset(at seconds: Int64) -> Int64 {
            guard let last = moments.last, seconds < last else {
                if let rule { return rule.offset(at: seconds) }
                return offsets.last ?? first
            }
            var low = 0
            var high = moments.count
            while low < high {
                let middle = (low + high) / 2
                if moments[middle] <= seconds { low = middle + 1 } else { high = middle }
            }
            return low == 0 ? first : offsets[low - 1]
        }
    }

    private static let known = Mutex<[String: Zone]>([:])

    /// Seconds east of Greenwich in the zone `name`.
    static func offset(_ name: String, at moment: Timestamp) throws(CELError) -> Int64 {
        if name.isEmpty || name == "UTC" { return 0 }
        if let zone = known.withLock({ $0[name] }) { return zone.offset(at: moment.unixSeconds) }
        guard let zone = load(name) else { throw CELError("unknown time zone \(name)") }
        known.withLock { zones in
            if zones.count >= mostZones { zones.removeAll() }
            zones[name] = zone
        }
        return zone.offset(at: moment.unixSeconds)
    }

    private static func load(_ name: String) -> Zone? {
        let isSafe = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [0x2f, 0x5f, 0x2b, 0x2d].contains(byte)
        }
        guard isSafe, !name.hasPrefix("/"), name.utf8.count <= 64 else { return nil }
        for directory in directories {
            if let bytes = read(directory + name), let zone = parse(bytes) { return zone }
        }
        return nil
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        let followed = file >= 0 ? file : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard followed >= 0 else { return nil }
        defer { close(followed) }
        var bytes = [UInt8](repeating: 0, count: largestFile)
        let count = Glibc.read(followed, &bytes, bytes.count)
        guard count > 44, count < largestFile else { return nil }
        return Array(bytes.prefix(count))
    }

    /// Reads RFC 8536, the part with 64-bit moments.
    private static func parse(_ bytes: [UInt8]) -> Zone? {
        guard let header = Header(bytes, at: 0), header.version >= 2 else { return nil }
        let second = 44 + header.length(momentSize: 4)
        guard let body = Header(bytes, at: second) else { return nil }
        var position = second + 44
        guard position + body.length(momentSize: 8) <= bytes.count else { return nil }
        var moments: [Int64] = []
        for index in 0..<body.moments { moments.append(number(bytes, position + index * 8, 8)) }
        position += body.moments * 8
        let kinds = bytes[position..<(position + body.moments)].map { Int($0) }
        position += body.moments
        var offsets: [Int64] = []
        for index in 0..<body.types { offsets.append(number(bytes, position + index * 6, 4)) }
        guard let first = offsets.first, kinds.allSatisfy({ $0 < offsets.count }) else { return nil }
        let footer = second + 44 + body.length(momentSize: 8)
        let text = String(decoding: bytes[footer...].dropFirst().prefix { $0 != 10 }, as: UTF8.self)
        return Zone(moments: moments, offsets: kinds.map { offsets[$0] }, first: first, rule: ZoneRule(text))
    }

    private struct Header {
        let version: Int
        let moments: Int
        let types: Int
        private let others: (Int, Int, Int, Int)

        init?(_ bytes: [UInt8], at start: Int) {
            guard start >= 0, start + 44 <= bytes.count, bytes[start..<(start + 4)].elementsEqual("TZif".utf8) else { return nil }
            version = bytes[start + 4] >= 0x30 ? Int(bytes[start + 4]) - 0x30 : 1
            let counts = (0..<6).map { Int(ZoneRules.number(bytes, start + 20 + $0 * 4, 4)) }
            guard counts.allSatisfy({ (0...10_000).contains($0) }) else { return nil }
            moments = counts[3]
            types = counts[4]
            others = (counts[0], counts[1], counts[2], counts[5])
        }

        func length(momentSize: Int) -> Int {
            moments * (momentSize + 1) + types * 6 + others.3 + others.2 * (momentSize + 4) + others.1 + others.0
        }
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64 {
        var value: Int64 = count == 4 ? Int64(Int8(bitPattern: bytes[start])) : 0
        for index in (count == 4 ? 1 : 0)..<count { value = value << 8 | Int64(bytes[start + index]) }
        return value
    }
}

/// The rule for moments after the last that is listed, such as `CET-1CEST,M3.5.0,M10.5.0/3`. Source: POSIX TZ.
struct ZoneRule: Sendable {
    private struct Change: Sendable {
        let month: Int64
        let week: Int64
        let weekday: Int64
        let seconds: Int64
    }

    private let standard: Int64
    private let daylight: (offset: Int64, start: Change, end: Change)?

    /// Reads a rule; nil when it has a form that no zone of today uses.
    init?(_ text: String) {
        var rest = text[...]
        guard Self.takeName(&rest), let west = Self.takeTime(&rest) else { return nil }
        standard = -west
        guard !rest.isEmpty else {
            daylight = nil
            return
        }
        guard Self.takeName(&rest) else { return nil }
        var offset = standard + 3600
        if let first = rest.first, first != "," {
            guard let west = Self.takeTime(&rest) else { return nil }
            offset = -west
        }
        guard let start = Self.takeChange(&rest), let end = Self.takeChange(&rest) else { return nil }
        daylight = (offset, start, end)
    }

    private static func takeName(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let close = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: close)...]
            return true
        }
        let name = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    private static func takeNumber(_ rest: inout Substring) -> Int64? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return digits.count <= 4 ? Int64(digits) : nil
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    private static func takeTime(_ rest: inout Substring) -> Int64? {
        var sign: Int64 = 1
        if let first = rest.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        guard var seconds = takeNumber(&rest).map({ $0 * 3600 }) else { return nil }
        for unit in [Int64(60), 1] where rest.first == ":" {
            rest = rest.dropFirst()
            guard let part = takeNumber(&rest) else { return nil }
            seconds += part * unit
        }
        return sign * seconds
    }

    private static func takeChange(_ rest: inout Substring) -> Change? {
        guard rest.hasPrefix(",M") else { return nil }
        rest = rest.dropFirst(2)
        guard let month = takeNumber(&rest), (1...12).contains(month), rest.first == "." else { return nil }
        rest = rest.dropFirst()
        guard let week = takeNumber(&rest), (1...5).contains(week), rest.first == "." else { return nil }
        rest = rest.dropFirst()
        guard let weekday = takeNumber(&rest), weekday < 7 else { return nil }
        var seconds: Int64 = 7200
        if rest.first == "/" {
            rest = rest.dropFirst()
            guard let time = takeTime(&rest) else { return nil }
            seconds = time
        }
        return Change(month: month, week: week, weekday: weekday, seconds: seconds)
    }

    /// Seconds east of Greenwich.
    func offset(at seconds: Int64) -> Int64 {
        guard let daylight else { return standard }
        let moment = Timestamp(unixSeconds: seconds)
        let year = CalendarTime.Parts(moment, offset: standard).year
        let start = Self.moment(daylight.start, year) - standard
        let end = Self.moment(daylight.end, year) - daylight.offset
        let isDaylight = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isDaylight ? daylight.offset : standard
    }

    /// The local time of a change, as if it were UTC.
    private static func moment(_ change: Change, _ year: Int64) -> Int64 {
        let first = days(year, change.month)
        let firstWeekday = ((first + 4) % 7 + 7) % 7
        var day = first + (change.weekday - firstWeekday + 7) % 7 + (change.week - 1) * 7
        let next = change.month == 12 ? days(year + 1, 1) : days(year, change.month + 1)
        while day >= next { day -= 7 }
        return day * 86_400 + change.seconds
    }

    /// Days from 1970 to the first of a month.
    private static func days(_ year: Int64, _ month: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
