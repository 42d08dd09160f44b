/// One clause of an Accept header.
public struct MediaClause: Sendable {
    /// For example `application/json`, in lower case.
    public var type: String
    /// What stands behind the type, without `q`.
    public var parameters: [String: String] = [:]
    /// The wish for this type, 0 to 1.
    public var quality = 1.0

    /// Longer headers are cut: nobody means more.
    private static let maxClauses = 64

    /// The clauses in their order.
    public static func parse(_ header: String) -> [MediaClause] {
        header.split(separator: ",", maxSplits: maxClauses).prefix(maxClauses).compactMap { part in
            let pieces = part.split(separator: ";").map { trim($0) }
            guard let type = pieces.first, !type.isEmpty else { return nil }
            var clause = MediaClause(type: type == "*" ? "*/*" : type.lowercased())
            for piece in pieces.dropFirst() {
                let pair = piece.split(separator: "=", maxSplits: 1)
                guard pair.count == 2 else { continue }
                let name = trim(pair[0])
                let value = trim(pair[1])
                if name == "q" { clause.quality = Double(value) ?? 1 } else { clause.parameters[name] = value }
            }
            return clause
        }
    }

    /// The clauses in the order in which upstream tries them: by quality, then the more specific first.
    public static func ordered(_ header: String) -> [MediaClause] {
        var clauses = parse(header)
        // Its comparison is no strict order, so only the same insertion sort gives the same result.
        for index in clauses.indices.dropFirst() {
            var place = index
            while place > 0, clauses[place].precedes(clauses[place - 1]) {
                clauses.swapAt(place, place - 1)
                place -= 1
            }
        }
        return clauses
    }

    private func precedes(_ other: MediaClause) -> Bool {
        if quality > other.quality { return true }
        if !type.hasPrefix("*"), other.type.hasPrefix("*") { return true }
        return !type.hasSuffix("/*") && other.type.hasSuffix("/*")
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
