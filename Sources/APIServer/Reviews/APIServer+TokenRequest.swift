import APIModel
import APITypes
import Access
import BuiltinKinds
import HTTPTransport
import Negotiation
import Schema
import Units
import Values

extension APIServer {
    private static let defaultTokenSeconds: Int64 = 3600
    private static let requestKind = GroupKind(group: "authentication.k8s.io", kind: "TokenRequest")

    /// Issues a token for a service account.
    func requestToken(
        _ view: ResourceView,
        _ subresource: SubresourceDescriptor,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        guard let tokens else { throw .serviceUnavailable("this server signs no service account tokens") }
        let write = try writeContext(view, context)
        var request = try body(subresource, context)
        if request.value(at: ["spec", "expirationSeconds"])?.int == nil {
            request.set(.integer(Self.defaultTokenSeconds), at: ["spec", "expirationSeconds"])
        }
        noteCreation(of: &request, subresource, write)
        var admitted = write.admissionRequest(.create, view, kind: subresource.kind, object: request)
        try await admission.mutate(&admitted)
        request = admitted.object ?? request
        let own = try await account(for: &request, view, write)
        let issues = ReviewValidation.tokenRequest(request)
        guard issues.isEmpty else { throw .invalid(Self.requestKind, "", issues) }
        admitted.object = request
        try await admission.validate(admitted)
        var subject = TokenSubject(namespace: write.namespace, serviceAccount: own)
        try await bind(&subject, to: request.value(at: ["spec", "boundObjectRef"]), write)
        let audiences = request.value(at: ["spec", "audiences"])?.array?.compactMap(\.string) ?? []
        if audiences.isEmpty { request.set(JSONValue(tokens.audiences), at: ["spec", "audiences"]) }
        let seconds = request.value(at: ["spec", "expirationSeconds"])?.int ?? Self.defaultTokenSeconds
        request.set(.integer(seconds), at: ["spec", "expirationSeconds"])
        let issued: (token: String, expires: Timestamp)
        do { issued = try tokens.issue(subject, audiences: audiences, seconds: seconds) } catch {
            throw .internalError("failed to generate token: \(error)")
        }
        request["status"] = ["token": .string(issued.token), "expirationTimestamp": .string(issued.expires.rfc3339)]
        return Responses.value(request, status: 201, form: context.form)
    }

    /// The answer says who sent what of the request, as that of any creation.
    private func noteCreation(of request: inout JSONValue, _ subresource: SubresourceDescriptor, _ write: WriteContext) {
        let version = subresource.kind.apiVersion
        let manager = ManagedFields.Manager(
            name: write.fieldManager.isEmpty ? "unknown" : write.fieldManager,
            operation: "Update",
            apiVersion: version,
            subresource: subresource.name
        )
        let schema = BuiltinSchema.node(subresource.typeName)
        FieldTracking.noteCreation(&request, by: manager, OwnedWrite(apiVersion: version, schema: schema, time: write.now.rfc3339))
    }

    /// The account that a request is about, which its metadata may name and then says.
    private func account(
        for request: inout JSONValue,
        _ view: ResourceView,
        _ write: WriteContext
    ) async throws(APIError) -> TokenBinding {
        func given(_ field: String) -> String { request.value(at: ["metadata", field])?.string ?? "" }
        for (field, own) in [("name", write.name), ("namespace", write.namespace)] {
            guard given(field).isEmpty || given(field) == own else {
                let words = "must match the service account \(field) if specified"
                throw .invalid(Self.requestKind, write.name, [.invalid(FieldPath("metadata").child(field), .string(given(field)), words)])
            }
            request.set(.string(own), at: ["metadata", field])
        }
        let stored = try await view.engine.existing(namespace: write.namespace, name: write.name)
        let uid = try view.engine.tree(stored).value(at: ["metadata", "uid"])?.string ?? ""
        guard given("uid").isEmpty || given("uid") == uid else {
            throw .conflict(
                GroupResource(group: Self.requestKind.group, resource: Self.requestKind.kind),
                write.name,
                "the UID in the token request (\(given("uid"))) does not match the UID of the service account (\(uid))"
            )
        }
        request.set(.string(uid), at: ["metadata", "uid"])
        request.set(.string(write.now.rfc3339), at: ["metadata", "creationTimestamp"])
        request["status"] = nil
        return TokenBinding(name: write.name, uid: uid)
    }

    private func bind(_ subject: inout TokenSubject, to reference: JSONValue?, _ write: WriteContext) async throws(APIError) {
        guard let reference, !reference.isNull else { return }
        let kind = reference["kind"]?.string ?? ""
        let name = reference["name"]?.string ?? ""
        let resource: GroupResource
        let version = GroupVersion(apiVersion: reference["apiVersion"]?.string ?? "") ?? GroupVersion(group: "", version: "")
        switch (version.group, kind) {
        case ("", "Pod"): resource = .core("pods")
        case ("", "Secret"): resource = .core("secrets")
        case ("", "Node"): resource = .core("nodes")
        default: throw .badRequest("cannot bind token to object of type \(version.group)/\(version.version), Kind=\(kind)")
        }
        let namespace = kind == "Node" ? "" : write.namespace
        guard let object = await lookup.currentObject(resource, namespace: namespace, name: name) else {
            throw .notFound(resource, name)
        }
        let uid = object.value(at: ["metadata", "uid"])?.string ?? ""
        if let wanted = reference["uid"]?.string, !wanted.isEmpty, wanted != uid {
            let words =
                "the UID in the bound object reference (\(wanted)) does not match the UID in record. "
                + "The object might have been deleted and then recreated"
            throw .conflict(GroupResource(group: "", resource: kind), name, words)
        }
        let bound = TokenBinding(name: name, uid: uid)
        switch kind {
        case "Secret": subject.secret = bound
        case "Node": subject.node = bound
        default:
            let account = object.value(at: ["spec", "serviceAccountName"])?.string ?? ""
            guard account == write.name else {
                throw .badRequest(
                    "cannot bind token for serviceaccount \(GoQuote.quote(write.name)) to pod running with different serviceaccount name."
                )
            }
            subject.pod = bound
            await addNode(of: object, to: &subject)
        }
    }

    private func addNode(of pod: JSONValue, to subject: inout TokenSubject) async {
        guard let name = pod.value(at: ["spec", "nodeName"])?.string, !name.isEmpty,
            let node = await lookup.currentObject(.core("nodes"), namespace: "", name: name),
            let uid = node.value(at: ["metadata", "uid"])?.string
        else { return }
        subject.node = TokenBinding(name: name, uid: uid)
    }
}
