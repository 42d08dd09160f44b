import CEL
import FoundationEssentials
import Schema
import Testing
import Values

@testable import CustomResources

/// Expressions beside what Kubernetes 1.36's own library makes of them: mistakes, estimated costs, values, actual costs.
/// The expressions are ours, the answers were asked of upstream. `APUS_CEL_TABLE` names another table to compare with.
@Suite struct ExpressionTableTests {
    /// A line of the table.
    private struct Row {
        let expression: String
        let isOfSchema: Bool
        let expected: [String: JSONValue]

        init?(_ line: Substring) {
            guard let value = try? JSONParser.parse(Array(line.utf8)), let object = value.object, let text = object["e"]?.string else {
                return nil
            }
            expression = text
            isOfSchema = object["m"]?.string == "self"
            expected = Dictionary(object.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        }
    }

    private static func file(_ name: String) throws -> [UInt8] {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Golden/CEL/\(name)")
        return [UInt8](try Data(contentsOf: url))
    }

    private static func table() throws -> [Row] {
        let bytes: [UInt8]
        if let other = ProcessInfo.processInfo.environment["APUS_CEL_TABLE"] {
            bytes = [UInt8](try Data(contentsOf: URL(filePath: other)))
        } else {
            bytes = try file("expressions.jsonl")
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap(Row.init)
    }

    /// What the expressions may use.
    private struct World {
        let plain: CELEnvironment
        let plainValues: CELValues
        let ofSchema: CELEnvironment
        let schemaValues: CELValues

        init(_ facts: JSONValue) throws {
            let members = try #require(facts["dyn"]?.object)
            var values = try Dictionary(members.map { ($0.key, try CELValue($0.value)) }, uniquingKeysWith: { $1 })
            values["authorizer"] = .object(CELAuthorizerValue(Answers()))
            let variables = members.map { CELVariable($0.key, .dyn) }
            plain = CELEnvironment(variables: variables + [CELVariable("authorizer", CELAuthorizerValue.authorizerType)])
            plainValues = CELValues(values)
            let shown = CompiledRules(compiled(facts["schema"] ?? .null), isResource: true).shown
            let declared = try #require(CELDeclType.from(schema: shown, name: "selfType", isResourceRoot: true))
            ofSchema = CELEnvironment(variables: [CELVariable("self", declared), CELVariable("oldSelf", declared)])
            schemaValues = CELValues([
                "self": try CELValue(facts["self"] ?? .null, schema: shown),
                "oldSelf": try CELValue(facts["oldSelf"] ?? .null, schema: shown),
            ])
        }
    }

    @Test func `expressions are what upstream makes of them`() throws {
        let world = try World(JSONParser.parse(Self.file("variables.json")))
        let rows = try Self.table()
        #expect(rows.count > 300)
        var differences: [String] = []
        for row in rows {
            let actual = Self.answer(row, world)
            for name in Set(row.expected.keys).union(actual.keys).subtracting(["e", "m"]).sorted() where actual[name] != row.expected[name]
            {
                let (ours, theirs) = (Self.text(actual[name]), Self.text(row.expected[name]))
                differences.append("\(row.expression)\n    \(name): \(ours)\n    upstream \(theirs)")
            }
        }
        #expect(differences.isEmpty, "\(differences.count) differences\n\(differences.joined(separator: "\n"))")
    }

    private static func text(_ value: JSONValue?) -> String { value.map { $0.string ?? "\($0)" } ?? "nothing" }

    private static func answer(_ row: Row, _ world: World) -> [String: JSONValue] {
        let program: CELProgram
        do throws(CELIssues) {
            program = try (row.isOfSchema ? world.ofSchema : world.plain).compile(row.expression)
        } catch {
            return ["bad": .string((error.isInstantiation ? "program instantiation failed: " : "") + error.description)]
        }
        var budget = CELBudget()
        let result = program.evaluate(row.isOfSchema ? world.schemaValues : world.plainValues, budget: &budget)
        var answer: [String: JSONValue] = [
            "t": .string(program.outputType.description), "min": count(program.estimatedCost.min),
            "max": count(program.estimatedCost.max), "cost": count(budget.lastCost),
        ]
        switch result {
        case .success(let value): answer["v"] = .string(Self.shown(value))
        case .failure(let error): answer["err"] = .string(error.message)
        }
        return answer
    }

    private static func count(_ value: UInt64) -> JSONValue { Int64(exactly: value).map { .integer($0) } ?? .number(Double(value)) }

    /// The table's way to write values.
    private static func shown(_ value: CELValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .uint(let value): "\(value)u"
        case .double(let value): "d" + GoNumber.general(value)
        case .string(let value): quoted(value)
        case .bytes(let value): "b" + value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .timestamp, .duration: time(value)
        case .optional(let optional): optional.value.map { "optional(\(shown($0)))" } ?? "none"
        case .type(let type): "type(\(type.name))"
        case .list(let list): "[" + ((try? list.values()) ?? []).map(shown).joined(separator: ", ") + "]"
        case .map(let map): "{" + entries(map).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: ", ") + "}"
        case .object(let object): object.type.name
        }
    }

    private static func entries(_ map: CELMap) -> [String] {
        map.keys().map { key in "\(shown(key)): \((try? map.find(key)).flatMap { $0 }.map(shown) ?? "?")" }
    }

    private static func time(_ value: CELValue) -> String {
        let text = (try? value.json())?.string ?? ""
        if case .duration(let span) = value { return "duration(\(span))" }
        return "timestamp(\(text))"
    }

    private static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case _ where scalar.value < 32 || scalar.value == 127: out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// Allows `get`, knows nothing of `fail`, refuses the rest; says what it was asked.
private struct Answers: CELAuthorizer {
    func decide(_ query: CELAuthorizationQuery) -> CELAuthorizationDecision {
        if query.verb == "fail" { return CELAuthorizationDecision(isAllowed: false, error: "no answer") }
        let user = query.serviceAccount.map { "system:serviceaccount:\($0.namespace):\($0.name)" } ?? "me"
        let resource = "\(query.group)/\(query.resource)/\(query.subresource) \(query.namespace)/\(query.name)"
        return CELAuthorizationDecision(
            isAllowed: query.verb == "get",
            reason: "\(query.verb) \(query.path) \(resource) \(query.isResource) \(user)"
        )
    }
}
