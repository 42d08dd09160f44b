/// Writes a POSIX ustar archive in memory: the layers and image archives that apus makes itself are small.
///
/// Source: IEEE Std 1003.1, pax, "ustar Interchange Format".
struct TarArchive {
    private(set) var bytes: [UInt8] = []
    private static let blockSize = 512

    /// Adds a directory, mode 0755, owned by root.
    mutating func addDirectory(_ path: String) {
        append(path: path.hasSuffix("/") ? path : path + "/", mode: 0o755, size: 0, type: "5")
    }

    /// Adds a regular file owned by root.
    mutating func addFile(_ path: String, _ contents: [UInt8], mode: Int = 0o644) {
        append(path: path, mode: mode, size: contents.count, type: "0")
        bytes += contents
        pad()
    }

    /// The whole archive, with the two empty blocks that end it.
    func finished() -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: 2 * Self.blockSize)
    }

    private mutating func pad() {
        let rest = bytes.count % Self.blockSize
        if rest > 0 { bytes += [UInt8](repeating: 0, count: Self.blockSize - rest) }
    }

    /// Names here are short and our own; a longer one would be cut, so it is refused.
    private mutating func append(path: String, mode: Int, size: Int, type: Character) {
        precondition(path.utf8.count <= 100, "tar: a path of over 100 bytes")
        var header = [UInt8](repeating: 0, count: Self.blockSize)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        put(path, at: 0)
        put(octal(mode, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)  // the epoch: the same bytes give the same digest
        put("        ", at: 148)
        put(String(type), at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6) + "\u{0} ", at: 148)
        bytes += header
    }

    private func octal(_ value: Int, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
