import Testing
import Values

@testable import BuiltinKinds

/// What is asked and answered, and never stored.
@Suite struct ReviewTests {
    @Test func `a token lives for ten minutes at least`() {
        let problems = { (seconds: JSONValue) in ReviewValidation.tokenRequest(["spec": ["expirationSeconds": seconds]]).map(\.message) }
        #expect(problems(600) == [])
        #expect(problems(599) == ["spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes"])
        #expect(
            problems(4_294_967_297) == [
                "spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds"
            ]
        )
        #expect(ReviewValidation.tokenRequest([:]).isEmpty)
    }

    @Test func `a review asks one question about somebody`() {
        let resource: JSONValue = ["verb": "get", "resource": "pods", "namespace": "a"]
        let sound: JSONValue = ["spec": ["user": "u", "resourceAttributes": resource]]
        #expect(ReviewValidation.subjectAccess(sound).isEmpty)
        #expect(
            ReviewValidation.subjectAccess(["spec": [:]]).map(\.message) == [
                "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
                "spec.user: Invalid value: \"\": at least one of user or group must be specified",
            ]
        )
        let both = with(sound, "spec.nonResourceAttributes", ["path": "/"])
        #expect(
            ReviewValidation.subjectAccess(both).map(\.message) == [
                "spec.nonResourceAttributes: Invalid value: {\"path\":\"/\"}: cannot be specified in combination with resourceAttributes"
            ]
        )
        #expect(ReviewValidation.selfSubjectAccess(["spec": ["resourceAttributes": resource]]).isEmpty)
        let named = with(sound, "metadata.name", "x")
        #expect(ReviewValidation.subjectAccess(named).map(\.message) == ["metadata: Invalid value: {\"name\":\"x\"}: must be empty"])
        #expect(
            ReviewValidation.localSubjectAccess(with(sound, "metadata.namespace", "b")).map(\.message) == [
                "spec.resourceAttributes.namespace: Invalid value: \"a\": must match metadata.namespace"
            ]
        )
    }

    @Test func `a review may come with selectors`() {
        let sound: JSONValue = ["spec": ["user": "u", "resourceAttributes": ["verb": "list", "resource": "pods"]]]
        let problems = { (field: String, selector: JSONValue) in
            ReviewValidation.subjectAccess(with(sound, "spec.resourceAttributes.\(field)", selector)).map(\.message)
        }
        let place = "spec.resourceAttributes"
        #expect(
            problems("fieldSelector", [:]) == [
                "\(place).fieldSelector.requirements: Required value: when \(place).fieldSelector is specified, requirements or rawSelector is required"
            ]
        )
        #expect(problems("fieldSelector", ["requirements": [["key": "a", "operator": "Later"]]]) == [])
        #expect(
            problems("fieldSelector", ["requirements": [["operator": "In"]]]) == [
                "\(place).fieldSelector.requirements[0].key: Required value: must be specified",
                "\(place).fieldSelector.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
            ]
        )
        #expect(
            problems("labelSelector", ["rawSelector": "a=b", "requirements": [["key": "a", "operator": "Exists"]]]) == [
                "\(place).labelSelector.rawSelector: Invalid value: \"a=b\": may not specified at the same time as requirements"
            ]
        )
    }
}
