/// Finds literals that cannot be what they are used as, before anything is evaluated.
enum LiteralCheck {
    static func run(_ checked: CheckedExpression, _ places: [Int32], _ source: inout CELSource) {
        var pending = [checked.root]
        while let expression = pending.popLast() {
            inspect(expression, places, &source)
            pending += expression.children
        }
    }

    private static func inspect(_ expression: Expression, _ places: [Int32], _ source: inout CELSource) {
        guard case .call(_, let function, let arguments) = expression.kind, let argument = arguments.last,
            case .literal(.string(let text)) = argument.kind
        else { return }
        let isValid: Bool
        switch function {
        case "duration": isValid = GoDuration.parse(text) != nil
        case "timestamp": isValid = CalendarTime.parseRFC3339(text) != nil
        case "matches": isValid = (try? RegularExpression(text)) != nil
        default: return
        }
        if !isValid { source.report("invalid \(function) argument", at: Int(places[argument.id])) }
    }
}

extension Expression {
    /// The expressions this one is made of.
    var children: [Expression] {
        switch kind {
        case .nothing, .literal, .identifier: []
        case .select(let operand, _, _): [operand]
        case .call(let target, _, let arguments): (target.map { [$0] } ?? []) + arguments
        case .list(let elements, _): elements
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .message(_, let fields): fields.map(\.value)
        case .comprehension(let fold): [fold.range, fold.start, fold.condition, fold.step, fold.result]
        }
    }
}
