import APIModel
import APITypes
import Units

/// Watches over nodes by their status and leases: a node that is silent for too long is declared unknown, its pods
/// unready, and it is tainted so that pods move away, zone by zone and never all at once.
/// A state machine: inputs are observations, outputs are actions. Owned by the run loop of the controller.
public struct NodeHealthMonitor: Sendable {
    /// The times and rates of the controller manager's flags.
    public struct Settings: Sendable {
        /// Silence of a node that was ready once.
        public var gracePeriod: Duration = .seconds(40)
        /// Silence of a node that never reported.
        public var startupGracePeriod: Duration = .seconds(60)
        /// How many nodes a second may be tainted for eviction in a healthy zone.
        public var evictionRate = 0.1
        /// The same in a partly broken, large zone; small ones stop.
        public var secondaryEvictionRate = 0.01
        /// From how many nodes on a zone is large.
        public var largeZone = 50
        /// The share of broken nodes that makes a zone partly broken.
        public var unhealthyShare = 0.55

        /// The defaults.
        public init() {}
    }

    /// What is to be done.
    public enum Action: Sendable {
        /// The first look at a node.
        case registered(name: String, uid: String)
        /// A node is gone.
        case removed(name: String, uid: String)
        /// Conditions became unknown.
        case updateStatus(Node)
        /// The node ceased to be ready: say so, and mark its pods unready.
        case becameUnready(Node)
        /// Mark the pods of a node that is still unready.
        case markPodsUnready(Node)
        /// Change the eviction taints.
        case taint(Node, add: [Taint], remove: [Taint])
    }

    struct Health: Sendable {
        var uid: String
        var ready: NodeCondition?
        var probedAt: Timestamp
        var leaseRenewed: Timestamp?
        var zone: String
        /// The status the pods were last told of.
        var podsToldUnready = false
    }

    let settings: Settings
    private(set) var known: [String: Health] = [:]
    var zones: [String: ZoneEviction] = [:]

    /// Knows no node yet.
    public init(settings: Settings = .init()) { self.settings = settings }

    /// One round over all nodes. `lease` gives the last renewal of a node's lease.
    public mutating func observe(_ nodes: [Node], now: Timestamp, lease: (String) -> Timestamp?) -> [Action] {
        var actions: [Action] = []
        let names = Set(nodes.map(\.name))
        for (name, health) in known where !names.contains(name) {
            actions.append(.removed(name: name, uid: health.uid))
            known[name] = nil
            for zone in zones.keys { zones[zone]?.forget(name) }
        }
        var conditions: [String: [String]] = [:]
        for node in nodes {
            if known[node.name]?.uid != node.uid {
                actions.append(.registered(name: node.name, uid: node.uid))
                known[node.name] = nil
            }
            let status = look(at: node, now: now, renewed: lease(node.name), actions: &actions)
            guard let status else { continue }
            conditions[node.zone, default: []].append(status)
        }
        actions += settle(conditions, nodes: nodes, now: now)
        return actions
    }

    /// The nodes' turn to be tainted, as far as the zones' rates allow.
    public mutating func taintDue(now: Timestamp, node: (String) -> Node?) -> [Action] {
        var actions: [Action] = []
        for key in zones.keys.sorted() {
            while let name = zones[key]?.next(now: now) {
                guard let node = node(name) else { continue }
                switch node.readyStatus {
                case "False": actions.append(.taint(node, add: [.notReady(now)], remove: [.unreachable(nil)]))
                case "Unknown": actions.append(.taint(node, add: [.unreachable(now)], remove: [.notReady(nil)]))
                default: break
                }
            }
        }
        return actions
    }

    /// Whether nodes wait for their turn to be tainted.
    public var hasWaiting: Bool { zones.values.contains { $0.hasWaiting } }

    /// The nodes that the last round found not to be ready.
    public var unready: Set<String> {
        Set(known.lazy.filter { $0.value.ready.map { $0.status != "True" } ?? false }.map(\.key))
    }

    // MARK: One node

