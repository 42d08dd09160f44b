import Channels
import ClusterNetwork
import Containerd
import Glibc
import KubeProxy
import Kubelet
import Logging
import PodRuntime

/// Undoes what a node did to the host: pods, the container runtime, links, rules, mounts, cgroups.
struct NodeCleanup: Sendable {
    let directory: DataDirectory
    private static let podDeadline = Duration.seconds(60)

    /// Cleans up.
    /// - Returns: what could not be undone, in words.
    func run() async -> [String] {
        guard geteuid() == 0 else { return [] }
        var problems = await removePods()
        let containerd = NodeRuntime.containerd(directory)
        await ContainerdProcess(configuration: containerd, logger: Logger(label: "containerd")).stop()
        await ContainerShims(socket: containerd.socket).endIdle()
        problems += await removeNetwork()
        problems += await removeRules()
        problems += unmountAll()
        problems += removeCgroups()
        problems += removeRuntimeDirectory()
        return problems
    }

    /// Stops and removes every sandbox through the runtime, so that CNI gives addresses and links back.
    private func removePods() async -> [String] {
        let containerd = ContainerdProcess(configuration: NodeRuntime.containerd(directory), logger: Logger(label: "containerd"))
        guard access(containerd.configuration.file, F_OK) == 0 else { return [] }
        do {
            // A containerd that died left its containers: it is started once more to end them.
            try await containerd.start()
            let runtime = try CRIRuntime(socketPath: containerd.configuration.socket)
            let connection = Task { try await runtime.run() }  // unstructured: ends with the line below
            defer { connection.cancel() }
            return try await withDeadline(Self.podDeadline) { try await removeSandboxes(runtime) }
        } catch {
            return ["pods: \(error)"]
        }
    }

    private func removeSandboxes(_ runtime: CRIRuntime) async throws -> [String] {
        let sandboxes = try await runtime.listPodSandboxes(podUID: nil)
        return await withTaskGroup(of: String?.self) { group in
            for sandbox in sandboxes {
                group.addTask {
                    do {
                        try await runtime.stopPodSandbox(sandbox.id)
                        try await runtime.removePodSandbox(sandbox.id)
                        return nil
                    } catch {
                        return "pod \(sandbox.metadata.namespace)/\(sandbox.metadata.name): \(error)"
                    }
                }
            }
            return await group.reduce(into: []) { if let problem = $1 { $0.append(problem) } }
        }
    }

    private func removeNetwork() async -> [String] {
        do {
            try await PodNetwork.cleanUp(
                names: directory.names,
                cniConfigurationDirectory: directory.cniConfiguration,
                cniStateDirectory: directory.cniState
            )
            return []
        } catch {
            return ["pod network: \(error)"]
        }
    }

    private func removeRules() async -> [String] {
        do {
            try await NFTables().apply(Ruleset.removalScript(table: directory.names.proxyTable))
            return []
        } catch {
            return ["nftables: \(error)"]
        }
    }

    /// Unmounts what is mounted below our directories, deepest first.
    private func unmountAll() -> [String] {
        let roots = [directory.path + "/", directory.runtime + "/"]
        let mounts = (FileBytes.text("/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            return fields.count > 4 ? String(fields[4]) : nil
        }
        let ours = mounts.filter { mount in roots.contains { mount.hasPrefix($0) } }
        return ours.reversed().compactMap { path in
            umount2(path, Int32(MNT_DETACH)) == 0 || errno == EINVAL ? nil : "\(path): \(FileBytes.lastError())"
        }
    }

    /// Removes the empty cgroups of our pods, in every hierarchy.
    private func removeCgroups() -> [String] {
        let name = directory.clusterID.isEmpty ? "kubepods" : "apus-\(directory.clusterID)"
        let root = "/sys/fs/cgroup"
        for hierarchy in [root] + FileTree.names(root).map({ "\(root)/\($0)" }) {
            for group in FileTree.names(hierarchy) where group.hasPrefix(name) { FileTree.removeDirectories("\(hierarchy)/\(group)") }
        }
        return []
    }

    private func removeRuntimeDirectory() -> [String] {
        do {
            try FileTree.remove(directory.runtime)
            return []
        } catch {
            return ["\(error)"]
        }
    }
}
