import Values

/// Where a private containerd keeps its things, and what it is told.
public struct ContainerdConfiguration: Sendable, Equatable {
    /// Images and snapshots; survives reboots.
    public var root: String
    /// Sockets and the state of running containers; best on a tmpfs.
    public var state: String
    /// Directory of the CNI plugins' programs.
    public var cniBinaryDirectory: String
    /// Directory of the CNI network configuration.
    public var cniConfigurationDirectory: String
    /// Directory of per-registry `hosts.toml` files (certificates, mirrors).
    public var registryDirectory: String
    /// Set where CAP_SYS_RESOURCE is missing: runc then cannot lower oom_score_adj and would fail.
    public var restrictOOMScoreAdjust: Bool

    /// Settings under the given directories.
    public init(
        root: String,
        state: String,
        cniBinaryDirectory: String,
        cniConfigurationDirectory: String,
        registryDirectory: String,
        restrictOOMScoreAdjust: Bool
    ) {
        self.root = root
        self.state = state
        self.cniBinaryDirectory = cniBinaryDirectory
        self.cniConfigurationDirectory = cniConfigurationDirectory
        self.registryDirectory = registryDirectory
        self.restrictOOMScoreAdjust = restrictOOMScoreAdjust
    }

    /// The path of the socket that containerd serves CRI on.
    public var socket: String { state + "/containerd.sock" }
    /// The path of the configuration file.
    public var file: String { state + "/config.toml" }
    /// The path of containerd's log.
    public var logFile: String { root + "/containerd.log" }
    /// The path of the file that names the running process.
    public var pidFile: String { state + "/containerd.pid" }

    /// The configuration in containerd's format, version 2, which 1.6, 1.7 and 2.x read.
    public func toml() -> String {
        """
        # Written by apus at every start.
        version = 2
        root = \(quoted(root))
        state = \(quoted(state))
        disabled_plugins = [
          "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
          "io.containerd.snapshotter.v1.zfs", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
        ]

        [grpc]
          address = \(quoted(socket))

        [debug]
          level = "warn"

        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = \(quoted(PauseImage.reference))
          restrict_oom_score_adj = \(restrictOOMScoreAdjust)
          stream_server_address = "127.0.0.1"
          stream_server_port = "0"
          stream_idle_timeout = "4h0m0s"
          tolerate_missing_hugetlb_controller = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = \(quoted(cniBinaryDirectory))
            conf_dir = \(quoted(cniConfigurationDirectory))
          [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = \(quoted(registryDirectory))
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "overlayfs"
            default_runtime_name = "runc"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                SystemdCgroup = false

        """
    }

    /// A TOML basic string; JSON's escapes are a subset of TOML's.
    private func quoted(_ text: String) -> String {
        String(decoding: JSONValue.string(text).encoded(), as: UTF8.self)
    }
}
