import Units

/// What `/etc/resolv.conf` says.
public struct ResolverConfiguration: Sendable, Hashable {
    /// Whom to ask, in order; at most three, as in libc.
    public var servers: [IPAddress] = []
    /// Domains to try.
    public var search: [String] = []
    /// Options as they are written.
    public var options: [String] = []

    /// As many servers as libc uses.
    private static let mostServers = 3

    /// Nobody to ask.
    public init() {}

    /// Reads the file's text; lines that make no sense are skipped.
    public init(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first, !first.hasPrefix("#"), !first.hasPrefix(";") else { continue }
            switch first {
            case "nameserver":
                // A zone (fe80::1%eth0) cannot be kept; such servers are skipped.
                if words.count > 1, servers.count < Self.mostServers, let address = IPAddress(words[1]) { servers.append(address) }
            case "search", "domain": search = Array(words.dropFirst())
            case "options": options += words.dropFirst()
            default: continue
            }
        }
    }
}
