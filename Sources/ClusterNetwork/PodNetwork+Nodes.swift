import APIModel
import APITypes
import Channels
import ControllerRuntime
import Units

extension PodNetwork {
    /// Between looks at what others may have changed on the host: its filter, its links.
    private static let checkInterval = Duration.seconds(30)
    /// The packet size of links whose own cannot be read.
    private static let usualMTU = 1500

    /// Keeps routes to the pods of other nodes, and their way through the host's own filter, until the task is cancelled.
    /// Somebody else runs the informers.
    public func followNodes(_ informers: SharedInformers, thisNode: String) async {
        let nodes = informers.informer(Node.self)
        let changes = Signal(0)
        nodes.addHandlers(.init { _ in changes.update { $0 += 1 } })
        guard (try? await nodes.waitForSync()) != nil else { return }
        let filter = ForwardRules(chain: configuration.names.forwardChain, host: host)
        var applied: Set<NodeRoute>?
        var links: [CIDR] = []
        var lookedAt: ContinuousClock.Instant?
        while !Task.isCancelled {
            let version = changes.current.version
            if lookedAt.map({ ContinuousClock.now - $0 >= Self.checkInterval }) != false {
                let listing = (try? await host.run(["ip", "-4", "-o", "addr", "show"])) ?? ""
                links = NodeRoutesPlan.links(listing, names: configuration.names, nodeAddress: configuration.nodeAddress)
                await filter.ensure(clusterCIDR: configuration.clusterCIDR, log: log)
                lookedAt = ContinuousClock.now
            }
            let wanted = NodeRoutesPlan.routes(
                nodes: nodes.list(),
                thisNode: thisNode,
                clusterCIDR: configuration.clusterCIDR,
                links: links
            )
            if applied == nil { await removeStale(wanted) }
            applied = await apply(wanted, over: applied ?? [])
            _ = try? await withDeadline(Self.checkInterval) { await changes.next(after: version) }
        }
    }

    /// Routes of an earlier run to nodes that are gone.
    private func removeStale(_ wanted: Set<NodeRoute>) async {
        let routes = NodeRoutes(names: configuration.names, host: host)
        let destinations = Set(wanted.map(\.destination))
        for route in routes.present(await routes.listing()) where !destinations.contains(route) {
            _ = try? await host.run(routes.removal(route))
        }
    }

    /// Returns the routes that are in force now; those that failed are tried again with the next look.
    func apply(_ wanted: Set<NodeRoute>, over applied: Set<NodeRoute>) async -> Set<NodeRoute> {
        let routes = NodeRoutes(names: configuration.names, host: host)
        var result = applied
        for route in applied.subtracting(wanted).sorted() {
            let isReplaced = wanted.contains { $0.destination == route.destination }
            if !isReplaced { _ = try? await host.run(routes.removal(route.destination)) }
            if route.isOverlay, !wanted.contains(where: { $0.destination == route.destination && $0.isOverlay }) {
                for command in Overlay.closing(route, names: configuration.names) { _ = try? await host.run(command) }
            }
            result.remove(route)
        }
        for route in wanted.subtracting(applied).sorted() {
            do {
                if route.isOverlay {
                    try await ensureOverlay(toward: route.gateway)
                    for command in Overlay.opening(route, names: configuration.names) { try await host.run(command) }
                }
                try await host.run(routes.replacement(route))
                log.info(
                    "route to the pods of a node",
                    metadata: ["destination": "\(route.destination)", "node": "\(route.gateway)", "overlay": "\(route.isOverlay)"]
                )
                result.insert(route)
            } catch {
                log.warning("no route to the pods of a node", metadata: ["destination": "\(route.destination)", "error": "\(error)"])
            }
        }
        return result
    }

    /// Makes the VXLAN device when it is missing or not as it must be.
    private func ensureOverlay(toward peer: IPAddress) async throws {
        let name = configuration.names.overlay
        if let listing = try? await host.run(["ip", "-d", "-o", "link", "show", "dev", name]) {
            if Overlay.isRight(listing, configuration) { return }
            try await host.run(["ip", "link", "del", "dev", name])
        }
        for command in Overlay.creation(configuration, underlayMTU: await mtu(toward: peer)) { try await host.run(command) }
        // Answers may come by a straight route: a strict filter would drop them.
        _ = await host.set("net/ipv4/conf/\(name)/rp_filter", "2")
    }

    /// The packet size of the link that leads to an address.
    private func mtu(toward peer: IPAddress) async -> Int {
        guard let route = try? await host.run(["ip", "-4", "-o", "route", "get", peer.description]),
            let device = Self.word(after: "dev", in: route),
            let link = try? await host.run(["ip", "-o", "link", "show", "dev", device])
        else { return Self.usualMTU }
        return Self.word(after: "mtu", in: link).flatMap { Int($0) } ?? Self.usualMTU
    }

    private static func word(after key: String, in text: String) -> String? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard let index = words.firstIndex(where: { $0 == key }), index + 1 < words.count else { return nil }
        return String(words[index + 1])
    }
}
