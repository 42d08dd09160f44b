import APIModel
import Access
import CEL
import Synchronization
import Testing
import Values

@testable import DynamicAdmission

/// Allows what it is given, and counts how often it is asked.
final class CountingAuthorizer: Authorizer {
    private let allowed: Set<String>
    private let state = Mutex<[String]>([])

    init(_ allowed: Set<String>) { self.allowed = allowed }

    var asked: [String] { state.withLock { $0 } }

    func authorize(_ attributes: RequestAttributes) async -> AuthorizationDecision {
        let question = [
            attributes.user.name, attributes.verb, attributes.apiGroup, attributes.resource, attributes.subresource, attributes.namespace,
            attributes.name, attributes.path,
        ].joined(separator: "|")
        state.withLock { $0.append(question) }
        return allowed.contains(question) ? .allow(reason: "because") : .noOpinion(reason: "")
    }
}

/// A request to create a ConfigMap, as most tests evaluate it.
enum Sample {
    static let configMaps = MatchedResource(
        resource: GroupVersionResource(group: "", version: "v1", resource: "configmaps"),
        kind: GroupVersionKind(group: "", version: "v1", kind: "ConfigMap")
    )

    static func object(_ data: JSONValue = [:]) -> JSONValue {
        ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "c", "namespace": "ns"], "data": data]
    }

    static func request(_ data: JSONValue = [:], options: JSONValue? = nil) -> AdmissionRequest {
        AdmissionRequest(
            operation: .create,
            kind: configMaps.kind,
            resource: configMaps.resource,
            namespace: "ns",
            name: "",
            user: UserIdentity(name: "ann", groups: ["g"]),
            options: options,
            object: object(data)
        )
    }

    static func inputs(
        _ data: JSONValue = [:],
        params: JSONValue? = nil,
        authorizer: any Authorizer = CountingAuthorizer([])
    ) async throws -> ExpressionInputs {
        let request = request(data, options: ["kind": "CreateOptions"])
        var inputs = ExpressionInputs(
            request,
            objects: VersionedObjects(matched: configMaps, object: request.object, oldObject: nil),
            params: params,
            namespace: [
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": ["name": "ns", "labels": ["team": "a"], "managedFields": [[:]]], "status": ["phase": "Active"],
            ],
            authorizer: RequestAuthorizer(request, authorizer)
        )
        inputs.params = params
        return inputs
    }
}

