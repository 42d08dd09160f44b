import Units

/// The names of one cluster: what is asked is answered from Services, endpoints and addresses of pods. Pure.
///
/// Layout: `service.namespace.svc.zone`, `_port._protocol.service.namespace.svc.zone`,
/// `endpoint.service.namespace.svc.zone`, `a-b-c-d.namespace.pod.zone`, and the reverse names of known addresses.
/// Source: the Kubernetes DNS specification 1.1.0 and CoreDNS' choices where it is open.
public struct DNSZone: Sendable {
    /// What is to be said about a question.
    public enum Outcome: Sendable, Hashable {
        /// Records; perhaps none of the type asked for (the name exists).
        case records([DNSRecord])
        /// There is no such name in our zone.
        case noSuchName
        /// The records lead to a name elsewhere that must be asked of others.
        case alias([DNSRecord], target: DNSName)
        /// Not ours to know.
        case elsewhere
    }

    /// How long answers may be kept, in seconds: short, since endpoints come and go.
    public static let ttl: UInt32 = 5
    /// The version of the specification, told under `dns-version`.
    private static let specificationVersion = "1.1.0"

    /// The cluster's domain.
    public let domain: DNSName
    private var services: [String: ServiceRecords] = [:]
    private var slices: [String: [String: EndpointRecords]] = [:]
    private var sliceServices: [String: String] = [:]
    private var servicesByAddress: [IPAddress: String] = [:]
    private var endpointServices: [IPAddress: [String: Int]] = [:]
    private var namespaces: [String: Int] = [:]
    /// Goes up with every change: the zone's serial number.
    public private(set) var serial: UInt32 = 1

    /// An empty zone.
    public init(domain: DNSName) { self.domain = domain }

    // MARK: keeping up

    /// Sets or removes a Service; `key` is `namespace/name`.
    public mutating func set(service: ServiceRecords?, key: String) {
        guard services[key] != service else { return }
        serial &+= 1
        if let old = services[key] {
            for address in old.addresses where servicesByAddress[address] == key { servicesByAddress[address] = nil }
            namespaces[old.namespace, default: 1] -= 1
            if namespaces[old.namespace] == 0 { namespaces[old.namespace] = nil }
        }
        services[key] = service
        guard let service else { return }
        namespaces[service.namespace, default: 0] += 1
        for address in service.addresses { servicesByAddress[address] = key }
    }

    /// Sets or removes an EndpointSlice; `key` is `namespace/name`.
    public mutating func set(slice: EndpointRecords?, key: String) {
        if let owner = sliceServices.removeValue(forKey: key), let old = slices[owner]?.removeValue(forKey: key) {
            if slices[owner]?.isEmpty == true { slices[owner] = nil }
            for address in old.endpoints.flatMap(\.addresses) { count(address, owner, -1) }
        }
        serial &+= 1
        guard let slice else { return }
        sliceServices[key] = slice.serviceKey
        slices[slice.serviceKey, default: [:]][key] = slice
        for address in slice.endpoints.flatMap(\.addresses) { count(address, slice.serviceKey, 1) }
    }

    private mutating func count(_ address: IPAddress, _ owner: String, _ change: Int) {
        var owners = endpointServices[address] ?? [:]
        owners[owner, default: 0] += change
        if owners[owner, default: 0] <= 0 { owners[owner] = nil }
        endpointServices[address] = owners.isEmpty ? nil : owners
    }

    // MARK: answering

    /// What is known about a question.
    public func answer(_ question: DNSQuestion) -> Outcome {
        guard question.name.isWithin(domain) else { return reverse(question) }
        let words = Array(question.name.words.dropLast(domain.labels.count))
        switch words.last {
        case nil: return apex(question)
        case "svc": return service(question, Array(words.dropLast()))
        case "pod": return pod(question, Array(words.dropLast()))
        case "dns-version" where words.count == 1:
            guard wants(question, RecordType.txt) else { return .records([]) }
            return .records([DNSRecord(question.name, ttl: Self.ttl, .text([Array(Self.specificationVersion.utf8)]))])
        default: return .noSuchName
        }
    }

    private func wants(_ question: DNSQuestion, _ type: UInt16) -> Bool {
        question.type == type || question.type == RecordType.any
    }

