/// Operands: selections, calls, indexes, literals.
extension Parser {
    mutating func member() throws(Stop) -> Expression {
        var operand = try primary()
        var levels = 0
        defer { leave(levels) }
        while isAt(.dot) || isAt(.leftBracket) {
            levels += 1
            try enter()
            operand = isAt(.dot) ? try selection(operand) : try index(operand)
        }
        return operand
    }

    private mutating func selection(_ operand: Expression) throws(Stop) -> Expression {
        let dot = advance()
        let isOptional = take(.question) != nil
        let name = current
        if name.kind == .quotedIdentifier {
            source.report("unsupported syntax: '`'", at: name.start)
            _ = advance()
            return operand
        }
        guard name.kind == .identifier else { throw failAtName() }
        _ = advance()
        let field = text(name)
        if isOptional {
            let literal = try node(.literal(.string(field)), at: name.start)
            return try node(
                .call(target: nil, function: OperatorName.optionalSelect, arguments: [operand, literal]),
                at: dot.start
            )
        }
        guard let open = take(.leftParenthesis) else { return try node(.select(operand, field, isTest: false), at: dot.start) }
        let arguments = try arguments()
        return try call(operand, field, arguments, at: open.start)
    }

    private mutating func failAtName() -> Stop {
        let word = text(current)
        if ["true", "false", "null"].contains(word) { return fail("mismatched input '\(word)' expecting IDENTIFIER") }
        return fail("no viable alternative at input '.\(current.kind == .end ? "" : word)'")
    }

    private mutating func index(_ operand: Expression) throws(Stop) -> Expression {
        let bracket = advance()
        let name = take(.question) == nil ? OperatorName.index : OperatorName.optionalIndex
        let key = try expression(orAnyOf: Self.operands(["[", "{", "(", ".", "-", "!", "?"]))
        try expect(.rightBracket)
        return try call(name, [operand, key], at: bracket.start)
    }

    /// The arguments after `(`, and the `)`.
    private mutating func arguments() throws(Stop) -> [Expression] {
        var arguments: [Expression] = []
        if take(.rightParenthesis) != nil { return arguments }
        arguments.append(try expression(orAnyOf: Self.operands(["[", "{", "(", ")", ".", "-", "!"])))
        while take(.comma) != nil { arguments.append(try expression()) }
        try expect(.rightParenthesis)
        return arguments
    }

    private mutating func primary() throws(Stop) -> Expression {
        let token = current
        switch token.kind {
        case .identifier, .symbol(.dot): return try name()
        case .symbol(.leftParenthesis):
            _ = advance()
            let inner = try expression()
            try expect(.rightParenthesis)
            return inner
        case .symbol(.leftBracket): return try list()
        case .symbol(.leftBrace): return try map()
        default: return try literal()
        }
    }

    private mutating func name() throws(Stop) -> Expression {
        if let message = try message() { return message }
        let dot = take(.dot)
        let token = current
        guard token.kind == .identifier else {
            throw dot == nil ? failAtOperand() : fail("no viable alternative at input '.\(token.kind == .end ? "" : text(token))'")
        }
        _ = advance()
        let word = text(token)
        if FieldEscape.reserved.contains(word) {
            source.report("reserved identifier: \(word)", at: (dot ?? token).start)
            if take(.leftParenthesis) != nil { _ = try arguments() }
            return try node(.nothing, at: token.start)
        }
        let name = dot == nil ? word : ".\(word)"
        guard let open = take(.leftParenthesis) else { return try node(.identifier(name), at: token.start) }
        let arguments = try arguments()
        return try call(name, arguments, at: open.start)
    }

    /// `a.b.C{field: value}`; nil when the words ahead are none.
    private mutating func message() throws(Stop) -> Expression? {
        var ahead = isAt(.dot) ? 1 : 0
        guard peekKind(ahead) == .identifier else { return nil }
        ahead += 1
        while peekKind(ahead) == .symbol(.dot), peekKind(ahead + 1) == .identifier { ahead += 2 }
        guard peekKind(ahead) == .symbol(.leftBrace) else { return nil }
        var name = ""
        for _ in 0..<ahead { name += text(advance()) }
        let brace = advance()
        var fields: [Expression.Field] = []
        while !isAt(.rightBrace) {
            let isOptional = take(.question) != nil
            let field = current
            guard field.kind == .identifier else {
                throw fail("mismatched input '\(text(field))' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}")
            }
            _ = advance()
            let colon = current.start
            try expect(.colon)
            let id = try nextID(at: colon)
            fields.append(.init(id: id, name: text(field), value: try expression(), isOptional: isOptional))
            guard take(.comma) != nil else { break }
        }
        try expect(.rightBrace, or: "','")
        return try node(.message(name, fields), at: brace.start)
    }

