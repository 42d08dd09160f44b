import Schema
import Testing
import Units
import Values

@testable import CustomResources

@Suite struct RuleTests {
    private func issues(_ schema: JSONValue, _ value: JSONValue, old: JSONValue? = nil) -> [String] {
        RuleSet(compiled(schema)).issues(value, old: old).map(\.message)
    }

    private func kind(_ rules: JSONValue, _ properties: JSONValue) -> JSONValue {
        var schema = kindSchema(properties)
        schema.set(rules, at: ["properties", "spec", "x-kubernetes-validations"])
        return schema
    }

    @Test func `a rule that holds says nothing`() {
        let schema = kind([["rule": "self.a > 1"]], ["a": ["type": "integer"]])
        #expect(issues(schema, ["spec": ["a": 2]]).isEmpty)
        #expect(issues(schema, ["spec": ["a": 1]]) == ["spec: Invalid value: failed rule: self.a > 1"])
    }

    @Test func `optionalOldSelf also speaks of new values`() {
        let rule: JSONValue = ["rule": "!oldSelf.hasValue() || self.a >= oldSelf.value().a", "optionalOldSelf": true, "message": "shrinks"]
        let schema = kind([rule], ["a": ["type": "integer"]])
        #expect(issues(schema, ["spec": ["a": 2]]).isEmpty)
        #expect(issues(schema, ["spec": ["a": 1]], old: ["spec": ["a": 2]]) == ["spec: Invalid value: shrinks"])
        let plain = kind([["rule": "self.a >= oldSelf.a"]], ["a": ["type": "integer"]])
        #expect(issues(plain, ["spec": ["a": 1]]).isEmpty)
    }

    @Test func `elements of keyed lists have a past`() {
        let properties: JSONValue = [
            "l": [
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                "items": [
                    "type": "object", "required": ["k"], "properties": ["k": ["type": "string"], "v": ["type": "integer"]],
                    "x-kubernetes-validations": [["rule": "self.v == oldSelf.v", "message": "fixed"]],
                ],
            ]
        ]
        let schema = kindSchema(properties)
        let old: JSONValue = ["spec": ["l": [["k": "a", "v": 1], ["k": "b", "v": 2]]]]
        #expect(issues(schema, ["spec": ["l": [["k": "b", "v": 2], ["k": "c", "v": 9]]]], old: old).isEmpty)
        #expect(issues(schema, ["spec": ["l": [["k": "b", "v": 3]]]], old: old) == ["spec.l[0]: Invalid value: fixed"])
    }

    @Test func `what runs too long ends`() {
        let rule: JSONValue = ["rule": "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c != 'x')))"]
        let schema = kind([rule], ["l": ["type": "array", "items": ["type": "string"]]])
        let list = JSONValue.array((0..<400).map { .string("item\($0)") })
        let found = issues(schema, ["spec": ["l": list]])
        #expect(found.count == 1)
        // A machine that is too busy to spend the whole cost is stopped by the clock.
        #expect(found.first?.contains("cost") == true || found.first?.contains("interrupted") == true, "\(found)")
    }

    @Test func `costs are worded as upstream words them`() {
        #expect(
            RuleCheck.words("estimated rule cost", 20_000_000, 10_000_000).hasPrefix(
                "estimated rule cost exceeds budget by factor of 2.0x "
            )
        )
        #expect(RuleCheck.words("c", 12_000_000, 10_000_000).hasPrefix("c exceeds budget by factor of 1.200000x "))
        #expect(RuleCheck.words("c", 2_000_000_000, 10_000_000).contains("more than 100x"))
    }
}
