import Units

/// The parts of moments and spans.
extension FunctionTable {
    mutating func addTime() {
        moments("getFullYear", "timestamp_to_year") { $0.year }
        moments("getMonth", "timestamp_to_month") { $0.month - 1 }
        moments("getDayOfYear", "timestamp_to_day_of_year") { $0.dayOfYear }
        moments("getDayOfMonth", "timestamp_to_day_of_month") { $0.day - 1 }
        moments("getDate", "timestamp_to_day_of_month_1_based") { $0.day }
        moments("getDayOfWeek", "timestamp_to_day_of_week") { $0.dayOfWeek }
        moments("getHours", "timestamp_to_hours") { $0.second / 3600 }
        moments("getMinutes", "timestamp_to_minutes") { $0.second / 60 % 60 }
        moments("getSeconds", "timestamp_to_seconds") { $0.second % 60 }
        spans("getHours", "duration_to_hours", 3_600_000_000_000)
        spans("getMinutes", "duration_to_minutes", 60_000_000_000)
        spans("getSeconds", "duration_to_seconds", 1_000_000_000)
        spans("getMilliseconds", "duration_to_milliseconds", 1_000_000)
        for zone in [false, true] {
            let id = zone ? "timestamp_to_milliseconds_with_tz" : "timestamp_to_milliseconds"
            member("getMilliseconds", id, zone ? [.timestamp, .string] : [.timestamp], .int) { arguments, _ throws(CELError) in
                guard case .timestamp(let moment) = arguments[0] else { throw .noSuchOverload }
                if arguments.count > 1 { _ = try CalendarTime.offset(arguments[1].string ?? "", at: moment) }
                return .int(Int64(moment.nanoseconds) / 1_000_000)
            }
        }
    }

    private mutating func moments(_ name: String, _ id: String, _ part: @escaping @Sendable (CalendarTime.Parts) -> Int64) {
        member(name, id, [.timestamp], .int) { arguments, _ throws(CELError) in
            guard case .timestamp(let moment) = arguments[0] else { throw .noSuchOverload }
            return .int(part(CalendarTime.Parts(moment, offset: 0)))
        }
        member(name, "\(id)_with_tz", [.timestamp, .string], .int) { arguments, _ throws(CELError) in
            guard case .timestamp(let moment) = arguments[0], case .string(let zone) = arguments[1] else { throw .noSuchOverload }
            return .int(part(CalendarTime.Parts(moment, offset: try CalendarTime.offset(zone, at: moment))))
        }
    }

    private mutating func spans(_ name: String, _ id: String, _ unit: Int64) {
        member(name, id, [.duration], .int) { arguments, _ throws(CELError) in
            guard case .duration(let span) = arguments[0] else { throw .noSuchOverload }
            return .int(span / unit)
        }
    }
}
