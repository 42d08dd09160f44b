import Units

/// The schedules of cron jobs: five fields, or a word such as `@daily`.
///
/// Only whether a text is one, and what is wrong with it, in the words of the parser that users know.
struct CronSchedule {
    private struct Bounds {
        let low: Int
        let high: Int
        let names: [String: Int]
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let bounds = [
        Bounds(low: 0, high: 59, names: [:]), Bounds(low: 0, high: 23, names: [:]), Bounds(low: 1, high: 31, names: [:]),
        Bounds(low: 1, high: 12, names: Dictionary(uniqueKeysWithValues: months.enumerated().map { ($1, $0 + 1) })),
        Bounds(low: 0, high: 6, names: Dictionary(uniqueKeysWithValues: days.enumerated().map { ($1, $0) })),
    ]
    private static let words: Set<String> = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]

    /// What is wrong with a schedule; nil when nothing is.
    static func problem(_ schedule: String) -> String? {
        var text = schedule
        if text.isEmpty { return "empty spec string" }
        if text.hasPrefix("TZ=") || text.hasPrefix("CRON_TZ=") {
            guard let space = text.firstIndex(of: " ") else { return "provided bad location \(text): unknown time zone" }
            text = String(text[space...].drop { $0 == " " })
        }
        if text.hasPrefix("@") { return descriptorProblem(text) }
        let fields = text.split { $0 == " " || $0 == "\t" || $0 == "\n" }.map(String.init)
        guard fields.count == bounds.count else {
            return "expected exactly 5 fields, found \(fields.count): [\(fields.joined(separator: " "))]"
        }
        for (field, bounds) in zip(fields, bounds) {
            for part in field.split(separator: ",", omittingEmptySubsequences: true) {
                if let problem = rangeProblem(String(part), bounds) { return problem }
            }
        }
        return nil
    }

    private static func descriptorProblem(_ text: String) -> String? {
        if words.contains(text) { return nil }
        let every = "@every "
        guard text.hasPrefix(every) else { return "unrecognized descriptor: \(text)" }
        let duration = String(text.dropFirst(every.count))
        if DurationText.parse(duration) != nil { return nil }
        return "failed to parse duration \(text): time: invalid duration \"\(duration)\""
    }

    private static func rangeProblem(_ text: String, _ bounds: Bounds) -> String? {
        let steps = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let ends = steps[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        var (start, end) = (bounds.low, bounds.high)
        if ends[0] == "*" || ends[0] == "?" {
            if ends.count > 1 { return "too many hyphens: \(text)" }
        } else {
            switch number(ends[0], bounds) {
            case .success(let value): start = value
            case .failure(let problem): return problem.words
            }
            switch ends.count {
            case 1: end = steps.count == 1 ? start : bounds.high
            case 2:
                switch number(ends[1], bounds) {
                case .success(let value): end = value
                case .failure(let problem): return problem.words
                }
            default: return "too many hyphens: \(text)"
            }
        }
        if steps.count > 2 { return "too many slashes: \(text)" }
        if steps.count == 2 {
            switch whole(steps[1]) {
            case .success(0): return "step of range should be a positive number: \(text)"
            case .success: break
            case .failure(let problem): return problem.words
            }
        }
        if start < bounds.low { return "beginning of range (\(start)) below minimum (\(bounds.low)): \(text)" }
        if end > bounds.high { return "end of range (\(end)) above maximum (\(bounds.high)): \(text)" }
        if start > end { return "beginning of range (\(start)) beyond end of range (\(end)): \(text)" }
        return nil
    }

    private struct Problem: Error {
        let words: String
    }

    private static func number(_ text: String, _ bounds: Bounds) -> Result<Int, Problem> {
        if let named = bounds.names[text.lowercased()] { return .success(named) }
        return whole(text)
    }

    private static func whole(_ text: String) -> Result<Int, Problem> {
        guard let value = Int(text) else {
            return .failure(Problem(words: "failed to parse int from \(text): strconv.Atoi: parsing \"\(text)\": invalid syntax"))
        }
        return value < 0 ? .failure(Problem(words: "negative number (\(value)) not allowed: \(text)")) : .success(value)
    }
}
