import Containerd
import Glibc
import Logging

/// The container runtime of this node, as the data directory has it.
enum NodeRuntime {
    /// Where Debian and the CNI project install the plugins.
    private static let pluginDirectories = ["/usr/lib/cni", "/opt/cni/bin"]

    /// Directory of the CNI plugins' programs: the first that holds the bridge plugin.
    static var cniPlugins: String {
        pluginDirectories.first { access($0 + "/bridge", X_OK) == 0 } ?? pluginDirectories[0]
    }

    /// The private containerd's configuration.
    static func containerd(_ directory: DataDirectory) -> ContainerdConfiguration {
        ContainerdConfiguration(
            root: directory.containerd,
            state: directory.runtime + "/containerd",
            cniBinaryDirectory: cniPlugins,
            cniConfigurationDirectory: directory.cniConfiguration,
            registryDirectory: directory.path + "/registries",
            restrictOOMScoreAdjust: !Host.hasSysResource
        )
    }
}
