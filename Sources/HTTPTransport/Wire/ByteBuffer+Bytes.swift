import NIOCore

extension ByteBuffer {
    /// The readable bytes as an array, copied once.
    func bytesArray() -> [UInt8] {
        withUnsafeReadableBytes { Array($0) }
    }

    /// Adds the readable bytes to an array, copied once.
    func append(to array: inout [UInt8]) {
        withUnsafeReadableBytes { array.append(contentsOf: $0) }
    }
}

extension TimeAmount {
    /// The same span, at most what NIO can count.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let limit: Int64 = 3_000_000_000
        self = .nanoseconds(max(0, min(seconds, limit)) * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

extension SocketAddress {
    /// `address:port` or `[address]:port`; a unix socket's path.
    var text: String {
        guard let address = ipAddress, let port else { return pathname ?? "" }
        return address.utf8.contains(UInt8(ascii: ":")) ? "[\(address)]:\(port)" : "\(address):\(port)"
    }
}
