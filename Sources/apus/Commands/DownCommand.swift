import APIClient
import ArgumentParser
import Containerd
import Glibc

/// `apus down`: the reverse of `up`.
struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Stop the cluster and undo what it did to the host; the data stays unless --purge is given."
    )

    @Option(help: ArgumentHelp("The cluster's data directory.", valueName: "directory"))
    var dataDir = ClusterConfiguration().dataDirectory

    @Flag(help: "Also delete the data directory.")
    var purge = false

    func run() async throws {
        Logs.start(level: .error)
        let directory = DataDirectory(absolutePath(dataDir))
        guard access(directory.path, F_OK) == 0 else {
            Terminal.out("There is no cluster in \(directory.path).")
            return
        }
        // A damaged file keeps nothing from being taken down.
        let admin = (try? Kubeconfigs.admin(directory)) ?? nil
        let progress = Progress()
        progress.begin("stopping apus")
        await stopServer(directory)
        progress.begin("removing pods, network and mounts")
        var problems = await NodeCleanup(directory: directory).run()
        if purge {
            progress.begin("deleting \(directory.path)")
            problems += try deleteData(directory, admin)
        }
        progress.finish()
        problems.forEach { Terminal.error("apus: \($0)") }
        if !problems.isEmpty { throw ExitCode.failure }
    }

    /// Not in `run`, where Swift 6.3.1's optimiser crashes on it.
    private func deleteData(_ directory: DataDirectory, _ admin: Kubeconfig?) throws -> [String] {
        try FileTree.remove(directory.path)
        do { try Kubeconfigs.withdraw(admin) } catch { return ["\(error)"] }
        return []
    }

    /// SIGTERM, and SIGKILL for a server that does not leave.
    private func stopServer(_ directory: DataDirectory) async {
        guard let process = directory.owner(), process > 0 else { return }
        kill(process, SIGTERM)
        let end = ContinuousClock.now + .seconds(20)
        while directory.owner() == process {
            if ContinuousClock.now > end { kill(process, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(20))
        }
        unlink(directory.pidFile)
    }
}