    /// The record that says who owns the zone, and how long absence may be remembered.
    public func authority() -> DNSRecord {
        let server = domain.prefixed(by: "dns")?.prefixed(by: "ns") ?? domain
        let mailbox = domain.prefixed(by: "hostmaster") ?? domain
        return DNSRecord(
            domain,
            ttl: Self.ttl,
            .authority(server: server, mailbox: mailbox, serial: serial, refresh: 7200, retry: 1800, expire: 86_400, minimum: Self.ttl)
        )
    }

    private func apex(_ question: DNSQuestion) -> Outcome {
        if wants(question, RecordType.soa) { return .records([authority()]) }
        if question.type == RecordType.ns, let server = domain.prefixed(by: "dns")?.prefixed(by: "ns") {
            return .records([DNSRecord(domain, ttl: Self.ttl, .name(RecordType.ns, server))])
        }
        return .records([])
    }

    private func addresses(_ question: DNSQuestion, _ list: [IPAddress]) -> [DNSRecord] {
        list.filter { wants(question, $0.isIPv4 ? RecordType.a : RecordType.aaaa) }
            .map { DNSRecord(question.name, ttl: Self.ttl, .address($0)) }
    }

    private func pod(_ question: DNSQuestion, _ words: [String]) -> Outcome {
        guard let namespace = words.last else { return .records([]) }
        guard namespaces[namespace] != nil, words.count <= 2 else { return .noSuchName }
        guard words.count == 2 else { return .records([]) }
        let text = words[0]
        let dotted = IPAddress(String(text.map { $0 == "-" ? "." : $0 }))
        guard let address = dotted ?? IPAddress(String(text.map { $0 == "-" ? ":" : $0 })) else { return .noSuchName }
        return .records(addresses(question, [address]))
    }

    private func service(_ question: DNSQuestion, _ words: [String]) -> Outcome {
        guard let namespace = words.last else { return .records([]) }
        guard words.count > 1 else { return namespaces[namespace] == nil ? .noSuchName : .records([]) }
        let key = "\(namespace)/\(words[words.count - 2])"
        guard let service = services[key] else { return .noSuchName }
        let rest = Array(words.dropLast(2))
        switch rest.count {
        case 0: return own(question, service, key)
        case 1: return rest[0].hasPrefix("_") ? transport(rest[0], service, key) : endpoint(question, service, key, rest[0])
        case 2: return port(question, service, key, port: rest[0], transport: rest[1])
        default: return .noSuchName
        }
    }

    private func own(_ question: DNSQuestion, _ service: ServiceRecords, _ key: String) -> Outcome {
        if let target = service.externalName {
            let alias = DNSRecord(question.name, ttl: Self.ttl, .name(RecordType.cname, target))
            return question.type == RecordType.cname ? .records([alias]) : .alias([alias], target: target)
        }
        if question.type == RecordType.srv { return .records(locations(question, service, key) { _ in true }) }
        guard service.isHeadless else { return .records(addresses(question, service.addresses)) }
        let endpoints = endpoints(of: service, key)
        return endpoints.isEmpty ? .noSuchName : .records(addresses(question, unique(endpoints.flatMap(\.addresses))))
    }

    private func endpoint(_ question: DNSQuestion, _ service: ServiceRecords, _ key: String, _ label: String) -> Outcome {
        let found = endpoints(of: service, key).filter { $0.label == label }
        return found.isEmpty ? .noSuchName : .records(addresses(question, unique(found.flatMap(\.addresses))))
    }

    /// `_tcp.service…` exists when a port does.
    private func transport(_ word: String, _ service: ServiceRecords, _ key: String) -> Outcome {
        allPorts(service, key).contains { "_" + $0.transport == word } ? .records([]) : .noSuchName
    }

    private func port(_ question: DNSQuestion, _ service: ServiceRecords, _ key: String, port: String, transport: String) -> Outcome {
        func isMeant(_ candidate: ServiceRecords.Port) -> Bool {
            "_" + candidate.name == port && "_" + candidate.transport == transport
        }
        guard allPorts(service, key).contains(where: isMeant) else { return .noSuchName }
        return .records(wants(question, RecordType.srv) ? locations(question, service, key, where: isMeant) : [])
    }

