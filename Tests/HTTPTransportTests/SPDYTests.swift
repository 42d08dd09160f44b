import Testing

@testable import HTTPTransport

@Suite struct SPDYTests {
    @Test func `the dictionary is the one of the standard`() {
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in SPDYDictionary.bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        #expect(SPDYDictionary.bytes.count == 1423)
        #expect(b << 16 | a == 0xe3c6_a7c2)
    }

    @Test func `frames survive the wire`() throws {
        let frames: [SPDYFrame] = [
            .synStream(id: 1, headers: [1, 2, 3], isLast: false), .synReply(id: 1, headers: [], isLast: true),
            .reset(id: 3, status: 5), .ping(id: 7), .goAway(lastID: 9, status: 0), .settings,
            .headers(id: 5, headers: [4], isLast: false), .windowUpdate(id: 5, delta: 100),
            .data(id: 5, bytes: [UInt8](repeating: 1, count: 70_000), isLast: true), .data(id: 5, bytes: [], isLast: true),
        ]
        var decoder = SPDYDecoder()
        let wire = frames.flatMap { $0.encoded() }
        var read: [SPDYFrame] = []
        for piece in stride(from: 0, to: wire.count, by: 13) {
            decoder.append(Array(wire[piece..<min(piece + 13, wire.count)]))
            while let frame = try decoder.next() { read.append(frame) }
        }
        #expect(read == frames)
    }

    @Test func `header blocks keep their state across frames`() throws {
        let sender = SPDYHeaderCodec()
        let receiver = SPDYHeaderCodec()
        for number in 0..<50 {
            let headers: HeaderFields = ["streamType": "stdin", "port": "\(number)", "a": "1", "A": "2"]
            let read = try receiver.expand(sender.compress(headers))
            #expect(read["streamtype"] == "stdin")
            #expect(read["port"] == "\(number)")
            #expect(read.all("a") == ["1", "2"])
        }
    }

    @Test func `random bytes never crash the decoders`() {
        for _ in 0..<2_000 {
            var decoder = SPDYDecoder()
            let codec = SPDYHeaderCodec()
            let bytes = (0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...255) }
            decoder.append(Bool.random() ? [0x80, 3, 0, UInt8.random(in: 0...10), 0, 0, 0, UInt8.random(in: 0...40)] + bytes : bytes)
            do {
                while let frame = try decoder.next() {
                    if case .synStream(_, let headers, _) = frame { _ = try codec.expand(headers) }
                }
                _ = try codec.expand(bytes)
            } catch {}
        }
    }

    @Test func `two ends open streams, half-close and end`() async throws {
        let (near, far) = InMemoryDuplex.pair()
        let client = SPDYSession(near, role: .client)
        let server = SPDYSession(far, role: .server)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            group.addTask { try await server.run() }
            let payload = [UInt8](repeating: 5, count: 1_000_000)
            group.addTask {
                let stream = try #require(try await server.accept())
                #expect(stream.headers["streamType"] == "data")
                #expect(stream.headers["port"] == "80")
                while let bytes = try await stream.read() { try await stream.write(bytes) }
                await stream.closeWrite()
            }
            let stream = try await client.open(["streamType": "data", "port": "80"])
            try await stream.waitForReply()
            group.addTask {
                try await stream.write(payload)
                await stream.closeWrite()
            }
            var back: [UInt8] = []
            while let bytes = try await stream.read() { back += bytes }
            #expect(back == payload)
            await client.close()
            try await group.waitForAll()
        }
    }

    @Test func `garbage ends the session with an error and its streams with it`() async throws {
        let (near, far) = InMemoryDuplex.pair()
        let client = SPDYSession(near, role: .client)
        // unstructured: its error is looked at below
        let running = Task { try await client.run() }
        let stream = try await client.open(["streamtype": "error"])
        try await far.write([0x80, 9, 0, 1, 0, 0, 0, 0])
        await #expect(throws: SPDYError.self) { try await running.value }
        await #expect(throws: (any Error).self) { try await stream.waitForReply() }
    }
}
