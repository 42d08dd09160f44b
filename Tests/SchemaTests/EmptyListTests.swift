import APITypes
import Schema
import Testing
import Values

@Suite struct EmptyListTests {
    @Test func `a list without items says null where it has to say something, and nothing elsewhere`() throws {
        let role = BuiltinSchema.node("io.k8s.api.rbac.v1.Role")
        var object: JSONValue = ["apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": []]
        role.forgetEmptyLists(&object)
        #expect(object["rules"] == .null)
        object = ["rules": [["verbs": [], "resources": [], "apiGroups": [""]]]]
        role.forgetEmptyLists(&object)
        #expect(object == ["rules": [["verbs": .null, "apiGroups": [""]]]])
    }

    @Test func `what has no type of its own is left alone`() {
        let revision = BuiltinSchema.node("io.k8s.api.apps.v1.ControllerRevision")
        let given: JSONValue = ["data": ["list": [], "deep": [["a": []]]], "metadata": ["annotations": ["k": ""]], "unknown": []]
        var object = given
        revision.forgetEmptyLists(&object)
        #expect(object == given)
    }

    @Test func `maps and lists are gone through`() {
        let pod = BuiltinSchema.node("io.k8s.api.core.v1.Pod")
        var object: JSONValue = [
            "spec": [
                "containers": [["name": "c", "args": [], "resources": ["limits": ["cpu": "1"], "claims": []]]],
                "volumes": [["name": "v", "projected": ["sources": []]]],
            ]
        ]
        pod.forgetEmptyLists(&object)
        #expect(
            object == [
                "spec": [
                    "containers": [["name": "c", "resources": ["limits": ["cpu": "1"]]]],
                    "volumes": [["name": "v", "projected": ["sources": .null]]],
                ]
            ]
        )
    }
}
