import APIModel
import HTTPTransport
import Values

/// One change as it came: the object is still encoded.
public struct RawWatchEvent: Sendable {
    /// What happened; never `.error`, which is thrown.
    public var type: WatchEventType
    /// The object as JSON bytes.
    public var object: [UInt8]

    /// A change.
    public init(type: WatchEventType, object: [UInt8]) {
        self.type = type
        self.object = object
    }
}

/// The changes a watch delivers. Dropping the stream ends the watch.
public struct WatchStream: AsyncSequence, Sendable {
    /// A change.
    public typealias Element = RawWatchEvent
    let body: ResponseBody

    /// A watch over a response body of newline-delimited events.
    public init(body: ResponseBody) {
        self.body = body
    }

    /// Iterates the changes.
    public func makeAsyncIterator() -> Iterator {
        Iterator(chunks: body.makeAsyncIterator())
    }

    /// Iterates the changes of one watch.
    public struct Iterator: AsyncIteratorProtocol {
        var chunks: ResponseBody.Iterator
        var frames = WatchFrames()

        init(chunks: ResponseBody.Iterator) {
            self.chunks = chunks
        }

        /// The next change; nil when the server has ended the watch.
        public mutating func next() async throws -> RawWatchEvent? {
            while true {
                if let frame = try frames.next() { return try WatchFrames.event(frame) }
                guard let chunk = try await chunks.next() else {
                    guard let rest = frames.rest() else { return nil }
                    return try WatchFrames.event(rest)
                }
                frames.append(chunk)
            }
        }
    }
}

/// Cuts a byte stream into the JSON documents of a watch. Pure.
public struct WatchFrames: Sendable {
    /// The largest event taken; a stored object is far smaller.
    public static let frameLimit = 64 * 1024 * 1024

    private var buffer: [UInt8] = []
    private var start = 0
    private var scanned = 0

    /// An empty cutter.
    public init() {}

    /// Adds bytes as they came.
    public mutating func append(_ bytes: [UInt8]) {
        if start == buffer.count {
            buffer = bytes
            start = 0
            scanned = 0
            return
        }
        if start > 0 {
            buffer.removeFirst(start)
            scanned -= start
            start = 0
        }
        buffer += bytes
    }

    /// The next whole line, without its newline.
    public mutating func next() throws -> [UInt8]? {
        while scanned < buffer.count {
            let from = scanned
            let newline = buffer.withUnsafeBufferPointer { bytes in
                bytes[from...].firstIndex(of: UInt8(ascii: "\n"))
            }
            guard let end = newline else {
                scanned = buffer.count
                break
            }
            let line = Array(buffer[start..<end])
            start = end + 1
            scanned = start
            if !line.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) { return line }
        }
        guard buffer.count - start <= Self.frameLimit else {
            throw TransportError(.tooLarge, "a watch event is longer than \(Self.frameLimit) bytes")
        }
        return nil
    }

    /// What is left at the end of the stream: a last document without newline.
    public mutating func rest() -> [UInt8]? {
        guard start < buffer.count else { return nil }
        let line = Array(buffer[start...])
        start = buffer.count
        return line.allSatisfy { $0 == 0x20 || $0 == 0x0d || $0 == 0x09 } ? nil : line
    }

    /// Reads one document. Throws the `APIError` an `ERROR` event carries.
    public static func event(_ line: [UInt8]) throws -> RawWatchEvent {
        if let quick = quickEvent(line) { return quick }
        let json: JSONValue
        do {
            json = try JSONParser.parse(line)
        } catch {
            throw TransportError(.protocolViolation, "a watch event is no JSON: \(error.message)")
        }
        guard let type = json["type"]?.string.flatMap({ WatchEventType(rawValue: $0) }), let object = json["object"] else {
            throw TransportError(.protocolViolation, "a watch event has no known type")
        }
        if type == .error {
            throw APIError(status: object) ?? APIError.internalError("the watch failed: \(object.description)")
        }
        return RawWatchEvent(type: type, object: object.encoded())
    }

    private static let shapes: [(WatchEventType, [UInt8])] = [
        (.modified, Array(#"{"type":"MODIFIED","object":"#.utf8)),
        (.added, Array(#"{"type":"ADDED","object":"#.utf8)),
        (.deleted, Array(#"{"type":"DELETED","object":"#.utf8)),
        (.bookmark, Array(#"{"type":"BOOKMARK","object":"#.utf8)),
    ]

    /// Every known server writes this shape; the object then needs no decoding here.
    private static func quickEvent(_ line: [UInt8]) -> RawWatchEvent? {
        guard line.last == UInt8(ascii: "}") else { return nil }
        for (type, head) in shapes where line.starts(with: head) {
            return RawWatchEvent(type: type, object: Array(line[head.count..<line.count - 1]))
        }
        return nil
    }
}
