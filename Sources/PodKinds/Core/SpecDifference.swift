import Schema
import Units
import Values

/// What a refused update would have changed, one line a field, so that its sender need not guess.
package enum SpecDifference {
    private static let limit = 10

    /// The changed fields on lines of their own; empty when nothing differs.
    package static func text(_ old: JSONValue, _ new: JSONValue) -> String {
        var lines: [String] = []
        collect(old, new, .root, &lines)
        if lines.isEmpty { return "" }
        let more = lines.count > limit ? ["..."] : []
        return "\n" + (lines.prefix(limit) + more).joined(separator: "\n")
    }

    private static func collect(_ old: JSONValue, _ new: JSONValue, _ path: FieldPath, _ lines: inout [String]) {
        if old == new || lines.count > limit { return }
        switch (old, new) {
        case (.object(let before), .object(let after)):
            let keys = Set(before.map(\.key)).union(after.map(\.key)).sorted()
            for key in keys {
                let place = path.child(key)
                collect(before[key] ?? .null, after[key] ?? .null, place, &lines)
            }
        case (.array(let before), .array(let after)) where before.count == after.count:
            for (index, pair) in zip(before, after).enumerated() { collect(pair.0, pair.1, path.index(index), &lines) }
        default:
            lines.append("\(path): \(old.description) -> \(new.description)")
        }
    }
}
