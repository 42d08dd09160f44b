import APIClient
import APITypes
import ArgumentParser
import Bootstrap
import Channels
import Glibc

/// `apus up`: a one-node cluster in the background.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Start a one-node cluster in the background and leave a working kubeconfig."
    )

    @OptionGroup var options: ServerOptions

    @Option(help: ArgumentHelp("How many seconds the node may take to become Ready.", valueName: "seconds"))
    var wait = 120

    func run() async throws {
        let configuration = try options.configuration()
        let directory = DataDirectory(configuration.dataDirectory)
        try Host.requireRoot(unlessHollow: configuration)
        if let process = directory.owner() {
            Terminal.out("apus is already running (process \(process), data directory \(directory.path)).")
            _ = try Kubeconfigs.publish(configuration, directory)
            return
        }
        let progress = Progress()
        do {
            try await start(configuration, directory, progress)
        } catch {
            progress.fail()
            Terminal.error("apus: \(error)")
            throw ExitCode.failure
        }
        progress.finish()
        let path = try Kubeconfigs.publish(configuration, directory)
        Terminal.out(Self.nextSteps(configuration, kubeconfig: path))
    }

    private func start(_ configuration: ClusterConfiguration, _ directory: DataDirectory, _ progress: Progress) async throws {
        progress.begin("starting the API")
        try FileBytes.makeDirectory(directory.path)
        let process = try ChildProcess.startDetached(
            [Host.executable, "server"] + ServerOptions.arguments(for: configuration),
            logFile: directory.log
        )
        let server = StartingServer(process: process, directory: directory)
        let end = ContinuousClock.now + .seconds(wait)
        let client = try await server.client(until: end)
        progress.begin(
            configuration.hollowNodes > 0 ? "waiting for \(configuration.hollowNodes) hollow nodes" : "waiting for the node to be Ready"
        )
        let wanted = max(1, configuration.hollowNodes)
        try await server.poll(until: end, what: "\(wanted) Ready node(s)") {
            let nodes = try await client.list(Node.self).items
            return nodes.count { $0.isReady } >= wanted ? true : nil
        }
    }

    private static func nextSteps(_ configuration: ClusterConfiguration, kubeconfig: String) -> String {
        let export = configuration.kubeconfig == nil ? "" : "  export KUBECONFIG=\(kubeconfig)\n"
        return """

            The cluster is running. Its context 'apus' is in \(kubeconfig). Try:

            \(export)  kubectl get nodes
              kubectl create deployment web --image=IMAGE
              apus image import FILE.tar      # when there is no registry
            """
    }
}

/// A server process that was just started: asks until it answers, and tells why when it ends instead.
struct StartingServer: Sendable {
    let process: pid_t
    let directory: DataDirectory

    /// A client of the API, once the API is ready.
    func client(until end: ContinuousClock.Instant) async throws -> APIClient {
        let admin = KubeconfigFiles(dataDirectory: directory.path).adminPath
        return try await poll(until: end, what: "an answer of the API") {
            guard access(admin, R_OK) == 0 else { return nil }
            let client = try Kubeconfigs.client(admin)
            return try await client.isReady() ? client : nil
        }
    }

    /// Calls `attempt` until it gives a value.
    /// - Throws: `StartError` when the process ends or the time is up.
    @discardableResult
    func poll<T: Sendable>(until end: ContinuousClock.Instant, what: String, _ attempt: @Sendable () async throws -> T?) async throws -> T {
        var last: (any Error)?
        while true {
            do {
                if let value = try await attempt() { return value }
            } catch {
                last = error
            }
            var status: Int32 = 0
            if waitpid(process, &status, WNOHANG) == process { throw StartError(message: "the server ended:\n\(logTail())") }
            guard ContinuousClock.now < end else {
                throw StartError(message: "no \(what) in time\(last.map { ": \($0)" } ?? "")\n\(logTail())")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func logTail() -> String {
        let lines = (FileBytes.text(directory.log) ?? "").split(separator: "\n").suffix(5)
        return (lines + ["(more in \(directory.log))"]).joined(separator: "\n")
    }
}

/// A cluster that did not start.
struct StartError: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}
