import HTTPTransport
import Synchronization

/// A transport whose connection can be exchanged while it is in use: a client with a renewed certificate.
///
/// Guarded by `current`. Requests begun before go on with the old one until it is shut down.
public final class RenewableTransport: APITransport {
    private let current: Mutex<HTTPClient>

    /// Sends through `client` until another is given.
    public init(_ client: HTTPClient) {
        current = Mutex(client)
    }

    /// Sends through another client from now on and shuts the old one down: watches on it end and begin anew.
    public func replace(_ client: HTTPClient) async {
        let old = current.withLock { current in
            defer { current = client }
            return current
        }
        await old.shutDown()
    }

    /// Shuts the client in use down.
    public func shutDown() async {
        await current.withLock { $0 }.shutDown()
    }

    /// Sends a request.
    public func send(_ request: HTTPRequest) async throws -> ClientResponse {
        try await current.withLock { $0 }.send(request)
    }

    /// Sends a request that asks to switch protocols.
    public func upgrade(_ request: HTTPRequest) async throws -> (ClientResponse, any DuplexByteStream) {
        try await current.withLock { $0 }.upgrade(request)
    }
}
