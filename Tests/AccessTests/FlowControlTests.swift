import Channels
import Synchronization
import Testing
import Values

@testable import Access

/// Something that tasks and the test share.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    var now: Value { value.withLock { $0 } }
    func set(_ new: Value) { value.withLock { $0 = new } }
}

@Suite struct FlowControlTests {
    private static func control(seats: Int = 600, clock: @escaping @Sendable () -> Duration = { .zero }) -> FlowControl {
        FlowControl(seats: seats, waitLimit: .seconds(15), clock: clock)
    }

    private static func user(_ name: String, _ groups: String...) -> UserIdentity {
        UserIdentity(name: name, groups: groups + ["system:authenticated"])
    }

    private static func schema(_ attributes: RequestAttributes) -> String? {
        control().classify(attributes)?.schema
    }

    @Test func `requests belong where upstream's schemas put them`() {
        func resource(
            _ user: UserIdentity,
            _ verb: String,
            _ group: String,
            _ resource: String,
            _ namespace: String = "",
            sub: String = ""
        ) -> String? {
            Self.schema(
                RequestAttributes(user: user, verb: verb, apiGroup: group, resource: resource, subresource: sub, namespace: namespace)
            )
        }
        let node = Self.user("system:node:a", "system:nodes")
        #expect(resource(Self.user("admin", "system:masters"), "list", "", "pods") == "exempt")
        #expect(resource(node, "update", "", "nodes", sub: "status") == "system-node-high")
        #expect(resource(node, "update", "coordination.k8s.io", "leases", "kube-node-lease") == "system-node-high")
        #expect(resource(node, "list", "", "pods") == "system-nodes")
        #expect(
            resource(Self.user("system:kube-scheduler"), "update", "coordination.k8s.io", "leases", "kube-system")
                == "system-leader-election"
        )
        #expect(resource(Self.user("system:kube-scheduler"), "create", "", "pods", "a", sub: "binding") == "kube-scheduler")
        #expect(resource(Self.user("system:kube-controller-manager"), "list", "apps", "deployments") == "kube-controller-manager")
        let account = Self.user("system:serviceaccount:kube-system:x", "system:serviceaccounts", "system:serviceaccounts:kube-system")
        #expect(resource(account, "list", "", "pods") == "kube-system-service-accounts")
        #expect(resource(account, "get", "coordination.k8s.io", "leases", "kube-system") == "system-leader-election")
        #expect(resource(Self.user("system:serviceaccount:a:x", "system:serviceaccounts"), "list", "", "pods") == "service-accounts")
        #expect(resource(Self.user("jane"), "list", "", "pods") == "global-default")
        #expect(Self.schema(RequestAttributes(user: .anonymous, verb: "get", path: "/healthz")) == "probes")
        #expect(Self.schema(RequestAttributes(user: .anonymous, verb: "get", path: "/version")) == "global-default")
        #expect(resource(UserIdentity(name: "nobody"), "get", "", "pods") == nil)
    }

    @Test func `objects change the rules, and the mandatory ones stay`() throws {
        let control = Self.control()
        let mine: JSONValue = [
            "metadata": ["name": "mine", "uid": "u-1"],
            "spec": [
                "matchingPrecedence": 50, "priorityLevelConfiguration": ["name": "gold"], "distinguisherMethod": ["type": "ByNamespace"],
                "rules": [
                    [
                        "subjects": [["kind": "User", "user": ["name": "jane"]]],
                        "resourceRules": [["verbs": ["list"], "apiGroups": [""], "resources": ["pods/log", "pods"], "namespaces": ["a"]]],
                        "nonResourceRules": [["verbs": ["get"], "nonResourceURLs": ["/metrics/*"]]],
                    ]
                ],
            ],
        ]
        let gold: JSONValue = [
            "metadata": ["name": "gold", "uid": "u-2"],
            "spec": ["type": "Limited", "limited": ["nominalConcurrencyShares": 10, "limitResponse": ["type": "Reject"]]],
        ]
        let dangling: JSONValue = [
            "metadata": ["name": "lost"], "spec": ["matchingPrecedence": 3, "priorityLevelConfiguration": ["name": "none"]],
        ]
        control.configure(schemas: [mine, dangling, ["odd": true]], levels: [gold, "odd"])
        let jane = Self.user("jane")
        let list = RequestAttributes(user: jane, verb: "list", apiGroup: "", resource: "pods", namespace: "a")
        let flow = try #require(control.classify(list))
        #expect(flow.schema == "mine")
        #expect(flow.schemaUID == "u-1")
        #expect(flow.levelUID == "u-2")
        #expect(
            control.classify(RequestAttributes(user: jane, verb: "list", apiGroup: "", resource: "pods", namespace: "b"))?.schema
                == "catch-all"
        )
        #expect(control.classify(RequestAttributes(user: jane, verb: "list", apiGroup: "", resource: "pods"))?.schema == "catch-all")
        #expect(control.classify(RequestAttributes(user: jane, verb: "get", path: "/metrics/cadvisor"))?.schema == "mine")
        let master = Self.user("m", "system:masters")
        #expect(control.classify(RequestAttributes(user: master, verb: "get", path: "/"))?.schema == "exempt")
    }

    @Test func `who finds no seat waits for one`() async throws {
        let control = Self.control(seats: 40)
        let jane = RequestAttributes(user: Self.user("jane"), verb: "get", apiGroup: "", resource: "pods", namespace: "a")
        let flow = try #require(control.classify(jane))
        var tickets: [FlowControl.Ticket] = []
        let limit = control.pictures.first { $0.name == "global-default" }?.limit ?? 0
        #expect(limit > 0)
        for _ in 0..<limit { tickets.append(try await control.enter(flow)) }
        let isIn = Shared(false)
        try await withThrowingTaskGroup(of: FlowControl.Ticket.self) { group in
            group.addTask {
                let ticket = try await control.enter(flow)
                isIn.set(true)
                return ticket
            }
            while control.pictures.first(where: { $0.name == "global-default" })?.waiting != 1 { await Task.yield() }
            #expect(!isIn.now)
            control.leave(tickets.removeLast())
            for try await ticket in group { tickets.append(ticket) }
        }
        for ticket in tickets { control.leave(ticket) }
        let picture = try #require(control.pictures.first { $0.name == "global-default" })
        #expect(picture.running == 0)
        #expect(picture.waiting == 0)
        #expect(picture.tallies["global-default"]?.waits == 1)
    }

    @Test func `nobody waits longer than the limit, and a request that is cancelled leaves`() async throws {
        let time = Shared(Duration.zero)
        let control = Self.control(seats: 10) { time.now }
        let jane = RequestAttributes(user: Self.user("jane"), verb: "get", apiGroup: "", resource: "pods", namespace: "a")
        let flow = try #require(control.classify(jane))
        let level = "global-default"
        func limit() -> Int { control.pictures.first { $0.name == level }?.limit ?? 0 }
        var tickets: [FlowControl.Ticket] = []
        while tickets.count < limit() { tickets.append(try await control.enter(flow)) }
        func waiting() -> Int { control.pictures.first { $0.name == level }?.waiting ?? 0 }
        await withTaskGroup(of: String.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    do throws(FlowControl.Rejection) {
                        _ = try await control.enter(flow)
                        return "in"
                    } catch { return error.reason }
                }
            }
            while waiting() < 2 { await Task.yield() }
            time.set(.seconds(16))
            control.tick()
            for await outcome in group { #expect(outcome == "time-out") }
        }
        // Seats may have been lent meanwhile.
        while tickets.count < limit() { tickets.append(try await control.enter(flow)) }
        await withTaskGroup(of: String.self) { group in
            group.addTask {
                do throws(FlowControl.Rejection) {
                    _ = try await control.enter(flow)
                    return "in"
                } catch { return error.reason }
            }
            while waiting() < 1 { await Task.yield() }
            group.cancelAll()
            for await outcome in group { #expect(outcome == "cancelled") }
        }
        #expect(waiting() == 0)
        for ticket in tickets { control.leave(ticket) }
    }

    @Test func `a write that many watch takes more seats, and for longer`() {
        #expect(SeatCost(writeSeenBy: 9, widest: 20) == SeatCost())
        func area(_ watchers: Int, _ widest: Int) -> [Double] {
            let cost = SeatCost(writeSeenBy: watchers, widest: widest)
            return [Double(cost.seats), (cost.lingering * 1e6).rounded()]
        }
        #expect(area(10, 20) == [1, 5_000])
        #expect(area(11, 20) == [2, 5_000])
        #expect(area(100, 20) == [10, 5_000])
        // No wider than ten seats or what the level allows: narrower, but longer.
        #expect(area(1_000, 20) == [10, 50_000])
        #expect(area(60, 2) == [2, 15_000])
    }

    @Test func `a write keeps its seats while its watchers are told`() async throws {
        let clock = ManualClock()
        let control = FlowControl(
            seats: 600,
            waitLimit: .seconds(15),
            clock: { clock.monotonic },
            pause: { try? await clock.sleep(for: $0) }
        )
        let jane = RequestAttributes(user: Self.user("jane"), verb: "create", apiGroup: "", resource: "pods", namespace: "a")
        let flow = try #require(control.classify(jane))
        func level() throws -> PriorityLevel.Picture { try #require(control.pictures.first { $0.name == "global-default" }) }
        let ticket = try await control.enter(flow, cost: SeatCost(writeSeenBy: 25, widest: 20))
        #expect(try level().seats == 3)
        clock.advance(by: .seconds(1))
        control.leave(ticket)
        await clock.waitForSleepers(1)
        clock.advance(by: .milliseconds(4))
        #expect(try level().seats == 3)
        clock.advance(by: .milliseconds(1))
        while try level().seats > 0 { await Task.yield() }
        let tally = try #require(try level().tallies[flow.schema])
        #expect(tally.running == 0)
        #expect(abs(tally.runTime - 1) < 0.001, "the time it was served")
    }

    @Test func `idle seats are lent to who wants them`() async throws {
        let time = Shared(Duration.zero)
        let control = Self.control(seats: 100) { time.now }
        let account = Self.user("system:serviceaccount:a:x", "system:serviceaccounts")
        let flow = try #require(
            control.classify(RequestAttributes(user: account, verb: "get", apiGroup: "", resource: "pods", namespace: "a"))
        )
        func limit() -> Int { control.pictures.first { $0.name == "workload-low" }?.limit ?? 0 }
        let before = control.pictures.first { $0.name == "workload-low" }?.nominal ?? 0
        var tickets: [FlowControl.Ticket] = []
        for round in 1...10 {
            while tickets.count < limit() { tickets.append(try await control.enter(flow)) }
            time.set(.seconds(11 * round))
            control.tick()
        }
        #expect(limit() > before)
        // What others keep for themselves is never lent.
        #expect(limit() < 100)
        for ticket in tickets { control.leave(ticket) }
    }

    @Test func `the reports name what runs`() async throws {
        let control = Self.control()
        let jane = RequestAttributes(user: Self.user("jane"), verb: "get", apiGroup: "", resource: "pods", namespace: "a")
        let ticket = try await control.enter(try #require(control.classify(jane)))
        #expect(control.report("dump_priority_levels")?.hasPrefix("PriorityLevelName,") == true)
        #expect(control.report("dump_requests")?.contains("global-default,") == true)
        #expect(control.report("dump_queues")?.contains("workload-low,") == true)
        #expect(control.report("other") == nil)
        let running = control.samples.first { $0.metric == "apiserver_flowcontrol_current_executing_requests" && $0.value == "1" }
        #expect(running?.labels.map(\.value) == ["global-default", "global-default"])
        control.leave(ticket)
    }
}
