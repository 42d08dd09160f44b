import Channels
import HTTPTransport
import Testing
import Values

@testable import APIServer

/// gzip for answers over 128 KiB.
@Suite struct CompressionTests {
    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let gzip = ["Accept-Encoding": "deflate, gzip"]

    /// What the gzip of this machine makes of bytes.
    private static func expand(_ bytes: [UInt8]) async throws -> [UInt8] {
        let result = try await ChildProcess.run(["gzip", "-dc"], input: bytes, outputLimit: 32 << 20)
        #expect(result.succeeded, "\(result.errorText)")
        return result.output
    }

    private static func fill(_ cluster: TestCluster, _ count: Int, bytes: Int) async throws {
        for index in 0..<count {
            // Neither one letter over and over nor noise.
            let text = (0..<(bytes / 4)).map { "\(($0 &* 7919 &+ index) % 9973) " }.joined()
            let made = try await cluster.post(maps, ["metadata": ["name": "m\(100 + index)"], "data": ["k": .string(text)]])
            #expect(made.status == 201)
        }
    }

    /// Sends both ways and compares with what comes to a client that takes no gzip.
    private static func check(
        _ transport: any APITransport,
        _ cluster: TestCluster,
        _ target: String,
        accept: String? = nil,
        isCompressed: Bool
    ) async throws {
        let plain = try await transport.send(cluster.request("GET", target, [], nil, accept))
        #expect(plain.headers["content-encoding"] == nil && plain.headers["vary"] == nil)
        let expected = try await plain.body.collect()
        let response = try await transport.send(cluster.request("GET", target, [], nil, accept, gzip))
        let body = try await response.body.collect()
        func same(_ answered: [UInt8]) async throws {
            if answered == expected { return }
            // The revision a list names may have moved on in between.
            let again = try await transport.send(cluster.request("GET", target, [], nil, accept)).body.collect()
            #expect(answered == again, "\(target)")
        }
        #expect(response.status == plain.status)
        #expect(response.headers["content-type"] == plain.headers["content-type"])
        guard isCompressed else {
            #expect(response.headers["content-encoding"] == nil && response.headers["vary"] == nil, "\(target)")
            try await same(body)
            return
        }
        #expect(response.headers.all("content-encoding") == ["gzip"], "\(target)")
        #expect(response.headers.all("vary") == ["Accept-Encoding"])
        #expect(expected.count > 128 << 10 && body.count < expected.count)
        try await same(try await expand(body))
    }

    @Test func `long answers are compressed, short ones not`() async throws {
        // A clock that stands still: tables tell ages.
        try await withCluster(clock: ManualClock()) { cluster in
            try await Self.fill(cluster, 2, bytes: 200 << 10)
            _ = try await cluster.post(Self.maps, ["metadata": ["name": "short"], "data": ["k": "v"]])
            try await withLoopback(cluster) { client in
                for transport in [client, cluster.transport()] as [any APITransport] {
                    for target in [Self.maps, Self.maps + "/m100", Self.maps + "?limit=2", Self.maps + "/m100?pretty=true"] {
                        try await Self.check(transport, cluster, target, isCompressed: true)
                    }
                    let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
                    for target in [Self.maps + "/short", Self.maps + "/none", "/api/v1/namespaces"] {
                        try await Self.check(transport, cluster, target, isCompressed: false)
                    }
                    try await Self.check(transport, cluster, Self.maps, accept: table, isCompressed: false)
                }
            }
        }
    }

    @Test(arguments: ["application/json", FormatsTests.protobuf, "application/cbor"])
    func `a list that is sent in blocks is one gzip stream`(_ accept: String) async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 80, bytes: 40 << 10)
            try await withLoopback(cluster) { client in
                try await Self.check(client, cluster, Self.maps, accept: accept, isCompressed: true)
                try await Self.check(cluster.transport(), cluster, Self.maps, accept: accept, isCompressed: true)
            }
        }
    }

    @Test func `a watch is never compressed, and gzip has to be asked for by its bare name`() async throws {
        try await withCluster { cluster in
            try await Self.fill(cluster, 1, bytes: 200 << 10)
            let response = try await cluster.transport().send(
                cluster.request("GET", Self.maps + "?watch=1", [], nil, nil, Self.gzip)
            )
            #expect(response.headers["content-encoding"] == nil)
            var watch = WatchReader(response.body)
            #expect(try await watch.line() == "ADDED m100")
            for encoding in ["gzip;q=1.0", "br", "identity", "GZIP", "x-gzip"] {
                let answer = try await cluster.send("GET", Self.maps, headers: ["Accept-Encoding": encoding])
                #expect(answer.headers["content-encoding"] == nil, "\(encoding)")
            }
        }
    }
}
