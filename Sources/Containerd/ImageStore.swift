import Channels
import Glibc

/// The images of one containerd, reached through its own command `ctr`: CRI has no call to import an archive.
public struct ImageStore: Sendable {
    private let socket: String
    /// The namespace that CRI uses.
    private static let namespace = "k8s.io"
    private static let importDeadline = Duration.seconds(600)

    /// The images behind the given containerd socket.
    public init(socket: String) {
        self.socket = socket
    }

    /// Imports an OCI or docker archive file.
    ///
    /// - Returns: the names of the images it held.
    /// - Throws: `ChildProcessError` naming the file when it is not such an archive.
    public func importArchive(_ path: String) async throws -> [String] {
        guard access(path, R_OK) == 0 else { throw ChildProcessError(command: path, message: describe(errno: errno)) }
        return try await importImages([path], input: [], name: path)
    }

    /// Imports an archive held in memory.
    public func importArchive(_ bytes: [UInt8], name: String) async throws -> [String] {
        try await importImages(["-"], input: bytes, name: name)
    }

    /// The names of all images, sorted.
    public func names() async throws -> [String] {
        let result = try await ctr(["images", "ls", "-q"], input: [], deadline: .seconds(30))
        guard result.succeeded else { throw ChildProcessError(command: "ctr images ls", message: result.errorText) }
        return result.outputText.split(separator: "\n").map(String.init).sorted()
    }

    /// A table of the images, as `ctr images ls` prints it.
    public func table() async throws -> String {
        let result = try await ctr(["images", "ls"], input: [], deadline: .seconds(30))
        guard result.succeeded else { throw ChildProcessError(command: "ctr images ls", message: result.errorText) }
        return result.outputText
    }

    /// Imports the pause image unless it is there.
    public func ensurePauseImage() async throws {
        if try await names().contains(PauseImage.reference) { return }
        _ = try await importArchive(PauseImage.archive(), name: PauseImage.reference)
    }

    private func importImages(_ source: [String], input: [UInt8], name: String) async throws -> [String] {
        let result = try await ctr(["images", "import", "--all-platforms"] + source, input: input, deadline: Self.importDeadline)
        guard result.succeeded else {
            throw ChildProcessError(command: "image import \(name)", message: result.errorText)
        }
        return result.outputText.split(separator: "\n").compactMap { line in
            // "unpacking docker.io/library/app:v1 (sha256:…)...done"
            let words = line.split(separator: " ")
            return words.count > 1 && words[0] == "unpacking" ? String(words[1]) : nil
        }
    }

    private func ctr(_ arguments: [String], input: [UInt8], deadline: Duration) async throws -> ChildResult {
        try await ChildProcess.run(
            ["ctr", "--address", socket, "--namespace", Self.namespace] + arguments,
            input: input,
            deadline: deadline
        )
    }
}
