import ArgumentParser
import Channels
import Glibc
import Logging

/// `apus server`: the control plane and this machine's node, in the foreground.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Run the control plane and this machine's node in the foreground.",
        discussion: "Containers outlive it: the next start finds them running. 'apus down' removes them."
    )

    @OptionGroup var options: ServerOptions

    func run() async throws {
        Allocator.tune()
        let configuration = try options.configuration()
        try Host.requireRoot(unlessHollow: configuration)
        Logs.start(configuration)
        let signals = try TerminationSignal()
        do {
            try await Cluster.run(configuration, until: signals)
        } catch {
            Terminal.error("apus: \(error)")
            throw ExitCode.failure
        }
    }
}
