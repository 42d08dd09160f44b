/// The frames of SPDY/3.1 as Kubernetes' streaming uses them. Header blocks are still compressed here. Pure.
enum SPDYFrame: Sendable, Hashable {
    case synStream(id: UInt32, headers: [UInt8], isLast: Bool)
    case synReply(id: UInt32, headers: [UInt8], isLast: Bool)
    case reset(id: UInt32, status: UInt32)
    case settings
    case ping(id: UInt32)
    case goAway(lastID: UInt32, status: UInt32)
    case headers(id: UInt32, headers: [UInt8], isLast: Bool)
    case windowUpdate(id: UInt32, delta: UInt32)
    case data(id: UInt32, bytes: [UInt8], isLast: Bool)
    /// A control frame of a type nobody here knows: skipped.
    case unknown(type: UInt16)

    private static let version: UInt16 = 3
    private static let finFlag: UInt8 = 1

    func encoded() -> [UInt8] {
        var out: [UInt8] = []
        switch self {
        case .synStream(let id, let headers, let isLast):
            Self.head(1, isLast, 10 + headers.count, &out)
            Self.put(id, &out)
            Self.put(UInt32(0), &out)
            out += [0, 0]
            out += headers
        case .synReply(let id, let headers, let isLast):
            Self.head(2, isLast, 4 + headers.count, &out)
            Self.put(id, &out)
            out += headers
        case .reset(let id, let status):
            Self.head(3, false, 8, &out)
            Self.put(id, &out)
            Self.put(status, &out)
        case .settings:
            Self.head(4, false, 4, &out)
            Self.put(UInt32(0), &out)
        case .ping(let id):
            Self.head(6, false, 4, &out)
            Self.put(id, &out)
        case .goAway(let lastID, let status):
            Self.head(7, false, 8, &out)
            Self.put(lastID, &out)
            Self.put(status, &out)
        case .headers(let id, let headers, let isLast):
            Self.head(8, isLast, 4 + headers.count, &out)
            Self.put(id, &out)
            out += headers
        case .windowUpdate(let id, let delta):
            Self.head(9, false, 8, &out)
            Self.put(id, &out)
            Self.put(delta, &out)
        case .data(let id, let bytes, let isLast):
            out.reserveCapacity(8 + bytes.count)
            Self.put(id, &out)
            Self.put(UInt32(isLast ? 1 : 0) << 24 | UInt32(bytes.count), &out)
            out += bytes
        case .unknown: break
        }
        return out
    }

    private static func head(_ type: UInt16, _ isLast: Bool, _ length: Int, _ out: inout [UInt8]) {
        out.reserveCapacity(8 + length)
        put(UInt32(0x8000 | version) << 16 | UInt32(type), &out)
        put(UInt32(isLast ? finFlag : 0) << 24 | UInt32(length), &out)
    }

    private static func put(_ value: UInt32, _ out: inout [UInt8]) {
        out.append(UInt8(value >> 24))
        out.append(UInt8(value >> 16 & 0xff))
        out.append(UInt8(value >> 8 & 0xff))
        out.append(UInt8(value & 0xff))
    }
}

/// A breach of SPDY by the peer.
struct SPDYError: Error, Sendable, Hashable, CustomStringConvertible {
    var message: String

    init(_ message: String) {
        self.message = message
    }

    var description: String { "SPDY: \(message)" }
}

/// Cuts a byte stream into frames. Pure.
struct SPDYDecoder: Sendable {
    /// The largest frame taken; the protocol would allow 16 MiB.
    static let frameLimit = 4 * 1024 * 1024

    private var buffer: [UInt8] = []
    private var start = 0

    mutating func append(_ bytes: [UInt8]) {
        if start == buffer.count {
            buffer = bytes
            start = 0
            return
        }
        if start > 64 * 1024 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    mutating func next() throws(SPDYError) -> SPDYFrame? {
        guard buffer.count - start >= 8 else { return nil }
        let word = number(0)
        let flags = buffer[start + 4]
        let length = Int(number(4) & 0xff_ffff)
        guard length <= Self.frameLimit else { throw SPDYError("a frame of \(length) bytes exceeds \(Self.frameLimit)") }
        guard buffer.count - start >= 8 + length else { return nil }
        let isLast = flags & 1 != 0
        defer { start += 8 + length }
        if word & 0x8000_0000 == 0 {
            return .data(id: word & 0x7fff_ffff, bytes: rest(8, length), isLast: isLast)
        }
        guard word >> 16 & 0x7fff == 3 else { throw SPDYError("version \(word >> 16 & 0x7fff) is not spoken here") }
        return try control(UInt16(word & 0xffff), length, isLast)
    }

    private func control(_ type: UInt16, _ length: Int, _ isLast: Bool) throws(SPDYError) -> SPDYFrame {
        let least = [1: 10, 2: 4, 3: 8, 4: 4, 6: 4, 7: 8, 8: 4, 9: 8][type] ?? 0
        guard length >= least else { throw SPDYError("a frame of type \(type) is too short") }
        let id = length >= 4 ? number(8) & 0x7fff_ffff : 0
        switch type {
        case 1: return .synStream(id: id, headers: rest(18, length - 10), isLast: isLast)
        case 2: return .synReply(id: id, headers: rest(12, length - 4), isLast: isLast)
        case 3: return .reset(id: id, status: number(12))
        case 4: return .settings
        case 6: return .ping(id: number(8))
        case 7: return .goAway(lastID: id, status: number(12))
        case 8: return .headers(id: id, headers: rest(12, length - 4), isLast: isLast)
        case 9: return .windowUpdate(id: id, delta: number(12))
        default: return .unknown(type: type)
        }
    }

    private func number(_ offset: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 { value = value << 8 | UInt32(buffer[start + offset + index]) }
        return value
    }

    private func rest(_ offset: Int, _ count: Int) -> [UInt8] {
        Array(buffer[start + offset..<start + offset + count])
    }
}
