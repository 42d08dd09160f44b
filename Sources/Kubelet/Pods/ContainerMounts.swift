import APITypes
import PodRuntime
import RPC

/// What a container sees mounted: its volumes, /etc/hosts and its termination message file.
struct ContainerMounts {
    let node: NodeContext
    let pod: Pod
    let volumes: [String: MountedVolume]
    let addresses: [String]

    func make(
        _ container: Container,
        restartCount: Int,
        variables: [(name: String, value: String)]
    ) async throws -> (mounts: [CRIMount], terminationMessage: String?) {
        var mounts: [CRIMount] = []
        for (index, mount) in container.volumeMounts.enumerated() {
            mounts.append(try await volume(mount, index, container, variables))
        }
        if !mounts.contains(where: { $0.containerPath == "/etc/hosts" }) {
            var mount = CRIMount()
            mount.containerPath = "/etc/hosts"
            mount.hostPath = try await hostsFile()
            mounts.append(mount)
        }
        guard !container.terminationMessagePath.isEmpty else { return (mounts, nil) }
        let (directory, name) = (node.podDirectory(pod.metadata.uid), container.name)
        let message = "\(directory)/containers/\(name)/\(restartCount)"
        try await node.pool.run {
            try HostFiles.makeDirectories("\(directory)/containers/\(name)")
            try HostFiles.write(message, [UInt8](), mode: 0o666)
            try HostFiles.changeMode(message, 0o666)
        }
        mounts.append(
            .with {
                $0.containerPath = container.terminationMessagePath
                $0.hostPath = message
            }
        )
        return (mounts, message)
    }

    private func volume(
        _ mount: VolumeMount,
        _ index: Int,
        _ container: Container,
        _ variables: [(name: String, value: String)]
    ) async throws -> CRIMount {
        guard let volume = volumes[mount.name] else {
            throw ContainerConfigError(
                message: "cannot find volume \"\(mount.name)\" to mount into container \"\(container.name)\""
            )
        }
        var source = volume.hostPath
        var subPath = mount.subPath
        if !mount.subPathExpr.isEmpty {
            let values = Dictionary(variables.map { ($0.name, $0.value) }) { $1 }
            subPath = VariableExpansion.expand(mount.subPathExpr) { values[$0] }
        }
        if !subPath.isEmpty {
            let directory = node.podDirectory(pod.metadata.uid)
            let target = "\(directory)/volume-subpaths/\(mount.name)/\(container.name)/\(index)"
            let (root, relative) = (source, subPath)
            try await node.pool.run { try SubPath.bind(volume: root, subPath: relative, target: target) }
            source = target
        }
        return .with {
            $0.containerPath = mount.mountPath.hasPrefix("/") ? mount.mountPath : "/\(mount.mountPath)"
            $0.hostPath = source
            $0.readonly = mount.readOnly || volume.isReadOnly
            switch mount.mountPropagation {
            case "HostToContainer": $0.propagation = .propagationHostToContainer
            case "Bidirectional": $0.propagation = .propagationBidirectional
            default: $0.propagation = .propagationPrivate
            }
        }
    }

    private func hostsFile() async throws -> String {
        let path = "\(node.podDirectory(pod.metadata.uid))/etc-hosts"
        let spec = pod.spec
        let (name, domain) = pod.hostname(clusterDomain: node.settings.dns.domain)
        let addresses = addresses
        try await node.pool.run {
            let text =
                spec.hostNetwork
                ? HostsFile.hostContent(node: HostFiles.text("/etc/hosts") ?? "", aliases: spec.hostAliases)
                : HostsFile.content(addresses: addresses, hostname: name, domain: domain, aliases: spec.hostAliases)
            try HostFiles.write(path, text)
            try HostFiles.changeMode(path, 0o644)
        }
        return path
    }
}
