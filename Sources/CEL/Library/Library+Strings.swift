/// Functions of text. Source: cel-go ext/strings.go, version 2.
extension FunctionTable {
    mutating func addStrings() {
        text("contains", "contains_string") { .bool(TextSearch.first($1, in: $0, from: 0) != nil) }
        text("startsWith", "starts_with_string") { .bool($0.starts(with: $1)) }
        text("endsWith", "ends_with_string") { .bool($0.count >= $1.count && $0.suffix($1.count).elementsEqual($1)) }
        addCase()
        addPositions()
        addPieces()
        addJoining()
        member("format", "string_format", [.string, .list(.dyn)], .string) { arguments, evaluation throws(CELError) in
            guard case .string(let text) = arguments[0], case .list(let list) = arguments[1] else { throw .noSuchOverload }
            var formatter = TextFormat(list, evaluation)
            return .string(try formatter.format(text))
        }
        global("strings.quote", "strings_quote", [.string], .string) { arguments, _ throws(CELError) in
            .string(TextFormat.quoted(arguments[0].string ?? ""))
        }
    }

    /// A function of two texts, by their bytes.
    private mutating func text(_ name: String, _ id: String, _ body: @escaping @Sendable ([UInt8], [UInt8]) -> CELValue) {
        member(name, id, [.string, .string], .bool) { arguments, _ throws(CELError) in
            guard case .string(let a) = arguments[0], case .string(let b) = arguments[1] else { throw .noSuchOverload }
            return body(Array(a.utf8), Array(b.utf8))
        }
    }

    private mutating func addCase() {
        member("lowerAscii", "string_lower_ascii", [.string], .string) { arguments, _ throws(CELError) in
            .string(Self.mapped(arguments[0]) { (65...90).contains($0) ? $0 + 32 : $0 })
        }
        member("upperAscii", "string_upper_ascii", [.string], .string) { arguments, _ throws(CELError) in
            .string(Self.mapped(arguments[0]) { (97...122).contains($0) ? $0 - 32 : $0 })
        }
        member("trim", "string_trim", [.string], .string) { arguments, _ throws(CELError) in
            let scalars = (arguments[0].string ?? "").unicodeScalars
            let rest = scalars.drop { $0.properties.isWhitespace }
            var kept = Substring.UnicodeScalarView(rest)
            while let last = kept.last, last.properties.isWhitespace { kept.removeLast() }
            return .string(String(kept))
        }
    }

    private static func mapped(_ value: CELValue, _ transform: (UInt8) -> UInt8) -> String {
        String(decoding: (value.string ?? "").utf8.map(transform), as: UTF8.self)
    }

    // MARK: positions, in code points

    private mutating func addPositions() {
        member("charAt", "string_char_at_int", [.string, .int], .string) { arguments, _ throws(CELError) in
            guard case .string(let text) = arguments[0], case .int(let index) = arguments[1] else { throw .noSuchOverload }
            let scalars = Array(text.unicodeScalars)
            guard index >= 0, index <= Int64(scalars.count) else { throw CELError("index out of range: \(index)") }
            return .string(index == Int64(scalars.count) ? "" : String(scalars[Int(index)]))
        }
        for name in ["indexOf", "lastIndexOf"] {
            let id = name == "indexOf" ? "string_index_of_string" : "string_last_index_of_string"
            member(name, id, [.string, .string], .int) { arguments, _ throws(CELError) in
                guard case .string(let text) = arguments[0], case .string(let part) = arguments[1] else { throw .noSuchOverload }
                return .int(try name == "indexOf" ? TextSearch.index(part, text, 0) : TextSearch.lastIndex(part, text, nil))
            }
            member(name, "\(id)_int", [.string, .string, .int], .int) { arguments, _ throws(CELError) in
                guard case .string(let text) = arguments[0], case .string(let part) = arguments[1], case .int(let start) = arguments[2]
                else { throw .noSuchOverload }
                return .int(try name == "indexOf" ? TextSearch.index(part, text, start) : TextSearch.lastIndex(part, text, start))
            }
        }
        member("substring", "string_substring_int", [.string, .int], .string) { arguments, _ throws(CELError) in
            .string(try Self.substring(arguments))
        }
        member("substring", "string_substring_int_int", [.string, .int, .int], .string) { arguments, _ throws(CELError) in
            .string(try Self.substring(arguments))
        }
    }

    private static func substring(_ arguments: [CELValue]) throws(CELError) -> String {
        guard case .string(let text) = arguments[0], case .int(let start) = arguments[1] else { throw .noSuchOverload }
        let scalars = Array(text.unicodeScalars)
        let end = arguments.count > 2 ? arguments[2].int ?? 0 : Int64(scalars.count)
        if arguments.count > 2, start > end { throw CELError("invalid substring range. start: \(start), end: \(end)") }
        for index in [start, end] where index < 0 || index > Int64(scalars.count) {
            throw CELError("index out of range: \(index)")
        }
        var part = ""
        part.unicodeScalars.append(contentsOf: scalars[Int(start)..<Int(end)])
        return part
    }

    // MARK: pieces

