import APIModel
import Channels
import Schema
import Synchronization
import Units
import Values

/// Which cluster IPs and node ports services have. Filled from the stored services at start; guarded by its mutex.
final class ServiceAddresses: Sendable {
    /// What a service holds.
    struct Holding: Sendable, Hashable {
        var addresses: Set<String> = []
        /// Ports by protocol, since a TCP and a UDP port may share a number within one service.
        var ports: Set<Int> = []

        init() {}

        init(_ service: JSONValue) {
            let spec = service["spec"]
            for address in spec?["clusterIPs"]?.array ?? [] { add(address.string) }
            add(spec?["clusterIP"]?.string)
            for port in spec?["ports"]?.array ?? [] { add(port["nodePort"]?.int) }
            add(spec?["healthCheckNodePort"]?.int)
        }

        private mutating func add(_ address: String?) {
            guard let address, !address.isEmpty, address != "None" else { return }
            addresses.insert(address)
        }

        private mutating func add(_ port: Int64?) {
            if let port, port > 0 { ports.insert(Int(port)) }
        }
    }

    private struct State {
        var addresses: Set<String> = []
        var ports: Set<Int> = []
    }

    private static let randomTries = 64
    let network: CIDR
    let ports: ClosedRange<Int>
    private let random: any RandomSource
    private let state = Mutex(State())

    init(network: CIDR, ports: ClosedRange<Int>, random: any RandomSource) {
        self.network = network
        self.ports = ports
        self.random = random
    }

    /// The address of the `kubernetes` service.
    var first: String { network.address(at: 1)?.description ?? "" }

    /// Takes what the stored services hold; returns what is wrong with them.
    func repair(_ services: [JSONValue]) -> [String] {
        var problems: [String] = []
        state.withLock { state in
            state = State()
            for service in services {
                let name = "\(service["metadata"]?["namespace"]?.string ?? "")/\(service["metadata"]?["name"]?.string ?? "")"
                let holding = Holding(service)
                for address in holding.addresses where !state.addresses.insert(address).inserted {
                    problems.append("\(name): cluster IP \(address) is used twice")
                }
                for port in holding.ports where !state.ports.insert(port).inserted {
                    problems.append("\(name): node port \(port) is used twice")
                }
            }
        }
        return problems
    }

    /// What became of a request for one address or port.
    enum Claim: Sendable, Equatable { case taken, conflict, outside, exhausted }

    /// Takes an address the client chose.
    func take(_ address: String) -> Claim {
        guard let parsed = IPAddress(address), network.contains(parsed), !isReserved(parsed) else { return .outside }
        return state.withLock { $0.addresses.insert(parsed.description).inserted } ? .taken : .conflict
    }

    /// What would become of an address the client chose; who has it is not asked.
    func probe(_ address: String) -> Claim {
        guard let parsed = IPAddress(address), network.contains(parsed), !isReserved(parsed) else { return .outside }
        return .taken
    }

    /// Whether a port is taken.
    func has(_ port: Int) -> Bool { state.withLock { $0.ports.contains(port) } }

    private func isReserved(_ address: IPAddress) -> Bool {
        address.description == network.address(at: 0)?.description
            || (address.isV4 && address.description == network.address(at: network.hostCount - 1)?.description)
    }

    /// Takes any free address; nil when there is none.
    func takeAnyAddress() -> String? {
        let count = network.hostCount
        guard count > 2 else { return nil }
        let usable = count - 2
        // The lower part of the range is left for addresses people choose, as upstream does.
        let lower = min(max(UInt64(16), UInt64(usable) / 16), 256)
        for attempt in 0..<Self.randomTries {
            let floor = UInt64(usable) > lower && attempt < Self.randomTries / 2 ? lower : 0
            let offset = floor + random.next() % (UInt64(usable) - floor)
            if let taken = takeAddress(at: offset + 1) { return taken }
        }
        var offset: UInt64 = 1
        while offset <= UInt64(usable) {
            if let taken = takeAddress(at: offset) { return taken }
            offset += 1
        }
        return nil
    }

    private func takeAddress(at offset: UInt64) -> String? {
        guard offset != 1, let text = network.address(at: Int(offset))?.description else { return nil }
        return state.withLock { $0.addresses.insert(text).inserted } ? text : nil
    }

    /// Takes a port the client chose.
    func take(_ port: Int) -> Claim {
        guard ports.contains(port) else { return .outside }
        return state.withLock { $0.ports.insert(port).inserted } ? .taken : .conflict
    }

    /// Takes any free port; nil when there is none.
    func takeAnyPort() -> Int? {
        state.withLock { state in
            for _ in 0..<Self.randomTries {
                let port = ports.lowerBound + Int(random.next() % UInt64(ports.count))
                if state.ports.insert(port).inserted { return port }
            }
            return ports.first { state.ports.insert($0).inserted }
        }
    }

    /// Gives back.
    func release(addresses: Set<String>, ports: Set<Int>) {
        state.withLock { state in
            state.addresses.subtract(addresses)
            state.ports.subtract(ports)
        }
    }

    /// How many addresses and ports are taken.
    var count: (addresses: Int, ports: Int) { state.withLock { ($0.addresses.count, $0.ports.count) } }
}
