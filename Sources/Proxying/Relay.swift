import APIModel
import Access
import HTTPTransport

/// Passes a request on to another server, and its answer or its raw connection back.
public struct Relay: Sendable {
    /// What to do with an answer that points elsewhere.
    public enum Redirects: Sendable {
        /// It is passed back as it is.
        case passed
        /// The places it names below the server, which calls itself `host`, are put below `prefix`, also in HTML.
        case rewritten(prefix: String, host: String = "")
        /// It is a failure: nobody is sent elsewhere by a server that acts in our name.
        case refused
    }

    /// The method; nil keeps the request's.
    public var method: String?
    /// The path at the other server, percent-encoded.
    public var path: String
    /// The query at the other server.
    public var query: QueryItems
    /// The user in whose name to ask, in the headers of a front proxy.
    public var identity: UserIdentity?
    /// What to do with redirects.
    public var redirects: Redirects
    /// Called when a stream or an upgraded connection begins; what it returns is called when that ends.
    public var lasting: @Sendable () -> @Sendable () -> Void
    /// The sentence that starts the message when the server is not reached.
    public var trouble = "error trying to reach service"

    /// A relay to `path` of another server.
    public init(
        method: String? = nil,
        path: String,
        query: QueryItems,
        identity: UserIdentity? = nil,
        redirects: Redirects = .passed,
        lasting: @escaping @Sendable () -> @Sendable () -> Void
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.identity = identity
        self.redirects = redirects
        self.lasting = lasting
    }

    private static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "host", "content-length",
    ]
    /// What only the API server may see.
    private static let secret: Set<String> = ["authorization", "impersonate-user", "impersonate-group", "impersonate-uid"]
    private static let secretPrefixes = ["x-remote-", "impersonate-extra-"]
    private static let refusal = "the backend attempted to redirect this request, which is not permitted"

    /// Sends `request` to `transport`. Redirects are never followed.
    public func send(_ request: HTTPRequest, over transport: any APITransport) async throws(APIError) -> HTTPResponse {
        var onward = HTTPRequest(method: method ?? request.method, path: path, query: query, body: request.body)
        onward.headers = headers(request)
        do {
            if request.isUpgrade {
                onward.headers.append("Connection", "Upgrade")
                if let wanted = request.headers["upgrade"] { onward.headers.append("Upgrade", wanted) }
                return try await upgrade(onward, transport)
            }
            return try await answer(try await transport.send(onward))
        } catch {
            throw .serviceUnavailable("\(trouble): \(error)")
        }
    }

    private func headers(_ request: HTTPRequest) -> HeaderFields {
        var headers = HeaderFields()
        for field in request.headers {
            let name = field.name.lowercased()
            if Self.hopByHop.contains(name) || Self.secret.contains(name) { continue }
            if Self.secretPrefixes.contains(where: { name.hasPrefix($0) }) { continue }
            headers.append(field.name, field.value)
        }
        let peer = request.peer.remoteAddress
        if !peer.isEmpty, let colon = peer.lastIndex(of: ":") {
            let known = headers["x-forwarded-for"].map { "\($0), " } ?? ""
            headers["X-Forwarded-For"] = known + peer[..<colon].filter { $0 != "[" && $0 != "]" }
        }
        if case .rewritten(let prefix, _) = redirects {
            headers["X-Forwarded-Uri"] = prefix + path
            // What is compressed cannot be rewritten.
            headers.remove("Accept-Encoding")
        }
        if let identity { Self.name(identity, in: &headers) }
        return headers
    }

    /// Tells a server that trusts us who asks.
    private static func name(_ user: UserIdentity, in headers: inout HeaderFields) {
        headers.append("X-Remote-User", user.name)
        if !user.uid.isEmpty { headers.append("X-Remote-Uid", user.uid) }
        for group in user.groups { headers.append("X-Remote-Group", group) }
        for (key, values) in user.extra.sorted(by: { $0.key < $1.key }) {
            for value in values { headers.append("X-Remote-Extra-\(PercentCoding.encoded(key))", value) }
        }
    }

    // MARK: Answers

    private func answer(_ response: ClientResponse) async throws -> HTTPResponse {
        var headers = HeaderFields()
        for field in response.headers where !Self.hopByHop.contains(field.name.lowercased()) {
            headers.append(field.name, field.value)
        }
        if let location = headers["location"] {
            switch redirects {
            case .refused where (300...399).contains(response.status):
                response.body.cancel()
                return HTTPResponse(status: 502, body: .bytes(Array(Self.refusal.utf8)))
            case .rewritten(let prefix, let host): headers["Location"] = LinkRewriting(prefix: prefix, host: host).location(location)
            default: break
            }
        } else if case .rewritten(let prefix, let host) = redirects, headers["content-type"]?.hasPrefix("text/html") == true,
            headers["content-encoding"] == nil
        {
            return try await page(response, headers, LinkRewriting(prefix: prefix, host: host))
        }
        return HTTPResponse(status: response.status, headers: headers, body: streamed(response.body, [], nil))
    }

    /// Pages up to this size have their links rewritten; the rest of a longer one is passed as it is.
    private static let longestPage = 4 << 20

    private func page(_ response: ClientResponse, _ headers: HeaderFields, _ links: LinkRewriting) async throws -> HTTPResponse {
        var iterator = response.body.makeAsyncIterator()
        var bytes: [UInt8] = []
        while bytes.count < Self.longestPage {
            guard let chunk = try await iterator.next() else {
                return HTTPResponse(status: response.status, headers: headers, body: .bytes(links.page(bytes)))
            }
            bytes += chunk
        }
        return HTTPResponse(status: response.status, headers: headers, body: streamed(response.body, bytes, iterator))
    }

    private func streamed(
        _ body: ResponseBody,
        _ start: [UInt8],
        _ rest: ResponseBody.Iterator?
    ) -> HTTPResponse.Body {
        let lasting = lasting
        let first = HandedOver(iterator: rest)
        return .stream { stream in
            let ended = lasting()
            defer { ended() }
            if !start.isEmpty { try await stream.write(start) }
            var iterator = first.iterator ?? body.makeAsyncIterator()
            while let chunk = try await iterator.next() {
                try await stream.write(chunk)
                stream.flush()
            }
        }
    }

    /// A body that was read in part. Safe to send: whoever read the start is done before the rest is asked for, once.
    private struct HandedOver: @unchecked Sendable {
        let iterator: ResponseBody.Iterator?
    }

    // MARK: Upgrades

    private func upgrade(_ request: HTTPRequest, _ transport: any APITransport) async throws -> HTTPResponse {
        let (response, backend) = try await transport.upgrade(request)
        guard response.status == 101 else {
            // Whatever was agreed on so far ends here: no privileged connection is left behind.
            await backend.close()
            var refused = try await answer(response)
            refused.headers.append("Connection", "close")
            return refused
        }
        var headers = HeaderFields()
        for field in response.headers where !["content-length", "transfer-encoding"].contains(field.name.lowercased()) {
            headers.append(field.name, field.value)
        }
        let lasting = lasting
        return HTTPResponse(
            status: 101,
            headers: headers,
            body: .upgrade { client in
                let ended = lasting()
                defer { ended() }
                await Self.tunnel(client, backend)
            }
        )
    }

    /// Copies bytes both ways until both sides have finished or one is gone.
    public static func tunnel(_ client: any DuplexByteStream, _ backend: any DuplexByteStream) async {
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
