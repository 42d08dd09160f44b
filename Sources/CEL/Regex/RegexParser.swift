/// Reads RE2's syntax as Go's regexp package does. Depth and repetition are bounded.
struct RegexParser {
    static let deepest = 250
    static let mostRepeats = 1000

    struct Flags {
        var foldsCase = false
        var isMultiline = false
        var dotMatchesNewline = false
        var isLazy = false
    }

    let scalars: [Unicode.Scalar]
    var position = 0
    var flags = Flags()
    var depth = 0

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    /// Reads `pattern`.
    static func parse(_ pattern: String) throws(CELError) -> RegexNode {
        var parser = RegexParser(pattern)
        let node = try parser.choice()
        guard parser.isAtEnd else { throw parser.failure("unexpected )", parser.whole) }
        return node
    }

    // MARK: text

    var isAtEnd: Bool { position >= scalars.count }
    var whole: String { text(0, scalars.count) }

    func text(_ start: Int, _ end: Int) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars[start..<min(end, scalars.count)])
        return text
    }

    func failure(_ message: String, _ what: String) -> CELError {
        CELError("error parsing regexp: \(message): `\(what)`")
    }

    func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        position + ahead < scalars.count ? scalars[position + ahead] : nil
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek() == scalar else { return false }
        position += 1
        return true
    }

    // MARK: structure

    mutating func choice() throws(CELError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("expression nests too deeply", whole) }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    mutating func sequence() throws(CELError) -> RegexNode {
        var nodes: [RegexNode] = []
        while let scalar = peek(), scalar != "|", scalar != ")" {
            let start = position
            switch scalar {
            case "*", "+", "?": throw failure("missing argument to repetition operator", text(start, start + 1))
            case "{" where repeatCount(at: position) != nil:
                let end = repeatCount(at: position)?.end ?? start + 1
                throw failure("missing argument to repetition operator", text(start, end))
            default: break
            }
            if scalar == "\\", peek(1) == "Q" {
                position += 2
                let literals = quoted()
                nodes += literals.dropLast()
                if let last = literals.last { nodes.append(try repeated(last)) }
                continue
            }
            guard let atom = try atom() else { continue }
            nodes.append(try repeated(atom))
        }
        return nodes.count == 1 ? nodes[0] : (nodes.isEmpty ? .empty : .sequence(nodes))
    }

    mutating func repeated(_ atom: RegexNode) throws(CELError) -> RegexNode {
        var node = atom
        var operatorStart: Int?
        while let scalar = peek() {
            let start = position
            var bounds: (Int, Int?)
            switch scalar {
            case "*": bounds = (0, nil)
            case "+": bounds = (1, nil)
            case "?": bounds = (0, 1)
            case "{":
                guard let counts = repeatCount(at: position) else { return node }
                guard counts.least <= Self.mostRepeats, counts.most ?? 0 <= Self.mostRepeats,
                    counts.most.map({ $0 >= counts.least }) ?? true
                else { throw failure("invalid repeat count", text(start, counts.end)) }
                bounds = (counts.least, counts.most)
                position = counts.end - 1
            default: return node
            }
            position += 1
            let isLazy = take("?") != flags.isLazy
            if let first = operatorStart { throw failure("invalid nested repetition operator", text(first, position)) }
            operatorStart = start
            node = .repetition(node, least: bounds.0, most: bounds.1, isLazy: isLazy)
            guard Self.repeats(node) <= Self.mostRepeats else { throw failure("invalid repeat count", text(start, position)) }
        }
        return node
    }

    /// How often the innermost part is copied.
    static func repeats(_ node: RegexNode) -> Int {
        switch node {
        case .repetition(let inner, let least, let most, _):
            let own = max(1, most ?? least)
            return min(1_000_000, own * repeats(inner))
        case .sequence(let nodes), .choice(let nodes): return nodes.map(repeats).max() ?? 1
        default: return 1
        }
    }

    func repeatCount(at start: Int) -> (least: Int, most: Int?, end: Int)? {
        var index = start + 1
        func number() -> (Int, Int)? {
            var value = 0
            var end = index
            while end < scalars.count, ("0"..."9").contains(scalars[end]) {
                value = min(1_000_000, value * 10 + Int(scalars[end].value - 48))
                end += 1
            }
            return end > index ? (value, end) : nil
        }
        guard let (least, end) = number() else { return nil }
        index = end
        guard index < scalars.count else { return nil }
        if scalars[index] == "}" { return (least, least, index + 1) }
        guard scalars[index] == "," else { return nil }
        index += 1
        guard index < scalars.count else { return nil }
        if scalars[index] == "}" { return (least, nil, index + 1) }
        guard let (most, last) = number(), last < scalars.count, scalars[last] == "}" else { return nil }
        return (least, most, last + 1)
    }

    /// One thing that may be repeated; nil for flags that only change what follows.
    mutating func atom() throws(CELError) -> RegexNode? {
        let scalar = scalars[position]
        switch scalar {
        case "(": return try group()
        case "[": return .set(try set())
        case "\\": return try escape()
        case ".":
            position += 1
            var any = RegexSet()
            any.isNegated = true
            if !flags.dotMatchesNewline { any.insert(10...10) }
            any.seal()
            return .set(any)
        case "^":
            position += 1
            return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$":
            position += 1
            return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
        default:
            position += 1
            return literal(scalar.value)
        }
    }

    func literal(_ code: UInt32) -> RegexNode {
        var set = RegexSet()
        set.insert(code...code)
        if flags.foldsCase, let scalar = Unicode.Scalar(code) {
            for variant in RegexSet.variants(scalar) { set.insert(variant...variant) }
            set.foldsCase = true
        }
        set.seal()
        return .set(set)
    }

    // MARK: groups

    mutating func group() throws(CELError) -> RegexNode? {
        let start = position
        position += 1
        let saved = flags
        if peek() == "?" {
            position += 1
            if peek() == "P" || (peek() == "<" && peek(1) != "=" && peek(1) != "!") {
                try groupName(start)
            } else {
                guard try groupFlags(start) else { return nil }
            }
        }
        let inner = try choice()
        guard take(")") else { throw failure("missing closing )", whole) }
        flags = saved
        if case .empty = inner { return .sequence([]) }
        return inner
    }

    mutating func groupName(_ start: Int) throws(CELError) {
        if peek() == "P" { position += 1 }
        guard take("<") else { throw failure("invalid or unsupported Perl syntax", text(start, position + 1)) }
        let nameStart = position
        while let scalar = peek(), scalar != ">" {
            position += 1
            let isWord = scalar == "_" || ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
            guard isWord else { throw failure("invalid named capture", text(start, position)) }
        }
        guard position > nameStart, take(">") else { throw failure("invalid named capture", text(start, position + 1)) }
    }

    /// Reads `(?flags:` or `(?flags)`; false for the latter.
    mutating func groupFlags(_ start: Int) throws(CELError) -> Bool {
        var changed = flags
        var value = true
        while let scalar = peek() {
            position += 1
            switch scalar {
            case "i": changed.foldsCase = value
            case "m": changed.isMultiline = value
            case "s": changed.dotMatchesNewline = value
            case "U": changed.isLazy = value
            case "-" where value: value = false
            case ":":
                flags = changed
                return true
            case ")":
                flags = changed
                return false
            default: throw failure("invalid or unsupported Perl syntax", text(start, position))
            }
        }
        throw failure("missing closing )", whole)
    }
}
