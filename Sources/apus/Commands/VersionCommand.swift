import ArgumentParser

/// `apus version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")

    @Flag(help: "Only Apus' own version.")
    var short = false

    func run() {
        Terminal.out(short ? Version.apus : Version.text)
    }
}

/// `apus completion`.
struct CompletionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print a completion script.",
        discussion: "For example: apus completion bash > /etc/bash_completion.d/apus"
    )

    @Argument(help: "bash, zsh or fish.")
    var shell: String

    func run() throws {
        guard let known = CompletionShell(rawValue: shell) else {
            throw ValidationError("unknown shell '\(shell)': use bash, zsh or fish")
        }
        Terminal.out(Apus.completionScript(for: known))
    }
}
