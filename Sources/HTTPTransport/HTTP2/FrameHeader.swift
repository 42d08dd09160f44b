/// The nine bytes in front of every HTTP/2 frame. Source: RFC 9113, section 4.1.
struct FrameHeader: Equatable {
    /// Bytes of a header.
    static let size = 9

    /// Bytes of the payload.
    var length: Int
    /// One of `FrameKind`; others are extensions.
    var kind: UInt8
    /// Bits of `FrameFlag`; what they mean depends on the kind.
    var flags: UInt8
    /// 0 for the connection.
    var streamID: Int32

    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }
}

/// The kinds of frames.
enum FrameKind {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let resetStream: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
}

/// The bits of a frame's flags.
enum FrameFlag {
    static let acknowledges: UInt8 = 0x1
    static let endStream: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let hasPriority: UInt8 = 0x20
}

/// The settings we read or send.
enum SettingName {
    static let headerTableSize: UInt16 = 1
    static let enablePush: UInt16 = 2
    static let maxConcurrentStreams: UInt16 = 3
    static let initialWindowSize: UInt16 = 4
    static let maxFrameSize: UInt16 = 5
    static let maxHeaderListSize: UInt16 = 6
}

/// Why a stream or a connection ends. Source: RFC 9113, section 7.
enum FaultCode: UInt32 {
    case noError = 0
    case protocolError = 1
    case internalError = 2
    case flowControl = 3
    case streamClosed = 5
    case frameSize = 6
    case refusedStream = 7
    case cancel = 8
    case compression = 9
    case enhanceYourCalm = 11
}

/// A breach by the peer that ends the connection.
struct ConnectionFault: Error, Equatable {
    var code: FaultCode
    var reason: String

    init(_ code: FaultCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }
}

/// The windows and sizes of a connection.
enum FrameLimits {
    /// The largest window the protocol knows.
    static let maxWindow = 0x7fff_ffff
    /// What the protocol starts windows with.
    static let initialWindow = 65_535
    /// The largest payload we take, announced to the peer; the protocol's least is 16 KiB.
    static let received = 64 * 1024
    /// The payload we send at most: with its header it fills a TLS record. Every peer takes a little more.
    static let sent = 16 * 1024 - FrameHeader.size
    /// The range of what a peer may announce to take.
    static let announced = 16 * 1024...0xff_ffff
}
