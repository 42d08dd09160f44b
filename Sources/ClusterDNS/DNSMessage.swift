import Units

/// The types of records that we make ourselves.
public enum RecordType {
    /// An IPv4 address.
    public static let a: UInt16 = 1
    /// The name server of a zone.
    public static let ns: UInt16 = 2
    /// Another name for this one.
    public static let cname: UInt16 = 5
    /// The start of a zone.
    public static let soa: UInt16 = 6
    /// The name of an address.
    public static let ptr: UInt16 = 12
    /// Text.
    public static let txt: UInt16 = 16
    /// An IPv6 address.
    public static let aaaa: UInt16 = 28
    /// Where a service is.
    public static let srv: UInt16 = 33
    /// EDNS.
    public static let opt: UInt16 = 41
    /// The transfer of a zone, not offered.
    public static let axfr: UInt16 = 252
    /// Everything.
    public static let any: UInt16 = 255
}

/// How a query went.
public enum ResponseCode: UInt8, Sendable {
    /// Answered; perhaps with nothing.
    case success = 0
    /// The query makes no sense.
    case formatError = 1
    /// We could not find out.
    case serverFailure = 2
    /// There is no such name.
    case nameError = 3
    /// We do not do such things.
    case notImplemented = 4
    /// We do not do that for you.
    case refused = 5
}

/// What is asked.
public struct DNSQuestion: Sendable, Hashable {
    /// The name.
    public var name: DNSName
    /// The type of record.
    public var type: UInt16
    /// The class; 1 is the internet.
    public var recordClass: UInt16

    /// A question of the internet class.
    public init(_ name: DNSName, _ type: UInt16, recordClass: UInt16 = 1) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
    }
}

/// One record.
public struct DNSRecord: Sendable, Hashable {
    /// The content.
    public enum Content: Sendable, Hashable {
        /// A or AAAA.
        case address(IPAddress)
        /// CNAME, NS or PTR: the type tells.
        case name(UInt16, DNSName)
        /// SRV.
        case service(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
        /// SOA.
        case authority(server: DNSName, mailbox: DNSName, serial: UInt32, refresh: UInt32, retry: UInt32, expire: UInt32, minimum: UInt32)
        /// TXT.
        case text([[UInt8]])
        /// Any other type, its bytes as they are (names inside are not compressed).
        case other(UInt16, [UInt8])
    }

    /// Whose record it is.
    public var name: DNSName
    /// The class; 1 is the internet. For EDNS the size of datagrams.
    public var recordClass: UInt16 = 1
    /// How long it may be kept, in seconds.
    public var ttl: UInt32
    /// The content.
    public var content: Content

    /// A record of the internet class.
    public init(_ name: DNSName, ttl: UInt32, _ content: Content) {
        self.name = name
        self.ttl = ttl
        self.content = content
    }

    /// The number of its type.
    public var type: UInt16 {
        switch content {
        case .address(let address): address.isIPv4 ? RecordType.a : RecordType.aaaa
        case .name(let type, _): type
        case .service: RecordType.srv
        case .authority: RecordType.soa
        case .text: RecordType.txt
        case .other(let type, _): type
        }
    }
}

/// One message of the DNS protocol (RFC 1035, with EDNS of RFC 6891).
public struct DNSMessage: Sendable, Hashable {
    /// Ties an answer to its query.
    public var id: UInt16 = 0
    /// True in answers.
    public var isResponse = false
    /// What is wanted; 0 is a query.
    public var opcode: UInt8 = 0
    /// The answer comes from the owner of the name.
    public var isAuthoritative = false
    /// More did not fit.
    public var isTruncated = false
    /// The asker wants us to ask others.
    public var wantsRecursion = false
    /// We do ask others.
    public var offersRecursion = false
    /// AD and CD, as they come.
    public var securityBits: UInt8 = 0
    /// How it went: four bits.
    public var code: UInt8 = 0
    /// What is asked.
    public var questions: [DNSQuestion] = []
    /// The answers.
    public var answers: [DNSRecord] = []
    /// Who knows.
    public var authorities: [DNSRecord] = []
    /// What may be of use, without EDNS.
    public var additionals: [DNSRecord] = []
    /// The EDNS record, if there is one.
    public var edns: Extension?

    /// What EDNS adds to a message.
    public struct Extension: Sendable, Hashable {
        /// The largest datagram its sender takes.
        public var datagramSize: UInt16
        /// The upper eight bits of the response code.
        public var upperCode: UInt8 = 0
        /// Only version 0 is known.
        public var version: UInt8 = 0
        /// The DO bit: signatures are wanted.
        public var wantsSignatures = false

        /// Of version 0.
        public init(datagramSize: UInt16) { self.datagramSize = datagramSize }
    }

    /// An empty query.
    public init() {}

    /// A query for one question.
    public init(id: UInt16, question: DNSQuestion) {
        self.id = id
        wantsRecursion = true
        questions = [question]
    }

    /// The frame of an answer to this query.
    public func reply(_ code: ResponseCode = .success) -> DNSMessage {
        var reply = DNSMessage()
        reply.id = id
        reply.isResponse = true
        reply.opcode = opcode
        reply.wantsRecursion = wantsRecursion
        reply.offersRecursion = true
        reply.code = code.rawValue
        reply.questions = questions
        if edns != nil { reply.edns = Extension(datagramSize: UInt16(Self.preferredDatagram)) }
        return reply
    }

    /// The largest datagram that crosses nearly every network whole.
    public static let preferredDatagram = 1232
    /// What every asker takes.
    public static let smallestDatagram = 512
    /// The longest message over TCP.
    public static let longestMessage = 65_535
}
