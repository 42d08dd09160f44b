import HTTPTransport
import Units

/// What part of a container's log is asked for, and how.
struct LogOptions: Sendable, Hashable {
    var follow = false
    var previous = false
    var timestamps = false
    var tailLines: Int?
    var limitBytes: Int?
    var since: Timestamp?
    /// `Stdout` or `Stderr` alone; nil for both.
    var onlyErrors: Bool?

    /// Reads the query; throws the words of a bad request.
    init(_ query: QueryItems, now: Timestamp) throws(BadRequest) {
        follow = Self.flag(query.first("follow"))
        previous = Self.flag(query.first("previous"))
        timestamps = Self.flag(query.first("timestamps"))
        tailLines = try Self.number(query, "tailLines")
        limitBytes = try Self.number(query, "limitBytes")
        if let seconds = try Self.number(query, "sinceSeconds") { since = now - .seconds(seconds) }
        if let text = query.first("sinceTime"), !text.isEmpty {
            guard let time = Timestamp(text) else { throw BadRequest(message: "invalid sinceTime \"\(text)\"") }
            since = time
        }
        switch query.first("stream") {
        case "Stdout": onlyErrors = false
        case "Stderr": onlyErrors = true
        default: onlyErrors = nil
        }
    }

    struct BadRequest: Error {
        let message: String
    }

    private static func flag(_ text: String?) -> Bool {
        ["true", "1", "t", "T", "TRUE", "True", ""].contains(text ?? "false")
    }

    private static func number(_ query: QueryItems, _ name: String) throws(BadRequest) -> Int? {
        guard let text = query.first(name), !text.isEmpty else { return nil }
        guard let value = Int(text), value >= 0 else { throw BadRequest(message: "invalid \(name) \"\(text)\"") }
        return value
    }
}
