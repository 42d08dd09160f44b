import Values

/// A value as Go's encoder prints it: members in the order of the struct's declaration.
package indirect enum GoValue: Sendable, Equatable {
    /// A literal: a number, a quoted string, `null`.
    case literal(String)
    /// A slice.
    case list([GoValue])
    /// A struct, or a map by its sorted keys.
    case members([Member])

    /// One member of a struct or a map.
    package struct Member: Sendable, Equatable {
        package let name: String
        package let value: GoValue

        /// A member of a struct or a map.
        package init(name: String, value: GoValue) {
            self.name = name
            self.value = value
        }
    }

    /// A quoted string; Go escapes what HTML could take for markup.
    package static func quoted(_ text: String) -> GoValue { .literal(quote(text)) }

    /// Any JSON value.
    package init(_ json: JSONValue) {
        switch json {
        case .array(let elements): self = .list(elements.map { GoValue($0) })
        case .object(let object): self = .members(object.map { Member(name: $0.key, value: GoValue($0.value)) })
        case .string(let text): self = .quoted(text)
        default: self = .literal(json.description)
        }
    }

    /// On one line, without spaces.
    package var compact: String {
        switch self {
        case .literal(let text): text
        case .list(let elements): "[\(elements.map(\.compact).joined(separator: ","))]"
        case .members(let members): "{\(members.map { "\(Self.quote($0.name)):\($0.value.compact)" }.joined(separator: ","))}"
        }
    }

    /// One member or element a line, indented by one space a level.
    package var lines: [String] {
        var lines: [String] = []
        write(indent: 0, first: "", last: "", &lines)
        return lines
    }

    private func write(indent: Int, first: String, last: String, _ lines: inout [String]) {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .list(let elements) where !elements.isEmpty:
            lines.append("\(margin)\(first)[")
            for (index, element) in elements.enumerated() {
                element.write(indent: indent + 1, first: "", last: index + 1 < elements.count ? "," : "", &lines)
            }
            lines.append("\(margin)]\(last)")
        case .members(let members) where !members.isEmpty:
            lines.append("\(margin)\(first){")
            for (index, member) in members.enumerated() {
                let comma = index + 1 < members.count ? "," : ""
                member.value.write(indent: indent + 1, first: "\(Self.quote(member.name)): ", last: comma, &lines)
            }
            lines.append("\(margin)}\(last)")
        default:
            lines.append("\(margin)\(first)\(compact)\(last)")
        }
    }

    private static func quote(_ text: String) -> String {
        let plain = JSONValue.string(text).description
        guard plain.utf8.contains(where: { $0 == 0x3C || $0 == 0x3E || $0 == 0x26 || $0 == 0xE2 }) else { return plain }
        var quoted = ""
        for scalar in plain.unicodeScalars {
            switch scalar {
            case "<": quoted += "\\u003c"
            case ">": quoted += "\\u003e"
            case "&": quoted += "\\u0026"
            case "\u{2028}": quoted += "\\u2028"
            case "\u{2029}": quoted += "\\u2029"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted
    }
}
