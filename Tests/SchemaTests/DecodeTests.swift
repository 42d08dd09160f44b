import APITypes
import Schema
import Testing
import Values

@Suite struct DecodeTests {
    static func decode(_ text: String, _ type: String) throws -> (value: JSONValue, unknown: [String]) {
        var value = try JSONParser.parse(text)
        let unknown = try BuiltinSchema.node(type).decode(&value)
        return (value, unknown)
    }

    struct Case: Sendable {
        let type: String
        let given: String
        let result: String
    }

    static let core = "io.k8s.api.core.v1."
    static let cases: [Case] = [
        Case(
            type: "\(core)Pod",
            given: #"{"metadata":{"name":"a","creationTimestamp":null}}"#,
            result: #"{"metadata":{"name":"a"},"spec":{"containers":null},"status":{}}"#
        ),
        Case(
            type: "\(core)ContainerPort",
            given: #"{"containerPort":80,"hostPort":0,"name":"","protocol":null}"#,
            result: #"{"containerPort":80}"#
        ),
        Case(
            type: "\(core)Container",
            given: #"{"env":[],"ports":null,"tty":false}"#,
            result: #"{"name":"","resources":{}}"#
        ),
        Case(
            type: "\(core)ResourceRequirements",
            given: #"{"limits":{"cpu":"1000m","memory":1024}}"#,
            result: #"{"limits":{"cpu":"1","memory":"1024"}}"#
        ),
        Case(
            type: "\(core)ResourceFieldSelector",
            given: #"{"resource":"limits.cpu"}"#,
            result: #"{"divisor":"0","resource":"limits.cpu"}"#
        ),
        Case(
            type: "\(core)ServicePort",
            given: #"{"port":80,"targetPort":"http"}"#,
            result: #"{"port":80,"targetPort":"http"}"#
        ),
        Case(type: "\(core)ServicePort", given: #"{"port":80}"#, result: #"{"port":80,"targetPort":0}"#),
        Case(
            type: "\(core)ContainerStateRunning",
            given: #"{"startedAt":"2026-01-02T03:04:05.678+01:00"}"#,
            result: #"{"startedAt":"2026-01-02T02:04:05Z"}"#
        ),
        Case(type: "\(core)ContainerStateRunning", given: #"{}"#, result: #"{"startedAt":null}"#),
        Case(
            type: "io.k8s.api.coordination.v1.LeaseSpec",
            given: #"{"renewTime":"2026-01-02T03:04:05.000006+01:00"}"#,
            result: #"{"renewTime":"2026-01-02T02:04:05.000006Z"}"#
        ),
        Case(type: "\(core)Volume", given: #"{"name":"v","emptyDir":{}}"#, result: #"{"emptyDir":{},"name":"v"}"#),
        Case(
            type: "\(core)Secret",
            given: #"{"data":{"a":"eA==","b":null},"stringData":{}}"#,
            result: #"{"data":{"a":"eA==","b":""},"metadata":{}}"#
        ),
        Case(
            type: "\(core)PodSpec",
            given: #"{"containers":[],"terminationGracePeriodSeconds":0,"priority":null,"nodeSelector":{}}"#,
            result: #"{"containers":[],"terminationGracePeriodSeconds":0}"#
        ),
        Case(
            type: "io.k8s.api.apps.v1.DeploymentSpec",
            given: #"{"replicas":0}"#,
            result:
                #"{"replicas":0,"selector":null,"strategy":{},"template":{"metadata":{},"spec":{"containers":null}}}"#
        ),
    ]

    @Test(arguments: cases)
    func `a value becomes what Go would write`(_ sample: Case) throws {
        let result = try Self.decode(sample.given, sample.type)
        #expect(try result.value == JSONParser.parse(sample.result), "\(result.value)")
        #expect(result.unknown.isEmpty)
        var again = result.value
        _ = try BuiltinSchema.node(sample.type).decode(&again)
        #expect(again == result.value)
    }

    struct Refusal: Sendable {
        let type: String
        let given: String
        let message: String
    }

    static let refusals: [Refusal] = [
        Refusal(
            type: "io.k8s.api.apps.v1.Deployment",
            given: #"{"spec":{"replicas":"3"}}"#,
            message: "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"containers":[{"image":5}]}}"#,
            message: "json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"containers":{}}}"#,
            message:
                "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"metadata":{"labels":{"a":1}}}"#,
            message: "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":[]}"#,
            message: "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"hostNetwork":"yes"}}"#,
            message: "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"restartPolicy":5}}"#,
            message: "json: cannot unmarshal number into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"containers":[{"securityContext":{"capabilities":{"add":[5]}}}]}}"#,
            message: "json: cannot unmarshal number into Go struct field "
                + "Capabilities.spec.containers.securityContext.capabilities.add of type v1.Capability"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"containers":[{"resources":{"limits":7}}]}}"#,
            message: "json: cannot unmarshal number into Go struct field "
                + "ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"volumes":[{"configMap":{"name":5}}]}}"#,
            message: "json: cannot unmarshal number into Go struct field "
                + "ConfigMapVolumeSource.spec.volumes.VolumeSource.configMap.LocalObjectReference.name of type string"
        ),
        Refusal(
            type: "\(core)Pod",
            given: #"{"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":true}}}]}}"#,
            message: "json: cannot unmarshal bool into Go struct field "
                + "HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32"
        ),
        // What decodes itself ends the decoding: an earlier mismatch is not told.
        Refusal(
            type: "\(core)Pod",
            given: #"{"metadata":{"annotations":5,"creationTimestamp":{}}}"#,
            message: "json: cannot unmarshal object into Go struct field ObjectMeta.metadata.creationTimestamp of type string"
        ),
        Refusal(
            type: "\(core)ContainerPort",
            given: #"{"containerPort":1.5}"#,
            message:
                "json: cannot unmarshal number 1.5 into Go struct field ContainerPort.containerPort of type int32"
        ),
        Refusal(
            type: "\(core)ContainerPort",
            given: #"{"containerPort":3000000000}"#,
            message:
                "json: cannot unmarshal number 3000000000 into Go struct field ContainerPort.containerPort of type int32"
        ),
        Refusal(
            type: "\(core)ResourceRequirements",
            given: #"{"limits":{"cpu":"1x"}}"#,
            message:
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ),
        Refusal(
            type: "\(core)ContainerStateRunning",
            given: #"{"startedAt":"soon"}"#,
            message: #"parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006""#
        ),
        Refusal(type: "\(core)Secret", given: #"{"data":{"a":"x"}}"#, message: "illegal base64 data at input byte 0"),
        Refusal(type: "\(core)Pod", given: "[]", message: "json: cannot unmarshal array into Go value of type v1.Pod"),
    ]

    @Test(arguments: refusals)
    func `a mismatch is worded as Go words it`(_ sample: Refusal) throws {
        let error = #expect(throws: SchemaDecodeError.self) { try Self.decode(sample.given, sample.type) }
        #expect(error?.message == sample.message)
    }

    static let conversions: [Refusal] = [
        Refusal(type: "\(core)Pod", given: #"{"metadata":{"labels":"x"}}"#, message: "cannot restore map from string"),
        Refusal(type: "\(core)Pod", given: #"{"metadata":{"labels":["x"]}}"#, message: "cannot restore map from slice"),
        Refusal(type: "\(core)Pod", given: #"{"metadata":{"labels":{"a":3}}}"#, message: "cannot convert int64 to string"),
        Refusal(type: "\(core)Pod", given: #"{"metadata":{"labels":{"a":true}}}"#, message: "unrecognized type: string"),
        Refusal(type: "\(core)Pod", given: #"{"spec":[1]}"#, message: "cannot restore struct from: slice"),
        Refusal(type: "\(core)Pod", given: #"{"spec":{"containers":"x"}}"#, message: "cannot restore slice from string"),
        Refusal(type: "\(core)Pod", given: #"{"spec":{"hostNetwork":1}}"#, message: "unrecognized type: bool"),
        Refusal(type: "\(core)ContainerPort", given: #"{"containerPort":"8"}"#, message: "unrecognized type: int32"),
        Refusal(type: "\(core)ContainerPort", given: #"{"containerPort":1.5}"#, message: "cannot convert float64 to int32"),
        Refusal(type: "\(core)Secret", given: #"{"data":{"a":{}}}"#, message: "cannot restore slice from map"),
        Refusal(
            type: "\(core)Secret",
            given: #"{"data":{"a":"x"}}"#,
            message: "error decoding from json: illegal base64 data at input byte 0"
        ),
        Refusal(
            type: "\(core)ServicePort",
            given: #"{"targetPort":{}}"#,
            message: "json: cannot unmarshal object into Go value of type int32"
        ),
    ]

    @Test(arguments: conversions)
    func `what a merge made is refused in the words of Go's conversion`(_ sample: Refusal) throws {
        var value = try JSONParser.parse(sample.given)
        let error = #expect(throws: SchemaDecodeError.self) {
            try BuiltinSchema.node(sample.type).decode(&value, isMerged: true)
        }
        #expect(error?.message == sample.message)
    }

    @Test func `whole numbers of a merge may be written with a point`() throws {
        var value = try JSONParser.parse(#"{"containerPort":80.0}"#)
        _ = try BuiltinSchema.node("\(Self.core)ContainerPort").decode(&value, isMerged: true)
        #expect(value == ["containerPort": 80])
    }

    @Test func `unknown fields are reported by path and dropped`() throws {
        let text = #"{"x":1,"spec":{"foo":{},"containers":[{"name":"a","imag":"b"}],"Containers":[]}}"#
        let (value, unknown) = try Self.decode(text, "\(Self.core)Pod")
        #expect(
            Set(unknown) == [
                #"unknown field "x""#, #"unknown field "spec.foo""#, #"unknown field "spec.Containers""#,
                #"unknown field "spec.containers[0].imag""#,
            ]
        )
        #expect(value["x"] == nil)
        #expect(value["spec"]?["foo"] == nil)
        var pruned = try JSONParser.parse(text)
        #expect(Set(BuiltinSchema.node("\(Self.core)Pod").prune(&pruned)) == Set(unknown))
        #expect(pruned["x"] == nil)
    }

    @Test func `any object stays as it is where the type allows it`() throws {
        let text = #"{"data":{"a":null,"b":[{"c":0}]},"metadata":{"name":"r"},"revision":1}"#
        let (value, unknown) = try Self.decode(text, "io.k8s.api.apps.v1.ControllerRevision")
        #expect(try value == JSONParser.parse(text))
        #expect(unknown.isEmpty)
    }

    @Test func `every type decodes the empty object twice to the same`() throws {
        for name in BuiltinSchema.table().names {
            let node = BuiltinSchema.node(name)
            guard node.shape == .object else { continue }
            var value: JSONValue = .object([:])
            #expect(try node.decode(&value).isEmpty, "\(name)")
            var again = value
            _ = try node.decode(&again)
            #expect(again == value, "\(name)")
        }
    }
}
