extension GoTypeNames {
    /// The lines of the table by their types; read when the first message needs one.
    private static let lines: [Substring: Substring] = {
        var lines: [Substring: Substring] = [:]
        for line in table.split(separator: "\n") {
            guard let space = line.firstIndex(of: " ") else { continue }
            lines[line[..<space]] = line[line.index(after: space)...]
        }
        return lines
    }()

    /// What the table says of a field of a struct.
    struct Entry {
        /// The embedded struct that the field lies in.
        var embedded: Substring?
        /// The type, as Go prints it.
        var type: Substring?
    }

    static func entry(_ field: String, of structName: String) -> Entry {
        let key = structName.split(separator: ".").suffix(3).joined(separator: ".")
        for word in lines[key[...]]?.split(separator: " ") ?? [] where word.hasPrefix(field) {
            let halves = word.split(separator: "=", maxSplits: 1)
            let names = halves[0].split(separator: "@", maxSplits: 1)
            guard names[0] == field[...] else { continue }
            return Entry(embedded: names.count == 2 ? names[1] : nil, type: halves.count == 2 ? halves[1] : nil)
        }
        return Entry()
    }

    /// What is so many lists and maps deep in a type; nil where that has no name of its own.
    static func inner(_ type: Substring, depth: Int) -> String? {
        var type = type
        for _ in 0..<depth {
            // A named map or list does not say what is in it.
            guard type.hasPrefix("[]") || type.hasPrefix("map["), let end = type.firstIndex(of: "]") else { return nil }
            type = type[type.index(after: end)...]
        }
        return String(type)
    }
}
