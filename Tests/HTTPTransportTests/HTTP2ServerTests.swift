import NIOCore
import NIOHPACK
import Testing

@testable import HTTPTransport

/// Our own HTTP/2: what RFC 9113 asks of a server, and that no peer gets more than its share.
@Suite struct HTTP2ServerTests {
    private static func withPeer<Result: Sendable>(
        _ limits: @Sendable (inout HTTPServerConfiguration.Limits) -> Void = { _ in },
        settings: [(UInt16, UInt32)] = [],
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse = echo,
        _ body: @escaping @Sendable (RawHTTP2, HTTPServer) async throws -> Result
    ) async throws -> Result {
        let (tls, clientTLS, _) = try ServerTests.tls(["h2"])
        var configuration = HTTPServerConfiguration(tls: tls)
        limits(&configuration.limits)
        return try await withServer(configuration, handler: handler) { server, port in
            let peer = try await RawHTTP2.connect(port, clientTLS, settings: settings)
            let result = try await body(peer, server)
            await peer.close()
            return result
        }
    }

    /// Answers with so many bytes as the path says.
    @Sendable private static func sized(_ request: HTTPRequest) async -> HTTPResponse {
        HTTPResponse(status: 200, body: .chunks([[UInt8](repeating: 1, count: 50_000), [UInt8](repeating: 2, count: 150_000)]))
    }

    // MARK: Breaches

    struct Breach: Sendable, CustomTestStringConvertible {
        var what: String
        var bytes: [UInt8]
        var code: FaultCode
        var testDescription: String { what }

        init(_ what: String, _ code: FaultCode, _ frames: [UInt8]...) {
            self.what = what
            self.code = code
            bytes = frames.flatMap { $0 }
        }
    }

    private static let head = FrameFlag.endHeaders | FrameFlag.endStream
    private static let frame = RawHTTP2.frame
    private static let get = RawHTTP2.getRoot
    private static let post = RawHTTP2.postRoot