    private mutating func list() throws(Stop) -> Expression {
        let bracket = advance()
        var elements: [Expression] = []
        var optionals: Set<Int> = []
        while !isAt(.rightBracket) {
            if take(.question) != nil { optionals.insert(elements.count) }
            if elements.isEmpty, isAt(.comma) {
                _ = advance()
                break
            }
            if elements.isEmpty, optionals.isEmpty {
                elements.append(try expression(orAnyOf: Self.operands(["[", "]", "{", "(", ".", ",", "-", "!", "?"])))
            } else {
                elements.append(try expression())
            }
            guard take(.comma) != nil else { break }
            if isAt(.comma) || current.kind == .end { return try listEnd(bracket, elements, optionals) }
        }
        try expect(.rightBracket, or: "','")
        return try node(.list(elements, optionals: optionals), at: bracket.start)
    }

    /// The end of a list after its last comma.
    private mutating func listEnd(_ bracket: Token, _ elements: [Expression], _ optionals: Set<Int>) throws(Stop) -> Expression {
        try expect(.rightBracket)
        return try node(.list(elements, optionals: optionals), at: bracket.start)
    }

    /// What message texts list as the start of an operand, with these signs.
    private static func operands(_ signs: [String]) -> String {
        (signs.map { "'\($0)'" } + ["'true'", "'false'", "'null'", "NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES", "IDENTIFIER"])
            .joined(separator: ", ")
    }

    private mutating func map() throws(Stop) -> Expression {
        let brace = advance()
        var entries: [Expression.Entry] = []
        while !isAt(.rightBrace) {
            let isOptional = take(.question) != nil
            if entries.isEmpty, take(.comma) != nil { break }
            let signs = ["[", "{", "}", "(", ".", ",", "-", "!", "?"]
            let key = entries.isEmpty && !isOptional ? try expression(orAnyOf: Self.operands(signs)) : try expression()
            let colon = current.start
            try expect(.colon)
            let id = try nextID(at: colon)
            entries.append(.init(id: id, key: key, value: try expression(), isOptional: isOptional))
            guard take(.comma) != nil else { break }
        }
        try expect(.rightBrace, or: "','")
        return try node(.map(entries), at: brace.start)
    }

    private mutating func literal() throws(Stop) -> Expression {
        let minus = isAt(.minus) ? advance() : nil
        let token = current
        let place = (minus ?? token).start
        let sign = minus == nil ? "" : "-"
        let value: CELValue
        switch token.kind {
        case .int: value = int(sign, text(token), place)
        case .double: value = double(sign + text(token), place)
        case .uint where minus == nil: value = uint(String(text(token).dropLast()), place)
        case .string where minus == nil: value = string(token)
        case .bytes where minus == nil: value = bytes(token)
        case .symbol(.true) where minus == nil: value = .bool(true)
        case .symbol(.false) where minus == nil: value = .bool(false)
        case .symbol(.null) where minus == nil: value = .null
        default: throw failAtOperand()
        }
        _ = advance()
        return try node(.literal(value), at: place)
    }

    private mutating func int(_ sign: String, _ text: String, _ place: Int) -> CELValue {
        let isHex = text.hasPrefix("0x")
        if let value = Int64(sign + (isHex ? String(text.dropFirst(2)) : text), radix: isHex ? 16 : 10) { return .int(value) }
        source.report("invalid int literal", at: place)
        return .int(0)
    }

    private mutating func uint(_ text: String, _ place: Int) -> CELValue {
        let isHex = text.hasPrefix("0x")
        if let value = UInt64(isHex ? String(text.dropFirst(2)) : text, radix: isHex ? 16 : 10) { return .uint(value) }
        source.report("invalid uint literal", at: place)
        return .uint(0)
    }

    private mutating func double(_ text: String, _ place: Int) -> CELValue {
        if let value = Double(text), value.isFinite { return .double(value) }
        source.report("invalid double literal", at: place)
        return .double(0)
    }

    private mutating func string(_ token: Token) -> CELValue {
        do {
            let bytes = try StringLiteral.bytes(Array(source.scalars[token.start..<token.end]), isBytes: false)
            return .string(String(decoding: bytes, as: UTF8.self))
        } catch {
            source.report(error.message, at: token.start)
            return .string("")
        }
    }

    private mutating func bytes(_ token: Token) -> CELValue {
        do {
            return .bytes(try StringLiteral.bytes(Array(source.scalars[(token.start + 1)..<token.end]), isBytes: true))
        } catch {
            source.report(error.message, at: token.start)
            return .bytes([])
        }
    }
}
