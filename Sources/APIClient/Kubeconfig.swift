import Values

/// A kubeconfig file. Everything in it that this type does not know is kept.
public struct Kubeconfig: Sendable, Hashable {
    /// A server.
    public struct Cluster: Sendable, Hashable {
        /// The server's URL.
        public var server: String
        /// The authorities its certificate must come from, PEM; nil takes the system's.
        public var caPEM: String?
        /// The name its certificate must carry, when it is not the URL's.
        public var tlsServerName: String?
        /// Accept any certificate.
        public var isInsecure: Bool

        /// A server.
        public init(server: String, caPEM: String? = nil, tlsServerName: String? = nil, isInsecure: Bool = false) {
            self.server = server
            self.caPEM = caPEM
            self.tlsServerName = tlsServerName
            self.isInsecure = isInsecure
        }
    }

    /// Credentials.
    public struct User: Sendable, Hashable {
        /// A client certificate, PEM.
        public var clientCertificatePEM: String?
        /// Its key, PEM.
        public var clientKeyPEM: String?
        /// A bearer token.
        public var token: String?

        /// Credentials.
        public init(clientCertificatePEM: String? = nil, clientKeyPEM: String? = nil, token: String? = nil) {
            self.clientCertificatePEM = clientCertificatePEM
            self.clientKeyPEM = clientKeyPEM
            self.token = token
        }
    }

    /// A server, credentials and a namespace.
    public struct Context: Sendable, Hashable {
        /// The cluster's name.
        public var cluster: String
        /// The user's name.
        public var user: String
        /// The namespace; nil is `default`.
        public var namespace: String?

        /// A context.
        public init(cluster: String, user: String, namespace: String? = nil) {
            self.cluster = cluster
            self.user = user
            self.namespace = namespace
        }
    }

    /// The file's content.
    public private(set) var document: JSONValue
    /// The directory relative paths in the file start from.
    public var directory: String

    /// An empty file.
    public init() {
        document = [
            "apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [], "current-context": "", "users": [],
            "preferences": [:],
        ]
        directory = "."
    }

    /// A file with one context that is the current one.
    public init(name: String, cluster: Cluster, user: User, userName: String? = nil) {
        self.init()
        let userName = userName ?? name
        set(cluster, named: name)
        set(user, named: userName)
        set(Context(cluster: name, user: userName), named: name)
        currentContext = name
    }

    /// Reads a file's content (YAML or JSON). Throws a `FileError` that names `path`.
    public init(parsing bytes: [UInt8], path: String = "kubeconfig") throws {
        self.init()
        directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let content: JSONValue
        do {
            content = try YAML.parse(bytes)
        } catch {
            throw FileError(path: path, message: "is no valid kubeconfig: \(error)")
        }
        if content.isNull { return }
        guard content.object != nil else {
            throw FileError(path: path, message: "is no valid kubeconfig: not a mapping")
        }
        for section in ["clusters", "contexts", "users"] {
            guard let value = content[section], !value.isNull else { continue }
            guard let entries = value.array, entries.allSatisfy({ $0["name"]?.string != nil }) else {
                throw FileError(path: path, message: "is no valid kubeconfig: \(section) must be a list of named entries")
            }
        }
        document = content
    }

    /// Reads a file; nil when it does not exist.
    public static func load(_ path: String) throws -> Kubeconfig? {
        guard let bytes = try AtomicFile.read(path) else { return nil }
        return try Kubeconfig(parsing: bytes, path: path)
    }

