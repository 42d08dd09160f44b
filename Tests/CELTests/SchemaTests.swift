import Schema
import Testing
import Values

@testable import CEL

/// Rules as custom resources have them, over a schema.
@Suite struct SchemaTests {
    private static func field(_ name: String, _ node: SchemaNode) -> SchemaField { SchemaField(name: name, node: node) }

    private static let port = SchemaNode(
        shape: .object,
        body: SchemaBody(fields: [field("name", .scalar(.string)), field("number", .scalar(.integer))])
    )
    private static let label = SchemaNode(shape: .string, body: SchemaBody(limits: SchemaLimits(maximumCount: 10)))

    private static let schema = SchemaNode(
        shape: .object,
        body: SchemaBody(fields: [
            field("any", SchemaNode(shape: .any, body: SchemaBody(preservesUnknownFields: true))),
            field("bytes", SchemaNode(shape: .string, body: SchemaBody(format: "byte"))),
            field("dash-ed.na/me", .scalar(.string)),
            field("either", SchemaNode(shape: .intOrString)),
            field("labels", SchemaNode(shape: .map, body: SchemaBody(element: label, limits: SchemaLimits(maximumCount: 5)))),
            field("list", SchemaNode(shape: .list, body: SchemaBody(element: .scalar(.integer)))),
            field("maybe", SchemaNode(shape: .string, body: SchemaBody(nullable: true))),
            field("name", label),
            field("namespace", .scalar(.string)),
            field(
                "ports",
                SchemaNode(shape: .list, body: SchemaBody(element: port, listType: .map(["name"]), limits: SchemaLimits(maximumCount: 4)))
            ),
            field("ratio", SchemaNode(shape: .number)),
            field("replicas", .scalar(.integer)),
            field("set", SchemaNode(shape: .list, body: SchemaBody(element: label, listType: .set, limits: SchemaLimits(maximumCount: 3)))),
            field("wait", SchemaNode(shape: .string, body: SchemaBody(format: "duration"))),
            field("when", SchemaNode(shape: .string, body: SchemaBody(format: "date-time"))),
        ])
    )

    private static let object: JSONValue = [
        "bytes": "YWJj", "dash-ed.na/me": "odd", "either": "10%", "labels": ["a": "1"], "list": [1, 2], "name": "web",
        "namespace": "default",
        "ports": [["name": "http", "number": 80], ["name": "https", "number": 443]], "ratio": 2, "replicas": 3, "set": ["a", "b"],
        "wait": "1m", "when": "2024-01-01T00:00:00Z", "maybe": .null,
    ]
    private static let old: JSONValue = [
        "ports": [["name": "https", "number": 443], ["name": "http", "number": 80]], "set": ["b", "a"], "list": [2, 1], "replicas": 2,
    ]

    private static func environment(_ isOptional: Bool = false) throws -> CELEnvironment {
        let declared = try #require(CELDeclType.from(schema: schema, name: "selfType", isResourceRoot: true))
        return CELEnvironment(variables: [CELVariable("self", declared), CELVariable("oldSelf", declared, isOptional: isOptional)])
    }

    private static func bindings() throws -> CELValues {
        CELValues(["self": try CELValue(object, schema: schema), "oldSelf": try CELValue(old, schema: schema)])
    }

