import NIOCore
import NIOHTTP1
import NIOHTTP2

/// A connection of the client's pool.
protocol ClientConnection: AnyObject, Sendable {
    var eventLoop: any EventLoop { get }
    /// HTTP/2: carries many exchanges at once.
    var isMultiplexed: Bool { get }
    /// Sends a request. On the event loop only.
    func start(_ exchange: ClientExchange)
    /// Closes it.
    func close()
}

/// What a connection tells its pool.
struct ClientConnectionEvents: Sendable {
    /// An exchange has ended and the connection can take another.
    var isFree: @Sendable (any ClientConnection) -> Void
    /// It takes no new exchange: closed, or the peer said goodbye.
    var isGone: @Sendable (any ClientConnection) -> Void
}

extension HTTPRequest {
    /// The fields sent on the wire, framing and host left out.
    func wireFields() -> [(name: String, value: String)] {
        headers.fields.compactMap { field in
            HeaderFields.same(field.name, "content-length") || HeaderFields.same(field.name, "host")
                || HeaderFields.same(field.name, "transfer-encoding") ? nil : (field.name, field.value)
        }
    }

    /// Whether the request says how long its body is, even when it is empty.
    var announcesLength: Bool {
        !body.isEmpty || method == "POST" || method == "PUT" || method == "PATCH"
    }

    /// Whether sending it twice does what sending it once does.
    var isIdempotent: Bool {
        ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains(method)
    }
}
