import Values

/// Where a printer column finds its value: the part of kubectl's JSONPath that selects.
///
/// Source: client-go util/jsonpath.
public struct JSONPath: Sendable, Hashable {
    /// Why a text is no path.
    public struct Problem: Error, Hashable, Sendable {
        /// In words.
        public var message: String
    }

    indirect enum Step: Hashable, Sendable {
        case member(String)
        case everything
        case index(Int)
        case slice(from: Int?, to: Int?, step: Int)
        case descendants
        case filter(Filter)
        case union([Step])
    }

    struct Filter: Hashable, Sendable {
        enum Operand: Hashable, Sendable {
            case path([Step])
            case literal(JSONValue)
        }

        var left: Operand
        /// Empty asks whether the left side is there.
        var comparison: String
        var right: Operand
    }

    let steps: [Step]

    /// Reads a path such as `.status.conditions[?(@.type=="Ready")].status`.
    public init(_ text: String) throws(Problem) {
        var parser = JSONPathParser(text)
        steps = try parser.path()
    }

    /// The first value the path selects.
    public func first(in value: JSONValue) -> JSONValue? { Self.select(steps[...], [value]).first }

    /// All values the path selects.
    public func all(in value: JSONValue) -> [JSONValue] { Self.select(steps[...], [value]) }

    /// So many values are looked at; a definition cannot make a list slow by `..`.
    private static let limit = 10_000

    private static func select(_ steps: ArraySlice<Step>, _ values: [JSONValue]) -> [JSONValue] {
        var values = values
        for step in steps {
            var next: [JSONValue] = []
            for value in values {
                next += apply(step, value)
                if next.count > limit { return Array(next.prefix(limit)) }
            }
            values = next
        }
        return values
    }

    private static func apply(_ step: Step, _ value: JSONValue) -> [JSONValue] {
        switch step {
        case .member(let name):
            return value[name].map { [$0] } ?? []
        case .everything:
            switch value {
            case .array(let list): return list
            case .object(let object): return object.values
            default: return []
            }
        case .index(let index):
            guard let list = value.array else { return [] }
            let place = index < 0 ? list.count + index : index
            return list.indices.contains(place) ? [list[place]] : []
        case .slice(let from, let to, let step): return slice(value.array ?? [], from, to, step)
        case .descendants:
            var found: [JSONValue] = []
            descend(value, &found)
            return found
        case .filter(let filter): return (value.array ?? value.object?.values ?? []).filter { holds(filter, $0) }
        case .union(let steps): return steps.flatMap { apply($0, value) }
        }
    }

    private static func slice(_ list: [JSONValue], _ from: Int?, _ to: Int?, _ step: Int) -> [JSONValue] {
        func place(_ index: Int) -> Int { min(max(index < 0 ? list.count + index : index, 0), list.count) }
        let start = place(from ?? 0)
        let end = place(to ?? list.count)
        guard start < end, step > 0 else { return [] }
        return stride(from: start, to: end, by: step).map { list[$0] }
    }

    private static func descend(_ value: JSONValue, _ found: inout [JSONValue]) {
        guard found.count < limit else { return }
        found.append(value)
        for child in value.array ?? value.object?.values ?? [] { descend(child, &found) }
    }

    private static func holds(_ filter: Filter, _ value: JSONValue) -> Bool {
        let left = operand(filter.left, value)
        guard !filter.comparison.isEmpty else { return left != nil }
        guard let left, let right = operand(filter.right, value) else { return false }
        switch filter.comparison {
        case "==": return isEqual(left, right)
        case "!=": return !isEqual(left, right)
        default: break
        }
        let isLess: Bool
        let isSame = isEqual(left, right)
        if let a = left.double, let b = right.double {
            isLess = a < b
        } else if let a = left.string, let b = right.string {
            isLess = a < b
        } else {
            return false
        }
        switch filter.comparison {
        case "<": return isLess
        case "<=": return isLess || isSame
        case ">": return !isLess && !isSame
        default: return !isLess
        }
    }

    private static func isEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
        if left == right { return true }
        guard let a = left.double, let b = right.double else { return false }
        return a == b
    }

    private static func operand(_ operand: Filter.Operand, _ value: JSONValue) -> JSONValue? {
        switch operand {
        case .literal(let literal): literal
        case .path(let steps): select(steps[...], [value]).first
        }
    }
}

/// Reads a JSONPath.
private struct JSONPathParser {
    private let characters: [Character]
    private var position = 0
    private static let stops: Set<Character> = [".", "[", "]", " ", "=", "!", "<", ">", ")", "|", "&", ","]

    init(_ text: String) { characters = Array(text) }

    private var next: Character? { position < characters.count ? characters[position] : nil }

