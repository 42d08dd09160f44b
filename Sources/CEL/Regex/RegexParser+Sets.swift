/// Escapes and sets of code points.
extension RegexParser {
    mutating func escape() throws(CELError) -> RegexNode {
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

    mutating func quoted() -> [RegexNode] {
        var nodes: [RegexNode] = []
        while let scalar = peek() {
            if scalar == "\\", peek(1) == "E" {
                position += 2
                break
            }
            position += 1
            nodes.append(literal(scalar.value))
        }
        return nodes
    }

    /// Reads `\d`, `\pL` and the like into `set`; false when the escape is no set.
    mutating func namedSet(_ set: inout RegexSet) throws(CELError) -> Bool {
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

    mutating func unicodeSet(_ set: inout RegexSet) throws(CELError) -> Bool {
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
    mutating func escapedCode() throws(CELError) -> UInt32 {
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

    mutating func hexCode() -> UInt32? {
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

    mutating func set() throws(CELError) -> RegexSet {
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

    mutating func setCode(_ start: Int) throws(CELError) -> UInt32 {
        guard let scalar = peek() else { throw failure("missing closing ]", text(start, scalars.count)) }
        if scalar == "\\" { return try escapedCode() }
        position += 1
        return scalar.value
    }

    static let posix: [String: [ClosedRange<UInt32>]] = [
        "alnum": [48...57, 65...90, 97...122], "alpha": [65...90, 97...122], "ascii": [0...127], "blank": [9...9, 32...32],
        "cntrl": [0...31, 127...127], "digit": [48...57], "graph": [33...126], "lower": [97...122], "print": [32...126],
        "punct": [33...47, 58...64, 91...96, 123...126], "space": [9...13, 32...32], "upper": [65...90],
        "word": [48...57, 65...90, 95...95, 97...122], "xdigit": [48...57, 65...70, 97...102],
    ]

    mutating func posixSet(_ set: inout RegexSet) throws(CELError) -> Bool {
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
