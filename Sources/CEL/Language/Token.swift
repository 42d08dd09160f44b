/// One word of an expression.
struct Token {
    enum Kind: Hashable {
        case end
        case identifier
        case quotedIdentifier
        case int
        case uint
        case double
        case string
        case bytes
        /// Operators, brackets and the words `true`, `false`, `null`, `in`.
        case symbol(Symbol)
    }

    enum Symbol: String {
        case equal = "=="
        case notEqual = "!="
        case `in` = "in"
        case less = "<"
        case lessEqual = "<="
        case greaterEqual = ">="
        case greater = ">"
        case and = "&&"
        case or = "||"
        case leftBracket = "["
        case rightBracket = "]"
        case leftBrace = "{"
        case rightBrace = "}"
        case leftParenthesis = "("
        case rightParenthesis = ")"
        case dot = "."
        case comma = ","
        case minus = "-"
        case exclamation = "!"
        case question = "?"
        case colon = ":"
        case plus = "+"
        case star = "*"
        case slash = "/"
        case percent = "%"
        case `true` = "true"
        case `false` = "false"
        case null = "null"
    }

    let kind: Kind
    /// Where it starts, in code points.
    let start: Int
    /// Where it ends.
    let end: Int
}

/// Cuts an expression into words. Every step moves forward, so it ends.
struct Lexer {
    private var source: CELSource
    private var position = 0

    private init(_ source: CELSource) { self.source = source }

    /// The words of `source`, with an end word last; characters that begin no word are reported and skipped.
    static func tokens(_ source: inout CELSource) -> [Token] {
        var lexer = Lexer(source)
        var tokens: [Token] = []
        while let token = lexer.next() { tokens.append(token) }
        let end = lexer.source.scalars.count
        tokens.append(Token(kind: .end, start: end, end: end))
        source = lexer.source
        return tokens
    }

    private func peek(_ ahead: Int = 0) -> UInt32 {
        let index = position + ahead
        return index < source.scalars.count ? source.scalars[index].value : 0
    }

    private var isAtEnd: Bool { position >= source.scalars.count }

    private mutating func next() -> Token? {
        while true {
            skipBlanks()
            guard !isAtEnd else { return nil }
            let start = position
            if let kind = word() { return Token(kind: kind, start: start, end: position) }
            position = max(position, start + 1)
            let bad = source.scalars[start..<min(position, source.scalars.count)]
            source.report("Syntax error: token recognition error at: '\(Self.visible(bad))'", at: start)
        }
    }

