import ArgumentParser
import Containerd

/// `apus image`: the images on this node.
struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Load and list the images of this node.",
        subcommands: [Import.self, List.self]
    )

    /// The options of both.
    struct Target: ParsableArguments {
        @Option(help: ArgumentHelp("The cluster's data directory.", valueName: "directory"))
        var dataDir = ClusterConfiguration().dataDirectory

        @Option(help: ArgumentHelp("The socket of a containerd that apus did not start.", valueName: "socket"))
        var containerRuntimeEndpoint: String?

        func images() -> ImageStore {
            let directory = DataDirectory(absolutePath(dataDir))
            let socket = containerRuntimeEndpoint.map(Host.socketPath) ?? NodeRuntime.containerd(directory).socket
            return ImageStore(socket: socket)
        }
    }

    /// `apus image import`.
    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Load images from OCI or docker archives, so that nothing need be pulled."
        )

        @Argument(help: ArgumentHelp("Archives, as 'docker save' or 'skopeo copy … oci-archive:' write them.", valueName: "file.tar"))
        var files: [String]

        @OptionGroup var target: Target

        func run() async throws {
            for file in files {
                do {
                    for name in try await target.images().importArchive(file) { Terminal.out("imported \(name)") }
                } catch {
                    Terminal.error("apus: \(file): \(error)")
                    throw ExitCode.failure
                }
            }
        }
    }

    /// `apus image ls`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List the images.")

        @OptionGroup var target: Target

        func run() async throws {
            for name in try await target.images().names() where !name.hasPrefix("sha256:") { Terminal.out(name) }
        }
    }
}