    /// Writes the file: mode 0600, replaced in one step, its directory made when missing.
    public func write(to path: String) throws {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try AtomicFile.makeDirectory(String(path[..<slash]))
        }
        try AtomicFile.write(path, encoded(), mode: 0o600)
    }

    /// The file's content as YAML.
    public func encoded() -> [UInt8] {
        Array(YAML.encode(document).utf8)
    }

    // MARK: Content

    /// The context used unless another is asked for; empty for none.
    public var currentContext: String {
        get { document["current-context"]?.string ?? "" }
        set { document["current-context"] = .string(newValue) }
    }

    /// The names of the contexts, in the file's order.
    public var contextNames: [String] { names("contexts") }

    /// A context by its name.
    public func context(_ name: String) -> Context? {
        guard let entry = entry("contexts", name)?["context"] else { return nil }
        return Context(
            cluster: entry["cluster"]?.string ?? "",
            user: entry["user"]?.string ?? "",
            namespace: entry["namespace"]?.string
        )
    }

    /// A cluster by its name. Throws when a file it points to cannot be read.
    public func cluster(_ name: String) throws -> Cluster? {
        guard let entry = entry("clusters", name)?["cluster"] else { return nil }
        return Cluster(
            server: entry["server"]?.string ?? "",
            caPEM: try content(entry, "certificate-authority"),
            tlsServerName: entry["tls-server-name"]?.string,
            isInsecure: entry["insecure-skip-tls-verify"]?.bool ?? false
        )
    }

    /// Credentials by their name. Throws when a file they point to cannot be read.
    public func user(_ name: String) throws -> User? {
        guard let entry = entry("users", name)?["user"] else { return nil }
        var token = entry["token"]?.string
        if token == nil, let path = entry["tokenFile"]?.string {
            token = try file(path).map { String($0.filter { !$0.isNewline }) }
        }
        return User(
            clientCertificatePEM: try content(entry, "client-certificate"),
            clientKeyPEM: try content(entry, "client-key"),
            token: token
        )
    }

    /// Adds or replaces a cluster; fields of the entry this type does not know stay.
    public mutating func set(_ cluster: Cluster, named name: String) {
        edit("clusters", "cluster", name) { entry in
            entry["server"] = .string(cluster.server)
            entry["certificate-authority"] = nil
            entry["certificate-authority-data"] = cluster.caPEM.map { .string(Base64.encode(Array($0.utf8))) }
            entry["tls-server-name"] = cluster.tlsServerName.map { .string($0) }
            entry["insecure-skip-tls-verify"] = cluster.isInsecure ? true : nil
        }
    }

    /// Adds or replaces credentials.
    public mutating func set(_ user: User, named name: String) {
        edit("users", "user", name) { entry in
            entry["client-certificate"] = nil
            entry["client-key"] = nil
            entry["client-certificate-data"] = user.clientCertificatePEM.map { .string(Base64.encode(Array($0.utf8))) }
            entry["client-key-data"] = user.clientKeyPEM.map { .string(Base64.encode(Array($0.utf8))) }
            entry["token"] = user.token.map { .string($0) }
        }
    }

    /// Adds or replaces a context.
    public mutating func set(_ context: Context, named name: String) {
        edit("contexts", "context", name) { entry in
            entry["cluster"] = .string(context.cluster)
            entry["user"] = .string(context.user)
            if let namespace = context.namespace { entry["namespace"] = .string(namespace) }
        }
    }

    /// Takes every cluster, user and context of another file; those of the same name are replaced, others stay.
    public mutating func merge(_ other: Kubeconfig, makeCurrent: Bool = true) {
        for section in ["clusters", "contexts", "users"] {
            for entry in other.document[section]?.array ?? [] {
                guard let name = entry["name"]?.string else { continue }
                place(section, name, entry)
            }
        }
        if makeCurrent || currentContext.isEmpty { currentContext = other.currentContext }
    }

    /// Removes a context, and its cluster and user when no other context uses them.
    public mutating func removeContext(_ name: String) {
        guard let context = context(name) else { return }
        drop("contexts", name)
        let others = contextNames.compactMap { self.context($0) }
        if !others.contains(where: { $0.cluster == context.cluster }) { drop("clusters", context.cluster) }
        if !others.contains(where: { $0.user == context.user }) { drop("users", context.user) }
        if currentContext == name { currentContext = "" }
    }

    // MARK: Entries

    private func names(_ section: String) -> [String] {
        (document[section]?.array ?? []).compactMap { $0["name"]?.string }
    }

    private func entry(_ section: String, _ name: String) -> JSONValue? {
        (document[section]?.array ?? []).first { $0["name"]?.string == name }
    }

    private mutating func edit(_ section: String, _ kind: String, _ name: String, _ change: (inout JSONValue) -> Void) {
        var entry = entry(section, name) ?? ["name": .string(name)]
        var content = entry[kind].flatMap { $0.object == nil ? nil : $0 } ?? [:]
        change(&content)
        entry[kind] = content
        place(section, name, entry)
    }

    private mutating func place(_ section: String, _ name: String, _ entry: JSONValue) {
        var entries = document[section]?.array ?? []
        if let index = entries.firstIndex(where: { $0["name"]?.string == name }) {
            entries[index] = entry
        } else {
            entries.append(entry)
        }
        document[section] = .array(entries)
    }

    private mutating func drop(_ section: String, _ name: String) {
        document[section] = .array((document[section]?.array ?? []).filter { $0["name"]?.string != name })
    }

    /// Inline base64 data, or the file a path names.
    private func content(_ entry: JSONValue, _ field: String) throws -> String? {
        if let data = entry["\(field)-data"]?.string, !data.isEmpty {
            guard let bytes = Base64.decode(data) else {
                throw FileError(path: directory, message: "\(field)-data is no base64")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        guard let path = entry[field]?.string, !path.isEmpty else { return nil }
        return try file(path)
    }

    private func file(_ path: String) throws -> String? {
        let full = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        guard let bytes = try AtomicFile.read(full) else { throw FileError(path: full, message: "does not exist") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
