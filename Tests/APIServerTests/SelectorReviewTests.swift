import Testing
import Values

@testable import APIServer

/// Selectors of a reviewed question that cannot be read.
@Suite struct SelectorReviewTests {
    private static func broken(_ name: String, _ partially: String = "") -> String {
        "spec.resourceAttributes.\(name) \(partially)ignored due to parse error"
    }

    private static func requirements(_ all: JSONValue...) -> JSONValue { ["requirements": .array(all)] }

    @Test func `sound selectors are not mentioned`() {
        let sound: JSONValue = [
            "fieldSelector": ["rawSelector": "a=b"],
            "labelSelector": Self.requirements(["key": "a", "operator": "In", "values": ["b"]], ["key": "c", "operator": "Exists"]),
        ]
        #expect(SelectorReview.problem(sound) == nil)
        #expect(SelectorReview.problem([:]) == nil)
        #expect(SelectorReview.problem(nil) == nil)
        #expect(SelectorReview.problem(["labelSelector": ["rawSelector": "a"]]) == nil)
    }

    @Test func `broken selectors are named, fields first`() {
        #expect(SelectorReview.problem(["fieldSelector": ["rawSelector": "x"]]) == Self.broken("fieldSelector"))
        #expect(SelectorReview.problem(["labelSelector": ["rawSelector": "a in b"]]) == Self.broken("labelSelector"))
        let exists = Self.requirements(["key": "x", "operator": "Exists"])
        let bogus = Self.requirements(["key": "x", "operator": "Bogus"])
        let both: JSONValue = ["labelSelector": bogus, "fieldSelector": exists]
        #expect(SelectorReview.problem(both) == Self.broken("fieldSelector") + "; " + Self.broken("labelSelector"))
    }

    @Test func `what is sound of a selector counts`() {
        let sound: JSONValue = ["key": "a", "operator": "In", "values": ["b"]]
        let several: JSONValue = ["key": "a", "operator": "In", "values": ["b", "c"]]
        let partial: JSONValue = ["fieldSelector": Self.requirements(sound, several)]
        #expect(SelectorReview.problem(partial) == Self.broken("fieldSelector", "partially "))
        #expect(SelectorReview.problem(["labelSelector": Self.requirements(sound, several)]) == nil)
    }

    @Test func `the answer to a review tells of them`() async throws {
        try await withCluster { cluster in
            let question: JSONValue = [
                "spec": ["resourceAttributes": ["verb": "list", "resource": "pods", "fieldSelector": ["rawSelector": "x"]]]
            ]
            let answer = try await cluster.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", question)
            #expect(answer["status", "evaluationError"]?.string == Self.broken("fieldSelector"))
        }
    }
}
