/// A version as semver.org 2.0.0 writes it.
struct SemanticVersion: Comparable {
    private let core: [UInt64]
    private let before: [String]

    /// Reads a version; nil when it is none.
    init?(_ text: String) {
        let (rest, build) = Self.cut(Substring(text), at: "+")
        let (numbers, release) = Self.cut(rest, at: "-")
        let parts = numbers.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy(Self.isNumber) else { return nil }
        let core = parts.compactMap { UInt64($0) }
        guard core.count == 3 else { return nil }
        let before = release.map { $0.split(separator: ".", omittingEmptySubsequences: false) } ?? []
        let builds = build.map { $0.split(separator: ".", omittingEmptySubsequences: false) } ?? []
        guard before.allSatisfy({ Self.isWord($0) && (!$0.allSatisfy(\.isNumber) || Self.isNumber($0)) }) else { return nil }
        guard builds.allSatisfy(Self.isWord) else { return nil }
        self.core = core
        self.before = before.map(String.init)
    }

    /// Whether this is 0.0.0.
    var isZero: Bool { core.allSatisfy { $0 == 0 } && before.isEmpty }

    static func < (one: SemanticVersion, other: SemanticVersion) -> Bool {
        if one.core != other.core { return one.core.lexicographicallyPrecedes(other.core) }
        if one.before.isEmpty || other.before.isEmpty { return !one.before.isEmpty && other.before.isEmpty }
        return one.before.lexicographicallyPrecedes(other.before, by: precedes)
    }

    /// Numbers come before words, and by their size.
    private static func precedes(_ one: String, _ other: String) -> Bool {
        switch (UInt64(one), UInt64(other)) {
        case (let one?, let other?): one < other
        case (.some, nil): true
        case (nil, .some): false
        case (nil, nil): one < other
        }
    }

    private static func cut(_ text: Substring, at mark: Character) -> (Substring, Substring?) {
        guard let place = text.firstIndex(of: mark) else { return (text, nil) }
        return (text[..<place], text[text.index(after: place)...])
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && (text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0"))
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
                    || $0 == UInt8(ascii: "-")
            }
    }
}
