/// The order of the layers, read from Package.swift: its `layer(…)` rows stand top to bottom, and a target may
/// import only what stands above it and what its row names.
public struct LayerTable: Sendable {
    /// The targets, ground first.
    public let order: [String]
    /// What each target's row names of our own targets.
    public let allowed: [String: Set<String>]

    /// Reads the rows of a manifest's text.
    public init(manifest: String) {
        var order: [String] = []
        var allowed: [String: Set<String>] = [:]
        for line in Self.rows(manifest) {
            guard let row = Self.row(line) else { continue }
            order.append(row.name)
            allowed[row.name] = row.dependencies
        }
        self.order = order
        self.allowed = allowed
    }

    /// The lines of a manifest, a call that stands on several joined to one.
    private static func rows(_ manifest: String) -> [String] {
        var rows: [String] = []
        var open = ""
        for line in manifest.split(separator: "\n") {
            let trimmed = line.drop { $0 == " " }
            if !open.isEmpty {
                open += trimmed
                if trimmed.hasPrefix(")") {
                    rows.append(open)
                    open = ""
                }
            } else if trimmed == "layer(" {
                open = "layer("
            } else {
                rows.append(String(line))
            }
        }
        return rows
    }

    /// The rows that break the order itself.
    public func issues() -> [String] {
        var seen: Set<String> = []
        var issues: [String] = []
        for name in order {
            for dependency in (allowed[name] ?? []).sorted() where order.contains(dependency) && !seen.contains(dependency) {
                issues.append("Package.swift: \(name) depends on \(dependency), which does not stand above it")
            }
            seen.insert(name)
        }
        return issues
    }

    /// What a source file of `target` imports against the table.
    public func issues(inFile path: String, of target: String, text: String) -> [String] {
        guard let allowed = allowed[target] else { return [] }
        return Self.imports(text).filter { order.contains($0) && !allowed.contains($0) && $0 != target }.map {
            "\(path): \(target) must not import \($0): its row in Package.swift does not name it"
        }
    }

    /// The modules that a source text imports.
    static func imports(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            var words = line.split(separator: " ")
            while let first = words.first, first.hasPrefix("@") || ["public", "package", "internal", "private"].contains(first) {
                words.removeFirst()
            }
            guard words.count >= 2, words[0] == "import" else { return nil }
            let module = ["struct", "class", "enum", "func", "protocol"].contains(words[1]) && words.count > 2 ? words[2] : words[1]
            return String(module.prefix { $0 != "." })
        }
    }

    /// `layer("Name", ["A", "B"] + more),`
    private static func row(_ line: String) -> (name: String, dependencies: Set<String>)? {
        var rest = Substring(line).drop { $0 == " " }
        guard rest.hasPrefix("layer(\"") else { return nil }
        rest = rest.dropFirst(7)
        let name = String(rest.prefix { $0 != "\"" })
        var quoted: [String] = []
        var parts = rest.drop { $0 != "[" }.split(separator: "\"", omittingEmptySubsequences: false).dropFirst()
        while let word = parts.popFirst() {
            quoted.append(String(word))
            _ = parts.popFirst()
        }
        return (name, Set(quoted))
    }
}
