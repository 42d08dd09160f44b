import NIOCore
import NIOHPACK
import NIOPosix
import Synchronization

@testable import HTTPTransport

/// A client that writes HTTP/2 frame by frame, right ones and wrong ones.
final class RawHTTP2: Sendable {
    struct Frame: Sendable, Equatable {
        var kind: UInt8
        var flags: UInt8
        var id: Int32
        var payload: [UInt8]

        /// The four bytes of an RST_STREAM, or the last four of a GOAWAY.
        var code: UInt32 { payload.prefix(kind == FrameKind.goAway ? 8 : 4).suffix(4).reduce(0) { $0 << 8 | UInt32($1) } }
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// `GET / https`, by the static table.
    static let getRoot: [UInt8] = [0x82, 0x87, 0x84]
    /// `POST / https`.
    static let postRoot: [UInt8] = [0x83, 0x87, 0x84]

    private let stream: RawChannelStream
    private let unread = Mutex<[UInt8]>([])

    private init(_ stream: RawChannelStream) { self.stream = stream }

    /// Connects over TLS and sends the preface and SETTINGS.
    static func connect(_ port: Int, _ tls: TLSClient, settings: [(UInt16, UInt32)] = [], greets: Bool = true) async throws -> RawHTTP2 {
        let context = try ClientTLSContext(tls, host: "127.0.0.1", protocols: ["h2"])
        let stream = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let stream = RawChannelStream(channel: channel, highWater: 1024 * 1024)
                    try channel.pipeline.syncOperations.addHandlers([try context.makeHandler(), stream])
                    return stream
                }
            }
        let peer = RawHTTP2(stream)
        if greets {
            try await peer.write(preface)
            try await peer.send(FrameKind.settings, 0, 0, self.settings(settings))
        }
        return peer
    }

    static func settings(_ values: [(UInt16, UInt32)]) -> [UInt8] {
        values.flatMap { Array(word(UInt32($0.0))[2...]) + word($0.1) }
    }

    static func word(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xff), UInt8(value >> 8 & 0xff), UInt8(value & 0xff)]
    }

    /// A field without a table.
    static func field(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }

    static func frame(_ kind: UInt8, _ flags: UInt8, _ id: Int32, _ payload: [UInt8]) -> [UInt8] {
        Array(word(UInt32(payload.count))[1...]) + [kind, flags] + word(UInt32(bitPattern: id)) + payload
    }

    func write(_ bytes: [UInt8]) async throws { try await stream.write(bytes) }

    func send(_ kind: UInt8, _ flags: UInt8, _ id: Int32, _ payload: [UInt8] = []) async throws {
        try await write(Self.frame(kind, flags, id, payload))
    }

    func get(_ id: Int32) async throws {
        try await send(FrameKind.headers, FrameFlag.endHeaders | FrameFlag.endStream, id, Self.getRoot)
    }

    /// The next frame; nil at the connection's end.
    func next() async throws -> Frame? {
        while true {
            let found = unread.withLock { unread -> Frame? in
                guard unread.count >= 9 else { return nil }
                let length = Int(unread[0]) << 16 | Int(unread[1]) << 8 | Int(unread[2])
                guard unread.count >= 9 + length else { return nil }
                let id = unread[5..<9].reduce(0) { $0 << 8 | Int32($1) }
                defer { unread.removeFirst(9 + length) }
                return Frame(kind: unread[3], flags: unread[4], id: id, payload: Array(unread[9..<9 + length]))
            }
            if let found { return found }
            guard let bytes = try? await stream.read() else { return nil }
            unread.withLock { $0 += bytes }
        }
    }

    /// The next frame of a kind, of any stream or of one; the others are dropped.
    func next(_ kind: UInt8, on id: Int32? = nil) async throws -> Frame? {
        while let frame = try await next() {
            if frame.kind == kind, id == nil || frame.id == id { return frame }
        }
        return nil
    }

    /// The body of a stream, to its end or until so many bytes have come.
    func body(_ id: Int32, upTo limit: Int = .max) async throws -> [UInt8] {
        var body: [UInt8] = []
        while body.count < limit, let frame = try await next(FrameKind.data, on: id) {
            body += frame.payload
            if frame.flags & FrameFlag.endStream != 0 { break }
        }
        return body
    }

    func close() async { await stream.close() }
}
