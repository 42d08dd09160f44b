/// The rules a machine can check: sizes and calls that have no place in the product.
public struct HouseRules: Sendable {
    /// The most lines a source file may have.
    public var sourceLines = 600
    /// The most lines a test file may have.
    public var testLines = 800

    /// The house's limits.
    public init() {}

    /// What no line of the product may contain, and why.
    private static let banned: [(text: String, reason: String)] = [
        ("try!", "throw or handle the error"),
        ("as!", "use a conditional cast"),
        ("fatalError(", "throw an error"),
        ("import Foundation\n", "FoundationEssentials at most: Foundation weighs 48 MB"),
        ("Thread.sleep", "wait for a condition"),
    ]

    /// What breaks a rule in one file of the product.
    public func issues(inSource path: String, text: String) -> [String] {
        var issues = sizeIssues(path, text, limit: sourceLines)
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let code = Self.withoutComment(line) + "\n"
            for rule in Self.banned where code.contains(rule.text) {
                issues.append("\(path):\(number + 1): '\(rule.text.filter { $0 != "\n" })': \(rule.reason)")
            }
            if Self.startsTask(code), !line.contains("// unstructured:"), !Self.precedingComment(text, number) {
                issues.append("\(path):\(number + 1): a bare Task needs a comment '// unstructured: why'")
            }
        }
        return issues
    }

    /// What breaks a rule in one test file.
    public func issues(inTest path: String, text: String) -> [String] {
        sizeIssues(path, text, limit: testLines)
    }

    private func sizeIssues(_ path: String, _ text: String, limit: Int) -> [String] {
        let count = text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        return count > limit ? ["\(path): \(count) lines, the limit is \(limit)"] : []
    }

    private static func withoutComment(_ line: Substring) -> String {
        var result = ""
        var inString = false
        var previous: Character = " "
        for character in line {
            if character == "\"", previous != "\\" { inString.toggle() }
            if !inString, character == "/", previous == "/" { return String(result.dropLast()) }
            result.append(character)
            previous = character
        }
        return result
    }

    private static func startsTask(_ code: String) -> Bool {
        guard let range = code.firstRange(of: "Task {") ?? code.firstRange(of: "Task.detached") else { return false }
        guard range.lowerBound > code.startIndex else { return true }
        let before = code[code.index(before: range.lowerBound)]
        return !before.isLetter && !before.isNumber && before != "_" && before != "\"" && before != "`"
    }

    private static func precedingComment(_ text: String, _ number: Int) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return (1...2).contains { number >= $0 && lines[number - $0].contains("// unstructured:") }
    }
}

extension String {
    /// The first place where `other` stands.
    func firstRange(of other: String) -> Range<String.Index>? {
        ranges(of: other).first
    }
}