    /// Returns the status of `Ready` after this look.
    private mutating func look(at node: Node, now: Timestamp, renewed: Timestamp?, actions: inout [Action]) -> String? {
        let observed = node.condition("Ready")
        var health = probed(node, observed, now: now)
        if let renewed, health.leaseRenewed.map({ $0 < renewed }) ?? true {
            health.leaseRenewed = renewed
            health.probedAt = now
        }
        let grace = observed == nil ? settings.startupGracePeriod : settings.gracePeriod
        var current = observed
        if now > health.probedAt + grace {
            let silent = node.silenced(now: now)
            if silent.condition("Ready") != observed {
                actions.append(.updateStatus(silent))
                current = silent.condition("Ready")
            }
        }
        let status = current?.status
        if let status, status != "True" {
            if observed?.status == "True" {
                actions.append(.becameUnready(current == observed ? node : node.silenced(now: now)))
            } else if !health.podsToldUnready {
                actions.append(.markPodsUnready(node))
            }
        }
        health.podsToldUnready = status.map { $0 != "True" } ?? false
        known[node.name] = health
        if let status { react(to: status, node: node, now: now, actions: &actions) }
        return status
    }

    /// A changed heartbeat or a first sight is a sign of life.
    private func probed(_ node: Node, _ observed: NodeCondition?, now: Timestamp) -> Health {
        let created = node.metadata.creationTimestamp ?? now
        guard var health = known[node.name] else {
            return Health(uid: node.uid, ready: observed, probedAt: observed == nil ? created : now, zone: node.zone)
        }
        switch (health.ready, observed) {
        case (nil, nil): break
        case (nil, _?), (_?, nil): health.probedAt = now
        case (let saved?, let seen?):
            if saved.lastHeartbeatTime != seen.lastHeartbeatTime { health.probedAt = now }
        }
        health.ready = observed
        health.zone = node.zone
        return health
    }

    private mutating func react(to status: String, node: Node, now: Timestamp, actions: inout [Action]) {
        let zone = node.zone
        if zones[zone] == nil { zones[zone] = ZoneEviction(rate: settings.evictionRate, now: now) }
        switch status {
        case "True":
            zones[zone]?.forget(node.name)
            removeEvictionTaints(node, actions: &actions)
        case "False":
            if node.has(.unreachable(nil)) {
                actions.append(.taint(node, add: [.notReady(now)], remove: [.unreachable(nil)]))
            } else if !node.has(.notReady(nil)) {
                zones[zone]?.enqueue(node.name)
            }
        default:
            if node.has(.notReady(nil)) {
                actions.append(.taint(node, add: [.unreachable(now)], remove: [.notReady(nil)]))
            } else if !node.has(.unreachable(nil)) {
                zones[zone]?.enqueue(node.name)
            }
        }
    }

    private func removeEvictionTaints(_ node: Node, actions: inout [Action]) {
        let present = [Taint.unreachable(nil), .notReady(nil)].filter { node.has($0) }
        if !present.isEmpty { actions.append(.taint(node, add: [], remove: present)) }
    }

    // MARK: Zones

    /// When everything is down, the fault is more likely ours: nobody is evicted until some node returns.
    private mutating func settle(_ conditions: [String: [String]], nodes: [Node], now: Timestamp) -> [Action] {
        let states = conditions.mapValues { ZoneState(of: $0, settings: settings) }
        let before = zones.filter { conditions[$0.key] != nil }.mapValues(\.state)
        for zone in Array(zones.keys) where conditions[zone] == nil { zones[zone] = nil }
        let allDown = !states.isEmpty && states.values.allSatisfy { $0 == .fullDisruption }
        let allWereDown = !before.isEmpty && before.values.allSatisfy { $0 == .fullDisruption }
        if allDown {
            guard !allWereDown else { return [] }
            var actions: [Action] = []
            for node in nodes { removeEvictionTaints(node, actions: &actions) }
            for zone in Array(zones.keys) { zones[zone]?.stop() }
            return actions
        }
        if allWereDown {
            for name in Array(known.keys) { known[name]?.probedAt = now }
        }
        for (zone, state) in states where zones[zone]?.state != state {
            let rate = rate(of: state, size: conditions[zone]?.count ?? 0)
            zones[zone]?.enter(state, rate: rate, now: now)
        }
        return []
    }

    private func rate(of state: ZoneState, size: Int) -> Double {
        guard state == .partialDisruption else { return settings.evictionRate }
        return size > settings.largeZone ? settings.secondaryEvictionRate : 0
    }
}
