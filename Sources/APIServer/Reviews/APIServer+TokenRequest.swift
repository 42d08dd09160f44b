import APIModel
import Access
import HTTPTransport
import Schema
import Units
import Values

extension APIServer {
    private static let minTokenSeconds: Int64 = 600
    private static let maxTokenSeconds: Int64 = 1 << 32
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
        let stored = try await view.engine.existing(namespace: write.namespace, name: write.name)
        let account = try view.engine.tree(stored)
        var request = try body(subresource, context)
        let seconds = try Self.lifetime(request, name: write.name)
        var admitted = AdmissionRequest(
            operation: .create,
            kind: subresource.kind,
            resource: view.gvr,
            subresource: subresource.name,
            namespace: write.namespace,
            name: write.name,
            user: write.user,
            isDryRun: write.isDryRun,
            object: request
        )
        try await admission.mutate(&admitted)
        try await admission.validate(admitted)
        let own = TokenBinding(name: write.name, uid: account.value(at: ["metadata", "uid"])?.string ?? "")
        var subject = TokenSubject(namespace: write.namespace, serviceAccount: own)
        try await bind(&subject, to: request.value(at: ["spec", "boundObjectRef"]), write)
        let audiences = request.value(at: ["spec", "audiences"])?.array?.compactMap(\.string) ?? []
        if audiences.isEmpty { request.set(JSONValue(tokens.audiences), at: ["spec", "audiences"]) }
        request.set(.integer(seconds), at: ["spec", "expirationSeconds"])
        let issued: (token: String, expires: Timestamp)
        do { issued = try tokens.issue(subject, audiences: audiences, seconds: seconds) } catch {
            throw .internalError("failed to generate token: \(error)")
        }
        request["metadata"] = [
            "name": .string(write.name), "namespace": .string(write.namespace), "creationTimestamp": .string(write.now.rfc3339),
        ]
        request["status"] = ["token": .string(issued.token), "expirationTimestamp": .string(issued.expires.rfc3339)]
        return Responses.value(request, status: 201, form: context.form)
    }

    private static func lifetime(_ request: JSONValue, name: String) throws(APIError) -> Int64 {
        let seconds = request.value(at: ["spec", "expirationSeconds"])?.int ?? defaultTokenSeconds
        let field = FieldPath("spec.expirationSeconds")
        guard seconds >= minTokenSeconds else {
            throw .invalid(requestKind, name, [.invalid(field, .integer(seconds), "may not specify a duration less than 10 minutes")])
        }
        guard seconds <= maxTokenSeconds else {
            throw .invalid(requestKind, name, [.invalid(field, .integer(seconds), "may not specify a duration larger than 2^32 seconds")])
        }
        return seconds
    }

    private func bind(_ subject: inout TokenSubject, to reference: JSONValue?, _ write: WriteContext) async throws(APIError) {
        guard let reference, !reference.isNull else { return }
        let kind = reference["kind"]?.string ?? ""
        let name = reference["name"]?.string ?? ""
        let resource: GroupResource
        switch kind {
        case "Pod": resource = .core("pods")
        case "Secret": resource = .core("secrets")
        case "Node": resource = .core("nodes")
        default:
            throw .badRequest("cannot bind token for serviceaccount \(GoQuote.quote(write.name)) to object of kind \(kind)")
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
