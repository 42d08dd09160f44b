import Schema

/// Whether a text is a template of upstream's JSONPath, such as `{spec.validations[0].expression}`. Only the syntax is looked
/// at, by the same rules and with the same words.
///
/// Source: client-go/util/jsonpath/parser.go.
struct JSONPathSyntax {
    /// Filters in filters; upstream has no limit but its stack.
    private static let deepest = 32

    private let input: [Unicode.Scalar]
    private var position = 0
    private let depth: Int

    /// What is wrong with a template; nil when nothing is.
    static func problem(_ template: String) -> String? {
        var parser = JSONPathSyntax(Array(template.unicodeScalars), depth: 0)
        return parser.template()
    }

    private init(_ input: [Unicode.Scalar], depth: Int) {
        self.input = input
        self.depth = depth
    }

    private var next: Unicode.Scalar? { position < input.count ? input[position] : nil }

    private func starts(_ text: String) -> Bool {
        var index = position
        for scalar in text.unicodeScalars {
            guard index < input.count, input[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    private mutating func template() -> String? {
        while let scalar = next {
            position += 1
            guard scalar == "{" else { continue }
            if let problem = action() { return problem }
        }
        return nil
    }

    /// What stands between braces. Ends after the closing one.
    private mutating func action() -> String? {
        var isRecursive = false
        while true {
            let wasRecursive = isRecursive
            isRecursive = false
            if starts("}") {
                position += 1
                return nil
            }
            let problem: String?
            if starts("[?(") {
                problem = filter()
            } else if starts("..") {
                if wasRecursive { return "invalid multiple recursive descent" }
                position += 2
                if let scalar = next, Self.isWord(scalar) { field() } else { isRecursive = true }
                continue
            } else {
                guard let scalar = next, scalar != "\n", scalar != "\r" else { return "unclosed action" }
                position += 1
                switch scalar {
                case " ", "@", "$":
                    isRecursive = wasRecursive
                    continue
                case "[": problem = array()
                case "\"", "'": problem = quoted(scalar)
                case ".":
                    field()
                    continue
                case "+", "-", "0"..."9":
                    position -= 1
                    problem = number()
                default:
                    guard Self.isWord(scalar) else {
                        let hex = String(scalar.value, radix: 16, uppercase: true)
                        let code = String(repeating: "0", count: max(0, 4 - hex.count)) + hex
                        let isShown = scalar.properties.generalCategory != .control
                        return "unrecognized character in action: U+\(code)\(isShown ? " '\(scalar)'" : "")"
                    }
                    while let scalar = next, !Self.isTerminator(scalar) { position += 1 }
                    continue
                }
            }
            if let problem { return problem }
        }
    }

    private mutating func field() {
        while let scalar = next, !Self.isTerminator(scalar) { position += scalar == "\\" ? 2 : 1 }
        position = min(position, input.count)
    }

    private mutating func number() -> String? {
        let start = position
        if next == "+" || next == "-" { position += 1 }
        while let scalar = next, scalar == "." || ("0"..."9").contains(scalar) { position += 1 }
        let text = Self.text(input[start..<position])
        return Double(text) == nil ? "cannot parse number \(text)" : nil
    }

    private mutating func quoted(_ end: Unicode.Scalar) -> String? {
        while let scalar = next, scalar != "\n" {
            position += 1
            if scalar == end, input[position - 2] != "\\" { return nil }
        }
        return "unterminated quoted string"
    }

    private mutating func array() -> String? {
        let start = position
        while let scalar = next, scalar != "]", scalar != "\n" { position += 1 }
        guard next == "]" else { return "unterminated array" }
        let text = input[start..<position]
        position += 1
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return index(Self.text(text)) }
        for part in parts {
            let trimmed = Self.text(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            if let problem = nested("[\(trimmed)]") { return problem }
        }
        return nil
    }

    private func index(_ text: String) -> String? {
        if text == "*" { return nil }
        let inner = text.dropFirst().dropLast()
        if text.count > 1, text.hasPrefix("'"), text.hasSuffix("'"), !inner.contains("'") { return nested(".\(inner)") }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let areNumbers = parts.allSatisfy { part in
            let digits = part.hasPrefix("-") ? part.dropFirst() : part
            return digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
        guard parts.count <= 3, areNumbers else { return "invalid array index \(text)" }
        for part in parts where !part.isEmpty && Int64(part) == nil { return "array index \(part) is not a number" }
        return nil
    }

    private mutating func filter() -> String? {
        position += 3
        let start = position
        var (began, ended) = (false, false)
        var pair: Unicode.Scalar = "\""
        loop: while true {
            guard let scalar = next, scalar != "\n" else { return "unterminated filter" }
            position += 1
            switch scalar {
            case "\"", "'":
                guard began else {
                    (began, pair) = (true, scalar)
                    continue
                }
                if input[position - 2] != "\\", scalar == pair { ended = true }
            case ")": if began == ended { break loop }
            default: continue
            }
        }
        guard next == "]" else { return "unclosed array expect ]" }
        position += 1
        let text = input[start..<(position - 2)]
        let operators: Set<Unicode.Scalar> = ["!", "<", ">", "="]
        guard let first = text.firstIndex(where: operators.contains), first > text.startIndex,
            let rest = text[first...].firstIndex(where: { !operators.contains($0) })
        else { return nested(Self.text(text)) }
        return nested(Self.text(text[..<first])) ?? nested(Self.text(text[rest...]))
    }

    private func nested(_ text: String) -> String? {
        guard depth < Self.deepest else { return "nested too deeply" }
        var parser = JSONPathSyntax(Array("{\(text)}".unicodeScalars), depth: depth + 1)
        return parser.template()
    }

    private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.generalCategory == .decimalNumber
    }

    private static func isTerminator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\r", "\n", ".", ",", "[", "]", "$", "@", "{", "}": true
        default: false
        }
    }
}
