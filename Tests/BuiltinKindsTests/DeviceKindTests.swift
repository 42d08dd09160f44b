import Testing
import Values

@testable import BuiltinKinds

/// Each rule of the kinds of resource.k8s.io with what breaks it.
@Suite struct DeviceKindTests {
    private static let claim =
        "{metadata: {name: c}, spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: a.b}}], constraints: [{requests: [gpu], matchAttribute: a.b/model}], config: [{requests: [gpu], opaque: {driver: a.b, parameters: {x: 1}}}]}}}"

    static let claims = [
        Broken(
            "spec.devices.requests.0.name",
            "A",
            "spec.devices.requests[0].name: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        ),
        Broken(
            "spec.devices.requests.0.exactly",
            nil,
            "spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"
        ),
        Broken(
            "spec.devices.requests.0.firstAvailable",
            [["name": "x", "deviceClassName": "a.b"]],
            "spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"
        ),
        Broken("spec.devices.requests.0.exactly.deviceClassName", "", "spec.devices.requests[0].exactly.deviceClassName: Required value"),
        Broken(
            "spec.devices.requests.0.exactly.allocationMode",
            "Some",
            "spec.devices.requests[0].exactly.allocationMode: Unsupported value: \"Some\": supported values: \"All\", \"ExactCount\""
        ),
        Broken(
            "spec.devices.requests.0.exactly.count",
            -1,
            "spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero"
        ),
        Broken(
            "spec.devices.requests.0.exactly",
            ["deviceClassName": "a.b", "allocationMode": "All", "count": 2],
            "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"
        ),
        Broken("spec.devices.requests.0.exactly.selectors", [[:]], "spec.devices.requests[0].exactly.selectors[0].cel: Required value"),
        Broken(
            "spec.devices.requests.0.exactly.tolerations",
            [["operator": "Exists", "value": "x"]],
            "spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: \"x\": must be empty for operator `Exists`"
        ),
        Broken(
            "spec.devices.requests.0.exactly.tolerations",
            [["operator": "Like"]],
            "spec.devices.requests[0].exactly.tolerations[0].operator: Unsupported value: \"Like\": supported values: \"Equal\", \"Exists\""
        ),
        Broken(
            "spec.devices.requests",
            .array((0..<33).map { ["name": .string("r\($0)"), "exactly": ["deviceClassName": "a.b"]] }),
            "spec.devices.requests: Too many: 33: must have at most 32 items"
        ),
        Broken(
            "spec.devices.constraints.0.requests",
            ["cpu"],
            "spec.devices.constraints[0].requests[0]: Invalid value: \"cpu\": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
        ),
        Broken(
            "spec.devices.constraints.0.requests",
            ["gpu", "gpu"],
            "spec.devices.constraints[0].requests[1]: Duplicate value: \"gpu\""
        ),
        Broken(
            "spec.devices.constraints.0.matchAttribute",
            "model",
            "spec.devices.constraints[0].matchAttribute: Invalid value: \"model\": a fully qualified name must be a domain and a name separated by a slash"
        ),
        Broken(
            "spec.devices.constraints.0.matchAttribute",
            nil,
            "spec.devices.constraints[0]: Required value: exactly one of \"matchAttribute\" or \"distinctAttribute\" is required, but multiple fields are set"
        ),
        Broken("spec.devices.config.0.opaque", nil, "spec.devices.config[0].opaque: Required value"),
        Broken("spec.devices.config.0.opaque.driver", "", "spec.devices.config[0].opaque.driver: Required value"),
        Broken(
            "spec.devices.config.0.opaque.parameters",
            [1],
            "spec.devices.config[0].opaque.parameters: Invalid value: \"<value omitted>\": must be a valid JSON object"
        ),
    ]

    @Test(arguments: claims) func `a broken claim, alone or as a template`(_ broken: Broken) throws {
        let subject = try Subject("resourceclaims.resource.k8s.io")
        let object = try yaml(Self.claim)
        #expect(subject.problems(object) == [])
        let found = subject.problems(with(object, broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
        let templates = try Subject("resourceclaimtemplates.resource.k8s.io")
        var template = object
        template["spec"] = ["spec": object["spec"] ?? [:]]
        #expect(templates.problems(template) == [])
        let within = templates.problems(with(template, "spec.\(broken.path)", broken.value))
        #expect(within.contains("spec.\(broken.message)"), "\(within)")
    }

    @Test func `what is allocated stays, and belongs to a request`() throws {
        let subject = try Subject("resourceclaims.resource.k8s.io")
        let old = subject.created(try yaml(Self.claim))
        let result: JSONValue = ["request": "gpu", "driver": "a.b", "pool": "node", "device": "gpu-0"]
        let allocated = with(old, "status", ["allocation": ["devices": ["results": [result]]]])
        #expect(subject.statusProblems(allocated, from: old) == [])
        let consumer: JSONValue = ["resource": "pods", "name": "p", "uid": "u"]
        #expect(subject.statusProblems(with(allocated, "status.reservedFor", [consumer]), from: allocated) == [])
        #expect(
            subject.statusProblems(with(old, "status", ["reservedFor": [consumer]]), from: old) == [
                "status.reservedFor: Forbidden: may not be specified when `allocated` is not set"
            ]
        )
        #expect(
            subject.statusProblems(with(allocated, "status.reservedFor", [["name": "p", "uid": "u"]]), from: allocated) == [
                "status.reservedFor[0].resource: Required value"
            ]
        )
        let other = with(allocated, "status.allocation.devices.results.0.device", "gpu-1")
        #expect(subject.statusProblems(other, from: allocated).first?.hasSuffix("field is immutable") == true)
        let strange = with(allocated, "status.allocation.devices.results.0.request", "cpu")
        #expect(subject.statusProblems(strange, from: old).first?.hasPrefix("status.allocation.devices.results[0].request: ") == true)
        let device: JSONValue = ["driver": "a.b", "pool": "node", "device": "gpu-9"]
        let told = subject.statusProblems(with(allocated, "status.devices", [device]), from: allocated)
        #expect(told.count == 1 && told[0].hasSuffix("must be an allocated device in the claim"))
        // The devices of the status go with the allocation.
        var ended = with(allocated, "status", ["devices": [result]])
        subject.descriptor.hooks.prepareForStatusUpdate(&ended, old: allocated, subject.context("status"))
        #expect(ended.value(at: ["status", "devices"]) == nil)
        #expect(subject.problems(with(old, "spec.devices.requests", []), from: old).first?.hasSuffix("field is immutable") == true)
    }

    private static let slice =
        "{metadata: {name: s}, spec: {driver: a.b, pool: {name: node, resourceSliceCount: 1}, nodeName: node, devices: [{name: d, attributes: {model: {string: x}}, capacity: {memory: {value: 1Gi}}}]}}"

    static let slices = [
        Broken("spec.driver", "", "spec.driver: Required value"),
        Broken("spec.pool.name", "", "spec.pool.name: Required value"),
        Broken("spec.pool.resourceSliceCount", 0, "spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero"),
        Broken("spec.pool.generation", -1, "spec.pool.generation: Invalid value: -1: must be greater than or equal to zero"),
        Broken("spec.nodeName", "", "spec.nodeName: Invalid value: \"\": must be either unset or set to a non-empty string"),
        Broken(
            "spec.nodeName",
            nil,
            "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
        ),
        Broken(
            "spec.allNodes",
            true,
            "spec: Invalid value: \"{`nodeName`, `allNodes`}\": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set"
        ),
        Broken("spec.allNodes", false, "spec.allNodes: Invalid value: false: must be either unset or set to true"),
        Broken("spec.sharedCounters", [], "spec: Invalid value: \"\": only one of `sharedCounters` or `devices` is allowed"),
        Broken("spec.devices", [["name": "d"], ["name": "d"]], "spec.devices[1]: Duplicate value: \"d\""),
        Broken(
            "spec.devices",
            .array((0..<129).map { ["name": .string("d\($0)")] }),
            "spec.devices: Too many: 129: must have at most 128 items"
        ),
        Broken(
            "spec.devices",
            .array((0..<65).map { ["name": .string("d\($0)"), "taints": [["key": "k", "effect": "NoSchedule"]]] }),
            "spec.devices: Too many: 65: must have at most 64 items"
        ),
        Broken(
            "spec.devices.0.attributes.model",
            [:],
            "spec.devices[0].attributes[model]: Invalid value: \"\": exactly one value must be specified"
        ),
        Broken(
            "spec.devices.0.attributes.model",
            ["version": "1"],
            "spec.devices[0].attributes[model].version: Invalid value: \"1\": must be a string compatible with semver.org spec 2.0.0"
        ),
        Broken(
            "spec.devices.0.attributes.model",
            ["string": .string(String(repeating: "x", count: 65))],
            "spec.devices[0].attributes[model].string: Too long: may not be more than 64 bytes"
        ),
        Broken("spec.devices.0.attributes./x", ["int": 1], "spec.devices[0].attributes: Invalid value: \"\": the domain must not be empty"),
        Broken(
            "spec.devices.0.capacity.memory.requestPolicy",
            ["default": "1Gi"],
            "spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true"
        ),
        Broken("spec.devices.0.taints", [["key": "k"]], "spec.devices[0].taints[0].effect: Required value"),
        Broken(
            "spec.devices.0.consumesCounters",
            [["counterSet": "c"]],
            "spec.devices[0].consumesCounters[0].counters: Required value"
        ),
        Broken(
            "spec.devices.0.nodeName",
            "x",
            "spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec"
        ),
        Broken(
            "spec.devices.0.bindingConditions",
            ["Ready"],
            "spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions"
        ),
    ]

    @Test(arguments: slices) func `a broken slice`(_ broken: Broken) throws {
        let subject = try Subject("resourceslices.resource.k8s.io")
        let object = try yaml(Self.slice)
        #expect(subject.problems(object) == [])
        let found = subject.problems(with(object, broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    @Test func `amounts that may be asked for`() throws {
        let subject = try Subject("resourceslices.resource.k8s.io")
        let object = with(try yaml(Self.slice), "spec.devices.0.allowMultipleAllocations", true)
        let problems = { (policy: JSONValue) in
            subject.problems(with(object, "spec.devices.0.capacity.memory.requestPolicy", policy)).map { text in
                String(text.dropFirst("spec.devices[0].capacity[memory].requestPolicy".count))
            }
        }
        #expect(problems(["default": "2", "validValues": ["1", "2"]]) == [])
        #expect(problems(["validValues": ["1"]]) == [".default: Required value: required when validValues is defined"])
        #expect(
            problems(["default": "3", "validValues": ["2", "1"]]) == [
                ".validValues[1]: Invalid value: \"1\": values must be sorted in ascending order",
                ".validValues: Invalid value: \"3\": default value is not valid according to the requestPolicy",
            ]
        )
        #expect(problems(["default": "4", "validRange": ["min": "2", "max": "8", "step": "2"]]) == [])
        #expect(
            problems(["default": "5", "validRange": ["min": "2", "step": "2"]]) == [
                ".validRange.step: Invalid value: \"5\": value is not a multiple of a given step (2) from (2)"
            ]
        )
        #expect(
            problems(["default": "1", "validRange": ["min": "2Gi"]]) == [
                ".validRange.min: Invalid value: \"2Gi\": min is larger than capacity value: 1Gi",
                ".validRange.min: Invalid value: \"1\": default is less than min: 2Gi",
            ]
        )
        let zero = problems(["default": "2", "validRange": ["min": "2", "step": "0"]])
        #expect(zero == [".validRange.step: Invalid value: \"2\": value is not a multiple of a given step (0) from (2)"])
    }

    @Test func `classes, taint rules, requests for pools`() throws {
        let classes = try Subject("deviceclasses.resource.k8s.io")
        let selector: JSONValue = ["metadata": ["name": "c"], "spec": ["selectors": [["cel": ["expression": "true"]]]]]
        #expect(classes.problems(selector) == [])
        let long = with(selector, "spec.selectors.0.cel.expression", .string(String(repeating: "x", count: 10241)))
        #expect(classes.problems(long) == ["spec.selectors[0].cel.expression: Too long: may not be more than 10240 bytes"])
        #expect(
            classes.problems(with(selector, "spec.extendedResourceName", "cpu")) == [
                "spec.extendedResourceName: Invalid value: \"cpu\": must be a valid extended resource name"
            ]
        )
        let rules = try Subject("devicetaintrules.resource.k8s.io")
        let rule = try yaml("{metadata: {name: r}, spec: {deviceSelector: {driver: a.b}, taint: {key: k, effect: NoExecute}}}")
        #expect(rules.problems(rule) == [])
        #expect(
            rules.problems(with(rule, "spec.taint.effect", "Kill")) == [
                "spec.taint.effect: Unsupported value: \"Kill\": supported values: \"NoExecute\", \"NoSchedule\", \"None\""
            ]
        )
        var changed = with(rule, "spec.taint.effect", "NoSchedule")
        rules.descriptor.hooks.prepareForUpdate(&changed, old: rule, rules.context())
        #expect(changed.value(at: ["spec", "taint", "timeAdded"]) == .string(Subject.now.rfc3339))
        let pools = try Subject("resourcepoolstatusrequests.resource.k8s.io")
        #expect(
            pools.problems(["metadata": ["name": "p"], "spec": ["limit": 0]]).sorted() == [
                "spec.driver: Required value", "spec.limit: Invalid value: 0: must be greater than or equal to 1",
            ]
        )
    }
}
