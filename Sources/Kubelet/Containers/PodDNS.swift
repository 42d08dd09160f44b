import APITypes
import RPC

/// The name servers, search domains and options of one pod.
struct PodDNS: Sendable, Hashable {
    /// As many as resolvers honour.
    static let maximumServers = 3
    /// As many as upstream allows.
    static let maximumSearches = 32

    var servers: [String] = []
    var searches: [String] = []
    var options: [String] = []

    /// What the cluster offers.
    struct Cluster: Sendable, Hashable {
        var servers: [String]
        var domain: String
        var node: PodDNS
    }

    init() {}

    /// The settings for a pod by its policy and own configuration.
    init(_ spec: PodSpec, namespace: String, cluster: Cluster) {
        switch Self.effectivePolicy(spec, cluster) {
        case "None":
            break
        case "Default":
            self = cluster.node
        default:
            servers = cluster.servers
            let domain = cluster.domain
            let suffixes = domain.isEmpty ? [] : ["\(namespace).svc.\(domain)", "svc.\(domain)", domain]
            searches = suffixes + cluster.node.searches
            options = ["ndots:5"]
        }
        if let own = spec.dnsConfig { merge(own) }
        servers = Array(Self.unique(servers).prefix(Self.maximumServers))
        searches = Array(Self.unique(searches).prefix(Self.maximumSearches))
    }

    private static func effectivePolicy(_ spec: PodSpec, _ cluster: Cluster) -> String {
        switch spec.dnsPolicy {
        case "None": "None"
        case "Default": "Default"
        case "ClusterFirstWithHostNet": cluster.servers.isEmpty ? "Default" : "ClusterFirst"
        default: spec.hostNetwork || cluster.servers.isEmpty ? "Default" : "ClusterFirst"
        }
    }

    private mutating func merge(_ own: PodDNSConfig) {
        servers += own.nameservers
        searches += own.searches
        var values: [(name: String, text: String)] = options.map { (Self.optionName($0), $0) }
        for option in own.options {
            let text = option.value.map { "\(option.name):\($0)" } ?? option.name
            if let index = values.firstIndex(where: { $0.name == option.name }) {
                values[index].text = text
            } else {
                values.append((option.name, text))
            }
        }
        options = values.map(\.text)
    }

    private static func optionName(_ text: String) -> String {
        String(text.prefix { $0 != ":" })
    }

    private static func unique(_ items: [String]) -> [String] {
        var seen: Set<String> = []
        return items.filter { seen.insert($0).inserted }
    }

    /// Reads a resolv.conf.
    init(resolvConf text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let keyword = words.first, !keyword.hasPrefix("#"), !keyword.hasPrefix(";") else { continue }
            switch keyword {
            case "nameserver" where words.count > 1: servers.append(words[1])
            case "search": searches = words.dropFirst().filter { $0 != "." }
            case "domain" where words.count > 1 && searches.isEmpty: searches = [words[1]]
            case "options": options += words.dropFirst()
            default: break
            }
        }
    }

    /// For the sandbox's configuration.
    var message: CRIDNSConfig {
        .with {
            $0.servers = servers
            $0.searches = searches
            $0.options = options
        }
    }
}
