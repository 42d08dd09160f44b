import Schema
import Units
import Values

/// Follows a path such as `.spec.list['a.b']` through a schema.
///
/// Source: apiextensions-apiserver schema/cel.ValidFieldPath.
enum SchemaPath {
    struct Problem: Error { var message: String }

    /// The path as issues name it, its first member, and the schema it leads to.
    static func follow(
        _ text: String,
        in schema: JSONValue,
        allowsBrackets: Bool = true
    ) throws(Problem) -> (path: FieldPath, root: String, schema: JSONValue) {
        var tokens = Self.tokens(text)[...]
        var path = FieldPath.root
        var root = ""
        var schema = schema
        func next() throws(Problem) -> String {
            guard let token = tokens.popFirst() else { throw Problem(message: "unexpected end of JSON path") }
            return token
        }
        while let token = tokens.popFirst() {
            let name: String
            switch token {
            case "[":
                guard allowsBrackets else { throw Problem(message: "array notation is not allowed") }
                let quoted = try next()
                guard quoted.count >= 2, quoted.hasPrefix("'"), quoted.hasSuffix("'") else {
                    throw Problem(message: "expected single quoted string but got \(quoted)")
                }
                name = try unescaped(String(quoted.dropFirst().dropLast()))
                let end = tokens.first
                guard end == "]" else {
                    throw Problem(message: end.map { "expected ] but got \($0)" } ?? "unexpected end of JSON path")
                }
                tokens.removeFirst()
            case ".": name = try next()
            default: throw Problem(message: "expected [ or . but got: \(token)")
            }
            (path, schema) = try step(path, schema, name)
            if root.isEmpty { root = name }
        }
        return (path, root, schema)
    }

    /// The path as issues name it, following a compiled schema; empty when it leads nowhere.
    static func normalized(_ text: String, in schema: SchemaNode) -> String {
        var path = FieldPath.root
        var node: SchemaNode? = schema
        var name = ""
        func advance() {
            guard !name.isEmpty, let current = node else { return }
            if let field = current.field(name) {
                path = path.child(name)
                node = field.node
            } else {
                path = path.key(name)
                node = current.element
            }
            name = ""
        }
        for token in tokens(text) where token != "[" && token != "]" && token != "." {
            let isQuoted = token.count >= 2 && token.hasPrefix("'") && token.hasSuffix("'")
            name = isQuoted ? (try? unescaped(String(token.dropFirst().dropLast()))) ?? "" : token
            advance()
        }
        return node == nil ? "" : path.description
    }

    private static func step(
        _ path: FieldPath,
        _ schema: JSONValue,
        _ name: String
    ) throws(Problem) -> (FieldPath, JSONValue) {
        if let properties = schema["properties"]?.object {
            guard let next = properties[name] else { throw Problem(message: "does not refer to a valid field") }
            return (path.child(name), next)
        }
        guard let next = schema["additionalProperties"], next.object != nil else {
            throw Problem(message: "does not refer to a valid field")
        }
        return (path.key(name), next)
    }

    private static func tokens(_ text: String) -> [String] {
        var tokens: [String] = []
        var word = ""
        var inQuote = false
        var previous: Character?
        for character in text {
            defer { previous = character }
            if inQuote {
                word.append(character)
                if character == "'", previous != "\\" {
                    tokens.append(word)
                    word = ""
                    inQuote = false
                }
                continue
            }
            if character == "'", word.isEmpty {
                inQuote = true
                word = "'"
            } else if ".[]".contains(character) {
                if !word.isEmpty { tokens.append(word) }
                word = ""
                tokens.append(String(character))
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty { tokens.append(word) }
        return tokens
    }

    private static let escapes: [Character: Character] = [
        "a": "\u{07}", "b": "\u{08}", "f": "\u{0C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{0B}", "'": "'", "\\": "\\",
    ]

    private static func unescaped(_ text: String) throws(Problem) -> String {
        var out = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                guard let real = escapes[character] else {
                    throw Problem(message: "invalid string literal: invalid escape char \\\(character)")
                }
                out.append(real)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                out.append(character)
            }
        }
        return out
    }
}
