import HTTPTransport
import Testing
import Values

@testable import APIServer

/// Golden exchanges: what a request is answered, to the letter.
@Suite struct WireExchangeTests {
    /// One request and its answer.
    struct Exchange: Sendable, CustomTestStringConvertible {
        var name: String
        var method = "GET"
        var path: String
        var body: JSONValue?
        var text: String?
        var type = "application/json"
        var status: Int
        var reason = ""
        var message = ""
        /// Reason, message and field of each cause.
        var causes: [[String]]?
        var warnings: [String] = []

        var testDescription: String { name }
    }

    private static let maps = "/api/v1/namespaces/default/configmaps"
    private static let map: JSONValue = ["metadata": ["name": "a"], "data": ["k": "v"]]

    private static func check(_ exchange: Exchange, _ cluster: TestCluster) async throws {
        let bytes = exchange.body?.encoded() ?? exchange.text.map { Array($0.utf8) } ?? []
        let type = exchange.method == "GET" ? nil : exchange.type
        let answer = try await cluster.send(exchange.method, exchange.path, bytes, type: type)
        #expect(answer.status == exchange.status, "\(exchange.name): \(answer.text)")
        #expect(answer.reason == exchange.reason, "\(exchange.name)")
        #expect(answer.message == exchange.message, "\(exchange.name)")
        #expect(answer.warnings == exchange.warnings, "\(exchange.name)")
        if answer.status >= 400 { #expect(answer["code"] == .integer(Int64(exchange.status))) }
        guard let causes = exchange.causes else { return }
        let found = answer["details", "causes"]?.array?.map { cause in
            ["reason", "message", "field"].map { cause[$0]?.string ?? "" }
        }
        #expect(found == causes, "\(exchange.name)")
    }

    private static func run(_ exchanges: [Exchange]) async throws {
        try await withCluster { cluster in
            _ = try await cluster.post(maps, map)
            for exchange in exchanges { try await check(exchange, cluster) }
        }
    }

    @Test func `options of writes`() async throws {
        let created: JSONValue = ["metadata": ["name": "new"]]
        try await Self.run([
            Exchange(
                name: "dryRun",
                method: "POST",
                path: Self.maps + "?dryRun=Some",
                body: created,
                status: 422,
                reason: "Invalid",
                message: "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"",
                causes: [["FieldValueNotSupported", "Unsupported value: [\"Some\"]: supported values: \"All\"", "dryRun"]]
            ),
            Exchange(
                name: "all at once",
                method: "PUT",
                path: Self.maps + "/a?dryRun=x&fieldValidation=y&fieldManager=%01",
                body: Self.map,
                status: 422,
                reason: "Invalid",
                message: "UpdateOptions.meta.k8s.io \"\" is invalid: [fieldManager: Invalid value: \"\\x01\": invalid character U+0001 "
                    + "(at position 0), dryRun: Unsupported value: [\"x\"]: supported values: \"All\", fieldValidation: Unsupported value: "
                    + "\"y\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"]"
            ),
            Exchange(
                name: "force",
                method: "PATCH",
                path: Self.maps + "/a?force=true",
                body: [:],
                type: "application/merge-patch+json",
                status: 422,
                reason: "Invalid",
                message: "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch"
            ),
            Exchange(
                name: "apply without a manager",
                method: "PATCH",
                path: Self.maps + "/a",
                body: [:],
                type: "application/apply-patch+yaml",
                status: 422,
                reason: "Invalid",
                message: "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
                causes: [["FieldValueRequired", "Required value: is required for apply patch", "fieldManager"]]
            ),
            Exchange(
                name: "patch type",
                method: "PATCH",
                path: Self.maps + "/a",
                body: [:],
                type: "application/json",
                status: 415,
                reason: "UnsupportedMediaType",
                message: "415: Unsupported Media Type"
            ),
            Exchange(
                name: "policy and flag",
                method: "DELETE",
                path: Self.maps + "/a",
                body: ["propagationPolicy": "Orphan", "orphanDependents": true],
                status: 422,
                reason: "Invalid",
                message: "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Orphan\": "
                    + "orphanDependents and deletionPropagation cannot be both set"
            ),
            Exchange(
                name: "unknown policy",
                method: "DELETE",
                path: Self.maps + "/a",
                body: ["propagationPolicy": "Away"],
                status: 422,
                reason: "Invalid",
                message: "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Away\": "
                    + "supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            ),
        ])
    }

    @Test func `options of lists and watches`() async throws {
        func list(_ name: String, _ query: String, _ status: Int, _ reason: String, _ message: String) -> Exchange {
            Exchange(name: name, path: Self.maps + "?" + query, status: status, reason: reason, message: message)
        }
        let invalid = "ListOptions.meta.k8s.io \"\" is invalid: "
        try await Self.run([
            list(
                "version",
                "resourceVersion=abc",
                400,
                "BadRequest",
                "invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"
            ),
            list(
                "match alone",
                "resourceVersionMatch=Exact",
                422,
                "Invalid",
                invalid + "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
            ),
            list(
                "unknown match",
                "resourceVersionMatch=Near&resourceVersion=1",
                422,
                "Invalid",
                invalid + "resourceVersionMatch: Unsupported value: \"Near\": supported values: \"Exact\", \"NotOlderThan\", \"\""
            ),
            list(
                "exactly zero",
                "resourceVersionMatch=Exact&resourceVersion=0",
                422,
                "Invalid",
                invalid + "resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""
            ),
            list(
                "initial events",
                "sendInitialEvents=true",
                422,
                "Invalid",
                invalid + "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"
            ),
            list(
                "token",
                "continue=!",
                400,
                "BadRequest",
                "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"
            ),
            list("limit", "limit=x", 400, "BadRequest", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            list(
                "field",
                "fieldSelector=spec.x%3D1",
                400,
                "BadRequest",
                "\"spec.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            ),
            list(
                "watch without match",
                "watch=true&sendInitialEvents=true",
                422,
                "Invalid",
                invalid + "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            ),
            list(
                "watch with match",
                "watch=true&resourceVersionMatch=Exact",
                422,
                "Invalid",
                invalid + "[resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is "
                    + "provided, resourceVersionMatch: Unsupported value: \"Exact\": supported values: \"NotOlderThan\"]"
            ),
        ])
    }

    @Test func `field validation`() async throws {
        let odd = #"{"metadata":{"name":"new"},"data":{"a":"1","a":"2"},"colour":"red"}"#
        try await Self.run([
            Exchange(
                name: "strict",
                method: "POST",
                path: Self.maps + "?fieldValidation=Strict",
                text: odd,
                status: 400,
                reason: "BadRequest",
                message: "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
                    + "duplicate field \"data.a\", unknown field \"colour\""
            ),
            Exchange(
                name: "warn",
                method: "POST",
                path: Self.maps,
                text: odd,
                status: 201,
                warnings: ["299 - \"duplicate field \\\"data.a\\\"\"", "299 - \"unknown field \\\"colour\\\"\""]
            ),
            Exchange(
                name: "ignore",
                method: "PUT",
                path: Self.maps + "/a?fieldValidation=Ignore",
                text: #"{"metadata":{"name":"a"},"colour":1}"#,
                status: 200
            ),
        ])
    }

    @Test func `metadata`() async throws {
        try await Self.run([
            Exchange(
                name: "all issues",
                method: "POST",
                path: Self.maps,
                body: [
                    "metadata": [
                        "name": "A_b", "labels": ["x y": "z"], "annotations": ["/": ""], "finalizers": ["no slash!"],
                        "ownerReferences": [["kind": "Pod", "name": "p", "uid": ""]],
                    ],
                    "data": ["bad key": "v"],
                ],
                status: 422,
                reason: "Invalid",
                message:
                    "ConfigMap \"A_b\" is invalid: [metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist "
                    + "of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. "
                    + "'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'), "
                    + "metadata.labels: Invalid value: \"x y\": name part must consist of alphanumeric characters, '-', '_' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
                    + "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.annotations: Invalid value: \"/\": prefix part "
                    + "must be non-empty, metadata.annotations: Invalid value: \"/\": name part must be non-empty, "
                    + "metadata.annotations: Invalid value: \"/\": name part must consist of alphanumeric characters, '-', '_' or '.', and "
                    + "must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
                    + "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.ownerReferences.apiVersion: Invalid value: "
                    + "\"\": version must not be empty, metadata.ownerReferences.uid: Invalid value: \"\": must not be empty, "
                    + "metadata.finalizers: Invalid value: \"no slash!\": name part must consist of alphanumeric characters, '-', '_' or "
                    + "'.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
                    + "used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'), metadata.finalizers[0]: Invalid value: \"no slash!\": "
                    + "name is neither a standard finalizer name nor is it fully qualified, data[bad key]: Invalid value: \"bad key\": a valid "
                    + "config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
                    + "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')]"
            ),
            Exchange(
                name: "records",
                method: "POST",
                path: Self.maps,
                body: ["metadata": ["name": "b", "managedFields": [["operation": "Look", "fieldsType": "V9"]]]],
                status: 201
            ),
            Exchange(
                name: "two controllers",
                method: "PATCH",
                path: Self.maps + "/a",
                body: [
                    "metadata": [
                        "ownerReferences": [
                            ["apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1", "controller": true],
                            ["apiVersion": "v1", "kind": "Node", "name": "n", "uid": "2", "controller": true],
                        ]
                    ]
                ],
                type: "application/merge-patch+json",
                status: 422,
                reason: "Invalid",
                message: "ConfigMap \"a\" is invalid: metadata.ownerReferences: Invalid value: [{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
                    + "\"name\":\"p\",\"uid\":\"1\",\"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"Node\","
                    + "\"name\":\"n\",\"uid\":\"2\",\"controller\":true}]: Only one reference can have Controller set to true. Found \"true\" in references "
                    + "for Pod/p and Node/n"
            ),
        ])
    }

    @Test func `patches that cannot be applied`() async throws {
        func json(_ name: String, _ operations: JSONValue, _ status: Int, _ reason: String, _ message: String) -> Exchange {
            Exchange(
                name: name,
                method: "PATCH",
                path: Self.maps + "/a",
                body: operations,
                type: "application/json-patch+json",
                status: status,
                reason: reason,
                message: message
            )
        }
        let rejected = "the server rejected our request due to an error in our request"
        try await Self.run([
            json("remove what is not there", [["op": "remove", "path": "/data/none"]], 422, "Invalid", rejected),
            json("test fails", [["op": "test", "path": "/data/k", "value": "w"]], 422, "Invalid", rejected),
            json(
                "not a list",
                ["op": "add"],
                400,
                "BadRequest",
                "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
            ),
            Exchange(
                name: "merge patch of the name",
                method: "PATCH",
                path: Self.maps + "/a",
                body: ["metadata": ["name": "b"]],
                type: "application/merge-patch+json",
                status: 400,
                reason: "BadRequest",
                message: "the name of the object (b) does not match the name on the URL (a)"
            ),
            Exchange(
                name: "wrong type",
                method: "PATCH",
                path: Self.maps + "/a",
                body: ["data": 5],
                type: "application/strategic-merge-patch+json",
                status: 422,
                reason: "Invalid",
                message: " \"\" is invalid: patch: Invalid value: \"map[data:5]\": cannot restore map from int64",
                causes: [
                    [
                        "FieldValueInvalid",
                        "Invalid value: \"map[data:5]\": cannot restore map from int64",
                        "patch",
                    ]
                ]
            ),
            Exchange(
                name: "unknown field, strictly",
                method: "PATCH",
                path: Self.maps + "/a?fieldValidation=Strict",
                body: ["colour": "red"],
                type: "application/strategic-merge-patch+json",
                status: 422,
                reason: "Invalid",
                message: " \"\" is invalid: patch: Invalid value: \"map[colour:red]\": strict decoding error: unknown field \"colour\""
            ),
            Exchange(
                name: "bad directive",
                method: "PATCH",
                path: Self.maps + "/a",
                body: ["$retainKeys": 5],
                type: "application/strategic-merge-patch+json",
                status: 400,
                reason: "BadRequest",
                message: "invalid patch format of retainKeys"
            ),
        ])
    }

    @Test func `deletion preconditions`() async throws {
        try await withCluster { cluster in
            let made = try await cluster.post(Self.maps, Self.map)
            let uid = made["metadata", "uid"]?.string ?? ""
            let version = made["metadata", "resourceVersion"]?.string ?? ""
            let other = try await cluster.delete(Self.maps + "/a", ["preconditions": ["uid": "x"]])
            #expect(other.status == 409 && other.reason == "Conflict")
            #expect(
                other.message
                    == "Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (x) does not match the UID in record "
                    + "(\(uid)). The object might have been deleted and then recreated"
            )
            let stale = try await cluster.delete(Self.maps + "/a", ["preconditions": ["resourceVersion": "1"]])
            #expect(
                stale.message
                    == "Operation cannot be fulfilled on ConfigMap \"a\": the ResourceVersion in the precondition (1) does not match the "
                    + "ResourceVersion in record (\(version)). The object might have been modified"
            )
            let gone = try await cluster.delete(
                Self.maps + "/a",
                ["preconditions": ["uid": .string(uid), "resourceVersion": .string(version)]]
            )
            #expect(gone.status == 200)
            #expect(
                gone.json == [
                    "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
                    "details": ["name": "a", "kind": "configmaps", "uid": .string(uid)],
                ]
            )
        }
    }
}
