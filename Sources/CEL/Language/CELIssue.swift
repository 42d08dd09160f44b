/// One mistake in an expression.
public struct CELIssue: Sendable, Hashable {
    /// The line, counted from one; zero when the mistake has no place.
    public let line: Int
    /// The column in code points, counted from zero; -1 when the mistake has no place.
    public let column: Int
    /// What is wrong, worded as cel-go words it.
    public let message: String
    let snippet: String?
}

/// Why an expression does not compile. Its description is what cel-go prints.
public struct CELIssues: Error, Sendable, CustomStringConvertible {
    /// The mistakes, by place.
    public let issues: [CELIssue]
    /// How many more there were than are kept.
    let truncated: Int
    /// Whether the expression is right but cannot be made ready, as with `int('x')`; upstream then says "program
    /// instantiation failed" where it else says "compilation failed".
    public let isInstantiation: Bool

    init(issues: [CELIssue], truncated: Int) {
        self.issues = issues
        self.truncated = truncated
        self.isInstantiation = false
    }

    /// A failure to make a program of a right expression.
    init(instantiation error: CELError) {
        issues = [CELIssue(line: -1, column: -1, message: error.message, snippet: nil)]
        truncated = 0
        isInstantiation = true
    }

    /// Every mistake with the line it is in and a mark below its place.
    public var description: String {
        if isInstantiation { return issues.map(\.message).joined(separator: "\n") }
        var lines = issues.map(Self.display)
        if truncated > 0 { lines.append("\(truncated) more errors were truncated") }
        return lines.joined(separator: "\n")
    }

    private static func display(_ issue: CELIssue) -> String {
        // In an empty text there is no first column, and nothing to show.
        let isNowhere = issue.snippet?.isEmpty == true && issue.line == 1
        let head = "ERROR: <input>:\(issue.line):\(issue.column + (isNowhere ? 0 : 1)): \(issue.message)"
        guard let snippet = issue.snippet, !isNowhere else { return head }
        var mark = "\n | "
        let scalars = Array(snippet.unicodeScalars)
        for index in 0..<max(0, min(issue.column, scalars.count)) { mark += scalars[index].isASCII ? "." : "\u{ff0e}" }
        let isWide = issue.column >= 0 && issue.column < scalars.count && !scalars[issue.column].isASCII
        return head + "\n | " + snippet + mark + (isWide ? "\u{ff3e}" : "^")
    }
}

/// The text of an expression and the mistakes found in it.
struct CELSource {
    /// Longest line that is shown with a mistake.
    private static let longestSnippet = 16384
    private static let mostIssues = 100

    let scalars: [Unicode.Scalar]
    private let lineStarts: [Int]
    private(set) var issues: [CELIssue] = []
    private var count = 0

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        var starts = [0]
        for (index, scalar) in scalars.enumerated() where scalar == "\n" { starts.append(index + 1) }
        lineStarts = starts
    }

    var hasIssues: Bool { count > 0 }

    /// Records a mistake at a code point; without a place when `offset` is nil.
    mutating func report(_ message: String, at offset: Int?) {
        count += 1
        guard issues.count < Self.mostIssues else { return }
        guard let offset else {
            issues.append(CELIssue(line: -1, column: -1, message: message, snippet: nil))
            return
        }
        var low = 0
        var high = lineStarts.count
        while low + 1 < high {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        issues.append(
            CELIssue(line: low + 1, column: offset - lineStarts[low], message: message, snippet: line(low))
        )
    }

    private func line(_ index: Int) -> String? {
        let start = lineStarts[index]
        let end = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : scalars.count
        guard end >= start, end - start <= Self.longestSnippet else { return nil }
        var text = String.UnicodeScalarView()
        for scalar in scalars[start..<end] { text.append(scalar == "\t" ? " " : scalar) }
        return String(text)
    }

    /// All mistakes, by place.
    func failure() -> CELIssues {
        let sorted = issues.enumerated().sorted { a, b in
            (a.element.line, a.element.column, a.offset) < (b.element.line, b.element.column, b.offset)
        }
        return CELIssues(issues: sorted.map(\.element), truncated: count - issues.count)
    }
}
