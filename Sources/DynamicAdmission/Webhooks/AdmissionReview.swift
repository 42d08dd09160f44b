import APIModel
import Access
import Schema
import Values

/// One question to a webhook: the AdmissionReview that is sent, and what its answer has to be like. Pure.
///
/// Source: apiserver admission/plugin/webhook/request/admissionreview.go.
public struct AdmissionReview: Sendable {
    /// What a webhook decided.
    public struct Answer: Sendable, Hashable {
        /// Whether the request may go on.
        public var isAllowed: Bool
        /// The operations of a JSON patch as they were sent; empty when nothing is to be changed.
        public var patch: [UInt8] = []
        /// `JSONPatch`, or what the webhook said instead.
        public var patchType = ""
        /// Why the request is refused, as a `Status`; null when the webhook did not say.
        public var status: JSONValue = .null
        /// What the client is to be told.
        public var warnings: [String] = []
        /// What is to be noted in the audit log, by key.
        public var annotations: [String: String] = [:]
    }

    /// Why an answer cannot be used.
    public struct Problem: Error, Sendable, Hashable {
        /// In upstream's words, with what was wrong at: `failed to call webhook`, `received invalid webhook response`.
        public var message: String
    }

    /// `v1` or `v1beta1`.
    public let version: String
    /// Connects question and answer.
    public let uid: String
    private let request: AdmissionRequest
    private let objects: VersionedObjects

    /// A question about the objects of a request in the version that the webhook's rule matched.
    public init(_ request: AdmissionRequest, _ objects: VersionedObjects, version: String, uid: String) {
        self.request = request
        self.objects = objects
        self.version = version
        self.uid = uid
    }

    /// The body of the question.
    public var body: JSONValue {
        var question: JSONValue = [
            "uid": .string(uid), "kind": ReviewMembers.kind(objects.matched.kind),
            "resource": ReviewMembers.resource(objects.matched.resource),
            "requestKind": ReviewMembers.kind(request.kind), "requestResource": ReviewMembers.resource(request.resource),
            "operation": .string(request.operation.rawValue), "userInfo": ReviewMembers.user(request.user),
            "object": objects.object ?? .null, "oldObject": objects.oldObject ?? .null, "dryRun": .bool(request.isDryRun),
            "options": request.options ?? .null,
        ]
        let texts = [
            ("subResource", request.subresource), ("requestSubResource", request.subresource), ("name", request.objectName),
            ("namespace", request.objectNamespace),
        ]
        for (member, text) in texts where !text.isEmpty { question[member] = .string(text) }
        return ["kind": "AdmissionReview", "apiVersion": .string("admission.k8s.io/\(version)"), "request": question]
    }

    // MARK: The answer

    /// Reads the body of an answer.
    public func answer(_ bytes: [UInt8], isMutating: Bool) throws(Problem) -> Answer {
        let value: JSONValue
        do throws(Problem) {
            value = try AnswerDecoding.review(bytes, version: version)
        } catch {
            throw Problem(message: "failed to call webhook: \(error.message)")
        }
        do throws(Problem) {
            return try checked(value, isMutating)
        } catch {
            throw Problem(message: "received invalid webhook response: \(error.message)")
        }
    }

    private func checked(_ value: JSONValue, _ isMutating: Bool) throws(Problem) -> Answer {
        guard let response = value["response"], !response.isNull else { throw Problem(message: "webhook response was absent") }
        let patch = response["patch"]?.string.flatMap { Base64.decode($0) } ?? []
        let type = response["patchType"]?.string
        var answer = Answer(isAllowed: response["allowed"]?.bool ?? false)
        answer.status = response["status"] ?? .null
        answer.warnings = response["warnings"]?.array?.compactMap(\.string) ?? []
        for (key, note) in response["auditAnnotations"]?.object ?? [:] { answer.annotations[key] = note.string ?? "" }
        guard version == "v1" else {
            // The beta was never as strict.
            if isMutating, !patch.isEmpty { (answer.patch, answer.patchType) = (patch, "JSONPatch") }
            return answer
        }
        let own = response["uid"]?.string ?? ""
        guard own == uid else {
            throw Problem(message: "expected response.uid=\(GoQuote.quote(uid)), got \(GoQuote.quote(own))")
        }
        try checkKind(value)
        guard isMutating else {
            if !patch.isEmpty { throw Problem(message: "validating webhook may not return response.patch") }
            if type != nil { throw Problem(message: "validating webhook may not return response.patchType") }
            return answer
        }
        switch (patch.isEmpty, type) {
        case (false, nil): throw Problem(message: "webhook returned response.patch but not response.patchType")
        case (true, .some): throw Problem(message: "webhook returned response.patchType but not response.patch")
        case (_, ""): throw Problem(message: "webhook returned invalid response.patchType of \"\"")
        default: (answer.patch, answer.patchType) = (patch, type ?? "")
        }
        return answer
    }

    private func checkKind(_ value: JSONValue) throws(Problem) {
        let kind = value["kind"]?.string ?? ""
        let apiVersion = value["apiVersion"]?.string ?? ""
        let expected = GroupVersionKind(group: "admission.k8s.io", version: version, kind: "AdmissionReview")
        let given = GroupVersionKind(apiVersion: apiVersion, kind: kind)
        guard given != expected else { return }
        func shown(_ kind: GroupVersionKind) -> String { "\(kind.group)/\(kind.version), Kind=\(kind.kind)" }
        let got = given.map(shown) ?? "\(apiVersion), Kind=\(kind)"
        throw Problem(message: "expected webhook response of \(shown(expected)), got \(got)")
    }
}
