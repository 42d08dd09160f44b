import APITypes
import Testing
import Units
import Values

@testable import Controllers

@Suite struct ClusterRoleAggregationPlanTests {
    private func rule(_ resource: String, _ verbs: [String] = ["get"]) -> JSONValue {
        ["apiGroups": [""], "resources": [.string(resource)], "verbs": JSONValue(verbs)]
    }

    private func role(_ name: String, _ rules: [JSONValue], labels: JSONValue = [:], selectors: [JSONValue]? = nil) -> ClusterRole {
        var object: JSONValue = ["metadata": ["name": .string(name), "labels": labels], "rules": .array(rules)]
        if let selectors { object["aggregationRule"] = ["clusterRoleSelectors": .array(selectors)] }
        return ClusterRole(fields: object.object ?? [:])
    }

    private func plan(_ role: ClusterRole, _ all: [ClusterRole]) throws -> [JSONValue]? {
        try ClusterRoleAggregationPlan.rules(of: role) { selector in all.filter { selector.matches($0.metadata.labels) } }
    }

    private let toAdmin: JSONValue = ["matchLabels": ["to-admin": "true"]]

    @Test func `the rules of the roles chosen are taken over once, by the names of the roles`() throws {
        let admin = role("admin", [], labels: ["to-admin": "true"], selectors: [toAdmin])
        let all = [
            role("b", [rule("services"), rule("pods")], labels: ["to-admin": "true"]), admin,
            role("a", [rule("pods"), rule("pods", ["list"])], labels: ["to-admin": "true"]),
            role("other", [rule("nodes")], labels: ["to-admin": "false"]),
        ]
        #expect(try plan(admin, all) == [rule("pods"), rule("pods", ["list"]), rule("services")])
    }

    @Test func `several selectors are asked in order, expressions too`() throws {
        let selectors: [JSONValue] = [["matchExpressions": [["key": "late", "operator": "Exists"]]], toAdmin]
        let own = role("own", [rule("stale")], selectors: selectors)
        let all = [role("a", [rule("pods")], labels: ["to-admin": "true"]), role("z", [rule("nodes")], labels: ["late": "1"])]
        #expect(try plan(own, all) == [rule("nodes"), rule("pods")])
    }

    @Test func `nothing is written when nothing differs, or when the role gathers nothing`() throws {
        var spelled = rule("pods")
        spelled["resourceNames"] = []
        let own = role("own", [spelled], selectors: [toAdmin])
        #expect(try plan(own, [role("a", [rule("pods")], labels: ["to-admin": "true"])]) == nil)
        #expect(try plan(role("plain", [rule("pods")]), []) == nil)
        #expect(try plan(role("empty", [], selectors: []), []) == nil)
        // The last role that was gathered is gone: so are its rules.
        #expect(try plan(own, []) == [])
    }

    @Test func `a selector that makes no sense writes nothing`() throws {
        let own = role("own", [], selectors: [["matchExpressions": [["key": "a", "operator": "Like"]]]])
        #expect(throws: SelectorError.self) { try plan(own, []) }
    }
}
