import Schema
import Testing
import Units
import Values

@testable import CEL

/// An expression with what comes of it.
struct CELExample: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// The expression, compared with `==`, is true.
        case equals(String)
        /// The evaluation fails with this message.
        case fails(String)
        /// The expression does not compile; the message contains this.
        case refused(String)
    }

    let expression: String
    let outcome: Outcome
    var testDescription: String { expression }

    init(_ expression: String, _ outcome: Outcome) {
        self.expression = expression
        self.outcome = outcome
    }

    /// An expression that is true.
    init(_ expression: String) { self.init(expression, .equals("true")) }
}

/// Variables of the examples.
let exampleVariables: [String: JSONValue] = [
    "x": 7, "name": "apus", "list": [3, 1, 2], "words": ["pear", "apple", "fig"], "none": .null,
    "object": [
        "metadata": ["name": "web", "labels": ["app": "web", "tier-1": "front"]],
        "spec": ["replicas": 3, "ratio": 0.5, "ports": [["port": 80], ["port": 443]]],
    ],
]

func exampleEnvironment() -> CELEnvironment {
    CELEnvironment(variables: exampleVariables.keys.map { CELVariable($0, .dyn) })
}

func exampleBindings() -> CELValues { CELValues(exampleVariables.mapValues { CELValue.untyped($0) }) }

func evaluate(
    _ text: String,
    _ environment: CELEnvironment = exampleEnvironment(),
    _ bindings: CELValues = exampleBindings()
)
    throws(CELIssues) -> Result<CELValue, CELError>
{
    try environment.compile(text).evaluate(bindings)
}

/// Runs an example.
func check(_ example: CELExample) {
    switch example.outcome {
    case .equals(let expected):
        do {
            let value = try evaluate(expected == "true" ? example.expression : "(\(example.expression)) == (\(expected))").get()
            if value.bool != true {
                let actual = try? evaluate(example.expression).get()
                Issue.record("\(example.expression) is \(actual.map { "\($0)" } ?? "nothing"), not \(expected)")
            }
        } catch { Issue.record("\(example.expression): \(error)") }
    case .fails(let message):
        do {
            let value = try evaluate(example.expression).get()
            Issue.record("\(example.expression) is \(value), but should fail with: \(message)")
        } catch let error as CELError {
            #expect(error.message == message)
        } catch { Issue.record("\(example.expression): \(error)") }
    case .refused(let message):
        do {
            _ = try exampleEnvironment().compile(example.expression)
            Issue.record("\(example.expression) compiles, but should be refused: \(message)")
        } catch {
            #expect(error.description.contains(message), "\(error.description)")
        }
    }
}
