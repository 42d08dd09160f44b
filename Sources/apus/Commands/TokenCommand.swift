import APIClient
import APIModel
import APITypes
import Access
import ArgumentParser
import Bootstrap
import Channels
import Units
import Values

/// `apus token`: the tokens with which machines join.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make, list and delete the tokens with which machines join the cluster.",
        subcommands: [Create.self, List.self, Delete.self]
    )

    /// The options of all.
    struct Target: ParsableArguments {
        @Option(help: ArgumentHelp("The cluster's data directory.", valueName: "directory"))
        var dataDir = ClusterConfiguration().dataDirectory

        /// A client with the administrator's kubeconfig.
        func client() throws -> APIClient {
            try Kubeconfigs.client(KubeconfigFiles(dataDirectory: DataDirectory(absolutePath(dataDir)).path).adminPath)
        }

        /// Runs `body` and words its failure for the user.
        func run(_ body: (APIClient) async throws -> Void) async throws {
            do {
                try await body(client())
            } catch {
                Terminal.error("apus: \(error)")
                throw ExitCode.failure
            }
        }
    }

    /// `apus token create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Make a token and print the command that joins a machine with it."
        )

        @Option(help: ArgumentHelp("How long it is good, such as 2h; 0 for ever.", valueName: "duration"))
        var ttl = "24h"

        @Option(help: ArgumentHelp("Words that say what it is for.", valueName: "text"))
        var description = ""

        @Flag(help: "Print the token alone.")
        var tokenOnly = false

        @Argument(help: ArgumentHelp("The token; a new one unless given.", valueName: "token"))
        var token: String?

        @OptionGroup var target: Target

        func run() async throws {
            guard let lifetime = ttl == "0" ? .zero : DurationText.parse(ttl), lifetime >= .zero else {
                throw ValidationError("--ttl: '\(ttl)' is not a duration such as 24h")
            }
            let made: BootstrapToken
            if let token {
                guard let parsed = BootstrapToken(token) else {
                    throw ValidationError("'\(token)' is no token: the form is [a-z0-9]{6}.[a-z0-9]{16}")
                }
                made = parsed
            } else {
                made = BootstrapToken(random: SystemRandom())
            }
            try await target.run { client in
                let end = lifetime == .zero ? nil : SystemClock().now + lifetime
                try await client.create(made.secretObject(expiration: end, note: description))
                Terminal.out(tokenOnly ? "\(made)" : try await command(client, made))
            }
        }

        private func command(_ client: APIClient, _ token: BootstrapToken) async throws -> String {
            let place = JoinAuthorizer.clusterInfo
            let map: ConfigMap = try await client.get(namespace: place.namespace, name: place.name)
            guard let content = map.data[ClusterInfo.contentKey], let authority = ClusterInfo.authorityPEM(content),
                let server = try Kubeconfig(parsing: Array(content.utf8)).cluster("")?.server
            else { throw StartError(message: "the server does not tell its address yet: try again in a moment") }
            let hash = try CertificateAuthority.publicKeyHash(authority)
            return "apus agent --server \(server) --token \(token) --discovery-token-ca-cert-hash \(hash)"
        }
    }

    /// `apus token list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the tokens.")

        @OptionGroup var target: Target

        func run() async throws {
            try await target.run { client in
                var options = ListOptions()
                options.fieldSelector = "type=\(BootstrapToken.secretType)"
                let secrets = try await client.list(Secret.self, namespace: BootstrapToken.namespace, options: options).items
                let now = SystemClock().now
                var rows = [["TOKEN", "TTL", "EXPIRES", "USAGES", "DESCRIPTION"]]
                for record in secrets.compactMap({ BootstrapTokenRecord($0.json) }) {
                    let left = record.expiration.map { $0 > now ? humanDuration($0 - now) : "<expired>" }
                    rows.append([
                        "\(record.id).\(record.secret)", left ?? "<forever>", record.expiration?.rfc3339 ?? "<never>",
                        record.usages.joined(separator: ","), record.note.isEmpty ? "<none>" : record.note,
                    ])
                }
                let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
                for row in rows {
                    let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                    Terminal.out(cells.joined(separator: "   ").trimmingTrailingSpaces)
                }
            }
        }
    }

    /// `apus token delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete tokens by their first six characters.")

        @Argument(help: ArgumentHelp("Tokens, or their public halves.", valueName: "token"))
        var tokens: [String]

        @OptionGroup var target: Target

        func run() async throws {
            try await target.run { client in
                for token in tokens {
                    let id = String(token.prefix(while: { $0 != "." }))
                    guard BootstrapToken.isID(id) else { throw StartError(message: "'\(token)' is no token") }
                    try await client.delete(Secret.self, namespace: BootstrapToken.namespace, name: BootstrapToken.secretPrefix + id)
                    Terminal.out("bootstrap token \(id) deleted")
                }
            }
        }
    }
}

extension String {
    /// The text without spaces at its end.
    fileprivate var trimmingTrailingSpaces: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
