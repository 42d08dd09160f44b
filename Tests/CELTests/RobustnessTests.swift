import Glibc
import Schema
import Synchronization
import Testing
import Values

@testable import CEL

/// A run of the fuzzer's target, and of a pattern.
enum CELFuzz {
    static func run(_ bytes: [UInt8]) {
        if let complaint = CELTarget.run([1] + bytes) { Issue.record("\(complaint): \(String(decoding: bytes, as: UTF8.self))") }
        if bytes.count < 200, let pattern = try? RegularExpression(String(decoding: bytes, as: UTF8.self)) {
            var matcher = RegexMatcher(pattern, "the quick brown fox", nil)
            _ = try? matcher.all(limit: 10)
        }
    }
}

/// A generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct RobustnessTests {
    @Test(arguments: [UInt64(1), 2, 3, 4]) func `random words end`(seed: UInt64) {
        let words = [
            "1", "0", "-", "+", "*", "/", "%", "x", "list", "words", "object", ".", ".?", "[", "]", "[?", "(", ")", "{", "}", ",", ":", "?",
            "'a'", "b'x'", "1u", "1.5",
            "true", "null", "&&", "||", "!", "==", "in", "<", "all", "map", "exists", "(i, i", "has(", "size(", "string(", "optional.of(",
            ".orValue(", ".value()", "dyn(",
            "timestamp('2024-01-01T00:00:00Z')", "duration('1s')", ".format([", "sets.contains(", "type(", ".matches('a+')", "'%s'",
            ".sortBy(", ".transformMap(k, v,", "\"", "\\", "`", "|",
        ]
        var random = SplitMix(state: seed)
        for _ in 0..<400 {
            let count = Int.random(in: 1...24, using: &random)
            let text = (0..<count).map { _ in words.randomElement(using: &random) ?? "" }.joined(
                separator: Bool.random(using: &random) ? " " : ""
            )
            CELFuzz.run(Array(text.utf8))
        }
    }

    @Test(arguments: [UInt64(11), 12]) func `mutated expressions and random bytes end`(seed: UInt64) {
        let seeds = [
            "object.spec.ports.all(p, p.port > 0) && words.exists(w, w.matches('^[a-z]+$'))",
            "list.map(i, i * 2).filter(j, j > 2).sum() == x",
            "'%s %d'.format([name, x]) + string(timestamp('2024-01-01T00:00:00Z').getHours('+01:00'))",
            "object.?spec.?nope.optMap(v, v).orValue({'a': [1, 2]})",
            "quantity('1Gi').add(quantity('1Ki')).isGreaterThan(quantity('1')) ? cidr('10.0.0.0/8').containsIP('10.0.0.1') : semver('1.0.0') == semver('1.0.0')",
        ].map { Array($0.utf8) }
        var random = SplitMix(state: seed)
        for _ in 0..<400 {
            var bytes = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
                }
            }
            CELFuzz.run(bytes)
        }
    }

    @Test func `the fuzzer has all of its expressions`() {
        #expect(CELTarget.readers.count == CELTarget.readings.count)
    }

    @Test(arguments: [UInt64(21), 22]) func `texts read at evaluation end`(seed: UInt64) {
        let texts = [
            "^[a-z]+(-[0-9]{1,3})*$\0web-1", "%s %d %.3f %x %e %b\0y", "2024-02-30T24:00:00.5Z\0+14:00", "1h2m3.5s\0-1us",
            "fe80::1%eth0\0::1",
            "http://u@[::1]:99999/a%2fb?c=d&c#e\0f", "10.0.0.0/33\010.0.0.1", "9223372036854775807Ei\0-1m", "v1.2.3-rc.1+b\01.0", "\0",
        ].map { Array($0.utf8) }
        var random = SplitMix(state: seed)
        for round in 0..<2_000 {
            var bytes = texts.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[place] = UInt8.random(in: 0...255, using: &random)
                } else {
                    bytes.insert(contentsOf: bytes[..<place], at: place)
                }
            }
            let input = [UInt8(truncatingIfNeeded: round * 2)] + bytes
            if let complaint = CELTarget.run(input) { Issue.record("\(complaint): \(input)") }
        }
    }

    @Test(arguments: [
        String(repeating: "(", count: 10_000), String(repeating: "[", count: 10_000), String(repeating: "{1:", count: 5_000),
        String(repeating: "!", count: 50_000) + "true",
        String(repeating: "-", count: 50_001) + "x", "x" + String(repeating: ".a", count: 10_000),
        "x" + String(repeating: "[0]", count: 10_000), "1" + String(repeating: "+1", count: 20_000),
        "true" + String(repeating: "&&true", count: 15_000), "1" + String(repeating: "?1:1", count: 10_000),
        "optional.of(1)" + String(repeating: ".optMap(v, v)", count: 60),
        "[0]" + String(repeating: ".map(v, {v: v})", count: 100), "[0]" + String(repeating: ".map(v, [v, v])", count: 100),
        "[[0]]" + String(repeating: ".map(v, v + v)", count: 100),
        "['aaaaaaaaaaaaaaaa']" + String(repeating: ".map(v, v + v)", count: 60),
        "[[0]]" + String(repeating: ".map(v, [v, v])", count: 40) + " == [[0]]" + String(repeating: ".map(v, [v, v])", count: 40),
        "lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, true)))",
        "lists.range(100000).map(a, lists.range(100000))",
        "'%s'.format([[[0]]" + String(repeating: ".map(v, [v, v])", count: 30) + "])",
        String(repeating: "[1].map(a, ", count: 90) + "a" + String(repeating: ")", count: 90),
        "'" + String(repeating: "a", count: 90_000) + "'.matches('(a{1,20}){1,20}b')", String(repeating: "a", count: 200_000),
    ]) func `what is deep, large or long ends soon`(text: String) {
        let elapsed = ContinuousClock().measure { CELFuzz.run(Array(text.utf8)) }
        #expect(elapsed < .seconds(60), "\(text.prefix(60))")
    }

    /// The deepest expressions of each kind that are accepted: what recurses in reading, checking, planning, evaluating,
    /// comparing and writing.
    private static let deepest = [
        String(repeating: "(", count: 240) + "1" + String(repeating: ")", count: 240),
        String(repeating: "[", count: 120) + "1" + String(repeating: "]", count: 120) + " == "
            + String(repeating: "[", count: 120) + "1" + String(repeating: "]", count: 120),
        String(repeating: "{'a': ", count: 110) + "x" + String(repeating: "}", count: 110),
        "1" + String(repeating: " + 1", count: 240), "x" + String(repeating: " > 1 ? 1 : x", count: 80),
        String(repeating: "[1].map(a, ", count: 60) + "a" + String(repeating: ")", count: 60),
        "[0]" + String(repeating: ".map(v, [v, 1].map(w, w)[0])", count: 60),
        "optional.of(1)" + String(repeating: ".optMap(v, v)", count: 12), "deep == deep",
        "true" + String(repeating: " && true", count: 5000),
        "true ? " + String(repeating: "[true].all(a, ", count: 60) + "a"
            + String(repeating: ")", count: 60) + " : false",
    ]

    private final class Small: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Runs `body` on a thread with a stack of so many bytes, and waits for it.
    private func onThread(stack: Int, _ body: @escaping @Sendable () -> Void) throws {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stack)
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Small(body))
        let status = pthread_create(
            &thread,
            &attributes,
            { argument in
                if let argument { Unmanaged<Small>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            argument.toOpaque()
        )
        try #require(status == 0)
        pthread_join(thread, nil)
    }

    @Test(arguments: [256 << 10, 512 << 10, 8 << 20]) func `the deepest expressions run on threads with small stacks`(stack: Int) throws {
        let environment = CELEnvironment(variables: [CELVariable("x", .dyn), CELVariable("deep", .dyn)])
        var deep: JSONValue = 1
        for _ in 0..<400 { deep = ["a": deep] }
        let bindings = CELValues(["x": .int(7), "deep": CELValue.untyped(deep)])
        let failures = Mutex<[String]>([])
        for text in Self.deepest {
            try onThread(stack: stack) {
                do {
                    let program = try environment.compile(text)
                    _ = try program.evaluate(bindings).get().json()
                } catch {
                    failures.withLock { $0.append("\(text.prefix(30)): \(error)") }
                }
            }
        }
        #expect(failures.withLock { $0 } == [])
    }

    @Test func `nesting is limited as upstream limits it`() throws {
        let issues = #expect(throws: CELIssues.self) {
            try exampleEnvironment().compile(String(repeating: "(", count: 300) + "1" + String(repeating: ")", count: 300))
        }
        #expect(issues?.description == "ERROR: <input>:-1:0: expression recursion limit exceeded: 250")
        check(CELExample(String(repeating: "(", count: 200) + "1" + String(repeating: ")", count: 200), .equals("1")))
        check(CELExample("true" + String(repeating: " && true", count: 1000)))
        check(CELExample("1" + String(repeating: " + 1", count: 200), .equals("201")))
    }

    @Test func `the cost limit of a call and a deadline end an evaluation`() throws {
        let program = try exampleEnvironment().compile("lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0))")
        var budget = CELBudget()
        #expect(throws: CELError("operation cancelled: actual cost limit exceeded", kind: .costLimit)) {
            try program.evaluate(exampleBindings(), budget: &budget).get()
        }
        #expect(budget.lastCost > CELBudget.perCallLimit)
        #expect(!budget.isExhausted)
        var late = CELBudget(perCallLimit: .max, deadline: ContinuousClock.now)
        #expect(throws: CELError("operation interrupted", kind: .interrupted)) {
            try program.evaluate(exampleBindings(), budget: &late).get()
        }
        var small = CELBudget(100)
        _ = program.evaluate(exampleBindings(), budget: &small)
        #expect(small.isExhausted && small.remaining == 0)
    }

    @Test func `a limit cannot be absorbed by a logical operator`() throws {
        let program = try exampleEnvironment().compile("lists.range(1000).all(a, lists.range(1000).all(b, a + b >= 0)) || true")
        #expect(throws: CELError.self) { try program.evaluate(exampleBindings()).get() }
    }

    @Test func `values go back to JSON`() throws {
        let text = "{'a': [1, 2u, 1.5, 'x', null, true], 'b': object.metadata, 'c': duration('1s'), 'd': b'abc'}"
        let value = try evaluate(
            text.replacing("[1, 2u", with: "[dyn(1), dyn(2u)").replacing(
                "1.5, 'x', null, true",
                with: "dyn(1.5), dyn('x'), dyn(null), dyn(true)"
            )
            .replacing("'a': ", with: "'a': dyn(").replacing("], 'b': ", with: "]), 'b': ").replacing(
                "duration('1s')",
                with: "dyn(duration('1s'))"
            ).replacing("b'abc'", with: "dyn(b'abc')")
        ).get()
        #expect(
            try value.json() == [
                "a": [1, 2, 1.5, "x", .null, true], "b": exampleVariables["object"]?["metadata"] ?? .null, "c": "1s", "d": "YWJj",
            ]
        )
    }

    @Test func `names are bound where the environment allows it`() throws {
        let text = "cel.bind(a, 1 + 1, cel.bind(b, a * 10, a + b)) == 22"
        #expect(try CELEnvironment(variables: [], allowsBinding: true).compile(text).evaluate(CELValues([:])).get().bool == true)
        #expect(throws: CELIssues.self) { try CELEnvironment(variables: []).compile(text) }
    }

    private struct Patches: CELStructures {
        func structure(named name: String) -> CELStructure? {
            guard name == "JSONPatch" || name.hasPrefix("Object") else { return nil }
            return CELStructure(name: name) { field in name == "JSONPatch" && field == "op" ? .string : .dyn }
        }
    }

    @Test func `messages are made where the environment has them`() throws {
        let environment = CELEnvironment(variables: [CELVariable("object", .dyn)], structures: Patches())
        let patch = try environment.compile("[JSONPatch{op: 'add', path: '/a', value: object.a}]").evaluate(
            CELValues(["object": CELValue.untyped(["a": 1])])
        ).get()
        #expect(try patch.json() == [["op": "add", "path": "/a", "value": 1]])
        let object = try environment.compile("Object{spec: Object.spec{replicas: 3}}").evaluate(CELValues([:])).get()
        #expect(try object.json() == ["spec": ["replicas": 3]])
        let issues = #expect(throws: CELIssues.self) { try environment.compile("JSONPatch{op: 1}") }
        #expect(issues?.description.contains("expected type of field 'op' is 'string' but provided type is 'int'") == true)
    }
}