    private mutating func addPieces() {
        for hasLimit in [false, true] {
            let limitType: [CELType] = hasLimit ? [.int] : []
            member(
                "replace",
                hasLimit ? "string_replace_string_string_int" : "string_replace_string_string",
                [.string, .string, .string] + limitType,
                .string
            ) {
                arguments,
                evaluation throws(CELError) in
                guard case .string(let text) = arguments[0], case .string(let old) = arguments[1], case .string(let new) = arguments[2]
                else { throw .noSuchOverload }
                return .string(try TextSearch.replace(text, old, new, hasLimit ? arguments[3].int ?? -1 : -1, evaluation))
            }
            member("split", hasLimit ? "string_split_string_int" : "string_split_string", [.string, .string] + limitType, .list(.string)) {
                arguments,
                evaluation throws(CELError) in
                guard case .string(let text) = arguments[0], case .string(let separator) = arguments[1] else { throw .noSuchOverload }
                let parts = TextSearch.split(text, separator, hasLimit ? arguments[2].int ?? -1 : -1)
                try evaluation.allocate(parts.count)
                return .list(CELList(parts.map { .string($0) }))
            }
        }
    }

    private mutating func addJoining() {
        let join: FunctionBody = { arguments, evaluation throws(CELError) in
            guard case .list(let list) = arguments[0] else { throw .noSuchOverload }
            let separator = arguments.count > 1 ? arguments[1].string ?? "" : ""
            var joined = ""
            for index in 0..<list.count {
                if index > 0 { joined += separator }
                let element = try list.element(index)
                guard case .string(let part) = element else {
                    throw CELError("join: invalid input: \(ValueText.plain(element))")
                }
                joined += part
                try evaluation.allocateText(joined.utf8.count)
            }
            return .string(joined)
        }
        member("join", "list_join", [.list(.string)], .string, join)
        member("join", "list_join_string", [.list(.string), .string], .string, join)
    }
}

/// Looking for text in text. Linear in the common case; the callers' costs bound the rest.
enum TextSearch {
    /// The first place of `part` at or after `start`.
    static func first<T: Equatable>(_ part: [T], in text: [T], from start: Int) -> Int? {
        guard part.count <= text.count else { return nil }
        guard let head = part.first else { return start }
        var index = start
        let last = text.count - part.count
        while index <= last {
            if text[index] == head, text[index..<(index + part.count)].elementsEqual(part) { return index }
            index += 1
        }
        return nil
    }

    static func index(_ part: String, _ text: String, _ start: Int64) throws(CELError) -> Int64 {
        guard !part.isEmpty else { return start }
        guard start >= 0 else { throw CELError("index out of range: \(start)") }
        let scalars = Array(text.unicodeScalars)
        guard start < Int64(scalars.count) else { return -1 }
        return first(Array(part.unicodeScalars), in: scalars, from: Int(start)).map { Int64($0) } ?? -1
    }

    static func lastIndex(_ part: String, _ text: String, _ start: Int64?) throws(CELError) -> Int64 {
        let scalars = Array(text.unicodeScalars)
        let wanted = Array(part.unicodeScalars)
        guard !wanted.isEmpty else { return start ?? Int64(scalars.count) }
        let from = start ?? Int64(scalars.count - 1)
        if start == nil, wanted.count > scalars.count { return -1 }
        guard from >= 0 else { throw CELError("index out of range: \(from)") }
        guard from < Int64(scalars.count) else { return -1 }
        var index = min(Int(from), scalars.count - wanted.count)
        while index >= 0 {
            if scalars[index..<(index + wanted.count)].elementsEqual(wanted) { return Int64(index) }
            index -= 1
        }
        return -1
    }

    static func split(_ text: String, _ separator: String, _ limit: Int64) -> [String] {
        guard limit != 0 else { return [] }
        let most = limit < 0 ? Int.max : Int(min(limit, Int64(Int32.max)))
        guard !separator.isEmpty else { return characters(text, most) }
        let bytes = Array(text.utf8)
        let wanted = Array(separator.utf8)
        var parts: [String] = []
        var start = 0
        while parts.count < most - 1, let next = first(wanted, in: bytes, from: start) {
            parts.append(String(decoding: bytes[start..<next], as: UTF8.self))
            start = next + wanted.count
        }
        parts.append(String(decoding: bytes[start...], as: UTF8.self))
        return parts
    }

    private static func characters(_ text: String, _ most: Int) -> [String] {
        let scalars = Array(text.unicodeScalars)
        guard scalars.count > most else { return scalars.map { String($0) } }
        var rest = ""
        rest.unicodeScalars.append(contentsOf: scalars[(most - 1)...])
        return scalars.prefix(most - 1).map { String($0) } + [rest]
    }

    static func replace(_ text: String, _ old: String, _ new: String, _ limit: Int64, _ evaluation: Evaluation) throws(CELError) -> String {
        guard limit != 0, old != new else { return text }
        var parts: [String]
        if old.isEmpty {
            let scalars = text.unicodeScalars.map { String($0) }
            let most = limit < 0 ? scalars.count + 1 : Int(min(limit, Int64(scalars.count + 1)))
            try evaluation.allocateText(text.utf8.count + most * new.utf8.count)
            var replaced = ""
            for (index, scalar) in scalars.enumerated() {
                if index < most { replaced += new }
                replaced += scalar
            }
            return scalars.count < most ? replaced + new : replaced
        }
        parts = split(text, old, limit < 0 ? -1 : limit.addingReportingOverflow(1).partialValue)
        try evaluation.allocateText(text.utf8.count + parts.count * new.utf8.count)
        let first = parts.removeFirst()
        return parts.reduce(into: first) { $0 += new + $1 }
    }
}
