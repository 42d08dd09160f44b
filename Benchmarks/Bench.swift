import ArgumentParser

/// Prints every budget of docs/performance.md that this binary's parts can show, beside its figure.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-bench",
        abstract: "Benchmarks of Apus, and a load generator for any Kubernetes API server.",
        subcommands: [AllCommand.self, ValuesCommand.self, LoadCommand.self, StartCommand.self]
    )
}

/// `apus-bench all`.
struct AllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "all", abstract: "Everything, against a given apus binary.")

    @Option(help: "The apus binary.")
    var apus = ".build/release/apus"

    func run() async throws {
        let report = Report()
        report.heading()
        ValuesBench().run(report)
        TypedAccessBench().run(report)
        try await SchedulerFigures.run(report)
        try await StartBench(binary: apus).run(report)
        try await ServerBench(binary: apus).run(report)
    }
}

/// `apus-bench values`.
struct ValuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "values", abstract: "JSON decode and encode.")

    func run() async throws {
        let report = Report()
        report.heading()
        ValuesBench().run(report)
    }
}

/// `apus-bench start`.
struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start-up times and idle cost of a binary.")

    @Option(help: "The apus binary.")
    var apus = ".build/release/apus"

    func run() async throws {
        let report = Report()
        report.heading()
        try await StartBench(binary: apus).run(report)
    }
}

/// `apus-bench load`: any Kubernetes API server.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load on a Kubernetes API server: create, get, patch, list and watch pods.",
        discussion: "The server is the one of the kubeconfig. Its CPU is read from /proc when --server-pid is given."
    )

    @Option(help: "The kubeconfig.")
    var kubeconfig: String

    @Option(help: "The server's process id, for its CPU and memory.")
    var serverPid: Int32?

    @OptionGroup var shape: LoadShape

    func run() async throws {
        let report = Report()
        report.heading()
        try await APILoad(kubeconfig: kubeconfig, server: serverPid.map(ProcessFacts.init), shape: shape).run(report)
    }
}

/// How much load.
struct LoadShape: ParsableArguments {
    @Option(help: "Concurrent clients.")
    var clients = 64

    @Option(help: "Connections they share.")
    var connections = 8

    @Option(help: "Pods to create.")
    var pods = 10_000

    @Option(help: "Requests of each reading and patching phase.")
    var requests = 10_000

    @Option(help: "Watchers of the watch phase.")
    var watchers = 1_000

    @Option(help: "Events each watcher is sent.")
    var events = 50
}
