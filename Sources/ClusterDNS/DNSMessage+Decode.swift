import Units

/// Why bytes are no DNS message.
public struct DNSFormatError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public let description: String
}

extension DNSMessage {
    /// Reads a message; everything in it must make sense.
    public init(decoding bytes: [UInt8]) throws(DNSFormatError) {
        var reader = DNSReader(bytes)
        try self.init(&reader)
    }

    private init(_ reader: inout DNSReader) throws(DNSFormatError) {
        self.init()
        id = try reader.word()
        let flags = try reader.word()
        isResponse = flags & 0x8000 != 0
        opcode = UInt8(flags >> 11 & 15)
        isAuthoritative = flags & 0x0400 != 0
        isTruncated = flags & 0x0200 != 0
        wantsRecursion = flags & 0x0100 != 0
        offersRecursion = flags & 0x0080 != 0
        securityBits = UInt8(flags >> 4 & 3)
        code = UInt8(flags & 15)
        let counts = (try reader.word(), try reader.word(), try reader.word(), try reader.word())
        for _ in 0..<counts.0 {
            questions.append(DNSQuestion(try reader.name(), try reader.word(), recordClass: try reader.word()))
        }
        for _ in 0..<counts.1 { answers.append(try reader.record()) }
        for _ in 0..<counts.2 { authorities.append(try reader.record()) }
        for _ in 0..<counts.3 {
            let record = try reader.record()
            guard record.type == RecordType.opt else {
                additionals.append(record)
                continue
            }
            guard edns == nil, record.name.labels.isEmpty else { throw DNSFormatError(description: "two EDNS records") }
            var found = Extension(datagramSize: record.recordClass)
            found.upperCode = UInt8(record.ttl >> 24)
            found.version = UInt8(record.ttl >> 16 & 0xFF)
            found.wantsSignatures = record.ttl & 0x8000 != 0
            edns = found
        }
    }
}

/// A cursor over the bytes of a message.
private struct DNSReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() throws(DNSFormatError) -> UInt8 {
        guard index < bytes.count else { throw DNSFormatError(description: "message ends early") }
        index += 1
        return bytes[index - 1]
    }

    mutating func word() throws(DNSFormatError) -> UInt16 { UInt16(try byte()) << 8 | UInt16(try byte()) }

    mutating func long() throws(DNSFormatError) -> UInt32 { UInt32(try word()) << 16 | UInt32(try word()) }

    mutating func take(_ count: Int) throws(DNSFormatError) -> [UInt8] {
        guard index + count <= bytes.count else { throw DNSFormatError(description: "message ends early") }
        index += count
        return Array(bytes[index - count..<index])
    }

    /// A name, perhaps compressed. Pointers must lead backwards, so that there is an end.
    mutating func name() throws(DNSFormatError) -> DNSName {
        var labels: [[UInt8]] = []
        var length = 1
        var end: Int? = nil
        var limit = index
        while true {
            let count = Int(try byte())
            if count == 0 { break }
            if count & 0xC0 == 0xC0 {
                let target = (count & 0x3F) << 8 | Int(try byte())
                end = end ?? index
                guard target < limit else { throw DNSFormatError(description: "a name points forward") }
                limit = target
                index = target
                continue
            }
            guard count <= DNSName.longestLabel else { throw DNSFormatError(description: "unknown kind of label") }
            length += count + 1
            guard length <= DNSName.longestName else { throw DNSFormatError(description: "a name is too long") }
            labels.append(try take(count))
        }
        if let end { index = end }
        guard let name = DNSName(labels: labels) else { throw DNSFormatError(description: "a name is too long") }
        return name
    }

    mutating func record() throws(DNSFormatError) -> DNSRecord {
        let name = try name()
        let type = try word()
        let recordClass = try word()
        let ttl = try long()
        let length = Int(try word())
        guard index + length <= bytes.count else { throw DNSFormatError(description: "message ends early") }
        let end = index + length
        var record = DNSRecord(name, ttl: ttl, try content(type, length))
        record.recordClass = recordClass
        guard index == end else { throw DNSFormatError(description: "a record has the wrong length") }
        return record
    }

    private mutating func content(_ type: UInt16, _ length: Int) throws(DNSFormatError) -> DNSRecord.Content {
        switch type {
        case RecordType.a, RecordType.aaaa:
            guard length == (type == RecordType.a ? 4 : 16), let address = IPAddress(bytes: try take(length)) else {
                throw DNSFormatError(description: "an address has the wrong length")
            }
            return .address(address)
        case RecordType.cname, RecordType.ns, RecordType.ptr: return .name(type, try name())
        case RecordType.srv:
            return .service(priority: try word(), weight: try word(), port: try word(), target: try name())
        case RecordType.soa:
            return .authority(
                server: try name(),
                mailbox: try name(),
                serial: try long(),
                refresh: try long(),
                retry: try long(),
                expire: try long(),
                minimum: try long()
            )
        case RecordType.txt:
            let end = index + length
            var texts: [[UInt8]] = []
            while index < end { texts.append(try take(Int(try byte()))) }
            return .text(texts)
        default: return .other(type, try take(length))
        }
    }
}
