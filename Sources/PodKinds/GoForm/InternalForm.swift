import Schema
import Units
import Values

/// Objects as upstream's types of no version print them: messages show values in that form.
///
/// These types have Go's field names, all fields in the order of their declaration, and `null` or zero for what is absent.
/// Source: pkg/apis/*/types.go; the table is written by Tools/generate/internal_types.py.
package enum InternalForm {
    private struct Field: Sendable {
        let name: String
        /// Where the value stands in the served version; `^` in front means beside the object itself.
        let path: [String]
        let isBeside: Bool
        let isOmittedWhenEmpty: Bool
        let type: Shape
    }

    private indirect enum Shape: Sendable {
        case text, number, flag, quantity, amount, time, any, bytes
        case optional(Shape)
        case list(Shape)
        case map(Shape)
        case object(String)
    }

    /// The lines of the table by their types; a line is read when it is needed, which is seldom.
    private static let lines: [Substring: Substring] = {
        var lines: [Substring: Substring] = [:]
        for line in InternalTypes.table.split(separator: "\n") {
            guard let space = line.firstIndex(of: " ") else { continue }
            lines[line[..<space]] = line[line.index(after: space)...]
        }
        return lines
    }()

    private static func fields(_ type: String) -> [Field] {
        lines[type[...]]?.split(separator: " ").compactMap { field(String($0)) } ?? []
    }

    /// The value as it is shown in a message; `type` is a Go type such as `core.Toleration`, or `[core.Toleration` for a list.
    package static func text(_ json: JSONValue?, as type: String) -> String { value(json, as: type).compact }

    /// The issue with its value in the form of the type that stands at its path in an object of `root`.
    ///
    /// Values whose type is not known stay as they are.
    package static func worded(_ issue: FieldIssue, root: String) -> FieldIssue {
        switch issue.badValue {
        case .object?, .array?: break
        default: return issue
        }
        var shape = Shape.object(root)
        for step in steps(issue.path.description) {
            guard let next = inner(shape, step) else { return issue }
            shape = next
        }
        var issue = issue
        shape = plain(shape)
        // A path may name the list where the value is one of its elements.
        if case .object? = issue.badValue, case .list(let element) = shape { shape = element }
        issue.shownValue = render(issue.badValue, shape, beside: nil).compact
        issue.badValue = nil
        return issue
    }

    /// The names and positions of a path, without brackets.
    private static func steps(_ path: String) -> [Substring] {
        var steps: [Substring] = []
        var rest = path[...]
        while !rest.isEmpty {
            if rest.first == "[", let end = rest.firstIndex(of: "]") {
                steps.append(rest[...end])
                rest = rest[rest.index(after: end)...]
            } else {
                if rest.first == "." { rest.removeFirst() }
                let end = rest.firstIndex { $0 == "." || $0 == "[" } ?? rest.endIndex
                if end == rest.startIndex { break }
                steps.append(rest[..<end])
                rest = rest[end...]
            }
        }
        return steps
    }

    private static func plain(_ shape: Shape) -> Shape {
        if case .optional(let inner) = shape { return plain(inner) }
        return shape
    }

    private static func inner(_ shape: Shape, _ step: Substring) -> Shape? {
        switch plain(shape) {
        case .list(let element), .map(let element): return step.first == "[" ? element : nil
        case .object(let name):
            if name.contains("#") { return inner(name, step) }
            let found = fields(name)
            if let field = found.first(where: { $0.path.count == 1 && $0.path[0] == step }) { return field.type }
            // A struct that the served version nests and the other does not.
            return found.contains { $0.path.count > 1 && $0.path[0] == step } ? .object("\(name)#\(step)") : nil
        default: return nil
        }
    }

    /// A member of what is nested in the served version alone.
    private static func inner(_ name: String, _ step: Substring) -> Shape? {
        let parts = name.split(separator: "#", maxSplits: 1).map(String.init)
        return fields(parts[0]).first { $0.path == [parts[1], String(step)] }?.type
    }

    /// The value in the form of a type.
    package static func value(_ json: JSONValue?, as type: String) -> GoValue { render(json, shape(type[...]), beside: nil) }

    private static func field(_ word: String) -> Field? {
        let halves = word.split(separator: ":", maxSplits: 1).map(String.init)
        guard halves.count == 2 else { return nil }
        let names = halves[0].split(separator: "=", maxSplits: 1).map(String.init)
        let name = names[0]
        var path = names.count == 2 ? names[1] : name.prefix(1).lowercased() + name.dropFirst()
        let isBeside = path.hasPrefix("^")
        if isBeside { path.removeFirst() }
        let isOmitted = halves[1].hasPrefix("~")
        return Field(
            name: name,
            path: path == "." ? [path] : path.split(separator: ".").map(String.init),
            isBeside: isBeside,
            isOmittedWhenEmpty: isOmitted,
            type: shape(halves[1].dropFirst(isOmitted ? 1 : 0))
        )
    }

    private static func shape(_ text: Substring) -> Shape {
        switch text.first {
        case "?": return .optional(shape(text.dropFirst()))
        case "[": return .list(shape(text.dropFirst()))
        case "{": return .map(shape(text.dropFirst()))
        default: break
        }
        switch text {
        case "s": return .text
        case "n": return .number
        case "b": return .flag
        case "q": return .quantity
        case "i": return .amount
        case "t": return .time
        case "a": return .any
        case "y": return .bytes
        default: return .object(String(text))
        }
    }

    private static func render(_ json: JSONValue?, _ shape: Shape, beside: JSONValue?) -> GoValue {
        guard let json, json != .null else { return zero(shape, beside: beside) }
        switch shape {
        case .optional(let inner): return render(json, inner, beside: beside)
        case .list(let inner): return .list((json.array ?? []).map { render($0, inner, beside: nil) })
        case .map(let inner):
            return .members((json.object ?? [:]).map { GoValue.Member(name: $0.key, value: render($0.value, inner, beside: nil)) })
        case .object(let name): return object(json, name, beside: beside)
        case .quantity: return .quoted(Quantity.of(json)?.description ?? json.description)
        default: return GoValue(json)
        }
    }

    private static func zero(_ shape: Shape, beside: JSONValue?) -> GoValue {
        switch shape {
        case .text: .literal("\"\"")
        case .number, .amount: .literal("0")
        case .flag: .literal("false")
        case .quantity: .literal("\"0\"")
        case .object(let name): object([:], name, beside: beside)
        // A pointer to what stands beside is there as soon as anything of it is.
        case .time, .any, .bytes, .optional, .list, .map: .literal("null")
        }
    }

    private static func object(_ json: JSONValue, _ name: String, beside: JSONValue?) -> GoValue {
        if name.contains("#") { return GoValue(json) }
        var members: [GoValue.Member] = []
        for field in fields(name) {
            let source = field.isBeside ? beside : json
            let value = field.path == ["."] ? json : source?.value(at: field.path)
            if field.isOmittedWhenEmpty, isEmpty(value, field.type) { continue }
            members.append(GoValue.Member(name: field.name, value: render(value, field.type, beside: json)))
        }
        return .members(members)
    }

    private static func isEmpty(_ value: JSONValue?, _ type: Shape) -> Bool {
        guard let value, value != .null else { return true }
        // A pointer to what is empty is there.
        if case .optional = type { return false }
        return isEmpty(value)
    }

    private static func isEmpty(_ value: JSONValue) -> Bool {
        switch value {
        case .bool(false), .integer(0): true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let members): members.isEmpty
        default: false
        }
    }
}

extension FieldIssue {
    /// A malformed value, shown as upstream's type of no version.
    package static func invalid(_ path: FieldPath, _ value: JSONValue?, as type: String, _ detail: String) -> FieldIssue {
        FieldIssue(kind: .invalid, path: path, shownValue: InternalForm.text(value, as: type), detail: detail)
    }

    /// A value that occurs twice, shown as upstream's type of no version.
    package static func duplicate(_ path: FieldPath, _ value: JSONValue?, as type: String) -> FieldIssue {
        FieldIssue(kind: .duplicate, path: path, shownValue: InternalForm.text(value, as: type))
    }
}

extension [FieldIssue] {
    /// Adds a malformed value, shown as upstream's type of no version.
    package mutating func invalid(_ path: FieldPath, _ value: JSONValue?, as type: String, _ detail: String) {
        append(.invalid(path, value, as: type, detail))
    }
}
