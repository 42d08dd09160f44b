extension DNSMessage {
    /// The message on the wire, in at most `limit` bytes: what does not fit is left out and the message marked.
    public func encoded(limit: Int = DNSMessage.longestMessage) -> [UInt8] {
        let whole = encodedWhole()
        if whole.count <= limit { return whole }
        var shorter = self
        shorter.isTruncated = true
        shorter.additionals = []
        shorter.authorities = []
        // Halving is enough: an asker that sees the mark asks again over TCP.
        while !shorter.answers.isEmpty {
            shorter.answers.removeLast((shorter.answers.count + 1) / 2)
            let bytes = shorter.encodedWhole()
            if bytes.count <= limit { return bytes }
        }
        return shorter.encodedWhole()
    }

    private func encodedWhole() -> [UInt8] {
        var writer = DNSWriter()
        writer.word(id)
        var flags = UInt16(opcode & 15) << 11 | UInt16(securityBits & 3) << 4 | UInt16(code & 15)
        if isResponse { flags |= 0x8000 }
        if isAuthoritative { flags |= 0x0400 }
        if isTruncated { flags |= 0x0200 }
        if wantsRecursion { flags |= 0x0100 }
        if offersRecursion { flags |= 0x0080 }
        writer.word(flags)
        for count in [questions.count, answers.count, authorities.count, additionals.count + (edns == nil ? 0 : 1)] {
            writer.word(UInt16(clamping: count))
        }
        for question in questions {
            writer.name(question.name)
            writer.word(question.type)
            writer.word(question.recordClass)
        }
        for record in answers + authorities + additionals { writer.record(record) }
        if let edns { writer.record(edns.record) }
        return writer.bytes
    }
}

extension DNSMessage.Extension {
    /// EDNS dresses up as a record of the root.
    fileprivate var record: DNSRecord {
        let ttl = UInt32(upperCode) << 24 | UInt32(version) << 16 | (wantsSignatures ? 0x8000 : 0)
        var record = DNSRecord(.root, ttl: ttl, .other(RecordType.opt, []))
        record.recordClass = datagramSize
        return record
    }
}

extension DNSName {
    /// The name without labels.
    static let root = DNSName()

    private init() { labels = [] }
}

/// Appends the parts of a message, remembering where names stand so that later ones can point there.
private struct DNSWriter {
    private(set) var bytes: [UInt8] = []
    private var places: [[[UInt8]]: Int] = [:]

    mutating func word(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xFF)] }

    mutating func long(_ value: UInt32) {
        word(UInt16(value >> 16))
        word(UInt16(value & 0xFFFF))
    }

    /// Compression keeps the spelling of the name pointed to, so it compares bytes exactly.
    mutating func name(_ name: DNSName, compressed: Bool = true) {
        var rest = name.labels
        while !rest.isEmpty {
            if compressed, let place = places[rest] {
                word(0xC000 | UInt16(place))
                return
            }
            if bytes.count < 0x4000, places[rest] == nil { places[rest] = bytes.count }
            let label = rest.removeFirst()
            bytes.append(UInt8(label.count))
            bytes += label
        }
        bytes.append(0)
    }

    mutating func record(_ record: DNSRecord) {
        name(record.name)
        word(record.type)
        word(record.recordClass)
        long(record.ttl)
        let lengthPlace = bytes.count
        word(0)
        content(record.content)
        let length = bytes.count - lengthPlace - 2
        bytes[lengthPlace] = UInt8(length >> 8 & 0xFF)
        bytes[lengthPlace + 1] = UInt8(length & 0xFF)
    }

    private mutating func content(_ content: DNSRecord.Content) {
        switch content {
        case .address(let address): bytes += address.bytes
        case .name(_, let target): name(target)
        case .service(let priority, let weight, let port, let target):
            word(priority)
            word(weight)
            word(port)
            name(target, compressed: false)  // RFC 2782
        case .authority(let server, let mailbox, let serial, let refresh, let retry, let expire, let minimum):
            name(server)
            name(mailbox)
            for value in [serial, refresh, retry, expire, minimum] { long(value) }
        case .text(let texts):
            for text in texts {
                bytes.append(UInt8(clamping: text.count))
                bytes += text.prefix(255)
            }
        case .other(_, let raw): bytes += raw
        }
    }
}
