/// Reads RE2's syntax as Go's regexp package does. Depth and repetition are bounded.
struct RegexParser {
    private static let deepest = 250
    private static let mostRepeats = 1000

    private struct Flags {
        var foldsCase = false
        var isMultiline = false
        var dotMatchesNewline = false
        var isLazy = false
    }

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var flags = Flags()
    private var depth = 0

    private init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    /// Reads `pattern`.
    static func parse(_ pattern: String) throws(CELError) -> RegexNode {
        var parser = RegexParser(pattern)
        let node = try parser.choice()
        guard parser.isAtEnd else { throw parser.failure("unexpected )", parser.whole) }
        return node
    }

    // MARK: text

    private var isAtEnd: Bool { position >= scalars.count }
    private var whole: String { text(0, scalars.count) }

    private func text(_ start: Int, _ end: Int) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars[start..<min(end, scalars.count)])
        return text
    }

    private func failure(_ message: String, _ what: String) -> CELError {
        CELError("error parsing regexp: \(message): `\(what)`")
    }

    private func peek(_ ahead: Int = 0) -> Unicode.Scalar? {
        position + ahead < scalars.count ? scalars[position + ahead] : nil
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek() == scalar else { return false }
        position += 1
        return true
    }

    // MARK: structure

    private mutating func choice() throws(CELError) -> RegexNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("expression nests too deeply", whole) }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(CELError) -> RegexNode {
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
            guard let atom = try atom() else { continue }
            nodes.append(try repeated(atom))
        }
        return nodes.count == 1 ? nodes[0] : (nodes.isEmpty ? .empty : .sequence(nodes))
    }

    private mutating func repeated(_ atom: RegexNode) throws(CELError) -> RegexNode {
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
    private static func repeats(_ node: RegexNode) -> Int {
        switch node {
        case .repetition(let inner, let least, let most, _):
            let own = max(1, most ?? least)
            return min(1_000_000, own * repeats(inner))
        case .sequence(let nodes), .choice(let nodes): return nodes.map(repeats).max() ?? 1
        default: return 1
        }
    }

    private func repeatCount(at start: Int) -> (least: Int, most: Int?, end: Int)? {
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
    private mutating func atom() throws(CELError) -> RegexNode? {
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

    private func literal(_ code: UInt32) -> RegexNode {
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

    private mutating func group() throws(CELError) -> RegexNode? {
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

    private mutating func groupName(_ start: Int) throws(CELError) {
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
    private mutating func groupFlags(_ start: Int) throws(CELError) -> Bool {
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

    // MARK: escapes

    private mutating func escape() throws(CELError) -> RegexNode {
        let start = position
        guard let code = peek(1) else { throw CELError("error parsing regexp: trailing backslash at end of expression: ``") }
        switch code {
        case "A", "z", "b", "B":
            position += 2
            switch code {
            case "A": return .assertion(.textStart)
            case "z": return .assertion(.textEnd)
            case "b": return .assertion(.wordBoundary)
            default: return .assertion(.notWordBoundary)
            }
        case "Q":
            position += 2
            return quoted()
        default: break
        }
        var set = RegexSet()
        if try namedSet(&set) {
            set.foldsCase = flags.foldsCase
            set.seal()
            return .set(set)
        }
        position = start
        return literal(try escapedCode())
    }

    private mutating func quoted() -> RegexNode {
        var nodes: [RegexNode] = []
        while let scalar = peek() {
            if scalar == "\\", peek(1) == "E" {
                position += 2
                break
            }
            position += 1
            nodes.append(literal(scalar.value))
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    /// Reads `\d`, `\pL` and the like into `set`; false when the escape is no set.
    private mutating func namedSet(_ set: inout RegexSet) throws(CELError) -> Bool {
        guard let code = peek(1) else { return false }
        let ranges: [ClosedRange<UInt32>]
        switch code {
        case "d", "D": ranges = [48...57]
        case "s", "S": ranges = [9...10, 12...13, 32...32]
        case "w", "W": ranges = [48...57, 65...90, 95...95, 97...122]
        case "p", "P": return try unicodeSet(&set)
        default: return false
        }
        position += 2
        if ("a"..."z").contains(code) { set.insert(ranges) } else { set.insert(Self.inverted(ranges)) }
        return true
    }

    static func inverted(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10ffff { result.append(next...0x10ffff) }
        return result
    }

    private mutating func unicodeSet(_ set: inout RegexSet) throws(CELError) -> Bool {
        let start = position
        var isNegated = peek(1) == "P"
        position += 2
        var name = ""
        if take("{") {
            if take("^") { isNegated.toggle() }
            while let scalar = peek(), scalar != "}" {
                name.unicodeScalars.append(scalar)
                position += 1
            }
            guard take("}") else { throw failure("invalid character class range", text(start, scalars.count)) }
        } else if let scalar = peek() {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        if let categories = UnicodeCategory.named(name) {
            set.insert(categories: categories, isNegated: isNegated)
        } else if let script = UnicodeCategory.scripts[name] {
            set.insert(isNegated ? Self.inverted(script) : script)
        } else {
            throw failure("invalid character class range", text(start, position))
        }
        return true
    }

    /// Reads an escape that stands for one code point.
    private mutating func escapedCode() throws(CELError) -> UInt32 {
        let start = position
        guard let code = peek(1) else { throw CELError("error parsing regexp: trailing backslash at end of expression: ``") }
        position += 2
        switch code {
        case "a": return 7
        case "f": return 12
        case "t": return 9
        case "n": return 10
        case "r": return 13
        case "v": return 11
        case "0"..."7":
            // A single digit other than zero would be a reference to a group.
            guard code == "0" || peek().map({ ("0"..."7").contains($0) }) ?? false else { break }
            var value = code.value - 48
            for _ in 0..<2 {
                guard let digit = peek(), ("0"..."7").contains(digit) else { break }
                value = value * 8 + digit.value - 48
                position += 1
            }
            return value
        case "x":
            if let value = hexCode() { return value }
        default:
            if code.isASCII, !("a"..."z").contains(code), !("A"..."Z").contains(code), !("0"..."9").contains(code) { return code.value }
        }
        throw failure("invalid escape sequence", text(start, position))
    }

    private mutating func hexCode() -> UInt32? {
        func digit(_ scalar: Unicode.Scalar?) -> UInt32? { scalar.flatMap { UInt32(String($0), radix: 16) } }
        guard take("{") else {
            guard let high = digit(peek()), let low = digit(peek(1)) else { return nil }
            position += 2
            return high * 16 + low
        }
        var value: UInt32 = 0
        var count = 0
        while let next = digit(peek()), count < 8 {
            value = value &* 16 &+ next
            position += 1
            count += 1
        }
        guard count > 0, value <= 0x10ffff, take("}") else { return nil }
        return value
    }

    // MARK: sets

    private mutating func set() throws(CELError) -> RegexSet {
        let start = position
        position += 1
        var set = RegexSet()
        set.isNegated = take("^")
        set.foldsCase = flags.foldsCase
        var isFirst = true
        while let scalar = peek(), scalar != "]" || isFirst {
            isFirst = false
            if scalar == "[", peek(1) == ":", try posixSet(&set) { continue }
            if scalar == "\\", try namedSet(&set) { continue }
            let rangeStart = position
            let low = try setCode(start)
            var high = low
            if peek() == "-", let after = peek(1), after != "]" {
                position += 1
                high = try setCode(start)
            }
            guard low <= high else { throw failure("invalid character class range", text(rangeStart, position)) }
            set.insert(low...high)
        }
        guard take("]") else { throw failure("missing closing ]", text(start, scalars.count)) }
        set.seal()
        return set
    }

    private mutating func setCode(_ start: Int) throws(CELError) -> UInt32 {
        guard let scalar = peek() else { throw failure("missing closing ]", text(start, scalars.count)) }
        if scalar == "\\" { return try escapedCode() }
        position += 1
        return scalar.value
    }

    private static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [48...57, 65...90, 97...122], "alpha": [65...90, 97...122], "ascii": [0...127], "blank": [9...9, 32...32],
        "cntrl": [0...31, 127...127], "digit": [48...57], "graph": [33...126], "lower": [97...122], "print": [32...126],
        "punct": [33...47, 58...64, 91...96, 123...126], "space": [9...13, 32...32], "upper": [65...90],
        "word": [48...57, 65...90, 95...95, 97...122], "xdigit": [48...57, 65...70, 97...102],
    ]

    private mutating func posixSet(_ set: inout RegexSet) throws(CELError) -> Bool {
        var end = position + 2
        while end + 1 < scalars.count, !(scalars[end] == ":" && scalars[end + 1] == "]") { end += 1 }
        guard end + 1 < scalars.count else { return false }
        var name = text(position + 2, end)
        let isNegated = name.hasPrefix("^")
        if isNegated { name.removeFirst() }
        guard let ranges = Self.posix[name] else { throw failure("invalid character class range", text(position, end + 2)) }
        set.insert(isNegated ? Self.inverted(ranges) : ranges)
        position = end + 2
        return true
    }
}
