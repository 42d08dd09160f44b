/// Reads an expression. Recursion is bounded by `deepest`; the number of nodes by `mostNodes`.
struct Parser {
    /// Longest expression, in code points.
    static let longestExpression = 100_000
    /// How deep expressions nest.
    static let deepest = 250
    /// Most nodes after macros are expanded; copies that macros make could multiply.
    static let mostNodes = 100_000
    /// Most words left out of message texts.
    private static let startOfExpression =
        "'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER"

    /// Ends the parse; the mistake is recorded in `source`.
    struct Stop: Error {}

    var source: CELSource
    private let tokens: [Token]
    private var position = 0
    private var depth = 0
    /// The deepest so far.
    private var reached = 0
    private(set) var places: [Int32] = [0]
    var macroPlace = 0

    /// Whether `cel.bind` is a macro; Kubernetes has it for devices only.
    let allowsBinding: Bool

    private init(_ source: CELSource, _ tokens: [Token], allowsBinding: Bool) {
        self.allowsBinding = allowsBinding
        self.source = source
        self.tokens = tokens
    }

    /// Reads `text`.
    static func parse(_ source: inout CELSource, allowsBinding: Bool = false) throws(CELIssues) -> ParsedExpression {
        guard source.scalars.count <= longestExpression else {
            source.report(
                "expression code point size exceeds limit: size: \(source.scalars.count), limit \(longestExpression)",
                at: nil
            )
            throw source.failure()
        }
        let tokens = Lexer.tokens(&source)
        var parser = Parser(source, tokens, allowsBinding: allowsBinding)
        let root = try? parser.whole()
        source = parser.source
        guard let root, !source.hasIssues else { throw source.failure() }
        return ParsedExpression(root: root, places: parser.places, depth: parser.reached)
    }

    private mutating func whole() throws(Stop) -> Expression {
        let root = try expression()
        guard current.kind != .end else { return root }
        let isLast = tokens[min(position + 1, tokens.count - 1)].kind == .end
        throw fail("\(isLast ? "extraneous" : "mismatched") input '\(text(current))' expecting <EOF>")
    }

    // MARK: nodes

    /// A new node at `place`.
    mutating func node(_ kind: Expression.Kind, at place: Int) throws(Stop) -> Expression {
        guard places.count < Self.mostNodes else {
            source.report("expression node count exceeds limit: \(Self.mostNodes)", at: nil)
            throw Stop()
        }
        places.append(Int32(clamping: place))
        return Expression(id: places.count - 1, kind: kind)
    }

    mutating func nextID(at place: Int) throws(Stop) -> Int { try node(.nothing, at: place).id }

    /// The place of a node.
    func place(of expression: Expression) -> Int { Int(places[expression.id]) }

    // MARK: words

    var current: Token { tokens[position] }

    func isAt(_ symbol: Token.Symbol) -> Bool { current.kind == .symbol(symbol) }

    mutating func take(_ symbol: Token.Symbol) -> Token? {
        guard isAt(symbol) else { return nil }
        defer { position += 1 }
        return current
    }

    mutating func advance() -> Token {
        defer { if position < tokens.count - 1 { position += 1 } }
        return current
    }

    func text(_ token: Token) -> String {
        token.kind == .end ? "<EOF>" : Lexer.visible(source.scalars[token.start..<token.end])
    }

    func peekKind(_ ahead: Int) -> Token.Kind { tokens[min(position + ahead, tokens.count - 1)].kind }

    /// Records a syntax error at the current word.
    mutating func fail(_ message: String) -> Stop {
        source.report("Syntax error: \(message)", at: current.start)
        return Stop()
    }

    mutating func expect(_ symbol: Token.Symbol, or others: String = "") throws(Stop) {
        guard take(symbol) == nil else { return }
        if others.isEmpty, recovers(symbol) { return }
        let expected = others.isEmpty ? "'\(symbol.rawValue)'" : "{'\(symbol.rawValue)', \(others)}"
        throw fail("mismatched input '\(text(current))' expecting \(expected)")
    }

    /// Whether the parse can go on as if one word less, or one more, had been written; the mistake is recorded.
    private mutating func recovers(_ symbol: Token.Symbol) -> Bool {
        if peekKind(1) == .symbol(symbol), current.kind != .end {
            source.report("Syntax error: extraneous input '\(text(current))' expecting '\(symbol.rawValue)'", at: current.start)
            position += 2
            return true
        }
        guard current.kind == .end, symbol != .colon else { return false }
        source.report("Syntax error: missing '\(symbol.rawValue)' at '<EOF>'", at: current.start)
        return true
    }

    /// An expression, where closing or further words may stand as well.
    mutating func expression(orAnyOf expected: String) throws(Stop) -> Expression {
        guard startsOperand(current.kind) || isAt(.exclamation) else { throw failAtOperand(expected) }
        return try expression()
    }

    mutating func failAtOperand(_ extra: String = "", isExtraneous: Bool = false) -> Stop {
        let found = text(current)
        let expected = extra.isEmpty ? Self.startOfExpression : extra
        let isExtraneous = isExtraneous || current.kind != .end && startsOperand(peekKind(1))
        return fail("\(isExtraneous ? "extraneous" : "mismatched") input '\(found)' expecting {\(expected)}")
    }

    private func startsOperand(_ kind: Token.Kind) -> Bool {
        switch kind {
        case .end, .quotedIdentifier: false
        case .symbol(let symbol):
            [.leftBracket, .leftBrace, .leftParenthesis, .dot, .minus, .exclamation, .true, .false, .null].contains(symbol)
        default: true
        }
    }

    // MARK: depth

    mutating func enter(_ levels: Int = 1) throws(Stop) {
        depth += levels
        reached = max(reached, depth)
        guard depth <= Self.deepest else {
            source.report("expression recursion limit exceeded: \(Self.deepest)", at: nil)
            throw Stop()
        }
    }

    mutating func leave(_ levels: Int = 1) { depth -= levels }
}
