/// Breaks long texts at blanks, where upstream's YAML printer does: at the first one beyond the eightieth column.
struct YAMLFold {
    /// Where the lines after the first begin.
    let indent: Int
    /// Where the text begins.
    let column: Int

    private static let width = 80

    func plain(_ text: String) -> String? { folded(text, quote: nil) }

    func singleQuoted(_ text: String) -> String? { folded(text, quote: "'") }

    /// Nil when the text is too short to be folded.
    private func folded(_ text: String, quote: UnicodeScalar?) -> String? {
        guard column + text.utf8.count > Self.width else { return nil }
        let scalars = Array(text.unicodeScalars)
        var out = String.UnicodeScalarView()
        var column = column
        func put(_ scalar: UnicodeScalar) {
            out.append(scalar)
            column += 1
        }
        if let quote { put(quote) }
        var afterBlank = false
        for (index, scalar) in scalars.enumerated() {
            guard scalar == " " else {
                if scalar == quote { put(scalar) }
                put(scalar)
                afterBlank = false
                continue
            }
            let isInside = index > 0 && index + 1 < scalars.count && scalars[index + 1] != " "
            if isInside, !afterBlank, column > Self.width { breakLine(&out, &column) } else { put(scalar) }
            afterBlank = true
        }
        if let quote { put(quote) }
        return String(out)
    }

    /// In double quotes a blank at the beginning of a line is kept by a backslash.
    func doubleQuoted(_ text: String, _ escaped: (UnicodeScalar) -> String) -> String? {
        guard column + text.utf8.count > Self.width else { return nil }
        let scalars = Array(text.unicodeScalars)
        var out = String.UnicodeScalarView("\"".unicodeScalars)
        var column = column + 1
        var afterBlank = false
        for (index, scalar) in scalars.enumerated() {
            let isInside = index > 0 && index + 1 < scalars.count
            if scalar == " ", isInside, !afterBlank, column > Self.width {
                breakLine(&out, &column)
                if scalars[index + 1] == " " {
                    out.append("\\")
                    column += 1
                }
            } else {
                let written = escaped(scalar).unicodeScalars
                out.append(contentsOf: written)
                column += written.count
            }
            afterBlank = scalar == " "
        }
        out.append("\"")
        return String(out)
    }

    private func breakLine(_ out: inout String.UnicodeScalarView, _ column: inout Int) {
        out.append("\n")
        for _ in 0..<indent { out.append(" ") }
        column = indent
    }
}
