/// Finds literals that cannot be what they are used as, before anything is evaluated: malformed texts, lists and maps of
/// mixed types, format strings that their arguments do not fit. Source: cel-go cel/validator.go.
struct LiteralCheck {
    private let checked: CheckedExpression
    private let places: [Int32]
    private var source: CELSource

    static func run(_ checked: CheckedExpression, _ places: [Int32], _ source: inout CELSource) {
        var check = LiteralCheck(checked: checked, places: places, source: source)
        // Arguments of `format` may be mixed.
        var pending: [(expression: Expression, mayMix: Bool)] = [(checked.root, false)]
        while let (expression, mayMix) = pending.popLast() {
            check.inspect(expression, mayMix)
            var mixes = mayMix
            if case .call(_, "format", _) = expression.kind { mixes = true }
            for child in expression.children { pending.append((child, mixes)) }
        }
        source = check.source
    }

    private mutating func report(_ message: String, _ id: Int) { source.report(message, at: Int(places[id])) }

    private mutating func inspect(_ expression: Expression, _ mayMix: Bool) {
        switch expression.kind {
        case .call(let target, let function, let arguments): inspectCall(expression, target, function, arguments)
        case .list(let elements, let optionals) where !mayMix:
            var first: CELType?
            for (index, element) in elements.enumerated() where !compare(element, &first, optionals.contains(index)) { break }
        case .map(let entries) where !mayMix:
            var key: CELType?
            var value: CELType?
            for entry in entries {
                _ = compare(entry.key, &key, false)
                _ = compare(entry.value, &value, entry.isOptional)
            }
        default: break
        }
    }

    /// Whether an element has the type of the first.
    private mutating func compare(_ element: Expression, _ first: inout CELType?, _ isOptional: Bool) -> Bool {
        var type = checked.type(of: element)
        if isOptional { type = type.wrapped ?? type }
        guard let expected = first else {
            first = type
            return true
        }
        if expected == type { return true }
        report("expected type '\(expected)' but found '\(type)'", element.id)
        return false
    }

    private mutating func inspectCall(_ call: Expression, _ target: Expression?, _ function: String, _ arguments: [Expression]) {
        if function == "format", let target, case .literal(.string(let text)) = target.kind, let list = arguments.first,
            case .list(let elements, _) = list.kind
        {
            inspectFormat(call, text, elements)
        }
        guard let argument = arguments.last else { return }
        if case .literal(.int(let number)) = argument.kind, target == nil {
            let isWrong = function == "duration" || function == "timestamp" && !CalendarTime.isInRange(number)
            if isWrong { report("invalid \(function) argument", argument.id) }
        }
        guard case .literal(.string(let text)) = argument.kind else { return }
        let isValid: Bool
        switch function {
        case "duration": isValid = GoDuration.parse(text) != nil
        case "timestamp": isValid = CalendarTime.parseRFC3339(text) != nil
        case "matches": isValid = (try? RegularExpression(text)) != nil
        default: return
        }
        if !isValid { report("invalid \(function) argument", argument.id) }
    }

    private mutating func inspectFormat(_ call: Expression, _ text: String, _ arguments: [Expression]) {
        var reader = Array(text.utf8)[...]
        var used = 0
        while let byte = reader.popFirst() {
            guard byte == 0x25 else { continue }
            if reader.first == 0x25 {
                reader.removeFirst()
                continue
            }
            guard !reader.isEmpty else {
                report("unexpected end of string", call.id)
                return
            }
            guard used < arguments.count else {
                report("index \(used) out of range", call.id)
                return
            }
            let verb: UInt8
            do {
                if reader.first == 0x2e { _ = try TextFormat.precision(&reader) }
                guard let next = reader.popFirst() else { return }
                verb = next
            } catch {
                report(error.message, call.id)
                return
            }
            inspectArgument(call, verb, arguments[used])
            used += 1
        }
        guard arguments.count > used else { return }
        report("too many arguments supplied to string.format (expected \(used), got \(arguments.count))", call.id)
    }

    private mutating func inspectArgument(_ call: Expression, _ verb: UInt8, _ argument: Expression) {
        let type = checked.type(of: argument)
        let (allowed, complaint): ([CELType], String)
        switch verb {
        case 0x73:
            switch type {
            case .opaque, .named: break
            default: return
            }
            (allowed, complaint) = ([], TextFormat.textOnly)
        case 0x64: (allowed, complaint) = ([.int, .uint], "decimal clause can only be used on integers")
        case 0x66: (allowed, complaint) = ([.double, .string], "fixed-point clause can only be used on doubles")
        case 0x65: (allowed, complaint) = ([.double, .string], "scientific clause can only be used on doubles")
        case 0x62: (allowed, complaint) = ([.int, .uint, .bool], "only integers and bools can be formatted as binary")
        case 0x6f: (allowed, complaint) = ([.int, .uint], "octal clause can only be used on integers")
        case 0x78, 0x58:
            let message = "only integers, byte buffers, and strings can be formatted as hex"
            (allowed, complaint) = ([.int, .uint, .string, .bytes], message)
        default:
            let clause = String(decoding: [verb], as: UTF8.self)
            report("could not parse formatting clause: unrecognized formatting clause \"\(clause)\"", call.id)
            return
        }
        if type.isDyn || allowed.contains(type) { return }
        report("error during formatting: \(complaint), was given \(type.name)", argument.id)
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
