import Values

/// The parts of an address such as `https://host:443/path`, as far as definitions need them.
public struct WebAddress: Sendable, Hashable {
    /// `https`
    public var scheme = ""
    /// What stands before an `@`; nil when there is none.
    public var user: String?
    /// The host, with its port.
    public var host = ""
    /// The path.
    public var path = ""
    /// What follows `?`.
    public var query = ""
    /// What follows `#`.
    public var fragment = ""

    /// Reads an address; nil when it has characters none can have.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
        var rest = Substring(text)
        if let hash = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), let first = rest.utf8.first, StringFormat.isLetter(first),
            rest[..<colon].utf8.allSatisfy({ StringFormat.isLetter($0) || StringFormat.isDigit($0) || "+-.".utf8.contains($0) })
        {
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        } else if rest.firstIndex(of: ":").map({ !rest[..<$0].contains("/") }) == true {
            return nil
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            var authority = rest[..<end]
            if let at = authority.lastIndex(of: "@") {
                user = String(authority[..<at])
                authority = authority[authority.index(after: at)...]
            }
            host = String(authority)
            rest = rest[end...]
        }
        path = String(rest)
    }

    /// The host without its port, and the port when one is given.
    public var hostAndPort: (host: String, port: Int?) {
        guard let colon = host.lastIndex(of: ":"), let port = Int(host[host.index(after: colon)...]) else { return (host, nil) }
        return (String(host[..<colon]), port)
    }
}
