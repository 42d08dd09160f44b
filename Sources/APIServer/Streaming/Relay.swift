import APIModel
import HTTPTransport

/// Passes a request on to another server, and its answer or its raw connection back.
enum Relay {
    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "content-length",
    ]
    /// What only the API server may see.
    private static let secret: Set<String> = ["authorization", "impersonate-user", "impersonate-group", "impersonate-uid"]

    /// Sends `request` to `transport`. Redirects are passed back, never followed.
    static func send(
        _ request: HTTPRequest,
        method: String? = nil,
        path: String,
        query: QueryItems,
        keepsAuthorization: Bool = false,
        over transport: any APITransport,
        metrics: ServerMetrics,
        info: RequestInfo
    ) async throws(APIError) -> HTTPResponse {
        var onward = HTTPRequest(method: method ?? request.method, path: path, query: query, body: request.body)
        onward.headers = headers(request, keepsAuthorization: keepsAuthorization)
        do {
            if request.isUpgrade {
                onward.headers.append("Connection", "Upgrade")
                if let wanted = request.headers["upgrade"] { onward.headers.append("Upgrade", wanted) }
                return try await upgrade(onward, transport, metrics, info)
            }
            return answer(try await transport.send(onward), metrics, info)
        } catch {
            throw .serviceUnavailable("error trying to reach service: \(error)")
        }
    }

    private static func headers(_ request: HTTPRequest, keepsAuthorization: Bool) -> HeaderFields {
        var headers = HeaderFields()
        for field in request.headers {
            let name = field.name.lowercased()
            if hopByHop.contains(name) || (secret.contains(name) && !keepsAuthorization) { continue }
            headers.append(field.name, field.value)
        }
        let peer = request.peer.remoteAddress
        if !peer.isEmpty, let colon = peer.lastIndex(of: ":") {
            headers.append("X-Forwarded-For", String(peer[..<colon]))
        }
        return headers
    }

    private static func answer(_ response: ClientResponse, _ metrics: ServerMetrics, _ info: RequestInfo) -> HTTPResponse {
        var headers = HeaderFields()
        for field in response.headers where !hopByHop.contains(field.name.lowercased()) {
            headers.append(field.name, field.value)
        }
        let body = response.body
        return HTTPResponse(
            status: response.status,
            headers: headers,
            body: .stream { stream in
                let token = metrics.longRunningBegan(info)
                defer { metrics.longRunningEnded(token) }
                for try await chunk in body {
                    try await stream.write(chunk)
                    stream.flush()
                }
            }
        )
    }

    private static func upgrade(
        _ request: HTTPRequest,
        _ transport: any APITransport,
        _ metrics: ServerMetrics,
        _ info: RequestInfo
    ) async throws -> HTTPResponse {
        let (response, backend) = try await transport.upgrade(request)
        guard response.status == 101 else {
            await backend.close()
            var refused = answer(response, metrics, info)
            refused.headers.append("Connection", "close")
            return refused
        }
        var headers = HeaderFields()
        for field in response.headers where !["content-length", "transfer-encoding"].contains(field.name.lowercased()) {
            headers.append(field.name, field.value)
        }
        return HTTPResponse(
            status: 101,
            headers: headers,
            body: .upgrade { client in
                let token = metrics.longRunningBegan(info)
                defer { metrics.longRunningEnded(token) }
                await tunnel(client, backend)
            }
        )
    }

    /// Copies bytes both ways until both sides have finished or one is gone.
    static func tunnel(_ client: any DuplexByteStream, _ backend: any DuplexByteStream) async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await copy(from: client, to: backend) }
            group.addTask { await copy(from: backend, to: client) }
            var isClean = await group.next() ?? false
            if isClean { isClean = await group.next() ?? false }
            if !isClean { group.cancelAll() }
            await client.close()
            await backend.close()
        }
    }

    /// True when the source ended in good order.
    private static func copy(from source: any DuplexByteStream, to target: any DuplexByteStream) async -> Bool {
        do {
            while let bytes = try await source.read() { try await target.write(bytes) }
            await target.closeWrite()
            return true
        } catch {
            return false
        }
    }
}
