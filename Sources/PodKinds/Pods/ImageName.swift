/// The names of images, as far as defaults depend on them.
package enum ImageName {
    private static let tagLimit = 128
    private static let nameLimit = 255

    /// Whether a text names an image: a path in small letters, maybe with a host before it, a tag or a digest after it.
    package static func isWellFormed(_ text: String) -> Bool {
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard var name = halves.first, !name.isEmpty else { return false }
        if halves.count == 2, !isDigest(halves[1]) { return false }
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") {
            if !isTag(name[name.index(after: colon)...]) { return false }
            name = name[..<colon]
        }
        if name.utf8.count > nameLimit { return false }
        var parts = name.split(separator: "/", omittingEmptySubsequences: false)
        if parts.count > 1, isHost(parts[0]) { parts.removeFirst() }
        return parts.allSatisfy(isPathPart)
    }

    /// The first part is a host when nothing else could be written so.
    private static func isHost(_ part: Substring) -> Bool {
        guard let first = part.utf8.first, isWord(first) || (65...90).contains(first) || first == UInt8(ascii: "[") else { return false }
        guard part == "localhost" || part.contains(where: { $0 == "." || $0 == ":" || $0.isUppercase }) else { return false }
        return part.utf8.allSatisfy { isWord($0) || (65...90).contains($0) || [45, 46, 58, 91, 93].contains($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }

    /// Words joined by one dot, one or two underscores, or any number of dashes.
    private static func isPathPart(_ part: Substring) -> Bool {
        guard let first = part.utf8.first, let last = part.utf8.last, isWord(first), isWord(last) else { return false }
        var joint: [UInt8] = []
        for byte in part.utf8 {
            if isWord(byte) {
                joint = []
                continue
            }
            joint.append(byte)
            let isJoint = joint == [46] || joint == [95] || joint == [95, 95] || joint.allSatisfy { $0 == 45 }
            if !isJoint { return false }
        }
        return true
    }

    private static func isTag(_ tag: Substring) -> Bool {
        guard let first = tag.utf8.first, first != 45, first != 46, tag.utf8.count <= tagLimit else { return false }
        return tag.utf8.allSatisfy { isWord($0) || (65...90).contains($0) || [45, 46, 95].contains($0) }
    }

    private static func isDigest(_ digest: Substring) -> Bool {
        let halves = digest.split(separator: ":", maxSplits: 1)
        guard halves.count == 2, halves[1].utf8.count >= 32 else { return false }
        return halves[1].utf8.allSatisfy { (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0) }
    }
}
