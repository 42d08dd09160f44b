import Values

/// One block of a PEM text: what stands between its `BEGIN` and `END` lines.
struct PEMBlock {
    /// What the block says it is, such as `CERTIFICATE`.
    let type: String
    /// Whether there are header lines before the data.
    let hasHeaders: Bool
    /// The data.
    let bytes: [UInt8]

    private static let start = "-----BEGIN "
    private static let end = "-----END "
    private static let dashes = "-----"

    /// The well-formed blocks of a text, in order; what stands between them, and what is malformed, is passed over.
    static func all(in text: String) -> [PEMBlock] {
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(trailing)
        var blocks: [PEMBlock] = []
        var index = lines.startIndex
        while index < lines.endIndex {
            defer { index += 1 }
            guard let type = label(lines[index], start), let last = lines[(index + 1)...].firstIndex(where: { $0.hasPrefix(dashes) }),
                label(lines[last], end) == type
            else { continue }
            if let block = block(type, lines[(index + 1)..<last]) {
                blocks.append(block)
                index = last
            }
        }
        return blocks
    }

    private static func block(_ type: String, _ body: ArraySlice<Substring>) -> PEMBlock? {
        let headers = body.prefix { $0.contains(":") }
        let data = body.dropFirst(headers.count).joined().filter { !$0.isWhitespace }
        guard let bytes = Base64.decode(data) else { return nil }
        return PEMBlock(type: type, hasHeaders: !headers.isEmpty, bytes: bytes)
    }

    private static func trailing(_ line: Substring) -> Substring {
        var line = line
        while let last = line.last, last.isWhitespace { line.removeLast() }
        return line
    }

    private static func label(_ line: Substring, _ prefix: String) -> String? {
        guard line.hasPrefix(prefix), line.hasSuffix(dashes), line.count >= prefix.count + dashes.count else { return nil }
        return String(line.dropFirst(prefix.count).dropLast(dashes.count))
    }
}
