import APITypes

/// The `/etc/hosts` of a pod's containers.
enum HostsFile {
    /// The file of a pod with its own network.
    static func content(addresses: [String], hostname: String, domain: String, aliases: [HostAlias]) -> String {
        var text = """
            # Kubernetes-managed hosts file.
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            fe00::0\tip6-localnet
            fe00::0\tip6-mcastprefix
            fe00::1\tip6-allnodes
            fe00::2\tip6-allrouters

            """
        for address in addresses {
            text += domain.isEmpty ? "\(address)\t\(hostname)\n" : "\(address)\t\(hostname).\(domain)\t\(hostname)\n"
        }
        return text + entries(aliases)
    }

    /// The file of a pod in the node's network: the node's own, and the pod's aliases.
    static func hostContent(node: String, aliases: [HostAlias]) -> String {
        "# Kubernetes-managed hosts file (host network).\n" + node + entries(aliases)
    }

    private static func entries(_ aliases: [HostAlias]) -> String {
        if aliases.isEmpty { return "" }
        let lines = aliases.map { "\($0.ip)\t\($0.hostnames.joined(separator: "\t"))\n" }
        return "\n# Entries added by HostAliases.\n" + lines.joined()
    }
}
