/// An image reference taken apart far enough to find its registry and default tag.
public struct ImageName: Sendable, Hashable {
    /// Registry host, `docker.io` when none is written.
    public var registry: String
    /// Path in the registry.
    public var repository: String
    /// The reference with a tag or digest.
    public var reference: String

    /// The registry of references that name none.
    public static let defaultRegistry = "docker.io"

    /// Nil when the text is no image reference.
    public init?(_ text: String) {
        let (name, digest) = Self.split(text, at: "@")
        if let digest, !Self.isDigest(digest) { return nil }
        var path = name
        var tag: String?
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") {
            path = String(name[..<colon])
            tag = String(name[name.index(after: colon)...])
        }
        if let tag, !Self.isTag(tag) { return nil }
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first, !path.isEmpty else { return nil }
        if parts.count > 1, first == "localhost" || first.contains(".") || first.contains(":") {
            registry = first
            parts.removeFirst()
        } else {
            registry = Self.defaultRegistry
        }
        guard !parts.isEmpty, parts.allSatisfy(Self.isPathComponent) else { return nil }
        if registry == Self.defaultRegistry, parts.count == 1 { parts.insert("library", at: 0) }
        repository = parts.joined(separator: "/")
        reference = tag == nil && digest == nil ? "\(text):latest" : text
    }

    private static func split(_ text: String, at separator: Character) -> (String, String?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (String(text[..<index]), String(text[text.index(after: index)...]))
    }

    private static func isDigest(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":") else { return false }
        let hex = text[text.index(after: colon)...]
        return hex.utf8.count >= 32 && hex.allSatisfy(\.isHexDigit)
    }

    private static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        return isWord(first) && text.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isLower(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
    }

    private static func isLower(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// Lower-case letters and digits, with single separators between them.
    private static func isPathComponent(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isLower(first), isLower(last) else { return false }
        return text.utf8.allSatisfy { isLower($0) || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains($0) }
    }
}
