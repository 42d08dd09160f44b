import APIModel
import APITypes
import Glibc
import Testing
import Units
import Values

@testable import ClusterDNS

func makeZone() throws -> DNSZone {
    var zone = DNSZone(domain: try #require(DNSName("cluster.local")))
    func add(_ name: String, _ change: (inout ServiceSpec) -> Void) {
        var service = Service(name: name, namespace: "default")
        service.spec.ports = [
            ServicePort {
                $0.name = "http"; $0.protocol = "TCP"; $0.port = 80
            }
        ]
        change(&service.spec)
        zone.set(service: ServiceRecords(service), key: service.key)
    }
    add("web") {
        $0.clusterIP = "10.96.0.20"; $0.clusterIPs = ["10.96.0.20", "fd00:96::20"]
    }
    add("db") { $0.clusterIP = "None" }
    add("early") {
        $0.clusterIP = "None"; $0.publishNotReadyAddresses = true
    }
    add("empty") { $0.clusterIP = "None" }
    add("ext") {
        $0.type = "ExternalName"; $0.externalName = "example.com"
    }
    add("away") {
        $0.type = "ExternalName"; $0.externalName = "web.default.svc.outside.test"
    }
    add("loop") {
        $0.type = "ExternalName"; $0.externalName = "web.default.svc.cluster.local"
    }
    for owner in ["db", "early"] {
        var slice = EndpointSlice(name: "\(owner)-1", namespace: "default")
        slice.metadata.labels = ["kubernetes.io/service-name": owner]
        slice.addressType = "IPv4"
        slice.ports = [
            DiscoveryEndpointPort {
                $0.name = "sql"; $0.protocol = "TCP"; $0.port = 5432
            }
        ]
        slice.endpoints = [
            Endpoint {
                $0.addresses = ["10.244.0.5"]; $0.hostname = "db-0"; $0.conditions.ready = true
            },
            Endpoint {
                $0.addresses = ["10.244.0.6"]; $0.conditions.ready = true
            },
            Endpoint {
                $0.addresses = ["10.244.0.7"]; $0.hostname = "db-2"; $0.conditions.ready = false
            },
        ]
        zone.set(slice: EndpointRecords(slice), key: slice.key)
    }
    return zone
}

@Suite struct DNSZoneTests {
    private static let types: [(String, UInt16)] = [
        ("A", 1), ("NS", 2), ("CNAME", 5), ("SOA", 6), ("PTR", 12), ("TXT", 16), ("AAAA", 28), ("SRV", 33), ("ANY", 255),
    ]

    private func spelled(_ zone: DNSZone, _ question: String) throws -> String {
        let words = question.split(separator: " ").map(String.init)
        let type = try #require(Self.types.first { $0.0 == words[1] }?.1)
        switch zone.answer(DNSQuestion(try #require(DNSName(words[0])), type)) {
        case .noSuchName: return "NXDOMAIN"
        case .elsewhere: return "FORWARD"
        case .alias(let records, let target): return records.map(spelled).joined(separator: ", ") + " -> \(target)"
        case .records(let records): return records.isEmpty ? "NODATA" : records.map(spelled).joined(separator: ", ")
        }
    }

    private func spelled(_ record: DNSRecord) -> String {
        switch record.content {
        case .address(let address): "\(address.isIPv4 ? "A" : "AAAA") \(address)"
        case .name(let type, let name): "\(Self.types.first { $0.1 == type }?.0 ?? "?") \(name)"
        case .service(let priority, let weight, let port, let target): "SRV \(priority) \(weight) \(port) \(target)"
        case .authority(let server, let mailbox, _, _, _, _, let minimum): "SOA \(server) \(mailbox) \(minimum)"
        case .text(let texts): "TXT " + texts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        case .other(let type, _): "TYPE\(type)"
        }
    }

    @Test func `answers as the transcript has it`() throws {
        let questions = [
            "web.default.svc.cluster.local A", "WEB.Default.SVC.cluster.LOCAL A", "web.default.svc.cluster.local AAAA",
            "web.default.svc.cluster.local SRV",
            "web.default.svc.cluster.local TXT", "_http._tcp.web.default.svc.cluster.local SRV",
            "_http._udp.web.default.svc.cluster.local SRV",
            "_tcp.web.default.svc.cluster.local A", "_http._tcp.web.default.svc.cluster.local A", "nothing.default.svc.cluster.local A",
            "web.other.svc.cluster.local A", "default.svc.cluster.local A", "other.svc.cluster.local A", "svc.cluster.local A",
            "cluster.local A",
            "cluster.local SOA", "cluster.local NS", "nonsense.cluster.local A", "dns-version.cluster.local TXT",
            "db.default.svc.cluster.local A",
            "db.default.svc.cluster.local AAAA", "db.default.svc.cluster.local SRV", "_sql._tcp.db.default.svc.cluster.local SRV",
            "db-0.db.default.svc.cluster.local A",
            "10-244-0-6.db.default.svc.cluster.local A", "db-2.db.default.svc.cluster.local A", "early.default.svc.cluster.local A",
            "empty.default.svc.cluster.local A",
            "ext.default.svc.cluster.local A", "ext.default.svc.cluster.local CNAME", "10-244-0-5.default.pod.cluster.local A",
            "10-244-0-5.default.pod.cluster.local AAAA",
            "fd00--1.default.pod.cluster.local AAAA", "nonsense.default.pod.cluster.local A", "10-244-0-5.other.pod.cluster.local A",
            "20.0.96.10.in-addr.arpa PTR",
            "5.0.244.10.in-addr.arpa PTR", "6.0.244.10.in-addr.arpa PTR", "1.2.0.192.in-addr.arpa PTR",
            "0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f.ip6.arpa PTR", "example.com A", "local A",
            "a.b.c.d.web.default.svc.cluster.local A",
        ]
        let zone = try makeZone()
        let text = try questions.map { "\($0)\n    \(try spelled(zone, $0))\n" }.joined()
        expectGolden(text, "zone.txt")
    }

    @Test func `follows changes and removals`() throws {
        var zone = try makeZone()
        let serial = zone.serial
        zone.set(service: nil, key: "default/web")
        #expect(try spelled(zone, "web.default.svc.cluster.local A") == "NXDOMAIN")
        #expect(try spelled(zone, "20.0.96.10.in-addr.arpa PTR") == "FORWARD")
        zone.set(slice: nil, key: "default/db-1")
        #expect(try spelled(zone, "db.default.svc.cluster.local A") == "NXDOMAIN")
        #expect(try spelled(zone, "5.0.244.10.in-addr.arpa PTR") == "PTR db-0.early.default.svc.cluster.local.")
        zone.set(slice: nil, key: "default/db-1")
        for name in ["db", "early", "empty", "ext", "away", "loop"] { zone.set(service: nil, key: "default/\(name)") }
        #expect(try spelled(zone, "default.svc.cluster.local A") == "NXDOMAIN")
        #expect(zone.serial > serial)
    }
}

/// Compares with a file under Tests/Golden/ClusterDNS; `APUS_REWRITE_GOLDEN=1` writes the file instead.
func expectGolden(_ text: String, _ name: String, _ location: SourceLocation = #_sourceLocation) {
    let directory = String(#filePath).split(separator: "/").dropLast(2).map { "/" + $0 }.joined() + "/Golden/ClusterDNS"
    if getenv("APUS_REWRITE_GOLDEN") != nil {
        guard let file = fopen("\(directory)/\(name)", "w") else { return }
        defer { fclose(file) }
        fputs(text, file)
        return
    }
    var content: [UInt8] = []
    if let file = fopen("\(directory)/\(name)", "r") {
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { content += buffer[..<count] }
    }
    #expect(text == String(decoding: content, as: UTF8.self), "\(name) differs", sourceLocation: location)
}
