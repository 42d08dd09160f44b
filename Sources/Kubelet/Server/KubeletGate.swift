public import HTTPTransport

/// Lets only the API server and administrators pass: they show a client certificate of the cluster's authority. Put in
/// front of the kubelet's handler on the port that the network reaches.
public struct KubeletGate: HTTPHandler {
    /// The common name of the certificate the API server shows to kubelets.
    public static let apiServerUser = "kube-apiserver-kubelet-client"
    private static let administrators = "system:masters"

    private let handler: any HTTPHandler
    private let nodeName: String
    private let users: Set<String>

    /// Guards `handler`; `users` may pass beside members of system:masters.
    public init(_ handler: any HTTPHandler, nodeName: String, users: Set<String> = [KubeletGate.apiServerUser]) {
        self.handler = handler
        self.nodeName = nodeName
        self.users = users
    }

    /// 401 without a trusted certificate, 403 with one that gives no right.
    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        if request.path == "/healthz", request.peer.clientCertificate == nil, request.peer.inProcessUser == nil {
            return .text(401, "Unauthorized")
        }
        let name: String
        let groups: [String]
        if let user = request.peer.inProcessUser {
            (name, groups) = (user.name, user.groups)
        } else if let identity = request.peer.clientCertificate {
            (name, groups) = (identity.commonName, identity.organizations)
        } else {
            return .text(401, "Unauthorized")
        }
        if users.contains(name) || groups.contains(Self.administrators) { return await handler.respond(to: request) }
        let verb = ["POST": "create", "GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"][request.method] ?? ""
        let part = Self.subresource(request.path)
        return .text(
            403,
            "Forbidden (user=\(name), verb=\(verb), resource=nodes, subresource(s)=[\(part)])"
        )
    }

    private static func subresource(_ path: String) -> String {
        for (prefix, name) in [("/stats", "stats"), ("/metrics", "metrics"), ("/logs", "log"), ("/healthz", "healthz")]
        where path == prefix || path.hasPrefix("\(prefix)/") {
            return name
        }
        return "proxy"
    }
}

extension HTTPResponse {
    /// A short answer in plain text.
    static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .bytes(Array(text.utf8))
        )
    }
}
