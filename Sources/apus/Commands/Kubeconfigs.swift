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
        var environment: [String: String] = [:]
        for name in ["HOME", "KUBECONFIG"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        guard let path = configuration.kubeconfig ?? KubeconfigFiles.userPath(environment: environment) else { return source }
        var user = try Kubeconfig.load(path) ?? Kubeconfig()
        user.merge(own)
        try user.write(to: path)
        return path
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
