import HTTPTransport

/// What the URL and method of a request say, before anything is looked up.
struct RequestInfo: Sendable {
    /// The request names a resource below `/api/v1` or `/apis/<group>/<version>`.
    var isResource = false
    var verb = ""
    var path = ""
    var group = ""
    var version = ""
    var namespace = ""
    var resource = ""
    var subresource = ""
    var name = ""
    /// What follows the subresource, for proxies.
    var rest = ""
    /// The path goes through the old `/watch/` prefix.
    var isWatchPath = false

    /// Whether upstream's router takes the path as it is: no part before what is proxied is empty or holds a slash.
    var isRoutable: Bool {
        let slash = UInt8(ascii: "/")
        for part in [namespace, resource, name, subresource] where part.utf8.contains(slash) { return false }
        var last: UInt8 = 0
        let hasEmptyPart = path.utf8.contains { byte in
            defer { last = byte }
            return byte == slash && last == slash
        }
        guard hasEmptyPart else { return true }
        var segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        while segments.last?.isEmpty == true { segments.removeLast() }
        let end = subresource == "proxy" ? segments.firstIndex(of: "proxy") ?? segments.endIndex : segments.endIndex
        return !segments[..<end].contains("")
    }

    /// Reads a request as upstream's resolver does.
    init(_ request: HTTPRequest) {
        path = request.path
        verb = request.method.lowercased()
        let parts = RequestInfo.segments(request.path)
        guard let prefix = parts.first else { return }
        var index: Int
        switch prefix {
        case "api" where parts.count >= 3:
            version = parts[1]
            index = 2
        case "apis" where parts.count >= 4:
            group = parts[1]
            version = parts[2]
            index = 3
        default:
            if prefix == "api", parts.count == 2 { version = parts[1] }
            return
        }
        isResource = true
        verb = RequestInfo.verb(of: request.method)
        if parts[index] == "watch", parts.count > index + 1 {
            isWatchPath = true
            index += 1
        }
        parseResource(parts, from: index)
        refineVerb(request)
    }

    private mutating func parseResource(_ parts: [String], from start: Int) {
        var index = start
        if parts[index] == "namespaces" {
            if parts.count > index + 1 {
                namespace = parts[index + 1]
                let isSubresource = parts.count > index + 2 && ["status", "finalize"].contains(parts[index + 2])
                if parts.count > index + 2, !isSubresource { index += 2 }
            }
        }
        resource = parts[index]
        if parts.count > index + 1 { name = parts[index + 1] }
        if parts.count > index + 2 { subresource = parts[index + 2] }
        if parts.count > index + 3 { rest = parts[(index + 3)...].joined(separator: "/") }
    }

    private mutating func refineVerb(_ request: HTTPRequest) {
        if isWatchPath {
            verb = "watch"
            return
        }
        switch verb {
        case "get" where name.isEmpty:
            verb = RequestInfo.flag(request.query.first("watch")) ? "watch" : "list"
        case "get" where RequestInfo.flag(request.query.first("watch")) && subresource.isEmpty:
            // A watch of one named object by its path was dropped upstream; the flag means nothing here.
            break
        case "delete" where name.isEmpty:
            verb = "deletecollection"
        default: break
        }
    }

    private static func verb(of method: String) -> String {
        switch method {
        case "POST": "create"
        case "GET", "HEAD": "get"
        case "PUT": "update"
        case "PATCH": "patch"
        case "DELETE": "delete"
        default: ""
        }
    }

    /// Upstream's reading of a flag in a query: present and neither `0` nor `false`.
    static func flag(_ text: String?) -> Bool {
        guard let text else { return false }
        return text != "0" && text.lowercased() != "false"
    }

    private static func segments(_ path: String) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: true).map { part in
            part.utf8.contains(UInt8(ascii: "%")) ? PercentCoding.decoded(part) : String(part)
        }
    }
}
