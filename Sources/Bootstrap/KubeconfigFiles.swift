import APIClient

/// Where kubeconfigs are written.
public struct KubeconfigFiles: Sendable {
    /// The cluster's data directory, such as `/var/lib/apus`.
    public var dataDirectory: String

    /// Files below `dataDirectory`.
    public init(dataDirectory: String) {
        self.dataDirectory = dataDirectory
    }

    /// The administrator's kubeconfig.
    public var adminPath: String { "\(dataDirectory)/admin.conf" }

    /// A component's kubeconfig.
    public func path(_ leaf: ClusterPKI.Leaf) -> String { "\(dataDirectory)/\(leaf.rawValue).conf" }

    /// The parts that have a kubeconfig.
    private static let leaves: [ClusterPKI.Leaf] = [.admin, .controllerManager, .scheduler, .kubeProxy, .kubelet]

    /// Writes the kubeconfigs of the administrator and of the components that differ from what is there.
    public func write(_ pki: ClusterPKI, server: String, name: String = "apus") throws {
        for leaf in Self.leaves {
            let path = path(leaf)
            let content = pki.kubeconfig(leaf, server: server, name: name).encoded()
            if try AtomicFile.read(path) != content { try AtomicFile.write(path, content, isDurable: false) }
        }
    }

    /// Merges the administrator's context into a user's kubeconfig; everything else in it stays. Throws an error that
    /// names the file when it cannot be understood, and leaves it alone then.
    public static func merge(_ pki: ClusterPKI, server: String, name: String = "apus", into path: String) throws {
        var config = try Kubeconfig.load(path) ?? Kubeconfig()
        let before = config
        config.merge(pki.kubeconfig(.admin, server: server, name: name))
        if config != before { try config.write(to: path) }
    }

    /// Takes the context out of a user's kubeconfig again.
    public static func remove(_ name: String = "apus", from path: String) throws {
        guard var config = try Kubeconfig.load(path), config.context(name) != nil else { return }
        config.removeContext(name)
        try config.write(to: path)
    }

    /// The user's kubeconfig: the first file of `KUBECONFIG`, or `~/.kube/config`.
    public static func userPath(environment: [String: String]) -> String? {
        if let list = environment["KUBECONFIG"], let first = list.split(separator: ":").first { return String(first) }
        return environment["HOME"].map { "\($0)/.kube/config" }
    }
}
