extension LabelSelector {
    /// Reads the syntax of `kubectl -l`: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`.
    public static func parse(_ text: String) throws(SelectorError) -> LabelSelector {
        var parser = SelectorParser(text)
        return LabelSelector(requirements: try parser.requirements())
    }
}

/// A recursive descent over tokens, with upstream's messages.
private struct SelectorParser {
    private enum Token: Equatable {
        case error, end, close, comma, not, doubleEquals, equals, greater, identifier, isIn, less, notEquals, notIn, open
    }

    private static let symbols: [String: Token] = [
        ")": .close, ",": .comma, "!": .not, "==": .doubleEquals, "=": .equals, ">": .greater, "in": .isIn, "<": .less,
        "!=": .notEquals, "notin": .notIn, "(": .open,
    ]

    private var tokens: [(token: Token, text: String)] = []
    private var position = 0

    init(_ text: String) {
        var rest = Array(text.utf8)[...]
        while true {
            rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
            guard let first = rest.first, first != 0 else { break }
            let isSymbol = Self.isSpecial(first)
            let token = isSymbol ? Self.scanSymbol(&rest) : Self.scanWord(&rest)
            tokens.append(token)
        }
        tokens.append((.end, ""))
    }

    private static func isSpecial(_ byte: UInt8) -> Bool { "=!(),><".utf8.contains(byte) }

    private static func scanWord(_ rest: inout ArraySlice<UInt8>) -> (Token, String) {
        let word = rest.prefix { byte in
            byte != 0 && !isSpecial(byte) && byte != 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D
        }
        rest = rest.dropFirst(word.count)
        let text = String(decoding: word, as: UTF8.self)
        return (symbols[text] ?? .identifier, text)
    }

    private static func scanSymbol(_ rest: inout ArraySlice<UInt8>) -> (Token, String) {
        var text = ""
        var last: (Token, String)? = nil
        while let byte = rest.first, isSpecial(byte) {
            let longer = text + String(UnicodeScalar(byte))
            if let token = symbols[longer] {
                last = (token, longer)
            } else if last != nil {
                break
            }
            text = longer
            rest = rest.dropFirst()
        }
        return last ?? (.error, "error expected: keyword found '\(text)'")
    }

    /// The token at the position; as a value, `in` and `notin` are plain words.
    private func look(asValue: Bool = true) -> (token: Token, text: String) {
        let item = position < tokens.count ? tokens[position] : (.end, "")
        if asValue, item.token == .isIn || item.token == .notIn { return (.identifier, item.text) }
        return item
    }

    private mutating func take(asValue: Bool = true) -> (token: Token, text: String) {
        defer { position += 1 }
        return look(asValue: asValue)
    }

    mutating func requirements() throws(SelectorError) -> [LabelSelector.Requirement] {
        var result: [LabelSelector.Requirement] = []
        while true {
            let (token, text) = look()
            switch token {
            case .end: return result
            case .identifier, .not:
                do throws(SelectorError) {
                    result.append(try requirement())
                } catch {
                    throw SelectorError("unable to parse requirement: \(error)")
                }
                let (separator, found) = take()
                if separator == .end { return result }
                guard separator == .comma else {
                    throw SelectorError("found '\(found)', expected: ',' or 'end of string'")
                }
                let next = look()
                guard next.token == .identifier || next.token == .not else {
                    throw SelectorError("found '\(next.text)', expected: identifier after ','")
                }
            default: throw SelectorError("found '\(text)', expected: !, identifier, or 'end of string'")
            }
        }
    }

    private mutating func requirement() throws(SelectorError) -> LabelSelector.Requirement {
        var (token, key) = take()
        let negated = token == .not
        if negated { (token, key) = take() }
        guard token == .identifier else { throw SelectorError("found '\(key)', expected: identifier") }
        if let issue = LabelSelector.Requirement.keyIssue(key, path: "<nil>") { throw SelectorError(issue) }
        let next = look().token
        if negated { return try .init(key, .doesNotExist, []) }
        if next == .end || next == .comma { return try .init(key, .exists, []) }
        let op = try binaryOperator()
        if op == .isIn || op == .notIn { return try .init(key, op, try valueSet()) }
        return try .init(key, op, [try exactValue()])
    }

    private mutating func binaryOperator() throws(SelectorError) -> LabelSelector.Operator {
        let (token, text) = take(asValue: false)
        switch token {
        case .isIn: return .isIn
        case .equals: return .equals
        case .doubleEquals: return .doubleEquals
        case .greater: return .greaterThan
        case .less: return .lessThan
        case .notIn: return .notIn
        case .notEquals: return .notEquals
        default: throw SelectorError("found '\(text)', expected: in, notin, =, ==, !=, gt, lt")
        }
    }

    private mutating func exactValue() throws(SelectorError) -> String {
        let next = look().token
        if next == .end || next == .comma { return "" }
        let (token, text) = take()
        guard token == .identifier else { throw SelectorError("found '\(text)', expected: identifier") }
        return text
    }

    private mutating func valueSet() throws(SelectorError) -> [String] {
        let (opening, found) = take()
        guard opening == .open else { throw SelectorError("found '\(found)' expected: '('") }
        let (token, text) = look()
        switch token {
        case .close:
            position += 1
            return [""]
        case .identifier, .comma:
            let values = try identifiers()
            guard take().token == .close else { throw SelectorError("found '\(text)', expected: ')'") }
            return values.sorted { $0 < $1 }
        default: throw SelectorError("found '\(text)', expected: ',', ')' or identifier")
        }
    }

    private mutating func identifiers() throws(SelectorError) -> Set<String> {
        var values: Set<String> = []
        while true {
            let (token, text) = take()
            switch token {
            case .identifier:
                values.insert(text)
                let next = look()
                if next.token == .close { return values }
                guard next.token == .comma else { throw SelectorError("found '\(next.text)', expected: ',' or ')'") }
            case .comma:
                if values.isEmpty { values.insert("") }
                let next = look().token
                if next == .close || next == .comma { values.insert("") }
                if next == .close { return values }
            default: throw SelectorError("found '\(text)', expected: ',', or identifier")
            }
        }
    }
}