    static let breaches = [
        Breach("an even stream", .protocolError, frame(FrameKind.headers, head, 2, get)),
        Breach("HEADERS on the connection", .protocolError, frame(FrameKind.headers, head, 0, get)),
        Breach("DATA on a stream never begun", .protocolError, frame(FrameKind.data, 1, 1, [1])),
        Breach("DATA on the connection", .protocolError, frame(FrameKind.data, 1, 0, [1])),
        Breach("a window for a stream never begun", .protocolError, frame(FrameKind.windowUpdate, 0, 7, [0, 0, 0, 1])),
        Breach("a window of nothing", .protocolError, frame(FrameKind.windowUpdate, 0, 0, [0, 0, 0, 0])),
        Breach("a window too large", .flowControl, frame(FrameKind.windowUpdate, 0, 0, [0x7f, 0xff, 0xff, 0xff])),
        Breach("a short WINDOW_UPDATE", .frameSize, frame(FrameKind.windowUpdate, 0, 0, [0, 0, 1])),
        Breach("RST_STREAM of a stream never begun", .protocolError, frame(FrameKind.resetStream, 0, 1, [0, 0, 0, 8])),
        Breach("a short RST_STREAM", .frameSize, frame(FrameKind.headers, head, 1, get), frame(FrameKind.resetStream, 0, 1, [8])),
        Breach("SETTINGS on a stream", .protocolError, frame(FrameKind.settings, 0, 1, [])),
        Breach("SETTINGS cut short", .frameSize, frame(FrameKind.settings, 0, 0, [0, 3, 0])),
        Breach("SETTINGS acknowledged with values", .frameSize, frame(FrameKind.settings, 1, 0, [0, 3, 0, 0, 0, 1])),
        Breach("push of neither 0 nor 1", .protocolError, frame(FrameKind.settings, 0, 0, [0, 2, 0, 0, 0, 2])),
        Breach("an initial window too large", .flowControl, frame(FrameKind.settings, 0, 0, [0, 4, 0x80, 0, 0, 0])),
        Breach("a frame size too small", .protocolError, frame(FrameKind.settings, 0, 0, [0, 5, 0, 0, 0x3f, 0xff])),
        Breach("a short PING", .frameSize, frame(FrameKind.ping, 0, 0, [1])),
        Breach("PING on a stream", .protocolError, frame(FrameKind.ping, 0, 1, [UInt8](repeating: 0, count: 8))),
        Breach("a short PRIORITY", .frameSize, frame(FrameKind.priority, 0, 1, [1])),
        Breach("a push by a client", .protocolError, frame(FrameKind.pushPromise, 4, 1, [0, 0, 0, 2])),
        Breach("CONTINUATION of nothing", .protocolError, frame(FrameKind.continuation, 4, 1, get)),
        Breach("a frame inside a block", .protocolError, frame(FrameKind.headers, 1, 1, get), frame(FrameKind.ping, 0, 0, [0])),
        Breach(
            "another stream's CONTINUATION",
            .protocolError,
            frame(FrameKind.headers, 1, 1, get),
            frame(FrameKind.continuation, 4, 3, [])
        ),
        Breach("more padding than payload", .protocolError, frame(FrameKind.headers, head | FrameFlag.padded, 1, [9] + get)),
        Breach("no room for the priority", .frameSize, frame(FrameKind.headers, head | FrameFlag.hasPriority, 1, [0, 0])),
        Breach("a block that is no HPACK", .compression, frame(FrameKind.headers, head, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0x0f])),
        Breach("a frame too long", .frameSize, [1, 0, 1, FrameKind.data, 0, 0, 0, 0, 1]),
    ]

    @Test(arguments: breaches)
    func `a breach of the connection is named and ends it`(_ breach: Breach) async throws {
        try await Self.withPeer { peer, server in
            try await peer.write(breach.bytes)
            let last = try #require(try await peer.next(FrameKind.goAway))
            #expect(last.code == breach.code.rawValue)
            #expect(try await peer.next() == nil)
            try await eventually { server.connectionCount == 0 }
        }
    }

    static let faults = [
        Breach("no path", .protocolError, frame(FrameKind.headers, head, 1, [0x82, 0x87])),
        Breach("no scheme", .protocolError, frame(FrameKind.headers, head, 1, [0x82, 0x84])),
        Breach("two methods", .protocolError, frame(FrameKind.headers, head, 1, get + [0x83])),
        Breach(
            "a method behind a field",
            .protocolError,
            frame(FrameKind.headers, head, 1, [0x87, 0x84] + RawHTTP2.field("a", "b") + [0x82])
        ),
        Breach("a pseudo-field of responses", .protocolError, frame(FrameKind.headers, head, 1, get + [0x88])),
        Breach(
            "an unknown pseudo-field",
            .protocolError,
            frame(FrameKind.headers, head, 1, get + RawHTTP2.field(":protocol", "websocket"))
        ),
        Breach("a name in upper case", .protocolError, frame(FrameKind.headers, head, 1, get + RawHTTP2.field("Accept", "b"))),
        Breach("a field of the connection", .protocolError, frame(FrameKind.headers, head, 1, get + RawHTTP2.field("connection", "close"))),
        Breach("TE of more than trailers", .protocolError, frame(FrameKind.headers, head, 1, get + RawHTTP2.field("te", "gzip"))),
        Breach("a line break in a value", .protocolError, frame(FrameKind.headers, head, 1, get + RawHTTP2.field("a", "b\r\nc: d"))),
        Breach(
            "two lengths",
            .protocolError,
            frame(FrameKind.headers, 4, 1, post + RawHTTP2.field("content-length", "1") + RawHTTP2.field("content-length", "2"))
        ),
        Breach(
            "a body longer than said",
            .protocolError,
            frame(FrameKind.headers, 4, 1, post + RawHTTP2.field("content-length", "1")),
            frame(FrameKind.data, 1, 1, [1, 2])
        ),
        Breach(
            "a body shorter than said",
            .protocolError,
            frame(FrameKind.headers, 4, 1, post + RawHTTP2.field("content-length", "3")),
            frame(FrameKind.data, 1, 1, [1, 2])
        ),
        Breach("no body at all", .protocolError, frame(FrameKind.headers, head, 1, post + RawHTTP2.field("content-length", "3"))),
        Breach(
            "trailers that do not end",
            .protocolError,
            frame(FrameKind.headers, 4, 1, post),
            frame(FrameKind.headers, 4, 1, RawHTTP2.field("a", "b"))
        ),
        Breach("a pseudo-field in trailers", .protocolError, frame(FrameKind.headers, 4, 1, post), frame(FrameKind.headers, head, 1, get)),
        Breach(
            "a window of nothing on a stream",
            .protocolError,
            frame(FrameKind.headers, 4, 1, post),
            frame(FrameKind.windowUpdate, 0, 1, [0, 0, 0, 0])
        ),
        Breach(
            "a stream's window too large",
            .flowControl,
            frame(FrameKind.headers, 4, 1, post),
            frame(FrameKind.windowUpdate, 0, 1, [0x7f, 0xff, 0xff, 0xff])
        ),
    ]

    @Test(arguments: faults)
    func `a breach of a stream ends that stream alone`(_ fault: Breach) async throws {
        try await Self.withPeer { peer, _ in
            try await peer.write(fault.bytes)
            let reset = try #require(try await peer.next(FrameKind.resetStream))
            #expect(reset.id == 1)
            #expect(reset.code == fault.code.rawValue)
            try await peer.get(3)
            #expect(text(try await peer.body(3)).hasPrefix("GET /"))
        }
    }

    @Test func `a first frame that is no SETTINGS and a preface that is none end the connection`() async throws {
        let (tls, clientTLS, _) = try ServerTests.tls(["h2"])
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { _, port in
            for bytes in [
                RawHTTP2.preface + RawHTTP2.frame(FrameKind.headers, Self.head, 1, Self.get), Array("GET / HTTP/1.1\r\n\r\n".utf8),
            ] {
                let peer = try await RawHTTP2.connect(port, clientTLS, greets: false)
                try await peer.write(bytes)
                #expect(try await peer.next(FrameKind.goAway)?.code == FaultCode.protocolError.rawValue)
                #expect(try await peer.next() == nil)
            }
        }
    }

    // MARK: What is allowed

    @Test func `a request may come byte by byte, padded, with priority, in many blocks and with trailers`() async throws {
        try await Self.withPeer { peer, _ in
            let block = Self.post + RawHTTP2.field("content-length", "5")
            let padded: [UInt8] = [3, 0, 0, 0, 0, 7] + block.prefix(2) + [0, 0, 0]
            let bytes =
                Self.frame(FrameKind.headers, FrameFlag.padded | FrameFlag.hasPriority, 1, padded)
                + Self.frame(FrameKind.continuation, 0, 1, [])
                + Self.frame(FrameKind.continuation, FrameFlag.endHeaders, 1, Array(block.dropFirst(2)))
                + Self.frame(0x77, 0, 1, [1, 2, 3])
                + Self.frame(FrameKind.data, FrameFlag.padded, 1, [2, 1, 2, 3, 0, 0])
                + Self.frame(FrameKind.data, 0, 1, [4, 5])
                + Self.frame(FrameKind.headers, Self.head, 1, RawHTTP2.field("checksum", "1"))
            for byte in bytes { try await peer.write([byte]) }
            #expect(text(try await peer.body(1)).hasSuffix("body 5"))
        }
    }

    @Test func `pings and settings are answered`() async throws {
        try await Self.withPeer { peer, _ in
            #expect(try await peer.next(FrameKind.settings)?.flags == 0)
            #expect(try await peer.next(FrameKind.settings)?.flags == FrameFlag.acknowledges)
            try await peer.send(FrameKind.ping, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])
            let pong = try await peer.next(FrameKind.ping)
            #expect(pong?.flags == FrameFlag.acknowledges)
            #expect(pong?.payload == [1, 2, 3, 4, 5, 6, 7, 8])
        }
    }

    @Test func `heads are written so that any decoder reads them`() throws {
        var block = ByteBuffer()
        block.writeInteger(HeaderBlockWriter.noTable)
        HeaderBlockWriter.write(status: 200, into: &block)
        HeaderBlockWriter.write(status: 418, into: &block)
        let long = String(repeating: "x", count: 3_000)
        for (name, value) in [("content-type", "application/json"), ("www-authenticate", "Basic"), ("audit-id", "a"), ("warning", long)] {
            HeaderBlockWriter.write(name, value, into: &block)
        }
        HeaderBlockWriter.write("x", "a\r\nb", into: &block)
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        let fields = try decoder.decodeHeaders(from: &block)
        #expect(fields.map(\.name) == [":status", ":status", "content-type", "www-authenticate", "audit-id", "warning", "x"])
        #expect(fields.map(\.value) == ["200", "418", "application/json", "Basic", "a", long, "a  b"])
    }

    // MARK: Flow control

    @Test func `a body comes as the windows allow, to the byte`() async throws {
        try await Self.withPeer(settings: [(SettingName.initialWindowSize, 10)], handler: Self.sized) { peer, _ in
            try await peer.get(1)
            #expect(try await peer.body(1, upTo: 10).count == 10)
            // A smaller initial window makes the stream's negative: only what lies above it may come.
            try await peer.send(FrameKind.settings, 0, 0, RawHTTP2.settings([(SettingName.initialWindowSize, 0)]))
            try await peer.send(FrameKind.windowUpdate, 0, 1, RawHTTP2.word(15))
            #expect(try await peer.body(1, upTo: 5).count == 5)
            try await peer.send(FrameKind.ping, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0])
            #expect(try await peer.next()?.kind != FrameKind.data)
            try await peer.send(FrameKind.windowUpdate, 0, 1, RawHTTP2.word(1_000_000))
            // Now the connection's window is the narrower one.
            #expect(try await peer.body(1, upTo: 65_535 - 15).count == 65_535 - 15)
            try await peer.send(FrameKind.windowUpdate, 0, 0, RawHTTP2.word(1_000_000))
            let rest = try await peer.body(1)
            #expect(rest.count == 200_000 - 65_535)
            #expect(rest.last == 2)
        }
    }

    @Test func `streams take turns when the connection's window is narrow`() async throws {
        try await Self.withPeer(handler: Self.sized) { peer, _ in
            for id: Int32 in [1, 3, 5] { try await peer.get(id) }
            var seen: [Int32: Int] = [:]
            // The first may take the whole window before the others have been begun; nobody gets more until all have.
            var begun = 0
            var total = 0
            while begun < 3 || total < 65_535 {
                let frame = try #require(try await peer.next())
                if frame.kind == FrameKind.headers { begun += 1 }
                guard frame.kind == FrameKind.data else { continue }
                seen[frame.id, default: 0] += frame.payload.count
                total += frame.payload.count
            }
            for (id, count) in seen { try await peer.send(FrameKind.windowUpdate, 0, id, RawHTTP2.word(UInt32(count))) }
            try await peer.send(FrameKind.windowUpdate, 0, 0, RawHTTP2.word(UInt32(total)))
            while total < 600_000, let frame = try await peer.next(FrameKind.data) {
                seen[frame.id, default: 0] += frame.payload.count
                total += frame.payload.count
                guard !frame.payload.isEmpty else { continue }
                try await peer.send(FrameKind.windowUpdate, 0, frame.id, RawHTTP2.word(UInt32(frame.payload.count)))
                if seen.count == 3, total < 400_000 {
                    let least = seen.values.min() ?? 0
                    // Turns are frames, not bytes, and the first had a window ahead; without turns it would be 200,000.
                    #expect((seen.values.max() ?? 0) - least < 150_000)
                }
                try await peer.send(FrameKind.windowUpdate, 0, 0, RawHTTP2.word(UInt32(frame.payload.count)))
            }
            #expect(seen == [1: 200_000, 3: 200_000, 5: 200_000])
        }
    }

    @Test func `frames stay small, whatever size the peer allows`() async throws {
        let settings: [(UInt16, UInt32)] = [(SettingName.maxFrameSize, 1 << 20), (SettingName.initialWindowSize, 1 << 20)]
        try await Self.withPeer(settings: settings, handler: Self.sized) { peer, _ in
            try await peer.send(FrameKind.windowUpdate, 0, 0, RawHTTP2.word(1 << 20))
            try await peer.get(1)
            var sizes: [Int] = []
            while let frame = try await peer.next(FrameKind.data) {
                sizes.append(frame.payload.count)
                if frame.flags & FrameFlag.endStream != 0 { break }
            }
            #expect(sizes.reduce(0, +) == 200_000)
            #expect(sizes.max() == FrameLimits.sent)
        }
    }

    // MARK: Floods and stalls

    @Test func `a stream whose window stays shut is reset`() async throws {
        try await Self.withPeer(
            { $0.stalledWrite = .milliseconds(200) },
            settings: [(SettingName.initialWindowSize, 0)],
            handler: Self.sized
        ) { peer, _ in
            try await peer.get(1)
            #expect(try await peer.next(FrameKind.resetStream, on: 1)?.code == FaultCode.cancel.rawValue)
        }
    }

    @Test func `a body that does not go on is reset`() async throws {
        try await Self.withPeer({ $0.requestBody = .milliseconds(200) }) { peer, _ in
            try await peer.send(FrameKind.headers, FrameFlag.endHeaders, 1, Self.post)
            try await peer.send(FrameKind.data, 0, 1, [1])
            #expect(try await peer.next(FrameKind.resetStream, on: 1)?.code == FaultCode.cancel.rawValue)
        }
    }

    @Test func `a header block that does not go on ends the connection`() async throws {
        try await Self.withPeer({ $0.requestHead = .milliseconds(200) }) { peer, _ in
            try await peer.send(FrameKind.headers, FrameFlag.endStream, 1, Self.get)
            #expect(try await peer.next(FrameKind.goAway)?.code == FaultCode.enhanceYourCalm.rawValue)
        }
    }

    @Test func `streams beyond the limit are refused and the others go on`() async throws {
        try await Self.withPeer({ $0.concurrentStreams = 2 }) { peer, _ in
            for id: Int32 in [1, 3, 5] { try await peer.send(FrameKind.headers, FrameFlag.endHeaders, id, Self.post) }
            #expect(try await peer.next(FrameKind.resetStream) == RawHTTP2.Frame(kind: 3, flags: 0, id: 5, payload: [0, 0, 0, 7]))
            // What was under way to the refused one is no breach.
            try await peer.send(FrameKind.data, 1, 5, [1])
            try await peer.send(FrameKind.data, 1, 3, [1])
            #expect(text(try await peer.body(3)).hasSuffix("body 1"))
        }
    }

    struct Flood: Sendable, CustomTestStringConvertible {
        var what: String
        var count: Int
        var frames: @Sendable (Int) -> [UInt8]
        var testDescription: String { what }
    }

    static let floods = [
        Flood(what: "rapid resets", count: FloodGuard.frames + 1) { index in
            let id = Int32(index * 2 + 1)
            return frame(FrameKind.headers, head, id, get) + frame(FrameKind.resetStream, 0, id, [0, 0, 0, 8])
        },
        Flood(what: "pings", count: FloodGuard.frames + 1) { _ in frame(FrameKind.ping, 0, 0, [UInt8](repeating: 0, count: 8)) },
        Flood(what: "settings", count: FloodGuard.frames + 1) { _ in frame(FrameKind.settings, 0, 0, []) },
        Flood(what: "priorities", count: FloodGuard.frames + 1) { _ in frame(FrameKind.priority, 0, 1, [0, 0, 0, 0, 1]) },
        Flood(what: "unknown frames", count: FloodGuard.frames + 1) { _ in frame(0x99, 0, 0, []) },
        Flood(what: "faulty streams", count: FloodGuard.streamFaults + 1) { frame(FrameKind.headers, head, Int32($0 * 2 + 1), [0x82]) },
        Flood(what: "empty data", count: 200) { index in
            index == 0 ? frame(FrameKind.headers, 4, 1, post) : frame(FrameKind.data, 0, 1, [])
        },
        Flood(what: "continuations", count: 100) { index in
            frame(index == 0 ? FrameKind.headers : FrameKind.continuation, 0, 1, [])
        },
        Flood(what: "a header block without end", count: 40) { index in
            frame(index == 0 ? FrameKind.headers : FrameKind.continuation, 0, 1, [UInt8](repeating: 0, count: 60_000))
        },
        Flood(what: "many large fields", count: 1) { _ in
            // One field of 4 KB enters the table, and is named 400 times.
            let field = [0x40, 1, 0x61, 0x7f, 0x81, 0x1d] + [UInt8](repeating: 0x62, count: 3_840)
            return frame(FrameKind.headers, head, 1, get + field + [UInt8](repeating: 0xbe, count: 400))
        },
    ]

    @Test(arguments: floods)
    func `a flood ends the connection`(_ flood: Flood) async throws {
        try await Self.withPeer { peer, server in
            // unstructured: the server may close while this still writes
            let writing = Task {
                var bytes: [UInt8] = []
                for index in 0..<flood.count {
                    bytes += flood.frames(index)
                    guard bytes.count > 16_000 || index == flood.count - 1 else { continue }
                    try await peer.write(bytes)
                    bytes = []
                }
            }
            let last = try await peer.next(FrameKind.goAway)
            #expect(last?.code == FaultCode.enhanceYourCalm.rawValue)
            try await eventually { server.connectionCount == 0 }
            _ = try? await writing.value
        }
    }

    @Test func `a flood is counted over the border of two spans and forgotten later`() {
        var count = FloodGuard(limit: 3)
        let start = NIODeadline.uptimeNanoseconds(1)
        let span = FloodGuard.span
        let verdicts = [start, start + span - .seconds(1), start + span, start + span + .seconds(1), start + span * 4].map {
            count.permits(at: $0)
        }
        #expect(verdicts == [true, true, true, false, true])
    }

    @Test func `random frames never crash the server`() async throws {
        var random = SeededRandom(seed: 7)
        let (tls, clientTLS, _) = try ServerTests.tls(["h2"])
        let streams = (0..<60).map { _ in
            (0..<40).flatMap { _ -> [UInt8] in
                let payload = (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                return RawHTTP2.frame(
                    UInt8.random(in: 0...10, using: &random),
                    UInt8.random(in: 0...63, using: &random),
                    Int32.random(in: 0...9, using: &random),
                    Bool.random(using: &random) ? Self.get + payload : payload
                )
            }
        }
        try await withServer(HTTPServerConfiguration(tls: tls), handler: echo) { server, port in
            for bytes in streams {
                let peer = try await RawHTTP2.connect(port, clientTLS)
                try? await peer.write(bytes)
                await peer.close()
            }
            try await eventually { server.connectionCount == 0 }
            let peer = try await RawHTTP2.connect(port, clientTLS)
            try await peer.get(1)
            #expect(text(try await peer.body(1)).hasPrefix("GET /"))
            await peer.close()
        }
    }
}

/// A small generator whose numbers are the same in every run.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
