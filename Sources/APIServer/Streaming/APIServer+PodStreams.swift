import APIModel
import Access
import HTTPTransport
import Proxying
import Schema
import Units
import Values

extension APIServer {
    private static let defaultKubeletPort: Int64 = 10250

    // MARK: Logs

    /// A container's log, from its node.
    func podLog(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        guard context.info.verb == "get" else { throw .methodNotAllowed() }
        let pod = try await pod(view, context)
        let query = context.request.query
        try Self.checkLogOptions(query, of: context.info.name)
        let container = try Self.container(query.first("container") ?? "", of: pod, named: context.info.name)
        // A pod without a node has no log yet.
        guard let node = pod.value(at: ["spec", "nodeName"])?.string, !node.isEmpty else {
            return HTTPResponse(status: 204)
        }
        var onward = QueryItems()
        for flag in ["follow", "previous", "timestamps"] where RequestInfo.flag(query.first(flag)) { onward.append(flag, "true") }
        for name in ["sinceSeconds", "sinceTime", "tailLines", "limitBytes", "stream"] {
            if let value = query.first(name), !value.isEmpty { onward.append(name, value) }
        }
        let path = "/containerLogs/\(context.info.namespace)/\(context.info.name)/\(container)"
        guard WebSocketHandshake.isRequested(context.request) else {
            return try await relay(context, node: node, path: path, query: onward)
        }
        var inner = context
        inner.request = LogSocket.plain(context.request)
        return LogSocket.response(to: context.request, log: try await relay(inner, node: node, path: path, query: onward))
    }

    private static func checkLogOptions(_ query: QueryItems, of pod: String) throws(APIError) {
        var issues: [FieldIssue] = []
        for (name, least) in [("tailLines", Int64(0)), ("sinceSeconds", 1), ("limitBytes", 1)] {
            guard let text = query.first(name), !text.isEmpty else { continue }
            guard let number = Int64(text) else {
                throw .badRequest("strconv.ParseInt: parsing \(GoQuote.quote(text)): invalid syntax")
            }
            guard number < least else { continue }
            let words = least == 0 ? "must be greater than or equal to 0" : "must be greater than 0"
            issues.append(.invalid(FieldPath(name), .integer(number), words))
        }
        if query.contains("sinceSeconds"), query.contains("sinceTime") {
            issues.append(.forbidden(FieldPath("[]"), "at most one of `sinceTime` or `sinceSeconds` may be specified"))
        }
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "", kind: "PodLogOptions"), pod, issues) }
    }

    // MARK: Exec, attach, port-forward

    /// Opens a stream to a pod through its node's kubelet.
    func podStream(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let info = context.info
        guard info.verb == "get" || info.verb == "create" else { throw .methodNotAllowed() }
        let query = try await connect(view, context, ConnectOptions(context.info.subresource, context.request.query))
        let pod = try await pod(view, context)
        let node = pod.value(at: ["spec", "nodeName"])?.string ?? ""
        if info.subresource == "portforward" {
            guard !node.isEmpty else { throw .badRequest("pod \(info.name) does not have a host assigned") }
            var onward = QueryItems()
            for ports in query.all("ports") { onward.append("port", ports) }
            for port in query.all("port") { onward.append("port", port) }
            return try await relay(context, node: node, path: "/portForward/\(info.namespace)/\(info.name)", query: onward)
        }
        let container = try Self.container(query.first("container") ?? "", of: pod, named: info.name)
        guard !node.isEmpty else { throw .badRequest("pod \(info.name) does not have a host assigned") }
        guard context.request.isUpgrade else { throw .badRequest("Upgrade request required") }
        var onward = QueryItems()
        for (name, short, standard) in [
            ("stdin", "input", false), ("stdout", "output", false), ("stderr", "error", false), ("tty", "tty", false),
        ] {
            let isSet = query.contains(name) ? RequestInfo.flag(query.first(name)) : standard
            if isSet { onward.append(short, "1") }
        }
        if info.subresource == "exec" {
            for word in query.all("command") { onward.append("command", word) }
            guard onward.contains("command") else { throw .badRequest("you must specify at least 1 command for the container") }
        }
        let path = "/\(info.subresource)/\(info.namespace)/\(info.name)/\(container)"
        return try await relay(context, node: node, path: path, query: onward)
    }

    private func pod(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> JSONValue {
        let stored = try await view.engine.existing(namespace: context.info.namespace, name: context.info.name)
        return try view.engine.tree(stored)
    }

    /// The container asked for, or the pod's only one.
    private static func container(_ asked: String, of pod: JSONValue, named name: String) throws(APIError) -> String {
        func names(_ list: String) -> [String] {
            pod.value(at: ["spec", list])?.array?.compactMap { $0["name"]?.string } ?? []
        }
        let ordinary = names("containers")
        let initial = names("initContainers")
        guard asked.isEmpty else {
            guard (ordinary + initial + names("ephemeralContainers")).contains(asked) else {
                throw .badRequest("container \(asked) is not valid for pod \(name)")
            }
            return asked
        }
        if ordinary.count == 1 { return ordinary[0] }
        guard !ordinary.isEmpty else { throw .badRequest("a container name must be specified for pod \(name)") }
        var words = "a container name must be specified for pod \(name), choose one of: [\(ordinary.joined(separator: " "))]"
        if !initial.isEmpty { words += " or one of the init containers: [\(initial.joined(separator: " "))]" }
        throw .badRequest(words)
    }

    // MARK: Reaching a node

    /// Passes a request on to the kubelet of a node.
    func relay(
        _ context: RequestContext,
        node: String,
        path: String,
        query: QueryItems,
        redirects: Relay.Redirects = .passed
    ) async throws(APIError) -> HTTPResponse {
        try await relay(context, endpoint: try await endpoint(ofNode: node), path: path, query: query, redirects: redirects)
    }

    /// Passes a request on to a kubelet.
    func relay(
        _ context: RequestContext,
        endpoint: KubeletEndpoint,
        path: String,
        query: QueryItems,
        redirects: Relay.Redirects
    ) async throws(APIError) -> HTTPResponse {
        guard let kubelet else { throw .serviceUnavailable("this server has no way to reach kubelets") }
        let transport: any APITransport
        do { transport = try await kubelet.transport(to: endpoint) } catch {
            throw .internalError("error dialing the kubelet of node \(endpoint.node): \(error)")
        }
        let relay = Relay(path: path, query: query, redirects: redirects, lasting: environment.metrics.lasting(context.info))
        return try await relay.send(context.request, over: transport)
    }

    func endpoint(ofNode name: String) async throws(APIError) -> KubeletEndpoint {
        guard let node = await lookup.currentObject(.core("nodes"), namespace: "", name: name) else {
            throw .notFound(.core("nodes"), name)
        }
        let addresses = node.value(at: ["status", "addresses"])?.array ?? []
        let order = ["InternalIP", "ExternalIP", "Hostname"]
        let host = order.lazy.compactMap { type in
            addresses.first { $0["type"]?.string == type }?["address"]?.string
        }.first
        guard let host else {
            throw .internalError("no preferred addresses found; known addresses: []")
        }
        // A node that has not said where its kubelet listens shows a zero.
        let port = node.value(at: ["status", "daemonEndpoints", "kubeletEndpoint", "Port"])?.int ?? 0
        return KubeletEndpoint(node: name, host: host, port: Int(port == 0 ? Self.defaultKubeletPort : port))
    }
}
