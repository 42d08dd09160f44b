import CEL
import Schema
import Values

/// Expressions that strangers send: in CustomResourceDefinitions, admission policies, selectors of devices. Whatever
/// the bytes are, compiling and evaluating them ends soon, and a value has the type that the checker gave it.
enum CELTarget {
    /// How long one evaluation may take.
    private static let patience = Duration.seconds(2)

    private static let variables: [String: JSONValue] = [
        "x": 7, "name": "apus", "list": [3, 1, 2], "words": ["pear", "apple", "fig"], "none": .null,
        "object": [
            "metadata": ["name": "web", "labels": ["app": "web", "tier-1": "front"]],
            "spec": ["replicas": 3, "ratio": 0.5, "ports": [["port": 80], ["port": 443]]],
        ],
    ]

    private static let schema: SchemaNode = {
        let text = SchemaNode(shape: .string, body: SchemaBody(limits: SchemaLimits(maximumCount: 10)))
        let port = SchemaNode(
            shape: .object,
            body: SchemaBody(fields: [SchemaField(name: "name", node: text), SchemaField(name: "number", node: .scalar(.integer))])
        )
        let either = SchemaNode(shape: .intOrString)
        let labels = SchemaNode(shape: .map, body: SchemaBody(element: text))
        let ports = SchemaNode(shape: .list, body: SchemaBody(element: port, listType: .map(["name"])))
        let set = SchemaNode(shape: .list, body: SchemaBody(element: text, listType: .set))
        return SchemaNode(
            shape: .object,
            body: SchemaBody(fields: [
                SchemaField(name: "any", node: SchemaNode(shape: .any, body: SchemaBody(preservesUnknownFields: true))),
                SchemaField(name: "bytes", node: SchemaNode(shape: .string, body: SchemaBody(format: "byte"))),
                SchemaField(name: "either", node: either), SchemaField(name: "labels", node: labels),
                SchemaField(name: "ports", node: ports), SchemaField(name: "ratio", node: SchemaNode(shape: .number)),
                SchemaField(name: "set", node: set),
                SchemaField(name: "wait", node: SchemaNode(shape: .string, body: SchemaBody(format: "duration"))),
                SchemaField(name: "when", node: SchemaNode(shape: .string, body: SchemaBody(format: "date-time"))),
            ])
        )
    }()

    private static let typed: JSONValue = [
        "any": ["a": [1]], "bytes": "YWJj", "either": "10%", "labels": ["a": "1"], "ratio": 2, "set": ["a", "b"], "wait": "1m",
        "when": "2024-01-01T00:00:00Z", "ports": [["name": "http", "number": 80], ["name": "https", "number": 443]],
    ]

    private static let environment: CELEnvironment = {
        var declared = variables.keys.map { CELVariable($0, .dyn) } + [CELVariable("text", .string), CELVariable("other", .string)]
        if let type = CELDeclType.from(schema: schema, name: "selfType", isResourceRoot: false) {
            declared.append(CELVariable("self", type))
        }
        return CELEnvironment(variables: declared, allowsBinding: true)
    }()

    private static let bindings: [String: CELValue] = {
        var bindings = variables.compactMapValues { try? CELValue($0) }
        bindings["self"] = try? CELValue(typed, schema: schema)
        return bindings
    }()

    /// What reads texts at the time of evaluation: `text` and `other` are made up.
    static let readings = [
        "text.matches(other)", "text.findAll(other)", "text.format([dyn(other), dyn(1), dyn(1.5), dyn(true), dyn([x]), dyn(object)])",
        "text.split(other)", "text.replace(other, text, 3)", "[int(text)].map(i, [i, int(uint(text))])", "double(text)",
        "[timestamp(text)].map(t, [t.getFullYear(), t.getHours(other)])", "[duration(text)].map(d, d.getMilliseconds())",
        "[url(text)].map(u, [dyn(u.getHost()), dyn(u.getPort()), dyn(u.getEscapedPath()), dyn(u.getQuery())])",
        "[ip(text)].map(i, [dyn(i.family()), dyn(string(i)), dyn(i.isLoopback())])",
        "[cidr(text)].map(c, [dyn(c.masked()), dyn(c.containsIP(other))])",
        "[quantity(text)].map(q, [dyn(q.add(q)), dyn(q.sub(quantity(other))), dyn(q.asInteger())])",
        "[semver(text)].map(s, s.compareTo(semver(other)))", "[semver(text, true)]", "text.indexOf(other) + text.lastIndexOf(other)",
        "text.substring(1, 3) + text.charAt(2)",
        "[format.dns1123Label().validate(text), format.uri().validate(text), format.datetime().validate(text)]",
        "text.lowerAscii() == other.upperAscii() || text.trim() < other",
    ]
    /// The readings, compiled; a test sees to it that none is missing.
    static let readers = readings.compactMap { try? environment.compile($0) }

    /// Runs one input; says what does not hold. An odd first byte has the rest read as an expression; an even one as two
    /// texts, which a zero byte divides, for a function.
    static func run(_ input: [UInt8]) -> String? {
        guard let mode = input.first else { return nil }
        let rest = input.dropFirst()
        guard mode.isMultiple(of: 2) else {
            guard let program = try? environment.compile(String(decoding: rest, as: UTF8.self)) else { return nil }
            return evaluate(program, "a text", "a")
        }
        let parts = rest.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        let program = readers[Int(mode / 2) % readers.count]
        return evaluate(
            program,
            String(decoding: parts[0], as: UTF8.self),
            String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self)
        )
    }

    private static func evaluate(_ program: CELProgram, _ text: String, _ other: String) -> String? {
        let begin = ContinuousClock.now
        var budget = CELBudget(deadline: begin + patience)
        let result = program.evaluate(
            CELValues(bindings.merging(["text": .string(text), "other": .string(other)]) { $1 }),
            budget: &budget
        )
        // Some room for what is not interrupted, and for slow machines.
        if ContinuousClock.now - begin > patience * 15 { return "an evaluation goes on after its deadline" }
        guard case .success(let value) = result else { return nil }
        _ = try? value.json()
        switch program.outputType {
        case .bool where value.bool == nil: return "not a bool: \(value)"
        case .int where value.int == nil: return "not an int: \(value)"
        case .string where value.string == nil: return "not a string: \(value)"
        default: return nil
        }
    }
}