    @Test(arguments: [
        "self.replicas > oldSelf.replicas", "self.ratio == 2.0", "self.bytes == b'abc' && size(self.bytes) == 3",
        "self.when.getFullYear() == 2024 && self.wait == duration('60s')", "self.dash__dash__ed__dot__na__slash__me == 'odd'",
        "self.__namespace__ == 'default'", "has(self.name) && !has(self.maybe)", "self.either == '10%' && type(self.either) == string",
        "self.ports == oldSelf.ports", "self.set == oldSelf.set", "!(self.list == oldSelf.list)",
        "(self.set + oldSelf.set).size() == 2", "(self.ports + oldSelf.ports).size() == 2", "(self.list + oldSelf.list).size() == 4",
        "self.ports.all(p, p.number > 0)", "self.ports.exists(p, p.name == 'http' && p.number == 80)",
        "self.labels.all(k, self.labels[k] == '1')", "self.labels.a == '1' && 'a' in self.labels && self.labels.size() == 1",
        "self == self && !(self == oldSelf)", "self.set.exists(s, s == 'a') && 'a' in self.set", "self.?maybe.orValue('none') == 'none'",
        "self.list[0] + self.list[1] == 3", "self.list.map(i, i + 1).sum() == 5",
    ]) func `rules over a schema`(rule: String) throws {
        let program = try Self.environment().compile(rule)
        #expect(program.outputType == .bool)
        #expect(try program.evaluate(try Self.bindings()).get().bool == true)
    }

    @Test(arguments: [
        ("self.nothing", "ERROR: <input>:1:5: undefined field 'nothing'\n | self.nothing\n | ....^"),
        ("self.any == 1", "ERROR: <input>:1:5: undefined field 'any'\n | self.any == 1\n | ....^"),
        ("missing > 1", "ERROR: <input>:1:1: undeclared reference to 'missing' (in container '')\n | missing > 1\n | ^"),
        ("1 + x", "ERROR: <input>:1:5: undeclared reference to 'x' (in container '')\n | 1 + x\n | ....^"),
        (
            "self.replicas + 'a'",
            "ERROR: <input>:1:15: found no matching overload for '_+_' applied to '(int, string)'\n | self.replicas + 'a'\n | ..............^"
        ),
        (
            "self.name.nope()",
            "ERROR: <input>:1:15: undeclared reference to 'nope' (in container '')\n | self.name.nope()\n | ..............^"
        ),
        (
            "self.name.startsWith(1)",
            "ERROR: <input>:1:21: found no matching overload for 'startsWith' applied to 'string.(int)'\n | self.name.startsWith(1)\n | ....................^"
        ),
        (
            "self.replicas.all(x, x > 1)",
            "ERROR: <input>:1:5: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)\n | self.replicas.all(x, x > 1)\n | ....^"
        ),
        (
            "size(self.name) <",
            "ERROR: <input>:1:18: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | size(self.name) <\n | .................^"
        ),
        ("\n  self.a\n", "ERROR: <input>:2:7: undefined field 'a'\n |   self.a\n | ......^"),
        ("package", "ERROR: <input>:1:1: reserved identifier: package\n | package\n | ^"),
        ("'é' + 1", "ERROR: <input>:1:5: found no matching overload for '_+_' applied to '(string, int)'\n | 'é' + 1\n | .．..^"),
    ]) func `mistakes are shown as cel-go shows them`(rule: String, message: String) throws {
        let environment = try Self.environment()
        let issues = #expect(throws: CELIssues.self) { try environment.compile(rule) }
        #expect(issues?.description == message)
    }

    @Test func `optional old values and the variables in use`() throws {
        let environment = try Self.environment(true)
        let program = try environment.compile("oldSelf.hasValue() ? self.replicas >= oldSelf.value().replicas : self.replicas > 0")
        #expect(program.uses("oldSelf") && program.uses("self"))
        #expect(try !environment.compile("self.replicas > 0").uses("oldSelf"))
        let object = try CELValue(Self.object, schema: Self.schema)
        let none = CELValues(["self": object, "oldSelf": .optional(CELOptional(nil))])
        #expect(try program.evaluate(none).get().bool == true)
        let larger = CELValues(["self": object, "oldSelf": .optional(CELOptional(try CELValue(["replicas": 9], schema: Self.schema)))])
        #expect(try program.evaluate(larger).get().bool == false)
    }

