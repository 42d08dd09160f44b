import CZlib

/// Compresses and reads the header blocks of one SPDY session. Each direction is one zlib stream, so blocks must be
/// coded in the order they cross the wire.
///
/// Not `Sendable`: owned by the lock of the session. The zlib states live at stable addresses until `deinit`.
final class SPDYHeaderCodec {
    /// Bytes of one block when inflated.
    static let blockLimit = 256 * 1024
    /// Fields of one block.
    static let fieldLimit = 256

    private let deflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let inflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() {
        deflater.initialize(to: z_stream())
        inflater.initialize(to: z_stream())
        let size = CInt(MemoryLayout<z_stream>.size)
        deflateInit_(deflater, Z_BEST_SPEED, ZLIB_VERSION, size)
        inflateInit_(inflater, ZLIB_VERSION, size)
        var dictionary = SPDYDictionary.bytes
        deflateSetDictionary(deflater, &dictionary, UInt32(dictionary.count))
    }

    deinit {
        deflateEnd(deflater)
        inflateEnd(inflater)
        deflater.deallocate()
        inflater.deallocate()
    }

    func compress(_ headers: HeaderFields) -> [UInt8] {
        var plain: [UInt8] = []
        var merged: [(name: String, value: String)] = []
        for field in headers {
            let name = field.name.lowercased()
            if let index = merged.firstIndex(where: { $0.name == name }) {
                merged[index].value += "\0" + field.value
            } else {
                merged.append((name, field.value))
            }
        }
        Self.put(merged.count, &plain)
        for (name, value) in merged {
            Self.put(name.utf8.count, &plain)
            plain += name.utf8
            Self.put(value.utf8.count, &plain)
            plain += value.utf8
        }
        return deflate(plain)
    }

    func expand(_ block: [UInt8]) throws(SPDYError) -> HeaderFields {
        let plain = try inflate(block)
        var reader = BlockReader(bytes: plain)
        let count = try reader.number()
        guard count <= Self.fieldLimit else { throw SPDYError("a header block has \(count) fields") }
        var headers = HeaderFields()
        for _ in 0..<count {
            let name = try reader.text()
            for value in try reader.text().split(separator: "\0", omittingEmptySubsequences: false) {
                headers.append(name, String(value))
            }
        }
        return headers
    }

    private func deflate(_ plain: [UInt8]) -> [UInt8] {
        var input = plain
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        input.withUnsafeMutableBufferPointer { source in
            deflater.pointee.next_in = source.baseAddress
            deflater.pointee.avail_in = UInt32(source.count)
            repeat {
                let room = chunk.count
                chunk.withUnsafeMutableBufferPointer { target in
                    deflater.pointee.next_out = target.baseAddress
                    deflater.pointee.avail_out = UInt32(room)
                    _ = CZlib.deflate(deflater, Z_SYNC_FLUSH)
                }
                out += chunk[..<(room - Int(deflater.pointee.avail_out))]
            } while deflater.pointee.avail_out == 0
        }
        return out
    }

    private func inflate(_ block: [UInt8]) throws(SPDYError) -> [UInt8] {
        var input = block
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        var failure: SPDYError?
        input.withUnsafeMutableBufferPointer { source in
            inflater.pointee.next_in = source.baseAddress
            inflater.pointee.avail_in = UInt32(source.count)
            while failure == nil {
                let room = chunk.count
                var status = chunk.withUnsafeMutableBufferPointer { target in
                    inflater.pointee.next_out = target.baseAddress
                    inflater.pointee.avail_out = UInt32(room)
                    return CZlib.inflate(inflater, Z_SYNC_FLUSH)
                }
                if status == Z_NEED_DICT {
                    var dictionary = SPDYDictionary.bytes
                    status = inflateSetDictionary(inflater, &dictionary, UInt32(dictionary.count))
                    if status == Z_OK { continue }
                }
                out += chunk[..<(room - Int(inflater.pointee.avail_out))]
                if out.count > Self.blockLimit {
                    failure = SPDYError("a header block exceeds \(Self.blockLimit) bytes")
                } else if status != Z_OK, status != Z_BUF_ERROR {
                    failure = SPDYError("a header block cannot be inflated (zlib \(status))")
                } else if inflater.pointee.avail_out > 0 {
                    break
                }
            }
        }
        if let failure { throw failure }
        return out
    }

    private static func put(_ value: Int, _ out: inout [UInt8]) {
        for shift in stride(from: 24, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private struct BlockReader {
        let bytes: [UInt8]
        var offset = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        mutating func number() throws(SPDYError) -> Int {
            guard bytes.count - offset >= 4 else { throw SPDYError("a header block is cut short") }
            defer { offset += 4 }
            return (0..<4).reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
        }

        mutating func text() throws(SPDYError) -> String {
            let length = try number()
            guard length <= bytes.count - offset else { throw SPDYError("a header block is cut short") }
            defer { offset += length }
            return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
        }
    }
}

/// The text both ends prime zlib with (SPDY/3, section 2.6.10.1): first strings with their length in front, then
/// plain text. Its checksum is in the tests.
enum SPDYDictionary {
    private static let counted = """
        options|head|post|put|delete|trace|accept|accept-charset|accept-encoding|accept-language|accept-ranges|age|allow|\
        authorization|cache-control|connection|content-base|content-encoding|content-language|content-length|\
        content-location|content-md5|content-range|content-type|date|etag|expect|expires|from|host|if-match|\
        if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|location|max-forwards|pragma|\
        proxy-authenticate|proxy-authorization|range|referer|retry-after|server|te|trailer|transfer-encoding|upgrade|\
        user-agent|vary|via|warning|www-authenticate|method|get|status|200 OK|version|HTTP/1.1|url|public|set-cookie|\
        keep-alive|origin
        """
    private static let plain = """
        100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505\
        203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden\
        404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable\
        Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT\
        chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,\
        publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.
        """

    static let bytes: [UInt8] = {
        var out: [UInt8] = []
        for word in counted.split(separator: "|") {
            out += [0, 0, 0, UInt8(word.utf8.count)]
            out += word.utf8
        }
        return out + plain.utf8
    }()
}
