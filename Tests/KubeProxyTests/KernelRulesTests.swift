import Channels
import Glibc
import KubeProxy
import Testing

@Suite(.enabled(if: TestNetwork.isPossible, "needs root, nft and ip"), .serialized)
struct KernelRulesTests {
    private let service = makeService {
        $0.type = "NodePort"; $0.ports[0].nodePort = 30080
    }

    private func rules(_ addresses: [String]) -> Ruleset {
        makeRules([service], addresses.isEmpty ? [] : [makeSlice(addresses.map { makeEndpoint($0) })])
    }

    @Test func `connections balance, are refused without endpoints, and none fails while the rules change`() async throws {
        let network = try await TestNetwork(pods: 4)
        var listeners: [Int32] = []
        do {
            for pod in 1...3 { listeners.append(try await network.serve(pod: pod, port: 8080, name: "pod\(pod)")) }
            try await exercise(network)
        } catch {
            Issue.record(error)
        }
        for listener in listeners {
            shutdown(listener, Int32(SHUT_RDWR))
            close(listener)
        }
        await network.tearDown()
    }

    private func exercise(_ network: TestNetwork) async throws {
        let nft = NFTables(command: ["nsenter", "--net=/run/netns/\(network.node)", "nft"])
        let client = network.pods[0]
        let all = rules((1...3).map { network.address($0) })
        let empty = rules([])

        try await nft.apply(empty.fullScript())
        #expect(try await nft.hasChain("services", table: testNode.table))
        #expect(try await network.ask(from: client, "10.96.0.20", 80) == "error: Connection refused")
        #expect(try await network.ask(from: network.node, "10.96.0.20", 80) == "error: Connection refused")
        #expect(try await network.ask(from: network.node, TestNetwork.nodeAddress, 30080) == "error: Connection refused")

        try await nft.apply(all.updateScript(from: empty))
        for (place, address, port) in [
            (client, "10.96.0.20", 80), (network.node, "10.96.0.20", 80), (client, TestNetwork.nodeAddress, 30080),
            (network.node, TestNetwork.nodeAddress, 30080), (network.pods[1], "10.96.0.20", 80),
        ] as [(String, String, UInt16)] {
            let answers = try await network.askMany(from: place, address, port, 60)
            #expect(answers.keys.sorted() == ["pod1", "pod2", "pod3"], "\(place) \(address) \(answers)")
        }

        let stop = Signal(false)
        async let load = network.inside(client) {
            var answers: [String: Int] = [:]
            while !stop.value { answers[talk("10.96.0.20", 80), default: 0] += 1 }
            return answers
        }
        var current = all
        for round in 0..<100 {
            let next = rules((1...3).filter { $0 != round % 3 + 1 }.map { network.address($0) })
            try await nft.apply(next.updateScript(from: current))
            current = next
        }
        for _ in 0..<20 { try await nft.apply(all.fullScript(replacing: nft.names(table: testNode.table))) }
        #expect(try await nft.names(table: testNode.table)?.chains == Set(all.chains.keys))
        stop.set(true)
        let answers = try await load
        #expect(answers.keys.allSatisfy { $0.hasPrefix("pod") }, "\(answers)")
        #expect(answers.values.reduce(0, +) > 50)
        #expect(try await network.ask(from: client, "10.96.0.20", 81) == "error: Connection refused")

        try await nft.apply(empty.updateScript(from: all))
        #expect(try await network.ask(from: client, "10.96.0.20", 80) == "error: Connection refused")
        try await nft.apply(all.replacementScript())
        #expect(try await network.ask(from: client, "10.96.0.20", 80).hasPrefix("pod"))
        try await nft.apply(Ruleset.removalScript(table: testNode.table))
        #expect(try await !nft.hasChain("services", table: testNode.table))
    }

    @Test func `a client with affinity stays with one endpoint`() async throws {
        let network = try await TestNetwork(pods: 4)
        var listeners: [Int32] = []
        do {
            for pod in 1...3 { listeners.append(try await network.serve(pod: pod, port: 8080, name: "pod\(pod)")) }
            let nft = NFTables(command: ["nsenter", "--net=/run/netns/\(network.node)", "nft"])
            let sticky = makeService { $0.sessionAffinity = "ClientIP" }
            let rules = makeRules([sticky], [makeSlice((1...3).map { makeEndpoint(network.address($0)) })])
            try await nft.apply(rules.fullScript())
            let answers = try await network.askMany(from: network.pods[0], "10.96.0.20", 80, 40)
            #expect(answers.count == 1 && answers.values.first == 40, "\(answers)")
            let less = makeRules([sticky], [makeSlice((1...2).map { makeEndpoint(network.address($0)) })])
            try await nft.apply(less.updateScript(from: rules))
            let after = try await network.askMany(from: network.pods[0], "10.96.0.20", 80, 20)
            #expect(after.count == 1 && after.keys.allSatisfy { $0.hasPrefix("pod") }, "\(after)")
        } catch {
            Issue.record(error)
        }
        for listener in listeners {
            shutdown(listener, Int32(SHUT_RDWR))
            close(listener)
        }
        await network.tearDown()
    }

    @Test func `a bad transaction changes nothing and is reported`() async throws {
        let network = try await TestNetwork(pods: 0)
        let nft = NFTables(command: ["nsenter", "--net=/run/netns/\(network.node)", "nft"])
        var wrong = makeRules([], [])
        wrong.chains["services"]?.rules.append("goto nowhere")
        await #expect(throws: NFTError.self) { try await nft.apply(wrong.fullScript()) }
        #expect(try await !nft.hasChain("services", table: testNode.table))
        await network.tearDown()
    }
}
