import APIClient
import APITypes
import Bootstrap
import Glibc

/// The administrator's kubeconfig, and its way into the user's.
enum Kubeconfigs {
    /// Merges the cluster's context into the file asked for, or into the user's own; other contexts stay.
    /// - Returns: the file's path.
    static func publish(_ configuration: ClusterConfiguration, _ directory: DataDirectory) throws -> String {
        let source = KubeconfigFiles(dataDirectory: directory.path).adminPath
        guard let own = try Kubeconfig.load(source) else { throw FileError(path: source, message: "no such kubeconfig") }
        guard let path = configuration.kubeconfig ?? userPath else { return source }
        var user = try Kubeconfig.load(path) ?? Kubeconfig()
        user.merge(own)
        try user.write(to: path)
        return path
    }

    private static var userPath: String? {
        var environment: [String: String] = [:]
        for name in ["HOME", "KUBECONFIG"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return KubeconfigFiles.userPath(environment: environment)
    }

    /// The administrator's kubeconfig; nil where there is none, such as on a joined node.
    static func admin(_ directory: DataDirectory) throws -> Kubeconfig? {
        try Kubeconfig.load(KubeconfigFiles(dataDirectory: directory.path).adminPath)
    }

    /// Takes a cluster that is no more out of the user's own file; a context of that name that leads elsewhere stays.
    static func withdraw(_ own: Kubeconfig?) throws {
        guard let own, let path = userPath, let user = try Kubeconfig.load(path), let context = user.context(own.currentContext),
            let mine = try own.cluster(own.context(own.currentContext)?.cluster ?? ""), let theirs = try user.cluster(context.cluster),
            mine.caPEM == theirs.caPEM, mine.server == theirs.server
        else { return }
        try KubeconfigFiles.remove(own.currentContext, from: path)
    }

    /// A client with the kubeconfig at `path`.
    static func client(_ path: String) throws -> APIClient {
        guard let kubeconfig = try Kubeconfig.load(path) else { throw FileError(path: path, message: "no such kubeconfig") }
        return try kubeconfig.makeClient()
    }
}

extension APIClient {
    /// Whether the server's `/readyz` answers ok.
    func isReady() async throws -> Bool {
        try await raw(.init(method: "GET", path: "/readyz")).isSuccess
    }
}

extension Node {
    /// Whether the condition Ready is True.
    var isReady: Bool { status.conditions.contains { $0.type == "Ready" && $0.status == "True" } }
}
