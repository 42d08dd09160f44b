import Logging
import Units

/// The routes to other nodes' pods in the kernel. They are told from others' by their protocol number and metric.
struct NodeRoutes: Sendable {
    let names: ClusterNames
    let host: HostCommands

    /// A number of routing protocols that nobody else has; the kernel only keeps it.
    private static let protocolNumber = "98"

    /// The routes of all clusters of apus, as `ip` shows them.
    func listing() async -> String {
        (try? await host.run(["ip", "-4", "-o", "route", "show", "proto", Self.protocolNumber])) ?? ""
    }

    /// Where the routes of this cluster in a listing lead.
    func present(_ listing: String) -> [CIDR] {
        listing.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let first = words.first, let index = words.firstIndex(of: "metric"), index + 1 < words.count,
                words[index + 1] == "\(names.routeMetric)"
            else { return nil }
            return CIDR(first.contains("/") ? String(first) : "\(first)/32")
        }
    }

    /// The command that makes or changes a route.
    func replacement(_ route: NodeRoute) -> [String] {
        let way =
            route.isOverlay
            ? ["via", Overlay.address(route.destination).description, "dev", names.overlay, "onlink"] : ["via", route.gateway.description]
        return ["ip", "route", "replace", route.destination.description] + way + tag
    }

    /// The command that removes the route to a range.
    func removal(_ destination: CIDR) -> [String] { ["ip", "route", "del", destination.description] + tag }

    private var tag: [String] { ["proto", Self.protocolNumber, "metric", "\(names.routeMetric)"] }
}
