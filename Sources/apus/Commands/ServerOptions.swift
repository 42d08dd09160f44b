import ArgumentParser
import Units
import Values

/// The flags of `server` and `up`. What is not given comes from `--config`, then from the defaults.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A YAML file with the same settings: dataDir, httpsPort, clusterCIDR, …", valueName: "file"))
    var config: String?

    @OptionGroup var node: NodeOptions

    @Option(help: ArgumentHelp("The port of the API. (default: 6443)", valueName: "port"))
    var httpsPort: Int?

    @Option(help: ArgumentHelp("Write the administrator's kubeconfig here instead of merging it into ~/.kube/config.", valueName: "file"))
    var kubeconfig: String?

    @Option(name: .customLong("service-cidr"), help: ArgumentHelp("Addresses of Services. (default: 10.96.0.0/12)", valueName: "cidr"))
    var serviceCIDR: String?

    @Option(name: .customLong("cluster-cidr"), help: ArgumentHelp("Addresses of pods. (default: 10.244.0.0/16)", valueName: "cidr"))
    var clusterCIDR: String?

    @Option(
        name: .customLong("cluster-dns"),
        help: ArgumentHelp("The DNS address. (default: the tenth Service address)", valueName: "address")
    )
    var clusterDNS: String?

    @Option(help: ArgumentHelp("Pretend this many nodes; nothing real runs, root is not needed.", valueName: "n"))
    var hollowNodes: Int?

    @Option(
        name: .customLong("max-requests-inflight"),
        help: ArgumentHelp("How many reads the API serves at the same time. (default: 400)", valueName: "n")
    )
    var maxRequestsInFlight: Int?

    @Option(
        name: .customLong("max-mutating-requests-inflight"),
        help: ArgumentHelp("How many writes the API serves at the same time. (default: 200)", valueName: "n")
    )
    var maxMutatingRequestsInFlight: Int?

    @Option(
        help: ArgumentHelp(
            "How long continued lists, watches and reads of a past revision may reach back. (default: 5m)",
            valueName: "duration"
        )
    )
    var historyAge: String?

    /// The checked settings.
    /// - Throws: `ValidationError` that names the flag or the file's key.
    func configuration() throws -> ClusterConfiguration {
        var result = ClusterConfiguration()
        if let config { try SettingsFile(path: config).apply(to: &result) }
        try Setting.apply(node.given + given, to: &result)
        let problems = result.problems()
        guard problems.isEmpty else { throw ValidationError(problems.joined(separator: "\n")) }
        return result
    }

    private var given: [(String, String?)] {
        [
            ("https-port", httpsPort.map(String.init)), ("kubeconfig", kubeconfig),
            ("service-cidr", serviceCIDR), ("cluster-cidr", clusterCIDR), ("cluster-dns", clusterDNS),
            ("hollow-nodes", hollowNodes.map(String.init)),
            ("max-requests-inflight", maxRequestsInFlight.map(String.init)),
            ("max-mutating-requests-inflight", maxMutatingRequestsInFlight.map(String.init)), ("history-age", historyAge),
        ]
    }

    /// The flags that give a started server this configuration.
    static func arguments(for configuration: ClusterConfiguration) -> [String] {
        var arguments = ["--data-dir", configuration.dataDirectory, "--https-port", String(configuration.httpsPort)]
        func add(_ flag: String, _ value: (some CustomStringConvertible)?) {
            if let value { arguments += [flag, value.description] }
        }
        add("--kubeconfig", configuration.kubeconfig)
        add("--service-cidr", configuration.serviceCIDR)
        add("--cluster-cidr", configuration.clusterCIDR)
        add("--cluster-dns", configuration.clusterDNS)
        add("--container-runtime-endpoint", configuration.containerRuntimeEndpoint)
        add("--node-name", configuration.nodeName)
        add("--node-ip", configuration.nodeIP)
        add("--hollow-nodes", configuration.hollowNodes > 0 ? configuration.hollowNodes : nil)
        add("--max-requests-inflight", configuration.maxRequestsInFlight)
        add("--max-mutating-requests-inflight", configuration.maxMutatingRequestsInFlight)
        add("--history-age", DurationText.format(configuration.historyAge))
        add("--log-format", configuration.logFormat.rawValue)
        add("--log-level", configuration.logLevel)
        return arguments
    }
}

