import APIModel
import Schema
import Testing
import Units
import Values

@Suite struct APIErrorTests {
    static let pods = GroupResource(group: "", resource: "pods")
    static let deployments = GroupResource(group: "apps", resource: "deployments")

    static let words: [(APIError, Int, String, String)] = [
        (.notFound(pods, "a"), 404, "NotFound", #"pods "a" not found"#),
        (.alreadyExists(deployments, "a"), 409, "AlreadyExists", #"deployments.apps "a" already exists"#),
        (
            .modified(pods, "a"), 409, "Conflict",
            #"Operation cannot be fulfilled on pods "a": the object has been modified; please apply your changes to the latest version and try again"#
        ),
        (.forbidden(pods, "", "no"), 403, "Forbidden", "pods is forbidden: no"),
        (.forbidden(pods, "a", "no"), 403, "Forbidden", #"pods "a" is forbidden: no"#),
        (.forbidden(GroupResource(group: "", resource: ""), "", "no"), 403, "Forbidden", "forbidden: no"),
        (.badRequest("bad"), 400, "BadRequest", "bad"),
        (
            .methodNotAllowed(pods, "create"), 405, "MethodNotAllowed",
            #"create is not supported on resources of kind "pods""#
        ),
        (.timeout("slow"), 504, "Timeout", "Timeout: slow"),
        (.internalError("x"), 500, "InternalError", "Internal error occurred: x"),
        (
            .requestEntityTooLarge("limit is 3145728"), 413, "RequestEntityTooLarge",
            "Request entity too large: limit is 3145728"
        ),
        (
            .expired("The resourceVersion for the provided watch is too old."), 410, "Expired",
            "The resourceVersion for the provided watch is too old."
        ),
        (
            .cannotHandle(GroupVersionKind(group: "apps", version: "v1", kind: "Deployment"), "json: x"), 400, "BadRequest",
            #"Deployment in version "v1" cannot be handled as a Deployment: json: x"#
        ),
        (
            .tooLargeResourceVersion(asked: 9, current: 3), 504, "Timeout",
            "Timeout: Too large resource version: 9, current: 3"
        ),
    ]

    @Test func `errors are worded as upstream words them`() {
        for (error, code, reason, message) in Self.words {
            #expect(error.code == code)
            #expect(error.reason == reason)
            #expect(error.message == message)
        }
    }

    @Test func `an error survives its status`() throws {
        for (error, _, _, _) in Self.words {
            let status = error.status()
            #expect(status["kind"] == "Status" && status["status"] == "Failure")
            #expect(APIError(status: status) == error)
        }
        #expect(APIError(status: APIError.success()) == nil)
        #expect(APIError(status: ["kind": "Pod"]) == nil)
    }

    @Test func `validation names every field`() {
        let spec = FieldPath("spec")
        let issues: [FieldIssue] = [
            .required(spec.child("selector")), .invalid(spec.child("replicas"), -1, "must be greater than or equal to 0"),
        ]
        let error = APIError.invalid(GroupKind(group: "apps", kind: "Deployment"), "d", issues)
        #expect(
            error.message
                == #"Deployment.apps "d" is invalid: [spec.selector: Required value, spec.replicas: Invalid value: -1: must be greater than or equal to 0]"#
        )
        #expect(
            error.status()["details"] == [
                "causes": [
                    ["field": "spec.selector", "message": "Required value", "reason": "FieldValueRequired"],
                    [
                        "field": "spec.replicas", "message": "Invalid value: -1: must be greater than or equal to 0",
                        "reason": "FieldValueInvalid",
                    ],
                ], "group": "apps", "kind": "Deployment", "name": "d",
            ]
        )
    }

    @Test func `a status says what upstream's says`() {
        #expect(
            APIError.notFound(Self.deployments, "x").status() == [
                "apiVersion": "v1", "code": 404, "details": ["group": "apps", "kind": "deployments", "name": "x"],
                "kind": "Status", "message": #"deployments.apps "x" not found"#, "metadata": [:],
                "reason": "NotFound", "status": "Failure",
            ]
        )
    }

    @Test func `list options survive the query`() throws {
        let options = ListOptions(
            labelSelector: "a=b",
            resourceVersion: "5",
            limit: 3,
            continue: "t",
            timeoutSeconds: 4,
            allowWatchBookmarks: true,
            sendInitialEvents: false
        )
        let items = Dictionary(uniqueKeysWithValues: options.queryItems.map { ($0.name, $0.value) })
        #expect(try ListOptions { items[$0] } == options)
        #expect(throws: APIError.self) { try ListOptions { $0 == "limit" ? "x" : nil } }
    }

    @Test func `group versions parse`() {
        #expect(GroupVersion(apiVersion: "v1") == GroupVersion(group: "", version: "v1"))
        #expect(GroupVersion(apiVersion: "apps/v1")?.group == "apps")
        #expect(GroupVersion(apiVersion: "a/b/c") == nil)
        #expect(GroupKind(group: "apps", kind: "Deployment").description == "Deployment.apps")
    }
}
