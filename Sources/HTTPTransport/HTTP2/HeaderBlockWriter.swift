import NIOCore

/// Writes a response's header block without state: names of the static table by their number, everything else as it is. The
/// dynamic table would save a hundred bytes of a response and cost more than its head itself. Source: RFC 7541.
enum HeaderBlockWriter {
    /// The first block of a connection says that its dynamic table is empty and stays so, whatever the peer allows.
    static let noTable: UInt8 = 0x20
    /// Literal without indexing: four bits of the name's number.
    private static let nameBits = 0x0f

    static func write(status: Int, into block: inout ByteBuffer) {
        let known: [Int: UInt8] = [200: 8, 204: 9, 206: 10, 304: 11, 400: 12, 404: 13, 500: 14]
        if let index = known[status] {
            block.writeInteger(0x80 | index)
        } else {
            block.writeInteger(UInt8(8))
            writeText(String(status), into: &block)
        }
    }

    /// Writes one field; the name must be in lower case.
    static func write(_ name: String, _ value: String, into block: inout ByteBuffer) {
        if let index = number(of: name) {
            writeNumber(index, bits: nameBits, first: 0, into: &block)
        } else {
            block.writeInteger(UInt8(0))
            writeText(name, into: &block)
        }
        writeText(value, into: &block)
    }

    private static func writeText(_ text: String, into block: inout ByteBuffer) {
        writeNumber(text.utf8.count, bits: 0x7f, first: 0, into: &block)
        if text.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) {
            block.writeBytes(text.utf8.map { $0 == 13 || $0 == 10 || $0 == 0 ? 32 : $0 })
        } else {
            block.writeString(text)
        }
    }

    private static func writeNumber(_ number: Int, bits: Int, first: UInt8, into block: inout ByteBuffer) {
        guard number >= bits else {
            block.writeInteger(first | UInt8(number))
            return
        }
        block.writeInteger(first | UInt8(bits))
        var rest = number - bits
        while rest >= 0x80 {
            block.writeInteger(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        block.writeInteger(UInt8(rest))
    }

    /// The number of a name in the static table, of those our responses have.
    private static func number(of name: String) -> Int? {
        switch name {
        case "content-type": 31
        case "content-length": 28
        case "date": 33
        case "cache-control": 24
        case "content-encoding": 26
        case "etag": 34
        case "vary": 59
        case "location": 46
        case "last-modified": 44
        case "retry-after": 53
        case "allow": 22
        case "www-authenticate": 61
        case "server": 54
        case "set-cookie": 55
        default: nil
        }
    }
}

extension HeaderFields.Field {
    /// The name in HTTP/2's form; nil for a field that belongs to a connection.
    var frameName: String? {
        let name = name.utf8.contains { (0x41...0x5a).contains($0) } ? name.lowercased() : name
        switch name {
        case "connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "host": return nil
        default: return name
        }
    }
}