/// One setting by its flag's name, from a flag or a file.
enum Setting {
    static let names: Set<String> = [
        "data-dir", "https-port", "kubeconfig", "service-cidr", "cluster-cidr", "cluster-dns", "container-runtime-endpoint",
        "node-name", "node-ip", "hollow-nodes", "max-requests-inflight", "max-mutating-requests-inflight", "history-age", "log-format",
        "log-level",
    ]

    /// Sets what flags gave.
    /// - Throws: `ValidationError` that names the flag.
    static func apply(_ given: [(String, String?)], to configuration: inout ClusterConfiguration) throws {
        for (name, value) in given {
            guard let value else { continue }
            try apply(name, value, to: &configuration, source: "--\(name)")
        }
    }

    /// Sets one setting from its text.
    /// - Throws: `ValidationError` that names `source`.
    static func apply(_ name: String, _ value: String, to configuration: inout ClusterConfiguration, source: String) throws {
        func parsed<T>(_ parse: (String) -> T?, _ what: String) throws -> T {
            guard let result = parse(value) else { throw ValidationError("\(source): '\(value)' is not \(what)") }
            return result
        }
        switch name {
        case "data-dir": configuration.dataDirectory = absolutePath(value)
        case "https-port": configuration.httpsPort = try parsed({ Int($0) }, "a port number")
        case "kubeconfig": configuration.kubeconfig = absolutePath(value)
        case "service-cidr": configuration.serviceCIDR = try parsed({ CIDR($0) }, "a range of addresses such as 10.96.0.0/12")
        case "cluster-cidr": configuration.clusterCIDR = try parsed({ CIDR($0) }, "a range of addresses such as 10.244.0.0/16")
        case "cluster-dns": configuration.clusterDNS = try parsed({ IPAddress($0) }, "an IP address")
        case "container-runtime-endpoint": configuration.containerRuntimeEndpoint = value
        case "node-name":
            guard let issue = Names.dns1123SubdomainIssues(value).first else {
                configuration.nodeName = value
                return
            }
            throw ValidationError("\(source): '\(value)': \(issue)")
        case "node-ip": configuration.nodeIP = try parsed({ IPAddress($0) }, "an IP address")
        case "hollow-nodes": configuration.hollowNodes = try parsed({ Int($0) }, "a number")
        case "max-requests-inflight": configuration.maxRequestsInFlight = try parsed({ Int($0) }, "a number")
        case "max-mutating-requests-inflight": configuration.maxMutatingRequestsInFlight = try parsed({ Int($0) }, "a number")
        case "history-age": configuration.historyAge = try parsed({ DurationText.parse($0) }, "a duration such as 5m")
        case "log-format":
            configuration.logFormat = try parsed({ ClusterConfiguration.LogFormat(rawValue: $0) }, "text or json")
        case "log-level":
            let levels = ["trace", "debug", "info", "notice", "warning", "error"]
            configuration.logLevel = try parsed({ levels.contains($0) ? $0 : nil }, "one of \(levels.joined(separator: ", "))")
        default: throw ValidationError("\(source): unknown setting")
        }
    }
}

/// The YAML file of `--config`: one flat mapping, the flags' names in camel case.
struct SettingsFile {
    let path: String

    func apply(to configuration: inout ClusterConfiguration) throws {
        guard let bytes = FileBytes.read(path) else {
            throw ValidationError("--config: cannot read \(path): \(FileBytes.lastError())")
        }
        let document: JSONValue
        do { document = try YAML.parse(bytes) } catch { throw ValidationError("--config \(path): \(error)") }
        guard let settings = document.object else { throw ValidationError("--config \(path): a mapping is expected") }
        for (key, value) in settings {
            let name = flagName(key)
            guard Setting.names.contains(name) else { throw ValidationError("--config \(path): unknown setting '\(key)'") }
            let text = value.string ?? value.int.map { String($0) }
            guard let text else { throw ValidationError("--config \(path): \(key): a string or a number is expected") }
            try Setting.apply(name, text, to: &configuration, source: "\(path): \(key)")
        }
    }

    /// `clusterCIDR` → `cluster-cidr`.
    private func flagName(_ key: String) -> String {
        var name = ""
        var previousIsUpper = true
        for character in key {
            if character.isUppercase, !previousIsUpper { name += "-" }
            previousIsUpper = character.isUppercase
            name += character.lowercased()
        }
        return name
    }
}
