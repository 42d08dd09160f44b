import Store

/// Work on stored JSON without decoding it: finding `metadata`, and writing the resourceVersion into it.
///
/// Stored bytes are canonical JSON of our own making, without `metadata.resourceVersion`. Bytes that are not (a damaged
/// object) yield nil and are served by nobody.
public enum ObjectBytes {
    /// The range of the value of the top-level member `metadata`, braces included.
    public static func metadata(of bytes: [UInt8]) -> Range<Int>? {
        bytes.withUnsafeBufferPointer { buffer in
            var scanner = ByteScanner(buffer)
            return scanner.topLevelMember("metadata")
        }
    }

    /// Where `"resourceVersion":"N",` goes: behind the brace that opens `metadata`.
    public static func splicePoint(of bytes: [UInt8]) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            var scanner = ByteScanner(buffer)
            // Where it ends is not asked: `metadata` is the larger part of many objects.
            guard let start = scanner.startOfTopLevelMember("metadata"), start + 1 < buffer.count,
                buffer[start] == UInt8(ascii: "{"), buffer[start + 1] != UInt8(ascii: "}")
            else { return nil }
            return start + 1
        }
    }

    /// Appends the object with its resourceVersion.
    public static func append(_ bytes: [UInt8], splice: Int, revision: Revision, to out: inout [UInt8]) {
        bytes.withUnsafeBufferPointer { source in
            out.append(contentsOf: source[..<splice])
            appendVersion(revision, to: &out)
            out.append(contentsOf: source[splice...])
        }
    }

    /// The object with its resourceVersion.
    public static func spliced(_ bytes: [UInt8], splice: Int, revision: Revision) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + versionRoom)
        append(bytes, splice: splice, revision: revision, to: &out)
        return out
    }

    /// The object with its resourceVersion; unchanged when it has no metadata to write into.
    public static func spliced(_ bytes: [UInt8], revision: Revision) -> [UInt8] {
        guard let splice = splicePoint(of: bytes) else { return bytes }
        return spliced(bytes, splice: splice, revision: revision)
    }

    /// Room for the member that carries the resourceVersion.
    public static let versionRoom = 48

    private static let versionName = Array("\"resourceVersion\":\"".utf8)

    private static let statusStart = Array("{\"kind\":\"Status\",".utf8)

    /// Whether these bytes are a Status in the order in which answers are written; stored objects begin otherwise.
    public static func isStatus(_ bytes: [UInt8]) -> Bool { bytes.starts(with: statusStart) }

    static func appendVersion(_ revision: Revision, to out: inout [UInt8]) {
        // What was never stored has no version.
        guard revision != .zero else { return }
        out.append(contentsOf: versionName)
        appendNumber(revision.rawValue, to: &out)
        out.append(UInt8(ascii: "\""))
        out.append(UInt8(ascii: ","))
    }

    /// Appends a number in decimal without building a string.
    public static func appendNumber(_ number: UInt64, to out: inout [UInt8]) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        var rest = number
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }
}

/// Walks over JSON text that is known to be well-formed.
struct ByteScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The range of a member's value in the outermost object.
    mutating func topLevelMember(_ name: StaticString) -> Range<Int>? {
        guard let start = startOfTopLevelMember(name), skipValue() else { return nil }
        return start..<position
    }

    /// Where a member's value in the outermost object begins; the walk stops there.
    mutating func startOfTopLevelMember(_ name: StaticString) -> Int? {
        skipBlanks()
        guard take(UInt8(ascii: "{")) else { return nil }
        while position < bytes.count {
            skipBlanks()
            let keyStart = position + 1
            guard skipString() else { return nil }
            let keyEnd = position - 1
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { return nil }
            skipBlanks()
            if matches(name, keyStart, keyEnd) { return position }
            guard skipValue() else { return nil }
            skipBlanks()
            guard take(UInt8(ascii: ",")) else { return nil }
        }
        return nil
    }

    private func matches(_ name: StaticString, _ start: Int, _ end: Int) -> Bool {
        guard end - start == name.utf8CodeUnitCount else { return false }
        for offset in 0..<(end - start) where bytes[start + offset] != name.utf8Start[offset] { return false }
        return true
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipBlanks() {
        while position < bytes.count, bytes[position] <= UInt8(ascii: " ") { position += 1 }
    }

    private mutating func skipString() -> Bool {
        guard take(UInt8(ascii: "\"")) else { return false }
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\\"): position += 2
            case UInt8(ascii: "\""):
                position += 1
                return true
            default: position += 1
            }
        }
        return false
    }

    private mutating func skipValue() -> Bool {
        guard position < bytes.count else { return false }
        switch bytes[position] {
        case UInt8(ascii: "\""): return skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): return skipNested()
        default:
            while position < bytes.count, !isEnd(bytes[position]) { position += 1 }
            return true
        }
    }

    private func isEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte <= UInt8(ascii: " ")
    }

    private mutating func skipNested() -> Bool {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 {
                    position += 1
                    return true
                }
            default: break
            }
            position += 1
        }
        return false
    }
}
