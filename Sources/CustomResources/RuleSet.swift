import Schema
import Values

/// The rules (`x-kubernetes-validations`) of one version, compiled when the first object is checked.
final class RuleSet: Sendable {
    private let schema: SchemaNode
    let isEmpty: Bool

    init(_ schema: SchemaNode) {
        self.schema = schema
        isEmpty = schema.body.structural?.hasRules != true
    }

    func issues(_ object: JSONValue, old: JSONValue?) -> [FieldIssue] { [] }
}
