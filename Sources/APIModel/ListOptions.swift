import Schema

/// The options of a list or watch, as in the query of the request.
public struct ListOptions: Hashable, Sendable {
    /// The label selector, in its text form; empty selects everything.
    public var labelSelector: String
    /// The field selector, in its text form; empty selects everything.
    public var fieldSelector: String
    /// The resource version asked for; empty means the most recent.
    public var resourceVersion: String
    /// `Exact`, `NotOlderThan` or empty.
    public var resourceVersionMatch: String
    /// At most this many objects; zero means all.
    public var limit: Int
    /// The token of the next page.
    public var `continue`: String
    /// How long a watch, or a list, may take.
    public var timeoutSeconds: Int?
    /// Whether the client understands bookmarks.
    public var allowWatchBookmarks: Bool
    /// Whether a watch begins with the objects that exist; nil leaves it to the server.
    public var sendInitialEvents: Bool?

    /// Makes options; without arguments, everything.
    public init(
        labelSelector: String = "",
        fieldSelector: String = "",
        resourceVersion: String = "",
        resourceVersionMatch: String = "",
        limit: Int = 0,
        continue token: String = "",
        timeoutSeconds: Int? = nil,
        allowWatchBookmarks: Bool = false,
        sendInitialEvents: Bool? = nil
    ) {
        self.labelSelector = labelSelector
        self.fieldSelector = fieldSelector
        self.resourceVersion = resourceVersion
        self.resourceVersionMatch = resourceVersionMatch
        self.limit = limit
        self.`continue` = token
        self.timeoutSeconds = timeoutSeconds
        self.allowWatchBookmarks = allowWatchBookmarks
        self.sendInitialEvents = sendInitialEvents
    }

    /// Reads options from a query, given a lookup of its (decoded) items. Throws a 400 for a malformed number or flag.
    public init(query: (String) -> String?) throws(APIError) {
        self.init(
            labelSelector: query("labelSelector") ?? "",
            fieldSelector: query("fieldSelector") ?? "",
            resourceVersion: query("resourceVersion") ?? "",
            resourceVersionMatch: query("resourceVersionMatch") ?? "",
            limit: try Self.number(query("limit")) ?? 0,
            continue: query("continue") ?? "",
            timeoutSeconds: try Self.number(query("timeoutSeconds")),
            allowWatchBookmarks: Self.flag(query("allowWatchBookmarks")) ?? false,
            sendInitialEvents: Self.flag(query("sendInitialEvents"))
        )
    }

    /// The query items, in a fixed order, without those that say nothing. Not percent-encoded.
    public var queryItems: [(name: String, value: String)] {
        var items: [(name: String, value: String)] = []
        func add(_ name: String, _ value: String) { if !value.isEmpty { items.append((name, value)) } }
        add("labelSelector", labelSelector)
        add("fieldSelector", fieldSelector)
        add("resourceVersion", resourceVersion)
        add("resourceVersionMatch", resourceVersionMatch)
        add("limit", limit == 0 ? "" : "\(limit)")
        add("continue", `continue`)
        add("timeoutSeconds", timeoutSeconds.map { "\($0)" } ?? "")
        add("allowWatchBookmarks", allowWatchBookmarks ? "true" : "")
        add("sendInitialEvents", sendInitialEvents.map { "\($0)" } ?? "")
        return items
    }

    private static func number(_ text: String?) throws(APIError) -> Int? {
        guard let text, !text.isEmpty else { return nil }
        guard let value = Int(text) else {
            throw APIError.badRequest("strconv.ParseInt: parsing \(GoQuote.quote(text)): invalid syntax")
        }
        return value
    }

    /// Upstream's conversion: everything but "", "0" and "false" is true.
    private static func flag(_ text: String?) -> Bool? {
        guard let text else { return nil }
        return !(text == "0" || text.lowercased() == "false")
    }
}

/// The kinds of watch events.
public enum WatchEventType: String, Sendable, Hashable {
    /// An object came to exist, or began to match the selector.
    case added = "ADDED"
    /// An object changed.
    case modified = "MODIFIED"
    /// An object ceased to exist, or to match the selector.
    case deleted = "DELETED"
    /// Nothing changed; the resource version moved on.
    case bookmark = "BOOKMARK"
    /// The watch ends with a `Status`.
    case error = "ERROR"
}
