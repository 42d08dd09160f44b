import Testing
import Values

@testable import BuiltinKinds

/// Each rule of the kinds of admissionregistration.k8s.io with what breaks it.
@Suite struct AdmissionKindTests {
    private static let hook =
        "{name: a.b.c, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {service: {name: s, namespace: ns}}, rules: [{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}]}"

    static let webhooks = [
        Broken("webhooks.0.name", "", "webhooks[0].name: Required value"),
        Broken(
            "webhooks.0.name",
            "a.b",
            "webhooks[0].name: Invalid value: \"a.b\": should be a domain with at least three segments separated by dots"
        ),
        Broken("webhooks.0.rules.0.operations", [], "webhooks[0].rules[0].operations: Required value"),
        Broken(
            "webhooks.0.rules.0.operations",
            ["*", "CREATE"],
            "webhooks[0].rules[0].operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations"
        ),
        Broken(
            "webhooks.0.rules.0.operations.0",
            "PATCH",
            "webhooks[0].rules[0].operations[0]: Unsupported value: \"PATCH\": supported values: \"*\", \"CONNECT\", \"CREATE\", \"DELETE\", \"UPDATE\""
        ),
        Broken("webhooks.0.rules.0.apiGroups", [], "webhooks[0].rules[0].apiGroups: Required value"),
        Broken(
            "webhooks.0.rules.0.apiGroups",
            ["*", "apps"],
            "webhooks[0].rules[0].apiGroups: Invalid value: [\"*\",\"apps\"]: if '*' is present, must not specify other API groups"
        ),
        Broken("webhooks.0.rules.0.apiVersions", [], "webhooks[0].rules[0].apiVersions: Required value"),
        Broken("webhooks.0.rules.0.apiVersions", [""], "webhooks[0].rules[0].apiVersions[0]: Required value"),
        Broken(
            "webhooks.0.rules.0.apiVersions",
            ["*", "v1"],
            "webhooks[0].rules[0].apiVersions: Invalid value: [\"*\",\"v1\"]: if '*' is present, must not specify other API versions"
        ),
        Broken("webhooks.0.rules.0.resources", [], "webhooks[0].rules[0].resources: Required value"),
        Broken("webhooks.0.rules.0.resources", [""], "webhooks[0].rules[0].resources[0]: Required value"),
        Broken(
            "webhooks.0.rules.0.resources",
            ["*", "pods"],
            "webhooks[0].rules[0].resources: Invalid value: [\"*\",\"pods\"]: if '*' is present, must not specify other resources without subresources"
        ),
        Broken(
            "webhooks.0.rules.0.resources",
            ["*/*", "pods"],
            "webhooks[0].rules[0].resources: Invalid value: [\"*/*\",\"pods\"]: if '*/*' is present, must not specify other resources"
        ),
        Broken(
            "webhooks.0.rules.0.resources",
            ["pods/*", "pods/log"],
            "webhooks[0].rules[0].resources[1]: Invalid value: \"pods/log\": if 'pods/*' is present, must not specify pods/log"
        ),
        Broken(
            "webhooks.0.rules.0.resources",
            ["*/scale", "x/scale"],
            "webhooks[0].rules[0].resources[1]: Invalid value: \"x/scale\": if '*/scale' is present, must not specify x/scale"
        ),
        Broken(
            "webhooks.0.rules.0.scope",
            "All",
            "webhooks[0].rules[0].scope: Unsupported value: \"All\": supported values: \"*\", \"Cluster\", \"Namespaced\""
        ),
        Broken(
            "webhooks.0.failurePolicy",
            "Panic",
            "webhooks[0].failurePolicy: Unsupported value: \"Panic\": supported values: \"Fail\", \"Ignore\""
        ),
        Broken(
            "webhooks.0.matchPolicy",
            "Like",
            "webhooks[0].matchPolicy: Unsupported value: \"Like\": supported values: \"Equivalent\", \"Exact\""
        ),
        Broken("webhooks.0.sideEffects", nil, "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun"),
        Broken(
            "webhooks.0.sideEffects",
            "Some",
            "webhooks[0].sideEffects: Unsupported value: \"Some\": supported values: \"None\", \"NoneOnDryRun\""
        ),
        Broken(
            "webhooks.0.timeoutSeconds",
            31,
            "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds"
        ),
        Broken(
            "webhooks.0.objectSelector",
            ["matchExpressions": [["key": "a", "operator": "In"]]],
            "webhooks[0].objectSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
        ),
        Broken("webhooks.0.clientConfig", [:], "webhooks[0].clientConfig: Required value: exactly one of url or service is required"),
        Broken(
            "webhooks.0.clientConfig",
            ["url": "http://a/b"],
            "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]"
        ),
        Broken(
            "webhooks.0.clientConfig",
            ["url": "https:///b"],
            "webhooks[0].clientConfig.url: Invalid value: \"\": host must be specified; desired format: https://host[/path]"
        ),
        Broken(
            "webhooks.0.clientConfig",
            ["url": "https://u:p@a/b"],
            "webhooks[0].clientConfig.url: Invalid value: \"u:p\": user information is not permitted in the URL"
        ),
        Broken(
            "webhooks.0.clientConfig",
            ["url": "https://a/b#f"],
            "webhooks[0].clientConfig.url: Invalid value: \"f\": fragments are not permitted in the URL"
        ),
        Broken(
            "webhooks.0.clientConfig",
            ["url": "https://a/b?q=1"],
            "webhooks[0].clientConfig.url: Invalid value: \"q=1\": query parameters are not permitted in the URL"
        ),
        // Upstream mixes the two fields up.
        Broken("webhooks.0.clientConfig.service.name", "", "webhooks[0].clientConfig.service.namespace: Required value"),
        Broken("webhooks.0.clientConfig.service.namespace", "", "webhooks[0].clientConfig.service.name: Required value"),
        Broken(
            "webhooks.0.clientConfig.service.port",
            70000,
            "webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive"
        ),
        Broken(
            "webhooks.0.clientConfig.service.path",
            "x",
            "webhooks[0].clientConfig.service.path: Invalid value: \"x\": must start with a '/'"
        ),
        Broken(
            "webhooks.0.clientConfig.service.path",
            "/a//b",
            "webhooks[0].clientConfig.service.path: Invalid value: \"/a//b\": segment[1] may not be empty"
        ),
        Broken(
            "webhooks.0.admissionReviewVersions",
            [],
            "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1"
        ),
        Broken(
            "webhooks.0.admissionReviewVersions",
            ["v1", "v1"],
            "webhooks[0].admissionReviewVersions[1]: Invalid value: \"v1\": duplicate version"
        ),
        Broken(
            "webhooks.0.admissionReviewVersions",
            ["v2"],
            "webhooks[0].admissionReviewVersions: Invalid value: [\"v2\"]: must include at least one of v1, v1beta1"
        ),
        Broken(
            "webhooks.0.matchConditions",
            [["name": "n", "expression": " "]],
            "webhooks[0].matchConditions[0].expression: Required value"
        ),
        Broken("webhooks.0.matchConditions", [["expression": "true"]], "webhooks[0].matchConditions[0].name: Required value"),
        Broken(
            "webhooks.0.matchConditions",
            [["name": "n", "expression": "true"], ["name": "n", "expression": "true"]],
            "webhooks[0].matchConditions[1].name: Duplicate value: \"n\""
        ),
        Broken(
            "webhooks.0.matchConditions",
            .array((0..<65).map { ["name": .string("n\($0)"), "expression": "true"] }),
            "webhooks[0].matchConditions: Too many: 65: must have at most 64 items"
        ),
    ]

