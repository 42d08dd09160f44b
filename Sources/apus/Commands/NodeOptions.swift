import ArgumentParser

/// The flags that a server and an agent share: each of them is a node.
struct NodeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where everything is kept. (default: /var/lib/apus)", valueName: "directory"))
    var dataDir: String?

    @Option(help: ArgumentHelp("Use this container runtime's socket instead of starting containerd.", valueName: "socket"))
    var containerRuntimeEndpoint: String?

    @Option(help: ArgumentHelp("This node's name. (default: the host's)", valueName: "name"))
    var nodeName: String?

    @Option(name: .customLong("node-ip"), help: ArgumentHelp("This node's address. (default: the default route's)", valueName: "address"))
    var nodeIP: String?

    @Option(help: ArgumentHelp("How to write the log: text or json. (default: text)", valueName: "format"))
    var logFormat: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning or error. (default: info)", valueName: "level"))
    var logLevel: String?

    /// What was given, by the flags' names.
    var given: [(String, String?)] {
        [
            ("data-dir", dataDir), ("container-runtime-endpoint", containerRuntimeEndpoint), ("node-name", nodeName),
            ("node-ip", nodeIP), ("log-format", logFormat), ("log-level", logLevel),
        ]
    }
}