/// What expressions of admission are given, what they cost, and how their failures are worded.
@Suite struct ExpressionTests {
    private func value(
        _ text: String,
        _ purpose: AdmissionScope.Purpose = .variable,
        data: JSONValue = [:],
        params: JSONValue? = nil,
        variables: [JSONValue] = []
    ) async throws -> String {
        let compiler = ExpressionCompiler(hasParameters: params != nil, variables: variables)
        let inputs = try await Sample.inputs(data, params: params)
        switch inputs.evaluate([compiler.compile(text, for: purpose)], variables: compiler.variables) {
        case .failure(let failure): return failure.message
        case .success(let values):
            switch try #require(values.values[0]) {
            case .failure(let failure): return failure.message
            case .success(let value): return try value.json().description
            }
        }
    }

    @Test(arguments: [
        ("object.metadata.name + object.data.k", "\"cv\""), ("oldObject == null", "true"),
        ("request.operation + request.namespace + request.name", "\"CREATEnsc\""), ("has(request.subResource)", "false"),
        ("request.userInfo.username + request.userInfo.groups[0]", "\"anng\""), ("request.options.kind", "\"CreateOptions\""),
        ("request.resource.resource + request.requestKind.kind", "\"configmapsConfigMap\""), ("request.dryRun", "false"),
        ("namespaceObject.metadata.labels.team + namespaceObject.status.phase", "\"aActive\""),
        // Upstream declares `UID`, and the object has `uid`.
        ("has(namespaceObject.metadata.UID)", "false"),
    ])
    func `a request, as expressions see it`(_ text: String, _ expected: String) async throws {
        #expect(try await value(text, data: ["k": "v"]) == expected)
    }

    @Test func `parameters may be null`() async throws {
        #expect(try await value("params.data.n", params: ["data": ["n": "7"]]) == "\"7\"")
        let compiler = ExpressionCompiler(hasParameters: true)
        let inputs = try await Sample.inputs()
        let values = try inputs.evaluate([compiler.compile("params == null", for: .condition)]).get()
        #expect(try values.values[0]?.get().bool == true)
    }

    @Test func `variables know those before them, have types, and are evaluated when asked for`() async throws {
        let variables: [JSONValue] = [
            ["name": "n", "expression": "int(object.data.n)"], ["name": "twice", "expression": "variables.n * 2"],
            ["name": "unused", "expression": "object.nothing.at.all"],
        ]
        #expect(try await value("variables.twice", data: ["n": "4"], variables: variables) == "8")
        #expect(
            try await value("variables.twice > 1", .condition, data: ["n": "x"], variables: variables)
                == "expression 'variables.twice > 1' resulted in error: composited variable \"twice\" fails to evaluate: "
                + "composited variable \"n\" fails to evaluate: type conversion error from 'string' to 'int'"
        )
        let wrong = ExpressionCompiler(hasParameters: false, variables: variables).compile("variables.n == 'x'", for: .condition)
        guard case .failure(let problem) = wrong.program else {
            Issue.record("a number is no text")
            return
        }
        #expect(problem.message.contains("found no matching overload for '_==_' applied to '(int, string)'"))
    }

    @Test func `a chain of variables that is too long ends with an error`() async throws {
        var variables: [JSONValue] = [["name": "v0", "expression": "1"]]
        for index in 1..<200 { variables.append(["name": .string("v\(index)"), "expression": .string("variables.v\(index - 1)")]) }
        #expect(try await value("variables.v199", variables: variables).contains("is nested too deeply"))
        #expect(try await value("variables.v20", variables: variables) == "1")
    }

    @Test func `one evaluation and all of a policy have limits`() async throws {
        let list = "[1,2,3,4,5,6,7,8,9,10]"
        var nested = "true"
        for name in ["a", "b", "c", "d", "e", "f"] { nested = "\(list).all(\(name), \(nested))" }
        #expect(try await value(nested, .condition).hasSuffix("resulted in error: operation cancelled: actual cost limit exceeded"))
        let inputs = try await Sample.inputs()
        let compiler = ExpressionCompiler()
        let some = compiler.compile("\(list).all(a, \(list).all(b, \(list).all(c, true)))", for: .condition)
        guard case .failure(let failure) = inputs.evaluate([some, some], budget: 1000) else {
            Issue.record("the budget is not enough")
            return
        }
        #expect(failure.isOutOfBudget)
        #expect(failure.message == "validation failed due to running out of cost budget, no further validation rules will be run")
        let left = try inputs.evaluate([some], budget: 1_000_000).get().remaining
        #expect(left < 1_000_000 && left > 0)
    }

    @Test func `many expensive variables end at the budget`() async throws {
        let list = "[1,2,3,4,5,6,7,8,9,10]"
        let nested = "\(list).all(a, \(list).all(b, true))"
        let names = (0..<200).map { "v\($0)" }
        let entries = names.map { name -> JSONValue in ["name": .string(name), "expression": .string(nested)] }
        let compiler = ExpressionCompiler(hasParameters: false, variables: entries)
        let all = names.map { "variables.\($0)" }.joined(separator: ", ")
        let expression = compiler.compile("[\(all)].all(x, x)", for: .condition)
        let inputs = try await Sample.inputs()
        guard case .failure(let failure) = inputs.evaluate([expression], variables: compiler.variables, budget: 10_000) else {
            Issue.record("variables count")
            return
        }
        #expect(failure.isOutOfBudget)
        let values = try inputs.evaluate([expression], variables: compiler.variables, budget: 1_000_000).get()
        #expect(try values.values[0]?.get().bool == true)
    }

    @Test func `authorizers answer before there is a value, and each question once`() async throws {
        let authorizer = CountingAuthorizer(["ann|get||pods||||", "ann|create||configmaps||ns|c|", "ann|get||||||/healthz"])
        let inputs = try await Sample.inputs(authorizer: authorizer)
        let compiler = ExpressionCompiler()
        let texts = [
            "authorizer.group('').resource('pods').check('get').allowed()", "authorizer.requestResource.check('create').reason()",
            "authorizer.path('/healthz').check('get').allowed() && !authorizer.path('/x').check('get').allowed()",
            "authorizer.serviceAccount('ns', 'app').group('').resource('pods').check('get').allowed()",
        ]
        let expressions = texts.map { compiler.compile($0, for: .variable) }
        for _ in 0..<2 {
            let values = try await inputs.authorizer.settle { inputs.evaluate(expressions) }.get()
            #expect(try values.values.map { try $0?.get().json().description } == ["true", "\"because\"", "true", "false"])
        }
        #expect(authorizer.asked.count == 5)
        #expect(authorizer.asked.contains("system:serviceaccount:ns:app|get||pods||||"))
    }

    @Test func `conditions that fail, refuse or are ignored`() async throws {
        let yes: JSONValue = ["name": "yes", "expression": "true"]
        let no: JSONValue = ["name": "no", "expression": "object.metadata.name == 'x'"]
        let broken: JSONValue = ["name": "broken", "expression": "object.nothing == 1"]
        let also: JSONValue = ["name": "also", "expression": "object.neither == 1"]
        func outcome(_ conditions: JSONValue, _ policy: String? = nil) async throws -> MatchConditions.Outcome {
            try await MatchConditions(conditions, failurePolicy: policy).match(Sample.inputs())
        }
        #expect(try await outcome([]) == .matches)
        #expect(try await outcome([yes]) == .matches)
        #expect(try await outcome([yes, no]) == .skips)
        #expect(try await outcome([broken, no]) == .skips)
        let words = "expression 'object.nothing == 1' resulted in error: no such key: nothing"
        #expect(try await outcome([broken, yes]) == .fails(words))
        #expect(try await outcome([broken, broken]) == .fails(words))
        #expect(
            try await outcome([broken, also])
                == .fails("[\(words), expression 'object.neither == 1' resulted in error: no such key: neither]")
        )
        #expect(try await outcome([broken], "Ignore") == .skips)
        #expect(try await outcome([["name": "n", "expression": "namespaceObject == null"]]) == .matches)
    }
}