    @Test func `data that does not fit its schema is an error where it is used`() throws {
        let program = try Self.environment().compile("self.replicas > 1")
        let bad = CELValues(["self": try CELValue(["replicas": "three"], schema: Self.schema)])
        #expect(throws: CELError("invalid data, expected int, got string")) { try program.evaluate(bad).get() }
        let pointed = CELValues(["self": try CELValue(["replicas": 2.0], schema: Self.schema)])
        #expect(throws: CELError("invalid data, expected int, got float64")) { try program.evaluate(pointed).get() }
    }

    @Test(arguments: [
        ("self.replicas > 0", 3, 3), ("has(self.name)", 1, 1), ("self.name == 'web'", 3, 3), ("self.name.size() > 0", 4, 4),
        // Bounds: 10 code points are up to 40 bytes; 5 labels; 4 ports; 3 in the set.
        ("self.name.contains('a')", 2, 6), ("self.ports.all(p, p.number > 0)", 3, 27), ("self.set.exists(s, s == 'a')", 3, 21),
        ("self.labels.all(k, self.labels[k] == '1')", 3, 43), ("self.list.all(i, i > 0)", 3, 7_864_318),
        ("true || self.replicas > 0", 0, 3), ("self.replicas > 0 ? 1 : 2", 3, 3), ("self.name.matches('^a+$')", 3, 7),
        ("[1, 2, 3].all(i, i > 0)", 20, 26), ("self.list.map(i, i + 1).size() > 0", 0, 0),
    ]) func `estimated costs`(rule: String, least: Int, most: Int) throws {
        let cost = try Self.environment().compile(rule).estimatedCost
        guard most > 0 else { return #expect(cost.max > 1_000_000) }
        #expect(cost == CELCostEstimate(min: UInt64(least), max: UInt64(most)), "\(rule)")
    }

    @Test(arguments: [
        ("self.replicas > 0", 3), ("has(self.name)", 1), ("self.name == 'web'", 3), ("self.ports.all(p, p.number > 0)", 15),
        ("true || self.replicas > 0", 0), ("self.replicas > 0 ? self.replicas : 0", 4), ("self.list[0] == 1", 4),
        ("[1, 2, 3].all(i, i > 0)", 16), ("[1, 2, 3].map(i, i + 1)", 43), ("self.name in ['a', 'b']", 2), ("self.name in self.set", 6),
        ("'aaaaaaaaaaaa'.contains('a')", 2), ("'aaaaaaaaaaaa'.matches('^a+$')", 2), ("'abc' + self.name", 3),
        ("optional.of(1).orValue(2)", 1), ("{'a': self.replicas}", 32), ("[self.replicas]", 12), ("self.?maybe", 1),
        ("quantity('100m').isLessThan(quantity('1'))", 3), ("ip('10.0.0.1') == ip('10.0.0.1')", 3),
    ]) func `actual costs`(rule: String, cost: Int) throws {
        var budget = CELBudget()
        _ = try Self.environment().compile(rule).evaluate(try Self.bindings(), budget: &budget)
        #expect(budget.lastCost == UInt64(cost), "\(rule)")
        #expect(budget.remaining == CELBudget.runtimeBudget - UInt64(cost))
    }

    @Test(arguments: [
        ("a-b", "a__dash__b"), ("a.b/c", "a__dot__b__slash__c"), ("a__b", "a__underscores__b"), ("namespace", "__namespace__"),
        ("plain_one", "plain_one"),
        ("a___b", "a__underscores___b"), ("a____b", "a__underscores____underscores__b"),
    ]) func `field names are escaped and back`(name: String, escaped: String) {
        #expect(FieldEscape.escape(name) == escaped)
        #expect(FieldEscape.unescape(escaped) == name)
    }

    @Test func `names that cannot be escaped`() {
        #expect(FieldEscape.escape("1a") == nil)
        #expect(FieldEscape.escape("") == nil)
        #expect(FieldEscape.escape("a$b") == nil)
        #expect(FieldEscape.unescape("a__nope__b") == nil)
    }
}