    private func allPorts(_ service: ServiceRecords, _ key: String) -> [ServiceRecords.Port] {
        service.isHeadless ? (slices[key] ?? [:]).values.flatMap(\.ports) : service.ports
    }

    /// SRV: for a headless Service one per endpoint, else the Service itself.
    private func locations(
        _ question: DNSQuestion,
        _ service: ServiceRecords,
        _ key: String,
        where isMeant: (ServiceRecords.Port) -> Bool
    ) -> [DNSRecord] {
        guard let name = serviceName(service) else { return [] }
        var found: [(port: Int, target: DNSName)] = []
        if service.isHeadless {
            for slice in orderedSlices(key) {
                for port in slice.ports where isMeant(port) {
                    for endpoint in slice.endpoints where endpoint.isReady || service.publishesNotReady {
                        if let target = name.prefixed(by: endpoint.label) { found.append((port.port, target)) }
                    }
                }
            }
        } else {
            found = service.ports.filter(isMeant).map { ($0.port, name) }
        }
        let weight = UInt16(max(1, 100 / max(1, found.count)))
        return found.map {
            DNSRecord(
                question.name,
                ttl: Self.ttl,
                .service(priority: 0, weight: weight, port: UInt16(clamping: $0.port), target: $0.target)
            )
        }
    }

    /// Addresses of the targets of SRV records, which spare the asker further questions.
    public func additionals(for records: [DNSRecord]) -> [DNSRecord] {
        var seen: Set<DNSName> = []
        return records.flatMap { record -> [DNSRecord] in
            guard case .service(_, _, _, let target) = record.content, seen.insert(target).inserted else { return [] }
            return [RecordType.a, RecordType.aaaa].flatMap { type -> [DNSRecord] in
                if case .records(let list) = answer(DNSQuestion(target, type)) { list } else { [] }
            }
        }
    }

    // MARK: facts

    private func serviceName(_ service: ServiceRecords) -> DNSName? {
        domain.prefixed(by: "svc")?.prefixed(by: service.namespace)?.prefixed(by: service.name)
    }

    private func orderedSlices(_ key: String) -> [EndpointRecords] {
        (slices[key] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    }

    private func endpoints(of service: ServiceRecords, _ key: String) -> [EndpointRecords.Endpoint] {
        orderedSlices(key).flatMap(\.endpoints).filter { $0.isReady || service.publishesNotReady }
    }

    private func unique(_ list: [IPAddress]) -> [IPAddress] {
        var seen: Set<IPAddress> = []
        return list.filter { seen.insert($0).inserted }
    }

    // MARK: reverse

    private func reverse(_ question: DNSQuestion) -> Outcome {
        guard let address = Self.reverseAddress(question.name.words) else { return .elsewhere }
        var names: [DNSName] = []
        if let key = servicesByAddress[address], let service = services[key], let name = serviceName(service) {
            names = [name]
        } else {
            for key in (endpointServices[address] ?? [:]).keys.sorted() {
                guard let service = services[key], let base = serviceName(service) else { continue }
                let labels = endpoints(of: service, key).filter { $0.addresses.contains(address) }.map(\.label)
                names += Set(labels).sorted().compactMap { base.prefixed(by: $0) }
            }
        }
        guard !names.isEmpty else { return .elsewhere }
        return .records(
            wants(question, RecordType.ptr) ? names.map { DNSRecord(question.name, ttl: Self.ttl, .name(RecordType.ptr, $0)) } : []
        )
    }

    /// The address that a name below `in-addr.arpa` or `ip6.arpa` stands for.
    static func reverseAddress(_ words: [String]) -> IPAddress? {
        if words.count == 6, words.suffix(2) == ["in-addr", "arpa"] {
            return IPAddress(words.prefix(4).reversed().joined(separator: "."))
        }
        guard words.count == 34, words.suffix(2) == ["ip6", "arpa"] else { return nil }
        let digits = words.prefix(32).reversed().compactMap { $0.count == 1 ? UInt8($0, radix: 16) : nil }
        guard digits.count == 32 else { return nil }
        return IPAddress(bytes: stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}
