import Glibc
import Units

/// The offsets of a time zone, read from the system's zone files.
struct ZoneInfo: Sendable {
    private let times: [Int64]
    private let offsets: [Int64]
    private let first: Int64

    static let directory = "/usr/share/zoneinfo"
    private static let largestFile = 1 << 18

    /// The zone of a name such as `Europe/Berlin`; nil when it is unknown here.
    init?(named name: String) {
        if name.isEmpty || name == "UTC" || name == "Etc/UTC" {
            (times, offsets, first) = ([], [], 0)
            return
        }
        guard !name.hasPrefix("/"), !name.contains(".."), let bytes = Self.read("\(Self.directory)/\(name)"), let zone = Self(bytes)
        else { return nil }
        self = zone
    }

    /// Reads the 64-bit block of a zone file.
    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let head = reader.header(), head.version >= 50, reader.skip(head.size(wide: false)), let wide = reader.header() else {
            return nil
        }
        var times: [Int64] = []
        for _ in 0..<wide.times { times.append(reader.signed(8)) }
        var indices: [Int] = []
        for _ in 0..<wide.times { indices.append(Int(reader.signed(1) & 0xff)) }
        var types: [Int64] = []
        for _ in 0..<wide.types {
            types.append(reader.signed(4))
            _ = reader.skip(2)
        }
        guard !reader.failed, let first = types.first, indices.allSatisfy({ types.indices.contains($0) }) else { return nil }
        self.times = times
        offsets = indices.map { types[$0] }
        self.first = first
    }

    /// Seconds east of UTC at a time.
    func offset(at time: Timestamp) -> Int64 {
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] <= time.unixSeconds { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : offsets[low - 1]
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 8192)
        while bytes.count < largestFile {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
        return nil
    }

    private struct Header {
        var version: UInt8
        var isUT: Int
        var isStandard: Int
        var leaps: Int
        var times: Int
        var types: Int
        var letters: Int

        func size(wide: Bool) -> Int {
            let width = wide ? 8 : 4
            return times * width + times + types * 6 + letters + leaps * (width + 4) + isStandard + isUT
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0
        var failed = false

        mutating func signed(_ width: Int) -> Int64 {
            guard position + width <= bytes.count else {
                failed = true
                return 0
            }
            var value: UInt64 = bytes[position] & 0x80 != 0 ? .max : 0
            for _ in 0..<width {
                value = value << 8 | UInt64(bytes[position])
                position += 1
            }
            return Int64(bitPattern: value)
        }

        mutating func skip(_ count: Int) -> Bool {
            guard count >= 0, position + count <= bytes.count else {
                failed = true
                return false
            }
            position += count
            return true
        }

        mutating func header() -> Header? {
            guard position + 44 <= bytes.count, bytes[position..<position + 4].elementsEqual("TZif".utf8) else { return nil }
            let version = bytes[position + 4]
            position += 20
            let counts = (0..<6).map { _ in Int(signed(4)) }
            guard counts.allSatisfy({ $0 >= 0 && $0 < 100_000 }) else { return nil }
            return Header(
                version: version,
                isUT: counts[0],
                isStandard: counts[1],
                leaps: counts[2],
                times: counts[3],
                types: counts[4],
                letters: counts[5]
            )
        }
    }
}
