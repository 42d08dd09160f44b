import APIModel
import Access
import Channels
import HTTPTransport
import Negotiation
import Units
import Values

extension APIServer {
    /// Bodies up to this size are decoded and validated on the event loop.
    private static let inlineBodyBytes = 32 << 10

    /// Answers one request: authenticate, authorize, limit, serve, count.
    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        let began = environment.clock.monotonic
        let info = RequestInfo(request)
        let warnings = WarningList()
        var response: HTTPResponse
        do throws(APIError) {
            response = try await serve(request, info, warnings)
        } catch  where error == .unknownPath {
            response = unknownPath(request)
        } catch  where error == .overloaded {
            response = Self.overloadedResponse
        } catch {
            response = Responses.error(error, form: ResponseForm.ofError(request))
        }
        // A connection that leaves HTTP has the headers of its handshake only.
        if case .upgrade = response.body { return response }
        warnings.write(to: &response.headers)
        if !response.headers.contains("cache-control") { response.headers.append("Cache-Control", "no-cache, private") }
        if info.isResource, !Self.isLongRunning(info) { BodyCompression.apply(to: &response, request) }
        response.headers.append("Audit-Id", environment.random.uuid())
        count(info, request, response.status, began)
        return response
    }

    private func count(_ info: RequestInfo, _ request: HTTPRequest, _ status: Int, _ began: Duration) {
        let verb = info.isResource ? Self.metricVerb(info.verb) : request.method
        let seconds = (environment.clock.monotonic - began) / .seconds(1)
        environment.metrics.answered(ServerMetrics.RequestKey(info, verb: verb), code: status, seconds: seconds)
    }

    private static func metricVerb(_ verb: String) -> String {
        switch verb {
        case "create": "POST"
        case "update": "PUT"
        case "deletecollection": "DELETECOLLECTION"
        default: verb.uppercased()
        }
    }

    private func serve(
        _ request: HTTPRequest,
        _ info: RequestInfo,
        _ warnings: WarningList
    ) async throws(APIError) -> HTTPResponse {
        var user = try await authenticate(request, info)
        do throws(APIError) { user = try await impersonate(user, request) } catch { return Self.refusal(error, request) }
        let request = BearerTokenAuthenticator.withoutToken(request)
        let attributes = Self.attributes(info, request, user)
        _ = try Self.deadline(request, info)
        let ticket = try await admitted(attributes, info, request, warnings)
        do throws(APIError) {
            var response = try await authorized(request, info, user, attributes, warnings)
            leave(ticket, after: &response, of: info)
            return response
        } catch {
            if let ticket { flowControl.leave(ticket) }
            throw error
        }
    }

    private func authorized(
        _ request: HTTPRequest,
        _ info: RequestInfo,
        _ user: UserIdentity,
        _ attributes: RequestAttributes,
        _ warnings: WarningList
    ) async throws(APIError) -> HTTPResponse {
        let decision = await authorizer.authorize(attributes)
        guard decision.isAllowed else { return Self.refusal(attributes.forbidden(reason: decision.reason), request) }
        guard !request.isBodyTooLarge, request.body.count <= environment.configuration.maxBodyBytes else {
            throw .requestEntityTooLarge("limit is \(environment.configuration.maxBodyBytes)")
        }
        if let answer = try await aggregated(request, info, user) { return answer }
        guard info.isResource else { return try await respondToPath(request, info, user) }
        let context = RequestContext(
            request: request,
            info: info,
            user: user,
            form: try form(request, info),
            now: environment.clock.now.wholeSeconds,
            warnings: warnings
        )
        if Self.isLongRunning(info) { return try await dispatch(context) }
        return try await limited(context)
    }

    /// Serves a request that is counted while it is served; a write has a deadline.
    private func limited(_ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let isMutating = !["get", "list", "watch"].contains(context.info.verb)
        environment.metrics.enter(isMutating: isMutating)
        defer { environment.metrics.leave(isMutating: isMutating) }
        guard isMutating else {
            do throws(APIError) { return try await dispatch(context) } catch {
                // Who is told that a definition is gone finds its kind gone, too.
                if error.isNotFound, context.info.group == CustomResourceService.resource.group { await customResources.settle() }
                throw error
            }
        }
        return try await withinDeadline(context)
    }

    private func withinDeadline(_ context: RequestContext) async throws(APIError) -> HTTPResponse {
        var limit = environment.configuration.requestTimeout
        if let asked = try Self.deadline(context.request, context.info), asked > .zero { limit = min(limit, asked) }
        // Small work stays on the thread that reads and writes the connection; large work must not hold up its neighbours.
        let isSmall = context.request.body.count <= Self.inlineBodyBytes && context.info.verb != "deletecollection"
        let executor = isSmall ? context.request.executor : nil
        let outcome = await writeDeadlines.run(until: environment.clock.monotonic + limit, on: executor) {
            do throws(APIError) { return .success(try await self.written(context)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    /// Serves a write. What requests are checked by, and what is served, is in force when its change is answered, if that takes
    /// no more than a moment: nobody meets the former role, policy or definition with his next request.
    private func written(_ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let response = try await dispatch(context)
        switch context.info.group {
        case "rbac.authorization.k8s.io", "admissionregistration.k8s.io":
            try? await resources.engines[GroupResource(group: context.info.group, resource: context.info.resource)]?.catchUp()
        case CustomResourceService.resource.group: await customResources.settle()
        default: break
        }
        return response
    }

    /// How long the client wants to wait; upstream reads that before the request is put in line.
    private static func deadline(_ request: HTTPRequest, _ info: RequestInfo) throws(APIError) -> Duration? {
        guard let text = request.query.first("timeout"), !text.isEmpty, !isLongRunning(info) else { return nil }
        guard let asked = DurationText.parse(text) else {
            throw .badRequest("invalid timeout specified in the request URL - time: invalid duration \"\(text)\"")
        }
        return asked
    }

    /// The answer to someone who may not; the message quotes the request, so nobody may guess it to be a page.
    private static func refusal(_ error: APIError, _ request: HTTPRequest) -> HTTPResponse {
        var response = Responses.error(error, form: ResponseForm.ofError(request))
        response.headers.append("X-Content-Type-Options", "nosniff")
        return response
    }

    /// What a path leads to that nobody serves: a Status below the groups that are built in, else a line of text.
    private func unknownPath(_ request: HTTPRequest) -> HTTPResponse {
        let parts = request.path.split(separator: "/", maxSplits: 2)
        let isBuiltin = parts.first == "api" ? parts.count > 1 : parts.first == "apis" && parts.count > 2 && hasBuiltinGroup(parts[1])
        guard isBuiltin else { return Responses.text("404 page not found\n", status: 404) }
        let error = APIError(
            code: 404,
            reason: APIReason.notFound,
            message: "the server could not find the requested resource",
            details: APIError.Details()
        )
        return Responses.error(error, form: ResponseForm.ofError(request))
    }

    private func hasBuiltinGroup(_ group: Substring) -> Bool {
        // The kinds of these two are answered, not stored.
        ["authentication.k8s.io", "authorization.k8s.io"].contains(group)
            || resources.engines.values.contains { !$0.descriptor.isCustom && $0.descriptor.group == group }
    }

    static func isLongRunning(_ info: RequestInfo) -> Bool {
        if info.verb == "watch" { return true }
        return ["log", "exec", "attach", "portforward", "proxy"].contains(info.subresource)
    }

    private func authenticate(_ request: HTTPRequest, _ info: RequestInfo) async throws(APIError) -> UserIdentity {
        switch await authenticator.authenticate(request) {
        case .user(let user, _): return user.authenticated()
        case .failed(let reason):
            environment.log.debug("unauthorized", metadata: ["reason": "\(reason)", "peer": "\(request.peer.remoteAddress)"])
            throw .unauthorized()
        case .none:
            if let problem = request.peer.certificateProblem {
                environment.log.debug("client certificate refused", metadata: ["reason": "\(problem)"])
                throw .unauthorized()
            }
            // Who says nothing of himself may do what roles allow to everybody.
            return .anonymous
        }
    }

    /// Acts as somebody else, when the headers ask for it and the user may.
    private func impersonate(_ user: UserIdentity, _ request: HTTPRequest) async throws(APIError) -> UserIdentity {
        let asked = Impersonation(request)
        guard !asked.isEmpty else { return user }
        guard !asked.name.isEmpty else { throw .badRequest("requested \(asked.goText) without impersonating a user name") }
        try await mayImpersonate(user, asked.name)
        for group in asked.groups {
            try await check(RequestAttributes(user: user, verb: "impersonate", apiGroup: "", resource: "groups", name: group))
        }
        for (key, values) in asked.extra {
            for value in values {
                try await check(
                    RequestAttributes(
                        user: user,
                        verb: "impersonate",
                        apiGroup: "authentication.k8s.io",
                        apiVersion: "v1",
                        resource: "userextras",
                        subresource: key,
                        name: value
                    )
                )
            }
        }
        if !asked.uid.isEmpty {
            let uids = RequestAttributes(
                user: user,
                verb: "impersonate",
                apiGroup: "authentication.k8s.io",
                apiVersion: "v1",
                resource: "uids",
                name: asked.uid
            )
            try await check(uids)
        }
        return asked.user
    }

    private func mayImpersonate(_ user: UserIdentity, _ name: String) async throws(APIError) {
        let prefix = UserIdentity.serviceAccountPrefix
        let parts = name.hasPrefix(prefix) ? name.dropFirst(prefix.count).split(separator: ":").map(String.init) : []
        let isAccount = parts.count == 2
        try await check(
            RequestAttributes(
                user: user,
                verb: "impersonate",
                apiGroup: "",
                resource: isAccount ? "serviceaccounts" : "users",
                namespace: isAccount ? parts[0] : "",
                name: isAccount ? parts[1] : name
            )
        )
    }

    private func check(_ attributes: RequestAttributes) async throws(APIError) {
        let decision = await authorizer.authorize(attributes)
        guard decision.isAllowed else { throw attributes.forbidden(reason: decision.reason) }
    }

    static func attributes(_ info: RequestInfo, _ request: HTTPRequest, _ user: UserIdentity) -> RequestAttributes {
        guard info.isResource else {
            return RequestAttributes(user: user, verb: info.verb, path: info.path)
        }
        var name = info.name
        let fieldSelector = request.query.first("fieldSelector") ?? ""
        if name.isEmpty, ["list", "watch", "deletecollection"].contains(info.verb) {
            name = nameDemanded(by: fieldSelector)
        }
        return RequestAttributes(
            user: user,
            verb: info.verb,
            apiGroup: info.group,
            apiVersion: info.version,
            resource: info.resource,
            subresource: info.subresource,
            namespace: info.namespace,
            name: name,
            path: info.path,
            fieldSelector: fieldSelector,
            labelSelector: request.query.first("labelSelector") ?? ""
        )
    }

    /// The name a list is restricted to by `metadata.name=x`.
    private static func nameDemanded(by selector: String) -> String {
        guard !selector.isEmpty else { return "" }
        for term in selector.split(separator: ",") {
            let pair = term.split(separator: "=", omittingEmptySubsequences: true)
            if pair.count == 2, pair[0] == "metadata.name", !term.contains("!=") { return String(pair[1]) }
        }
        return ""
    }
}
