import Access
import ArgumentParser
import Glibc
import Units

/// `apus agent`: this machine as one more node of a cluster.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Join a running cluster as one more node, in the foreground.",
        discussion: """
            'apus token create' on the server prints the whole command. Once joined, 'apus agent' alone is enough: the node's \
            certificates are in the data directory. Containers outlive it; 'apus down' removes them.
            """
    )

    @Option(help: ArgumentHelp("The server's URL, such as https://192.0.2.1:6443.", valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("The bootstrap token, id.secret.", valueName: "token"))
    var token: String?

    @Option(
        name: .customLong("discovery-token-ca-cert-hash"),
        help: ArgumentHelp("The hash of the cluster's authority that the server must show; may be repeated.", valueName: "sha256:hex")
    )
    var authorityHashes: [String] = []

    @Flag(
        name: .customLong("discovery-token-unsafe-skip-ca-verification"),
        help: "Join without a hash: whoever knows the token could pass for the server."
    )
    var skipsAuthorityHash = false

    @Option(help: ArgumentHelp("A kubeconfig that may ask for a node's certificate, instead of --server and --token.", valueName: "file"))
    var bootstrapKubeconfig: String?

    @OptionGroup var node: NodeOptions

    func run() async throws {
        let (settings, join) = try parsed()
        try Host.requireRoot(unlessHollow: settings)
        Logs.start(settings)
        let signals = try TerminationSignal()
        do {
            try await Agent(settings, join).run(until: signals)
        } catch {
            Terminal.error("apus: \(error)")
            throw ExitCode.failure
        }
    }

    /// The checked settings.
    /// - Throws: `ValidationError` that names the flag.
    func parsed() throws -> (ClusterConfiguration, JoinConfiguration) {
        var settings = ClusterConfiguration()
        try Setting.apply(node.given, to: &settings)
        var join = JoinConfiguration(server: server, bootstrapKubeconfig: bootstrapKubeconfig.map(absolutePath))
        if let server, !server.hasPrefix("https://") {
            throw ValidationError("--server: '\(server)' is not a URL such as https://192.0.2.1:6443")
        }
        if let token {
            guard let parsed = BootstrapToken(token) else {
                throw ValidationError("--token: the form is six characters, a dot and sixteen characters: [a-z0-9]{6}.[a-z0-9]{16}")
            }
            join.token = parsed
        }
        for hash in authorityHashes {
            let digits = hash.dropFirst(7)
            guard hash.hasPrefix("sha256:"), digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else {
                throw ValidationError("--discovery-token-ca-cert-hash: '\(hash)' is not sha256: and 64 hexadecimal digits")
            }
            join.authorityHashes.append(hash.lowercased())
        }
        if join.token != nil, join.authorityHashes.isEmpty, !skipsAuthorityHash {
            throw ValidationError(
                "--token needs --discovery-token-ca-cert-hash, so that nobody can pass for the server; "
                    + "--discovery-token-unsafe-skip-ca-verification does without"
            )
        }
        return (settings, join)
    }
}