    /// Text with its line breaks and tabs spelled out.
    static func visible(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = ""
        for scalar in scalars {
            switch scalar {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private mutating func skipBlanks() {
        while !isAtEnd {
            switch peek() {
            case 0x20, 0x09, 0x0a, 0x0c, 0x0d: position += 1
            case 0x2f where peek(1) == 0x2f:
                while !isAtEnd, peek() != 0x0a { position += 1 }
            default: return
            }
        }
    }

    private mutating func word() -> Token.Kind? {
        let first = peek()
        if isDigit(first) || (first == 0x2e && isDigit(peek(1))) { return number() }
        if let prefix = stringPrefix() { return string(prefix) }
        if isLetter(first) { return identifier() }
        if first == 0x60 { return quotedIdentifier() }
        return symbol()
    }

    private mutating func number() -> Token.Kind {
        if peek() == 0x30, peek(1) == 0x78, isHex(peek(2)) {
            position += 2
            while isHex(peek()) { position += 1 }
            return unsignedSuffix()
        }
        while isDigit(peek()) { position += 1 }
        var isDouble = false
        if peek() == 0x2e, isDigit(peek(1)) {
            isDouble = true
            position += 1
            while isDigit(peek()) { position += 1 }
        }
        if peek() | 0x20 == 0x65 {
            let sign = peek(1) == 0x2b || peek(1) == 0x2d ? 1 : 0
            if isDigit(peek(1 + sign)) {
                isDouble = true
                position += 1 + sign
                while isDigit(peek()) { position += 1 }
            }
        }
        return isDouble ? .double : unsignedSuffix()
    }

    private mutating func unsignedSuffix() -> Token.Kind {
        guard peek() | 0x20 == 0x75 else { return .int }
        position += 1
        return .uint
    }

    private struct StringPrefix {
        var length = 0
        var isBytes = false
        var isRaw = false
    }

    private func stringPrefix() -> StringPrefix? {
        var prefix = StringPrefix()
        if peek() | 0x20 == 0x62 {
            prefix.isBytes = true
            prefix.length = 1
        }
        if peek(prefix.length) | 0x20 == 0x72 {
            prefix.isRaw = true
            prefix.length += 1
        }
        let quote = peek(prefix.length)
        return quote == 0x22 || quote == 0x27 ? prefix : nil
    }

    private mutating func string(_ prefix: StringPrefix) -> Token.Kind? {
        let start = position
        position += prefix.length
        let quote = peek()
        let isTriple = peek(1) == quote && peek(2) == quote
        position += isTriple ? 3 : 1
        while !isAtEnd {
            let scalar = peek()
            if scalar == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                position += isTriple ? 3 : 1
                return prefix.isBytes ? .bytes : .string
            }
            if !isTriple, scalar == 0x0a || scalar == 0x0d { break }
            guard scalar == 0x5c, !prefix.isRaw else {
                position += 1
                continue
            }
            guard skipEscape() else { return nil }
        }
        // An empty string stands before a lone quote that never ends.
        if isTriple {
            position = start + prefix.length + 2
            return prefix.isBytes ? .bytes : .string
        }
        position = min(max(position, start + 1), source.scalars.count)
        return nil
    }

    /// Passes an escape of a string. One that does not exist ends the word, after the character that is wrong.
    private mutating func skipEscape() -> Bool {
        func isOctal(_ scalar: UInt32) -> Bool { scalar >= 0x30 && scalar <= 0x37 }
        let code = Unicode.Scalar(peek(1))
        position += 2
        let count: Int
        switch code {
        case "a", "b", "f", "n", "r", "t", "v", "\\", "'", "\"", "`", "?": return true
        case "x", "X": count = 2
        case "u": count = 4
        case "U": count = 8
        case "0", "1", "2", "3":
            for _ in 0..<2 {
                guard isOctal(peek()) else {
                    position += 1
                    return false
                }
                position += 1
            }
            return true
        default: return false
        }
        for _ in 0..<count {
            guard isHex(peek()) else {
                position += 1
                return false
            }
            position += 1
        }
        return true
    }

    private mutating func identifier() -> Token.Kind {
        let start = position
        while isLetter(peek()) || isDigit(peek()) { position += 1 }
        switch position - start {
        case 2 where matches("in", start): return .symbol(.in)
        case 4 where matches("true", start): return .symbol(.true)
        case 4 where matches("null", start): return .symbol(.null)
        case 5 where matches("false", start): return .symbol(.false)
        default: return .identifier
        }
    }

    private func matches(_ word: StaticString, _ start: Int) -> Bool {
        word.withUTF8Buffer { bytes in
            for (index, byte) in bytes.enumerated() where source.scalars[start + index].value != UInt32(byte) { return false }
            return true
        }
    }

    private mutating func quotedIdentifier() -> Token.Kind? {
        var length = 1
        while isLetter(peek(length)) || isDigit(peek(length)) || [0x2e, 0x2d, 0x2f, 0x20].contains(peek(length)) { length += 1 }
        guard length > 1, peek(length) == 0x60 else { return nil }
        position += length + 1
        return .quotedIdentifier
    }

    private mutating func symbol() -> Token.Kind? {
        for length in [2, 1] where position + length <= source.scalars.count {
            var text = ""
            text.unicodeScalars.append(contentsOf: source.scalars[position..<(position + length)])
            guard let symbol = Token.Symbol(rawValue: text) else { continue }
            position += length
            return .symbol(symbol)
        }
        // A lone half of an operator takes the character after it along, as ANTLR's lexer does.
        if [0x7c, 0x26, 0x3d].contains(peek()) { position = min(position + 2, source.scalars.count) }
        return nil
    }

    private func isDigit(_ scalar: UInt32) -> Bool { scalar >= 0x30 && scalar <= 0x39 }
    private func isLetter(_ scalar: UInt32) -> Bool {
        (scalar | 0x20 >= 0x61 && scalar | 0x20 <= 0x7a) || scalar == 0x5f
    }
    private func isHex(_ scalar: UInt32) -> Bool { isDigit(scalar) || (scalar | 0x20 >= 0x61 && scalar | 0x20 <= 0x66) }
}
