public import APITypes
public import RPC
import Values

/// Credentials for registries, from pull secrets. Pure.
public struct Keyring: Sendable {
    /// What a registry is shown.
    public struct Credential: Sendable, Hashable {
        /// The user.
        public var username = ""
        /// The password.
        public var password = ""
        /// A token to get others with.
        public var identityToken = ""
        /// A token shown as it is.
        public var registryToken = ""
    }

    private struct Entry: Sendable {
        var host: String
        var path: String
        var credential: Credential
    }

    private var entries: [Entry] = []

    /// No credentials.
    public init() {}

    /// The credentials of pull secrets; secrets of other types, and malformed ones, contribute none.
    public init(_ secrets: [Secret]) {
        for secret in secrets {
            if let bytes = secret.data[".dockerconfigjson"], let config = try? JSONParser.parse(bytes) {
                add(config["auths"])
            } else if let bytes = secret.data[".dockercfg"], let config = try? JSONParser.parse(bytes) {
                add(config)
            }
        }
    }

    /// Whether there are none.
    public var isEmpty: Bool { entries.isEmpty }

    private mutating func add(_ registries: JSONValue?) {
        guard let registries = registries?.object else { return }
        for (key, value) in registries {
            guard let credential = Self.credential(value) else { continue }
            let (host, path) = Self.place(key)
            entries.append(Entry(host: host, path: path, credential: credential))
        }
    }

    private static func credential(_ value: JSONValue) -> Credential? {
        var result = Credential()
        result.username = value["username"]?.string ?? ""
        result.password = value["password"]?.string ?? ""
        result.identityToken = value["identitytoken"]?.string ?? ""
        result.registryToken = value["registrytoken"]?.string ?? ""
        if let auth = value["auth"]?.string, let bytes = Base64.decode(auth) {
            let text = String(decoding: bytes, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { return nil }
            result.username = String(text[..<colon])
            result.password = String(text[text.index(after: colon)...]).trimmingNulls()
        }
        return result == Credential() ? nil : result
    }

    /// Host and path of a key such as `https://index.docker.io/v1/` or `*.example.com/team`.
    private static func place(_ key: String) -> (host: String, path: String) {
        var text = key[...]
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) { text = text.dropFirst(scheme.count) }
        let host = String(text.prefix { $0 != "/" })
        var path = String(text.dropFirst(host.count).drop { $0 == "/" })
        while path.hasSuffix("/") { path.removeLast() }
        if ["v1", "v2"].contains(path) { path = "" }
        let isDocker = ["index.docker.io", "registry-1.docker.io", "docker.io"].contains(host)
        return (isDocker ? ImageName.defaultRegistry : host, path)
    }

    /// The credentials that fit an image, the most specific first.
    public func credentials(for image: ImageName) -> [Credential] {
        entries.filter { Self.matches($0.host, image.registry) && Self.covers($0.path, image.repository) }
            .sorted { ($0.path.utf8.count, $0.host.utf8.count) > ($1.path.utf8.count, $1.host.utf8.count) }
            .map(\.credential)
    }

    private static func covers(_ path: String, _ repository: String) -> Bool {
        path.isEmpty || repository == path || repository.hasPrefix("\(path)/")
    }

    /// Host patterns match label by label; `*` stands for one label or a part of it at either end.
    private static func matches(_ pattern: String, _ host: String) -> Bool {
        let patterns = pattern.split(separator: ".", omittingEmptySubsequences: false)
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard patterns.count == labels.count else { return false }
        return zip(patterns, labels).allSatisfy { pattern, label in
            guard let star = pattern.firstIndex(of: "*") else { return pattern == label }
            let head = pattern[..<star]
            let tail = pattern[pattern.index(after: star)...]
            return label.hasPrefix(head) && label.hasSuffix(tail) && label.count >= head.count + tail.count
        }
    }
}

extension Keyring.Credential {
    /// As the runtime interface puts it.
    public var message: CRIAuthConfig {
        .with {
            $0.username = username
            $0.password = password
            $0.identityToken = identityToken
            $0.registryToken = registryToken
        }
    }
}

extension String {
    /// Docker's own tools pad passwords with NUL bytes.
    fileprivate func trimmingNulls() -> String {
        String(drop { $0 == "\0" }.reversed().drop { $0 == "\0" }.reversed())
    }
}
