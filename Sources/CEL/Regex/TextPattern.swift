/// A regular expression in RE2's syntax for those who evaluate no expressions: the `pattern` of a schema.
public struct TextPattern: Sendable {
    /// Why a text is no regular expression, in Go's words.
    public struct Failure: Error, Sendable {
        /// The words.
        public let message: String
    }

    private let expression: RegularExpression

    /// Compiles a pattern.
    public init(_ pattern: String) throws(Failure) {
        do throws(CELError) { expression = try RegularExpression(pattern) } catch { throw Failure(message: error.message) }
    }

    /// Whether the pattern matches somewhere in a text. Fails when that would take too long.
    public func matches(_ text: String) throws(Failure) -> Bool {
        var matcher = RegexMatcher(expression, text, nil)
        do throws(CELError) { return try matcher.matches() } catch { throw Failure(message: error.message) }
    }
}
