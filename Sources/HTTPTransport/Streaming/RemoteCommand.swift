import Values

/// The channels of exec and attach.
public enum RemoteCommandChannel: UInt8, Sendable, Hashable {
    /// Standard input, from the client.
    case stdin = 0
    /// Standard output, to the client.
    case stdout = 1
    /// Standard error, to the client.
    case stderr = 2
    /// The outcome as a `Status`, to the client.
    case error = 3
    /// Sizes of the terminal, from the client.
    case resize = 4
    /// v5: the client closes the channel whose number is the payload.
    case close = 255
}

/// The subprotocols that carry the channels over a WebSocket.
public enum RemoteCommandProtocol: String, Sendable, Hashable, CaseIterable {
    /// Binary, and standard input can end.
    case v5 = "v5.channel.k8s.io"
    /// Binary.
    case v4 = "v4.channel.k8s.io"
    /// Text: a digit and base64.
    case v4Base64 = "v4.base64.channel.k8s.io"
    /// Binary, as old as the hills.
    case v1 = "channel.k8s.io"
    /// Text: a digit and base64.
    case v1Base64 = "base64.channel.k8s.io"

    /// Whether messages are text.
    public var isBase64: Bool { self == .v4Base64 || self == .v1Base64 }

    /// The protocols, best first.
    public static var names: [String] { allCases.map(\.rawValue) }

    /// A message for bytes on a channel.
    public func encode(_ channel: UInt8, _ bytes: [UInt8]) -> WebSocketConnection.Message {
        if isBase64 { return .text([UInt8(ascii: "0") + channel] + Array(Base64.encode(bytes).utf8)) }
        return .binary([channel] + bytes)
    }

    /// The channel and bytes of a message; nil for one that makes no sense.
    public func decode(_ message: WebSocketConnection.Message) -> (channel: UInt8, bytes: [UInt8])? {
        switch message {
        case .binary(let all), .text(let all):
            guard let first = all.first else { return nil }
            guard isBase64 else { return (first, Array(all.dropFirst())) }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first),
                let bytes = Base64.decode(String(decoding: all.dropFirst(), as: UTF8.self))
            else { return nil }
            return (first - UInt8(ascii: "0"), bytes)
        }
    }
}

/// One end of exec or attach over a WebSocket.
public struct RemoteCommandSocket: Sendable {
    /// The WebSocket.
    public let connection: WebSocketConnection
    /// The subprotocol agreed on.
    public let version: RemoteCommandProtocol

    /// One end; an empty or unknown subprotocol is the oldest.
    public init(_ connection: WebSocketConnection, subprotocol: String) {
        self.connection = connection
        version = RemoteCommandProtocol(rawValue: subprotocol) ?? .v1
    }

    /// Sends bytes on a channel.
    public func send(_ channel: RemoteCommandChannel, _ bytes: [UInt8]) async throws {
        try await send(channel.rawValue, bytes)
    }

    /// Sends bytes on a channel by its number.
    public func send(_ channel: UInt8, _ bytes: [UInt8]) async throws {
        switch version.encode(channel, bytes) {
        case .binary(let bytes): try await connection.send(bytes)
        case .text(let bytes): try await connection.send(text: String(decoding: bytes, as: UTF8.self))
        }
    }

    /// Tells the other end that standard input has ended; before v5 that cannot be said.
    public func closeStdin() async throws {
        guard version == .v5 else { return }
        try await send(.close, [RemoteCommandChannel.stdin.rawValue])
    }

    /// The next bytes and their channel; nil at the end. Messages that make no sense are skipped.
    public func receive() async throws -> (channel: UInt8, bytes: [UInt8])? {
        while let message = try await connection.receive() {
            if let decoded = version.decode(message) { return decoded }
        }
        return nil
    }
}

/// Which streams an exec or attach has.
public struct RemoteCommandOptions: Sendable, Hashable {
    /// Standard input.
    public var stdin: Bool
    /// Standard output.
    public var stdout: Bool
    /// Standard error.
    public var stderr: Bool
    /// A terminal: standard error then comes with standard output, and sizes are sent.
    public var tty: Bool

    /// Options.
    public init(stdin: Bool, stdout: Bool, stderr: Bool, tty: Bool) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr && !tty
        self.tty = tty
    }

    /// The options in the query of a request to a kubelet (`input`, `output`, `error`, `tty`) or an API server
    /// (`stdin`, `stdout`, `stderr`, `tty`).
    public init(query: QueryItems) {
        func flag(_ names: String...) -> Bool {
            names.contains { name in query.first(name).map { $0 == "1" || $0.lowercased() == "true" } ?? false }
        }
        self.init(
            stdin: flag("stdin", "input"),
            stdout: flag("stdout", "output"),
            stderr: flag("stderr", "error"),
            tty: flag("tty")
        )
    }
}
