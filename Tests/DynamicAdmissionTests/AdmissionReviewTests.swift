import APIModel
import Access
import Testing
import Values

@testable import DynamicAdmission

@Suite struct AdmissionReviewTests {
    private static let configMaps = GroupVersionResource(group: "", version: "v1", resource: "configmaps")
    private static let matched = MatchedResource(resource: configMaps, kind: configMaps.groupVersion.kind("ConfigMap"))

    private func review(_ request: AdmissionRequest = .test(), version: String = "v1") async throws -> AdmissionReview {
        let objects = try await VersionedObjects(request, as: Self.matched, TestWorld())
        return AdmissionReview(request, objects, version: version, uid: "u-1")
    }

    @Test func `a review tells who asks for what`() async throws {
        let body = try await review().body
        let expected: JSONValue = [
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": [
                "uid": "u-1", "kind": ["group": "", "version": "v1", "kind": "ConfigMap"],
                "resource": ["group": "", "version": "v1", "resource": "configmaps"],
                "requestKind": ["group": "", "version": "v1", "kind": "ConfigMap"],
                "requestResource": ["group": "", "version": "v1", "resource": "configmaps"], "operation": "CREATE",
                "name": "a", "namespace": "default", "dryRun": false, "oldObject": .null,
                "object": ["apiVersion": "v1", "metadata": ["name": "a"]],
                "options": ["kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"],
                "userInfo": ["username": "jane", "uid": "7", "groups": ["dev"], "extra": ["scope": ["a", "b"]]],
            ],
        ]
        #expect(body == expected)
        let status = try await review(.test(.update, subresource: "status"), version: "v1beta1").body
        #expect(status["apiVersion"] == "admission.k8s.io/v1beta1")
        #expect(status.value(at: ["request", "subResource"]) == "status")
        #expect(status.value(at: ["request", "requestSubResource"]) == "status")
        let generated = try await review(.test(name: "", object: ["metadata": ["generateName": "a-"]])).body
        #expect(generated.value(at: ["request", "name"]) == nil)
    }

    private func answer(_ text: String, version: String = "v1", isMutating: Bool = false) async throws -> AdmissionReview.Answer {
        try await review(version: version).answer(Array(text.utf8), isMutating: isMutating)
    }

    private static func body(_ response: String, _ version: String = "v1") -> String {
        "{\"apiVersion\":\"admission.k8s.io/\(version)\",\"kind\":\"AdmissionReview\",\"response\":\(response)}"
    }

    @Test(arguments: [
        (
            "hello",
            "failed to call webhook: couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type "
                + "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }"
        ),
        (
            "{\"response\":{\"uid\":\"u-1\"}}",
            "received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got /, Kind="
        ),
        (
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}",
            "failed to call webhook: no kind \"Pod\" is registered for version \"v1\" in scheme "
                + "\"k8s.io/apiserver/pkg/util/webhook/client.go:71\""
        ),
        (
            body("{}", "v1beta1"),
            "failed to call webhook: converting (v1beta1.AdmissionReview) to (v1.AdmissionReview): unknown conversion"
        ),
        (body("null"), "received invalid webhook response: webhook response was absent"),
        (
            body("{\"uid\":\"u-1\",\"allowed\":\"yes\"}"),
            "failed to call webhook: json: cannot unmarshal string into Go struct field AdmissionResponse.response.allowed of type bool"
        ),
        (body("{\"uid\":\"other\"}"), "received invalid webhook response: expected response.uid=\"u-1\", got \"other\""),
        (
            body("{\"uid\":\"u-1\",\"patch\":\"W10=\"}"),
            "received invalid webhook response: validating webhook may not return response.patch"
        ),
        (
            body("{\"uid\":\"u-1\",\"patchType\":\"JSONPatch\"}"),
            "received invalid webhook response: validating webhook may not return response.patchType"
        ),
    ])
    func `answers that cannot be used are told as upstream tells them`(_ text: String, _ words: String) async throws {
        let problem = await #expect(throws: AdmissionReview.Problem.self) { try await answer(text) }
        #expect(problem?.message == words)
    }

    @Test(arguments: [
        ("{\"uid\":\"u-1\",\"patch\":\"W10=\"}", "webhook returned response.patch but not response.patchType"),
        ("{\"uid\":\"u-1\",\"patchType\":\"JSONPatch\"}", "webhook returned response.patchType but not response.patch"),
        ("{\"uid\":\"u-1\",\"patch\":\"W10=\",\"patchType\":\"\"}", "webhook returned invalid response.patchType of \"\""),
    ])
    func `patch and its type come together`(_ response: String, _ words: String) async throws {
        let problem = await #expect(throws: AdmissionReview.Problem.self) { try await answer(Self.body(response), isMutating: true) }
        #expect(problem?.message == "received invalid webhook response: \(words)")
    }

    @Test func `a good answer is read whole`() async throws {
        let response =
            "{\"uid\":\"u-1\",\"allowed\":true,\"patch\":\"W10=\",\"patchType\":\"JSONPatch\",\"warnings\":[\"careful\"],"
            + "\"auditAnnotations\":{\"k\":\"v\"}}"
        let answer = try await answer(Self.body(response), isMutating: true)
        #expect(answer.isAllowed)
        #expect(answer.patch == Array("[]".utf8))
        #expect(answer.warnings == ["careful"])
        #expect(answer.annotations == ["k": "v"])
    }

    @Test func `the beta is not asked for what it never promised`() async throws {
        let answer = try await answer("{\"response\":{\"allowed\":true,\"patch\":\"W10=\"}}", version: "v1beta1", isMutating: true)
        #expect(answer.isAllowed)
        #expect(answer.patchType == "JSONPatch")
    }

    @Test(arguments: [
        ("{}", 400, "", "admission webhook \"h\" denied the request without explanation"),
        ("{\"message\":\"no\",\"code\":403}", 403, "", "admission webhook \"h\" denied the request: no"),
        ("{\"reason\":\"Forbidden\",\"code\":200}", 400, "Forbidden", "admission webhook \"h\" denied the request: Forbidden"),
        ("{\"message\":\"no\",\"reason\":\"Teapot\",\"code\":418}", 418, "Teapot", "admission webhook \"h\" denied the request: no"),
    ])
    func `a refusal says who refused and why`(_ status: String, _ code: Int, _ reason: String, _ words: String) throws {
        let error = WebhookRefusal.denied(by: "h", try JSONParser.parse(status)).error(of: "h")
        #expect(error.code == code)
        #expect(error.reason == reason)
        #expect(error.message == words)
    }

    @Test func `a webhook with side effects is not asked about a dry run`() {
        for (effects, isAsked) in [("None", true), ("NoneOnDryRun", true), ("Some", false), ("Unknown", false)] {
            let hook = Webhook(["name": "h", "sideEffects": .string(effects)], configuration: "c", ordinal: 0)
            #expect(hook.toleratesDryRun == isAsked)
        }
        let error = WebhookRefusal.dryRun("h").error(of: "h")
        #expect(error.code == 400)
        #expect(error.message == "admission webhook \"h\" does not support dry run")
    }

    @Test func `a call that failed is an internal error`() {
        let error = WebhookRefusal.call("failed to call webhook: EOF", code: 503).error(of: "h")
        #expect(error.code == 500)
        #expect(error.reason == "InternalError")
        #expect(error.message == "Internal error occurred: failed calling webhook \"h\": failed to call webhook: EOF")
    }

    @Test func `webhooks of one name in a configuration are told apart`() {
        let hooks = Webhook.all(of: ["metadata": ["name": "c"], "webhooks": [["name": "a"], ["name": "b"], ["name": "a"]]])
        #expect(hooks.map(\.id) == ["c/a/0", "c/b/0", "c/a/1"])
        #expect(hooks.map(\.seconds) == [10, 10, 10])
    }

    @Test func `a second round asks only those that missed a change`() {
        var plugin = Reinvocation.Plugin()
        plugin.invoked("first")
        plugin.changed()
        plugin.invoked("second")
        plugin.ended(with: 1)
        plugin.begins(with: 1)
        #expect(plugin.runsAgain("first"))
        #expect(!plugin.runsAgain("second"))
        plugin.begins(with: 2)
        #expect(plugin.runsAgain("second"))
    }
}
