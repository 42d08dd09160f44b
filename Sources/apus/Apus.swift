import ArgumentParser

/// The command line: argument parsing and assembly, nothing else.
@main
struct Apus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus",
        abstract: "Kubernetes in one small binary.",
        discussion: """
            'apus up' starts a one-node cluster in the background and leaves a working kubeconfig; kubectl does the rest. \
            'apus down' stops it.
            """,
        version: Version.text,
        subcommands: [
            UpCommand.self, DownCommand.self, ServerCommand.self, AgentCommand.self, TokenCommand.self, ImageCommand.self,
            VersionCommand.self, CompletionCommand.self,
        ]
    )
}