    mutating func path() throws(JSONPath.Problem) -> [JSONPath.Step] {
        let steps = try steps()
        guard position == characters.count else { throw problem() }
        return steps
    }

    private func problem() -> JSONPath.Problem {
        let code = next?.unicodeScalars.first.map { "U+" + String($0.value, radix: 16, uppercase: true) }
        return JSONPath.Problem(message: "unrecognized character in action: \(code ?? "end")")
    }

    private mutating func steps() throws(JSONPath.Problem) -> [JSONPath.Step] {
        var steps: [JSONPath.Step] = []
        if next == "$" || next == "@" { position += 1 }
        while let character = next {
            switch character {
            case ".":
                position += 1
                if next == "." {
                    position += 1
                    steps.append(.descendants)
                }
                if let step = try member() { steps.append(step) }
            case "[": steps.append(try bracket())
            default:
                guard steps.isEmpty, !Self.stops.contains(character) else { return steps }
                if let step = try member() { steps.append(step) }
            }
        }
        return steps
    }

    private mutating func member() throws(JSONPath.Problem) -> JSONPath.Step? {
        var name = ""
        while let character = next, !Self.stops.contains(character) {
            position += 1
            if character == "\\", let escaped = next {
                name.append(escaped)
                position += 1
            } else {
                name.append(character)
            }
        }
        if name == "*" { return .everything }
        return name.isEmpty ? nil : .member(name)
    }

    private mutating func bracket() throws(JSONPath.Problem) -> JSONPath.Step {
        position += 1
        if next == "?" { return try filter() }
        var parts: [JSONPath.Step] = []
        while true {
            parts.append(try part())
            if next == "," {
                position += 1
                continue
            }
            guard next == "]" else { throw JSONPath.Problem(message: "unterminated array") }
            position += 1
            return parts.count == 1 ? parts[0] : .union(parts)
        }
    }

    private mutating func part() throws(JSONPath.Problem) -> JSONPath.Step {
        skipSpace()
        if let quote = next, quote == "'" || quote == "\"" { return .member(try quoted(quote)) }
        var text = ""
        while let character = next, character != "]", character != "," {
            text.append(character)
            position += 1
        }
        text = String(text.filter { $0 != " " })
        if text == "*" { return .everything }
        if let index = Int(text) { return .index(index) }
        let bounds = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(bounds.count), bounds.allSatisfy({ $0.isEmpty || Int($0) != nil }) else {
            throw JSONPath.Problem(message: "invalid array index \(text)")
        }
        return .slice(from: Int(bounds[0]), to: Int(bounds[1]), step: bounds.count == 3 ? Int(bounds[2]) ?? 1 : 1)
    }

    private mutating func filter() throws(JSONPath.Problem) -> JSONPath.Step {
        position += 1
        guard next == "(" else { throw JSONPath.Problem(message: "unterminated filter") }
        position += 1
        let left = try operand()
        skipSpace()
        var comparison = ""
        while let character = next, "=!<>".contains(character) {
            comparison.append(character)
            position += 1
        }
        guard ["", "==", "!=", "<", "<=", ">", ">="].contains(comparison) else {
            throw JSONPath.Problem(message: "unrecognized filter operator \(comparison)")
        }
        let right = comparison.isEmpty ? JSONPath.Filter.Operand.literal(.null) : try operand()
        skipSpace()
        guard next == ")" else { throw JSONPath.Problem(message: "unterminated filter") }
        position += 1
        guard next == "]" else { throw JSONPath.Problem(message: "unterminated filter") }
        position += 1
        return .filter(JSONPath.Filter(left: left, comparison: comparison, right: right))
    }

    private mutating func operand() throws(JSONPath.Problem) -> JSONPath.Filter.Operand {
        skipSpace()
        guard let character = next else { throw JSONPath.Problem(message: "unterminated filter") }
        if character == "'" || character == "\"" { return .literal(.string(try quoted(character))) }
        if character == "@" || character == "$" || character == "." { return .path(try steps()) }
        var word = ""
        while let character = next, !" =!<>)".contains(character) {
            word.append(character)
            position += 1
        }
        switch word {
        case "true": return .literal(true)
        case "false": return .literal(false)
        default: break
        }
        if let number = Int64(word) { return .literal(.integer(number)) }
        guard let number = Double(word) else { throw JSONPath.Problem(message: "unrecognized identifier \(word)") }
        return .literal(.number(number))
    }

    private mutating func quoted(_ quote: Character) throws(JSONPath.Problem) -> String {
        position += 1
        var text = ""
        while let character = next {
            position += 1
            if character == quote { return text }
            if character == "\\", let escaped = next {
                text.append(escaped)
                position += 1
            } else {
                text.append(character)
            }
        }
        throw JSONPath.Problem(message: "unterminated quoted string")
    }

    private mutating func skipSpace() { while next == " " { position += 1 } }
}
