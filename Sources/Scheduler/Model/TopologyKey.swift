/// A label of nodes by which they form domains, with a short way to the two that nearly everybody uses.
struct TopologyKey: Sendable, Hashable {
    static let zone = "topology.kubernetes.io/zone"
    static let hostname = "kubernetes.io/hostname"

    private enum Kind: Sendable, Hashable {
        case zone, hostname, other
    }

    let name: String
    private let kind: Kind

    init(_ name: String) {
        self.name = name
        kind = name == Self.zone ? .zone : name == Self.hostname ? .hostname : .other
    }

    /// The domain a node belongs to; nil when it lacks the label.
    func domain(of node: NodeSnapshot) -> String? {
        switch kind {
        case .zone: node.zoneLabel
        case .hostname: node.hostnameLabel
        case .other: node.facts.labels[name]
        }
    }
}