    @Test(arguments: webhooks) func `a broken webhook, validating or mutating`(_ broken: Broken) throws {
        for kind in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
            let subject = try Subject("\(kind).admissionregistration.k8s.io")
            let object = try yaml("{metadata: {name: w}, webhooks: [\(Self.hook)]}")
            #expect(subject.problems(object) == [])
            let found = subject.problems(with(object, broken.path, broken.value))
            #expect(found.contains(broken.message), "\(found)")
        }
    }

    @Test func `what mutating webhooks alone have, and names that occur twice`() throws {
        let subject = try Subject("mutatingwebhookconfigurations.admissionregistration.k8s.io")
        let object = try yaml("{metadata: {name: w}, webhooks: [\(Self.hook), \(Self.hook)]}")
        #expect(subject.problems(object) == ["webhooks[1].name: Duplicate value: \"a.b.c\""])
        // What is stored already may stay.
        #expect(subject.problems(object, from: object) == [])
        let odd = with(try yaml("{metadata: {name: w}, webhooks: [\(Self.hook)]}"), "webhooks.0.reinvocationPolicy", "Often")
        #expect(
            subject.problems(odd) == [
                "webhooks[0].reinvocationPolicy: Unsupported value: \"Often\": supported values: \"IfNeeded\", \"Never\""
            ]
        )
        let made = subject.created(try yaml("{webhooks: [\(Self.hook)]}"))
        #expect(made.value(at: ["webhooks", "0", "reinvocationPolicy"]) == "Never")
        #expect(made.value(at: ["webhooks", "0", "timeoutSeconds"]) == 10)
        #expect(made.value(at: ["webhooks", "0", "rules", "0", "scope"]) == "*")
        #expect(made.value(at: ["webhooks", "0", "clientConfig", "service", "port"]) == 443)
    }

    @Test func `an update relaxes what the stored webhook does not keep to`() throws {
        let subject = try Subject("validatingwebhookconfigurations.admissionregistration.k8s.io")
        let object = try yaml("{metadata: {name: w}, webhooks: [\(Self.hook)]}")
        let old = with(with(object, "webhooks.0.sideEffects", "Some"), "webhooks.0.admissionReviewVersions", ["v3"])
        #expect(subject.problems(old, from: old) == [])
        #expect(subject.problems(old, from: object).count == 2)
        let selector: JSONValue = ["matchExpressions": [["key": "a", "operator": "In", "values": ["-"]]]]
        let odd = with(object, "webhooks.0.objectSelector", selector)
        #expect(subject.problems(odd, from: odd) == [])
        #expect(subject.problems(odd).count == 1)
    }

    private static let match = "{resourceRules: [{operations: [CREATE], apiGroups: [''], apiVersions: [v1], resources: [pods]}]}"

    static let policies = [
        Broken("spec.failurePolicy", "X", "spec.failurePolicy: Unsupported value: \"X\": supported values: \"Fail\", \"Ignore\""),
        Broken("spec.paramKind", ["kind": "K"], "spec.paramKind.apiVersion: Required value"),
        Broken(
            "spec.paramKind",
            ["apiVersion": "a/b/c", "kind": "K"],
            "spec.paramKind.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c"
        ),
        Broken(
            "spec.paramKind",
            ["apiVersion": "g/", "kind": "K"],
            "spec.paramKind.apiVersion: Invalid value: \"g/\": version must be specified"
        ),
        Broken("spec.paramKind", ["apiVersion": "v1"], "spec.paramKind.kind: Required value"),
        Broken("spec.matchConstraints", nil, "spec.matchConstraints: Required value"),
        Broken("spec.matchConstraints.resourceRules", [], "spec.matchConstraints.resourceRules: Required value"),
        Broken(
            "spec.matchConstraints.matchPolicy",
            "X",
            "spec.matchConstraints.matchPolicy: Unsupported value: \"X\": supported values: \"Equivalent\", \"Exact\""
        ),
        Broken(
            "spec.matchConstraints.resourceRules.0.resourceNames",
            ["a", "a"],
            "spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: \"a\""
        ),
        Broken(
            "spec.matchConstraints.resourceRules.0.resourceNames",
            ["a/b"],
            "spec.matchConstraints.resourceRules[0].resourceNames[0]: Invalid value: \"a/b\": may not contain '/'"
        ),
        Broken("spec.variables", [["name": " ", "expression": "1"]], "spec.variables[0].name: Required value: name is not specified"),
        Broken(
            "spec.variables",
            [["name": "for", "expression": "1"]],
            "spec.variables[0].name: Invalid value: \"for\": must be a valid CEL identifier"
        ),
        Broken("spec.variables", [["name": "a"]], "spec.variables[0].expression: Required value: expression is not specified"),
    ]

    private static let validating = [
        Broken(
            "spec.validations",
            [],
            "spec.validations: Required value: validations or auditAnnotations must contain at least one item"
        ),
        Broken("spec.validations.0.expression", " ", "spec.validations[0].expression: Required value: expression is not specified"),
        Broken("spec.validations.0.message", " ", "spec.validations[0].message: Invalid value: \" \": must be non-empty if specified"),
        Broken(
            "spec.validations.0.message",
            "a\nb",
            "spec.validations[0].message: Invalid value: \"a\\nb\": must not contain line breaks"
        ),
        Broken(
            "spec.validations.0.messageExpression",
            " ",
            "spec.validations[0].messageExpression: Invalid value: \" \": must be non-empty if specified"
        ),
        Broken(
            "spec.validations.0.reason",
            "Gone",
            "spec.validations[0].reason: Unsupported value: \"Gone\": supported values: \"Forbidden\", \"Invalid\", \"RequestEntityTooLarge\""
        ),
        Broken(
            "spec.auditAnnotations",
            [["key": "k"]],
            "spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified"
        ),
        Broken(
            "spec.auditAnnotations",
            [["key": "k", "valueExpression": "'a'"], ["key": "k", "valueExpression": "'a'"]],
            "spec.auditAnnotations[1].key: Duplicate value: \"k\""
        ),
    ]

    @Test(arguments: policies + validating) func `a broken validating policy`(_ broken: Broken) throws {
        let subject = try Subject("validatingadmissionpolicies.admissionregistration.k8s.io")
        let object = try yaml("{metadata: {name: p}, spec: {matchConstraints: \(Self.match), validations: [{expression: 'true'}]}}")
        #expect(subject.problems(object) == [])
        let found = subject.problems(with(object, broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    private static let mutating = [
        Broken("spec.mutations", [], "spec.mutations: Required value: mutations must contain at least one item"),
        Broken("spec.mutations.0.patchType", nil, "spec.mutations[0].patchType: Required value"),
        Broken(
            "spec.mutations.0.patchType",
            "Merge",
            "spec.mutations[0].patchType: Unsupported value: \"Merge\": supported values: \"ApplyConfiguration\", \"JSONPatch\""
        ),
        Broken(
            "spec.mutations.0.patchType",
            "ApplyConfiguration",
            "spec.mutations[0].applyConfiguration: Required value: must be specified when patchType is ApplyConfiguration"
        ),
        Broken(
            "spec.mutations.0.applyConfiguration",
            ["expression": "Object{}"],
            "spec.mutations[0].applyConfiguration: Invalid value: \"{applyConfiguration}\": must not be specified when patchType is JSONPatch"
        ),
        Broken("spec.mutations.0.jsonPatch.expression", " ", "spec.mutations[0].jsonPatch.expression: Required value"),
        Broken("spec.reinvocationPolicy", nil, "spec.reinvocationPolicy: Required value"),
        Broken(
            "spec.matchConstraints.resourceRules.0.operations",
            ["DELETE"],
            "spec.matchConstraints.resourceRules.operations: Unsupported value: \"DELETE\": supported values: \"*\", \"CONNECT\", \"CREATE\", \"UPDATE\""
        ),
    ]

    @Test(arguments: policies + mutating) func `a broken mutating policy`(_ broken: Broken) throws {
        let subject = try Subject("mutatingadmissionpolicies.admissionregistration.k8s.io")
        let object = try yaml(
            "{metadata: {name: p}, spec: {reinvocationPolicy: Never, matchConstraints: \(Self.match), mutations: [{patchType: JSONPatch, jsonPatch: {expression: '[JSONPatch{op: \"add\", path: \"/a\", value: 1}]'}}]}}"
        )
        #expect(subject.problems(object) == [])
        let found = subject.problems(with(object, broken.path, broken.value))
        #expect(found.contains(broken.message), "\(found)")
    }

    private static let bindings = [
        Broken("spec.policyName", nil, "spec.policyName: Required value"),
        Broken("spec.paramRef", [:], "spec.paramRef: Required value: one of name or selector must be specified"),
        Broken("spec.paramRef", ["name": "a"], "spec.paramRef.parameterNotFoundAction: Required value"),
        Broken(
            "spec.paramRef",
            ["name": "a", "parameterNotFoundAction": "Wait"],
            "spec.paramRef.parameterNotFoundAction: Unsupported value: \"Wait\": supported values: \"Deny\", \"Allow\""
        ),
        Broken(
            "spec.paramRef",
            ["name": "a", "selector": [:], "parameterNotFoundAction": "Deny"],
            "spec.paramRef.name: Forbidden: name and selector are mutually exclusive"
        ),
        Broken(
            "spec.paramRef",
            ["name": "a/b", "parameterNotFoundAction": "Deny"],
            "spec.paramRef.name: Invalid value: \"a/b\": may not contain '/'"
        ),
    ]

    @Test(arguments: bindings) func `a broken binding, validating or mutating`(_ broken: Broken) throws {
        for kind in ["validatingadmissionpolicybindings", "mutatingadmissionpolicybindings"] {
            let subject = try Subject("\(kind).admissionregistration.k8s.io")
            let object = try yaml("{metadata: {name: b}, spec: {policyName: p, validationActions: [Deny]}}")
            #expect(subject.problems(object) == [])
            let found = subject.problems(with(object, broken.path, broken.value))
            #expect(found.contains(broken.message), "\(found)")
        }
    }

    @Test func `what a binding does with what is not valid`() throws {
        let subject = try Subject("validatingadmissionpolicybindings.admissionregistration.k8s.io")
        let object = try yaml("{metadata: {name: b}, spec: {policyName: p, validationActions: [Deny]}}")
        let problems = { (actions: JSONValue) in subject.problems(with(object, "spec.validationActions", actions)) }
        #expect(problems([]) == ["spec.validationActions: Required value: at least one validation action is required"])
        #expect(problems(["Warn", "Warn"]) == ["spec.validationActions[1]: Duplicate value: \"Warn\""])
        #expect(
            problems(["Log"]) == ["spec.validationActions[0]: Unsupported value: \"Log\": supported values: \"Audit\", \"Deny\", \"Warn\""]
        )
        #expect(problems(["Deny", "Warn"]).first?.contains("must not contain both Deny and Warn") == true)
    }

    @Test func `what a policy's status says is well-formed`() throws {
        let subject = try Subject("validatingadmissionpolicies.admissionregistration.k8s.io")
        let status: JSONValue = [
            "status": ["typeChecking": ["expressionWarnings": [["fieldRef": " "]]], "conditions": [["type": "Ready"]]]
        ]
        #expect(
            subject.statusProblems(status, from: [:]) == [
                "status.typeChecking.expressionWarnings[0].warning: Required value",
                "status.typeChecking.expressionWarnings[0].fieldRef: Required value",
                "status.conditions[0].status: Unsupported value: \"\": supported values: \"False\", \"True\", \"Unknown\"",
                "status.conditions[0].lastTransitionTime: Required value", "status.conditions[0].reason: Required value",
            ]
        )
    }

    /// The words are upstream's, for the same texts.
    @Test(arguments: [
        ("spec[", "unterminated array"), ("spec]", "unrecognized character in action: U+005D ']'"),
        ("a....b", "invalid multiple recursive descent"), ("[a]", "invalid array index a"), ("[\"a\"]", "invalid array index \"a\""),
        ("[?(@.a==1]", "unterminated filter"), ("\"x", "unterminated quoted string"),
        ("#", "unrecognized character in action: U+0023 '#'"), ("{", "unrecognized character in action: U+007B '{'"),
        ("1.2.3", "cannot parse number 1.2.3"), ("a,b", "unrecognized character in action: U+002C ','"),
        ("a\tb", "unrecognized character in action: U+0009"),
        ("[99999999999999999999]", "array index 99999999999999999999 is not a number"),
    ])
    func `a reference to a field that is no JSONPath`(_ text: String, _ words: String) throws {
        let subject = try Subject("validatingadmissionpolicies.admissionregistration.k8s.io")
        let status: JSONValue = ["status": ["typeChecking": ["expressionWarnings": [["fieldRef": .string(text), "warning": "w"]]]]]
        let shown = JSONValue.string(text).description
        let place = "status.typeChecking.expressionWarnings[0].fieldRef: Invalid value: \(shown): invalid JSONPath: "
        #expect(subject.statusProblems(status, from: [:]) == [place + words])
    }

    @Test(arguments: [
        "spec.validations[0].expression", "spec..a", "[1:2:3]", "['a.b']", "[?(@.a==1)]", "spec}", "[0,1]", "[0,'a']", "a b", "é", ".a.*",
        "..", "[?(@.x=='y')].z", "[*].name",
    ])
    func `a reference to a field that is a JSONPath`(_ text: String) throws {
        let subject = try Subject("validatingadmissionpolicies.admissionregistration.k8s.io")
        let status: JSONValue = ["status": ["typeChecking": ["expressionWarnings": [["fieldRef": .string(text), "warning": "w"]]]]]
        #expect(subject.statusProblems(status, from: [:]) == [])
    }

    @Test func `expressions compile, and have the type they are for`() throws {
        let policies = try Subject("validatingadmissionpolicies.admissionregistration.k8s.io")
        let sound = try yaml("{metadata: {name: p}, spec: {matchConstraints: \(Self.match), validations: [{expression: 'true'}]}}")
        let problems = { (expression: String) in
            policies.problems(with(sound, "spec.validations.0.expression", .string(expression)))
        }
        let place = "spec.validations[0].expression: Invalid value: "
        #expect(problems("object.spec.replicas > 1 && authorizer.group('apps').resource('x').check('get').allowed()") == [])
        #expect(problems("'text'") == [place + "\"'text'\": must evaluate to bool but got string"])
        let broken = problems("object.")
        #expect(broken.count == 1 && broken[0].hasPrefix(place + "\"object.\": compilation failed: ERROR: <input>:1:"))
        #expect(problems("params.x == 1").count == 1)
        #expect(problems("request.userInfo.username == 'a' && namespaceObject.metadata.labels['x'] == 'y'") == [])
        #expect(problems("request.user == 'a'").first?.contains("undefined field 'user'") == true)
        let values = with(sound, "spec.variables", [["name": "n", "expression": "object.x"], ["name": "m", "expression": "variables.n"]])
        #expect(policies.problems(with(values, "spec.validations.0.expression", "variables.m == 1")) == [])
        #expect(policies.problems(with(values, "spec.variables.0.expression", "variables.m")).count == 1)
        let named = with(sound, "spec.paramKind", ["apiVersion": "v1", "kind": "ConfigMap"])
        #expect(policies.problems(with(named, "spec.validations.0.expression", "params.x == 1")) == [])
        let message = policies.problems(with(sound, "spec.validations.0.messageExpression", "1"))
        #expect(message == ["spec.validations[0].messageExpression: Invalid value: \"1\": must evaluate to string but got int"])
        // What is stored is compiled again.
        let old = with(sound, "spec.validations.0.expression", "unknown()")
        #expect(policies.problems(old, from: old).count == 1)
        // Values have the types of their expressions.
        let number = with(values, "spec.variables.0.expression", "1 + 1")
        #expect(
            policies.problems(with(number, "spec.validations.0.expression", "variables.m == 'x'")) == [
                place + "\"variables.m == 'x'\": compilation failed: ERROR: <input>:1:13: found no matching overload for '_==_' applied "
                    + "to '(int, string)'\n | variables.m == 'x'\n | ............^"
            ]
        )
        let nameless = policies.problems(with(number, "spec.validations.0.expression", "variables.z == 1"))
        #expect(nameless.first?.contains("undefined field 'z'") == true)
        let mutating = try Subject("mutatingadmissionpolicies.admissionregistration.k8s.io")
        let change = { (type: String, field: String, expression: String) -> [String] in
            let patch: JSONValue = ["patchType": .string(type), field: ["expression": .string(expression)]]
            var object = sound
            object.remove(at: ["spec", "validations"])
            object.set([patch], at: ["spec", "mutations"])
            object.set("Never", at: ["spec", "reinvocationPolicy"])
            return mutating.problems(object)
        }
        #expect(change("JSONPatch", "jsonPatch", "[JSONPatch{op: 'add', path: '/a', value: 1}]") == [])
        #expect(change("ApplyConfiguration", "applyConfiguration", "Object{spec: Object.spec{replicas: 1}}") == [])
        #expect(change("JSONPatch", "jsonPatch", "'x'").first?.contains("must evaluate to list(JSONPatch) but got string") == true)
        #expect(change("JSONPatch", "jsonPatch", "[]").first?.contains("must evaluate to list(JSONPatch) but got list(dyn)") == true)
        let unknown = change("JSONPatch", "jsonPatch", "[JSONPatch{zap: 1}]").first
        #expect(unknown?.contains("ERROR: <input>:1:15: expected type of field 'zap' is '' but provided type is 'int'") == true)
        let part = change("ApplyConfiguration", "applyConfiguration", "Object.spec{}").first
        #expect(part?.contains("must evaluate to Object but got Object.spec") == true)
        #expect(change("JSONPatch", "jsonPatch", "[JSONPatch{op: 'add', path: '/' + jsonpatch.escapeKey('a/b')}]") == [])
        let instantiation = problems("int('x') == 1")
        #expect(
            instantiation == [
                "spec.validations[0].expression: Internal error: program instantiation failed: type conversion error from 'string' to 'int'"
            ]
        )
        #expect(
            problems("authorizer.foo == 1").first?.contains("unexpected failed resolution of 'kubernetes.authorization.Authorizer'") == true
        )
    }
}
