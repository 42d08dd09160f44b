import Schema
import Units
import Values

/// Compiles the rules of a schema and adds up what they may cost.
struct RuleCheck {
    init(_ schema: JSONValue, _ sites: [SchemaCheck.RuleSite], isUnchanged: Bool) {}
    func issues(at path: FieldPath) -> [FieldIssue] { [] }
}
