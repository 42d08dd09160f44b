/// An event to be recorded about the object at hand, as a value, so that plans can speak.
public struct EventNote: Sendable, Hashable {
    /// How bad it is.
    public enum Level: String, Sendable { case normal = "Normal", warning = "Warning" }

    /// Normal or Warning.
    public var level: Level
    /// One CamelCase word.
    public var reason: String
    /// What happened, for people.
    public var message: String

    /// A note.
    public init(_ level: Level, _ reason: String, _ message: String) {
        self.level = level
        self.reason = reason
        self.message = message
    }
}
