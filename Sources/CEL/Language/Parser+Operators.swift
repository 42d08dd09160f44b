/// Operators, by precedence.
extension Parser {
    /// expr: `or ? or : expr`
    mutating func expression() throws(Stop) -> Expression {
        try enter()
        defer { leave() }
        let condition = try logical(.or, OperatorName.or)
        guard let question = take(.question) else { return condition }
        let yes = try logical(.or, OperatorName.or)
        try expect(.colon)
        let no = try expression()
        return try call(OperatorName.conditional, [condition, yes, no], at: question.start)
    }

    /// Chains of `||` or `&&` become balanced trees, so that their length is not depth.
    private mutating func logical(_ symbol: Token.Symbol, _ name: String) throws(Stop) -> Expression {
        var terms = [symbol == .or ? try logical(.and, OperatorName.and) : try relation()]
        var places: [Int] = []
        while let token = take(symbol) {
            places.append(token.start)
            terms.append(symbol == .or ? try logical(.and, OperatorName.and) : try relation())
        }
        guard terms.count > 1 else { return terms[0] }
        return try balanced(name, terms[...], places[...])
    }

    private mutating func balanced(_ name: String, _ terms: ArraySlice<Expression>, _ places: ArraySlice<Int>) throws(Stop) -> Expression {
        guard terms.count > 1 else { return terms[terms.startIndex] }
        let middle = (terms.count - 1) / 2
        let left = terms.prefix(middle + 1)
        let right = terms.dropFirst(middle + 1)
        let place = places[places.startIndex + middle]
        let before = try balanced(name, left, places.prefix(middle))
        let after = try balanced(name, right, places.dropFirst(middle + 1))
        return try call(name, [before, after], at: place)
    }

    private func relationName() -> String? {
        guard case .symbol(let symbol) = current.kind else { return nil }
        switch symbol {
        case .equal: return OperatorName.equals
        case .notEqual: return OperatorName.notEquals
        case .less: return OperatorName.less
        case .lessEqual: return OperatorName.lessEquals
        case .greater: return OperatorName.greater
        case .greaterEqual: return OperatorName.greaterEquals
        case .in: return OperatorName.in
        default: return nil
        }
    }

    private mutating func relation() throws(Stop) -> Expression {
        var left = try sum()
        var levels = 0
        defer { leave(levels) }
        while let name = relationName() {
            levels += 1
            try enter()
            let place = advance().start
            let right = try sum()
            left = try call(name, [left, right], at: place)
        }
        return left
    }

    private func sumName() -> String? {
        if isAt(.plus) { return OperatorName.add }
        return isAt(.minus) ? OperatorName.subtract : nil
    }

    private mutating func sum() throws(Stop) -> Expression {
        var left = try product()
        var levels = 0
        defer { leave(levels) }
        while let name = sumName() {
            levels += 1
            try enter()
            let place = advance().start
            let right = try product()
            left = try call(name, [left, right], at: place)
        }
        return left
    }

    private func productName() -> String? {
        if isAt(.star) { return OperatorName.multiply }
        if isAt(.slash) { return OperatorName.divide }
        return isAt(.percent) ? OperatorName.modulo : nil
    }

    private mutating func product() throws(Stop) -> Expression {
        var left = try unary()
        var levels = 0
        defer { leave(levels) }
        while let name = productName() {
            levels += 1
            try enter()
            let place = advance().start
            let right = try unary()
            left = try call(name, [left, right], at: place)
        }
        return left
    }

    private mutating func unary() throws(Stop) -> Expression {
        let start = current.start
        if isAt(.exclamation) {
            var count = 0
            while take(.exclamation) != nil { count += 1 }
            if current.kind == .end { throw failAtOperand(isExtraneous: true) }
            let operand = try member()
            return count.isMultiple(of: 2) ? operand : try call(OperatorName.not, [operand], at: start)
        }
        guard isAt(.minus), !isNumber(peekKind(1)) else { return try member() }
        var count = 0
        while take(.minus) != nil { count += 1 }
        if current.kind == .end { source.report("Syntax error: no viable alternative at input '-'", at: current.start) }
        let operand = try member()
        return count.isMultiple(of: 2) ? operand : try call(OperatorName.negate, [operand], at: start)
    }

    private func isNumber(_ kind: Token.Kind) -> Bool { kind == .int || kind == .double }

    /// A global call, or what the macro of that name makes of it.
    mutating func call(_ function: String, _ arguments: [Expression], at place: Int) throws(Stop) -> Expression {
        if let expanded = try expandMacro(function, nil, arguments, place) { return expanded }
        return try node(.call(target: nil, function: function, arguments: arguments), at: place)
    }

    /// A call on a target, or what the macro of that name makes of it.
    mutating func call(_ target: Expression, _ function: String, _ arguments: [Expression], at place: Int) throws(Stop) -> Expression {
        if let expanded = try expandMacro(function, target, arguments, place) { return expanded }
        return try node(.call(target: target, function: function, arguments: arguments), at: place)
    }
}
