import ArgumentParser

/// Prints every budget of docs/performance.md that this binary's parts can show, beside its figure.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apus-bench",
        abstract: "Benchmarks of Apus, and a load generator for any Kubernetes API server.",
        subcommands: [
            AllCommand.self, ValuesCommand.self, SchedulerCommand.self, StartCommand.self, ServerCommand.self, WatchersCommand.self,
            NodesCommand.self, PodsCommand.self, CRDsCommand.self, ScaleCommand.self, StoredCommand.self, LoneCommand.self,
            LoneServerCommand.self, LoadCommand.self,
        ]
    )
}

/// Which binary is measured.
struct BinaryOption: ParsableArguments {
    @Option(help: "The apus binary.")
    var apus = ".build/release/apus"
}

/// `apus-bench all`.
struct AllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "all", abstract: "Everything, against a given apus binary.")

    @OptionGroup var binary: BinaryOption

    func run() async throws {
        let report = Report()
        report.heading()
        let apus = binary.apus
        // First: it weighs this process.
        await report.section("stored pods") { try await StoredPodsBench().run(report) }
        ValuesBench().run(report)
        TypedAccessBench().run(report)
        await report.section("scheduler alone") { try await SchedulerFigures.run(report) }
        await report.section("start and idle") { try await StartBench(binary: apus).run(report) }
        await report.section("API under load") { try await ServerBench(binary: apus).run(report) }
        await report.section("the API server alone") { try await LoneServerBench().run(report) }
        await report.section("many watchers") { try await WatchersBench(binary: apus).run(report) }
        await report.section("pods created and bound") { try await NodesBench(binary: apus).run(report) }
        await report.section("real pods") { try await PodStartBench(binary: apus).run(report) }
        await report.section("CRDs") { try await CustomResourceBench(binary: apus).run(report) }
        await report.section("hollow cluster") { try await ScaleBench(binary: apus).run(report) }
    }
}

/// `apus-bench values`.
struct ValuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "values", abstract: "JSON decode and encode.")

    func run() async throws {
        let report = Report()
        report.heading()
        ValuesBench().run(report)
        TypedAccessBench().run(report)
    }
}

/// `apus-bench stored`.
struct StoredCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stored", abstract: "Memory per stored pod of the API server alone.")

    func run() async throws {
        let report = Report()
        report.heading()
        try await StoredPodsBench().run(report)
    }
}

/// `apus-bench lone`.
struct LoneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lone",
        abstract: "Writes to the API server alone, in a process of its own."
    )

    func run() async throws {
        let report = Report()
        report.heading()
        try await LoneServerBench().run(report)
    }
}

/// `apus-bench scheduler`.
struct SchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scheduler", abstract: "The scheduler alone, on upstream's workloads.")

    func run() async throws {
        let report = Report()
        report.heading()
        try await SchedulerFigures.run(report)
    }
}

/// `apus-bench start`.
struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start-up times and idle cost of a binary.")

    @OptionGroup var binary: BinaryOption

    func run() async throws {
        let report = Report()
        report.heading()
        try await StartBench(binary: binary.apus).run(report)
    }
}

/// `apus-bench server`.
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "server", abstract: "`load` against a server of its own.")

    @OptionGroup var binary: BinaryOption

    func run() async throws {
        let report = Report()
        report.heading()
        try await ServerBench(binary: binary.apus).run(report)
    }
}

/// `apus-bench watchers`.
struct WatchersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "watchers", abstract: "Very many watchers of one resource.")

    @OptionGroup var binary: BinaryOption

    @Option(help: "How many.")
    var watchers = 10_000

    func run() async throws {
        let report = Report()
        report.heading()
        try await WatchersBench(binary: binary.apus, watchers: watchers).run(report)
    }
}

/// `apus-bench nodes`.
struct NodesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "nodes", abstract: "Pods created and bound on many nodes, end to end.")

    @OptionGroup var binary: BinaryOption

    @Option(help: "Nodes.")
    var nodes = 1_000

    @Option(help: "Pods.")
    var pods = 10_000

    func run() async throws {
        let report = Report()
        report.heading()
        try await NodesBench(binary: binary.apus, nodes: nodes, pods: pods).run(report)
    }
}

/// `apus-bench pods`.
struct PodsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pods",
        abstract: "Real containers: one pod, a Deployment of 30. Needs root."
    )

    @OptionGroup var binary: BinaryOption

    func run() async throws {
        let report = Report()
        report.heading()
        try await PodStartBench(binary: binary.apus).run(report)
    }
}

/// `apus-bench crds`.
struct CRDsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "crds", abstract: "Memory per CustomResourceDefinition.")

    @OptionGroup var binary: BinaryOption

    @Option(help: "How many.")
    var count = 200

    func run() async throws {
        let report = Report()
        report.heading()
        try await CustomResourceBench(binary: binary.apus, count: count).run(report)
    }
}

/// `apus-bench scale`.
struct ScaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scale", abstract: "A large hollow cluster: API latencies while it fills.")

    @OptionGroup var binary: BinaryOption

    @Option(help: "Hollow nodes.")
    var nodes = 5_000

    @Option(help: "Pods.")
    var pods = 150_000

    func run() async throws {
        let report = Report()
        report.heading()
        try await ScaleBench(binary: binary.apus, nodes: nodes, pods: pods).run(report)
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

    @Option(parsing: .upToNextOption, help: "Only these phases: create, get, patch, list, watch. The pods then stay for the next run.")
    var only: [String] = []

    /// Whether a phase is to be run.
    func wants(_ phase: String) -> Bool { only.isEmpty || only.contains(phase) }
}
