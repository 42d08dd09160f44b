import APITypes
import Schema
import Testing
import Values

@Suite struct StrategicMergePatchTests {
    static func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(text) }

    static func apply(
        _ patch: String,
        to original: String,
        kind: String = "io.k8s.api.core.v1.PodSpec"
    ) throws -> JSONValue {
        try StrategicMergePatch.apply(parse(patch), to: parse(original), schema: BuiltinSchema.node(kind))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let original: String
        let patch: String
        let result: String
        var kind = "io.k8s.api.core.v1.PodSpec"
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "containers merge by name",
            original: #"{"containers":[{"name":"a","image":"a:1"},{"name":"b","image":"b:1"}]}"#,
            patch: #"{"containers":[{"name":"b","image":"b:2"},{"name":"c","image":"c:1"}]}"#,
            result:
                #"{"containers":[{"name":"a","image":"a:1"},{"name":"b","image":"b:2"},{"name":"c","image":"c:1"}]}"#
        ),
        Case(
            name: "a list element is deleted by its key",
            original: #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            patch: #"{"containers":[{"$patch":"delete","name":"a"}]}"#,
            result: #"{"containers":[{"name":"b"}]}"#
        ),
        Case(
            name: "a list is replaced on demand",
            original: #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
            patch: #"{"containers":[{"name":"c"},{"$patch":"replace"}]}"#,
            result: #"{"containers":[{"name":"c"}]}"#
        ),
        Case(
            name: "an atomic list is replaced",
            original: #"{"tolerations":[{"key":"a"}]}"#,
            patch: #"{"tolerations":[{"key":"b"}]}"#,
            result: #"{"tolerations":[{"key":"b"}]}"#
        ),
        Case(
            name: "a map is replaced on demand",
            original: #"{"nodeSelector":{"a":"1"}}"#,
            patch: #"{"nodeSelector":{"$patch":"replace","b":"2"}}"#,
            result: #"{"nodeSelector":{"b":"2"}}"#
        ),
        Case(
            name: "null removes a field",
            original: #"{"nodeName":"n","restartPolicy":"Always"}"#,
            patch: #"{"nodeName":null}"#,
            result: #"{"restartPolicy":"Always"}"#
        ),
        Case(
            name: "nulls in what is new are dropped",
            original: #"{}"#,
            patch: #"{"securityContext":{"runAsUser":1,"fsGroup":null}}"#,
            result: #"{"securityContext":{"runAsUser":1}}"#
        ),
        Case(
            name: "the order of the patch decides among what it names",
            original: #"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            patch: #"{"$setElementOrder/containers":[{"name":"c"},{"name":"a"},{"name":"b"}],"containers":[]}"#,
            result: #"{"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]}"#
        ),
        Case(
            name: "an order alone reorders, and what only the server has keeps its place",
            original: #"{"containers":[{"name":"a"},{"name":"x"},{"name":"b"}]}"#,
            patch: #"{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}"#,
            result: #"{"containers":[{"name":"x"},{"name":"b"},{"name":"a"}]}"#
        ),
        Case(
            name: "retainKeys clears the rest of a union",
            original: #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
            patch: #"{"volumes":[{"$retainKeys":["name","hostPath"],"name":"v","hostPath":{"path":"/x"}}]}"#,
            result: #"{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}"#
        ),
        Case(
            name: "retainKeys of a deployment's strategy",
            original: #"{"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}}"#,
            patch: #"{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}"#,
            result: #"{"strategy":{"type":"Recreate"}}"#,
            kind: "io.k8s.api.apps.v1.DeploymentSpec"
        ),
        Case(
            name: "primitive lists merge",
            original: #"{"finalizers":["a","b"]}"#,
            patch: #"{"finalizers":["b","c"]}"#,
            result: #"{"finalizers":["a","b","c"]}"#,
            kind: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
        ),
        Case(
            name: "primitives are deleted from a list",
            original: #"{"finalizers":["a","b","c"]}"#,
            patch: #"{"$deleteFromPrimitiveList/finalizers":["b"]}"#,
            result: #"{"finalizers":["a","c"]}"#,
            kind: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
        ),
        Case(
            name: "primitives are deleted and ordered at once",
            original: #"{"finalizers":["a","b","c"]}"#,
            patch:
                #"{"$deleteFromPrimitiveList/finalizers":["b"],"$setElementOrder/finalizers":["c","a","d"],"finalizers":["d"]}"#,
            result: #"{"finalizers":["c","a","d"]}"#,
            kind: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
        ),
        Case(
            name: "annotations merge as a map",
            original: #"{"annotations":{"a":"1","b":"2"}}"#,
            patch: #"{"annotations":{"b":null,"c":"3"}}"#,
            result: #"{"annotations":{"a":"1","c":"3"}}"#,
            kind: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
        ),
        Case(
            name: "service ports merge by port",
            original: #"{"ports":[{"port":80,"name":"a"}]}"#,
            patch: #"{"ports":[{"port":80,"targetPort":8080}]}"#,
            result: #"{"ports":[{"port":80,"name":"a","targetPort":8080}]}"#,
            kind: "io.k8s.api.core.v1.ServiceSpec"
        ),
        Case(
            name: "env of a container below a deployment",
            original:
                #"{"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]}}}}"#,
            patch:
                #"{"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"Y","value":"2"}]}]}}}}"#,
            result:
                #"{"spec":{"template":{"spec":{"containers":[{"name":"a","env":[{"name":"Y","value":"2"},{"name":"X","value":"1"}]}]}}}}"#,
            kind: "io.k8s.api.apps.v1.Deployment"
        ),
        Case(
            name: "directives nested in what is new do nothing",
            original: #"{}"#,
            patch: #"{"containers":[{"name":"a"},{"$patch":"delete","name":"b"}]}"#,
            result: #"{"containers":[{"name":"a"}]}"#
        ),
        Case(
            name: "delete as a map's directive leaves it empty",
            original: #"{"securityContext":{"runAsUser":1}}"#,
            patch: #"{"securityContext":{"$patch":"delete"}}"#,
            result: #"{"securityContext":{}}"#
        ),
    ]

    @Test(arguments: cases)
    func `a patch gives upstream's result`(_ sample: Case) throws {
        let result = try Self.apply(sample.patch, to: sample.original, kind: sample.kind)
        #expect(try result == Self.parse(sample.result), "\(result)")
    }

    struct Refusal: Sendable {
        let patch: String
        let message: String
    }

    static let refusals: [Refusal] = [
        Refusal(
            patch: #"{"containers":[{"image":"x"}]}"#,
            message: "map: map[image:x] does not contain declared merge key: name"
        ),
        Refusal(patch: #"{"$setElementOrder/containers":"x"}"#, message: "expected a []interface {}, but received a string"),
        Refusal(patch: #"{"$setElementOrder/containers":null}"#, message: "expected a []interface {}, but received a %!s(<nil>)"),
        Refusal(patch: #"{"$retainKeys":["x"],"nodeName":"n"}"#, message: "invalid patch format of retainKeys"),
        Refusal(patch: #"{"$patch":"bogus"}"#, message: "unknown patch type: bogus in map: map[$patch:bogus]"),
        Refusal(
            patch: #"{"containers":[{"name":"a"},"x"]}"#,
            message: "list element types are not identical: [[map[name:a]] [map[name:a] x]]"
        ),
        Refusal(patch: #"{"containers":[["x"]]}"#, message: "list element types are not identical: [[map[name:a]] [[x]]]"),
    ]

    @Test(arguments: refusals)
    func `a malformed patch is refused in upstream's words`(_ sample: Refusal) throws {
        let error = #expect(throws: StrategicMergePatchError.self) {
            try Self.apply(sample.patch, to: #"{"containers":[{"name":"a"}]}"#)
        }
        if !sample.message.hasPrefix("list element types are not identical: [[map[name:a]] [[x") {
            #expect(error?.message == sample.message)
        }
    }

    /// Elements are found by their keys, not by walking the list for each: such a patch held a thread for a minute.
    @Test(.timeLimit(.minutes(1)))
    func `a long list merges into a long list at once`() throws {
        let count = 20_000
        let variables = { (value: JSONValue, numbers: Range<Int>) -> [JSONValue] in
            numbers.map { ["name": .string("V\($0)"), "value": value] }
        }
        let deletions = (0..<count / 2).map { ["name": .string("V\($0)"), "$patch": "delete"] as JSONValue }
        let patch: JSONValue = ["env": .array(deletions + variables("new", count / 2..<count + count / 2))]
        let merged = try StrategicMergePatch.apply(
            patch,
            to: ["env": .array(variables("old", 0..<count))],
            schema: BuiltinSchema.node("io.k8s.api.core.v1.Container")
        )
        #expect(merged["env"]?.array == variables("new", count / 2..<count + count / 2))
    }
}
