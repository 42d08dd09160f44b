import APIModel
import Access
import HTTPTransport
import Negotiation
import Schema
import Store
import Units
import Values

extension APIServer {
    /// Serves a kind that is answered but not stored.
    func respondToVirtual(
        _ kind: KindDescriptor,
        _ version: KindVersion,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let info = context.info
        if kind.verbs.contains(info.verb), let warning = version.deprecationWarning { context.warnings.add(warning) }
        if kind.plural == "componentstatuses" { return try await componentStatuses(kind, version, context) }
        guard info.name.isEmpty else { throw .unknownPath }
        guard info.verb == "create", kind.verbs.contains("create") else { throw .methodNotAllowed() }
        guard kind.namespaced == !info.namespace.isEmpty else { throw .unknownPath }
        if case .table = context.form.shape { throw .notAcceptable(accepted: ResponseForm.mediaTypes) }
        let gvk = GroupVersionKind(group: kind.group, version: version.name, kind: kind.kind)
        let decoding = ObjectDecoding(expected: gvk, schema: version.schema, hooks: kind.hooks)
        var object = try decoding.object(context)
        try Self.checkNamespace(&object, info.namespace)
        try noteCreation(of: &object, kind, gvk, version, context)
        var admitted = try reviewRequest(object, kind, gvk, context)
        try await admission.mutate(&admitted)
        object = admitted.object ?? object
        if kind.plural != "bindings" { try checkReview(object, kind, context) }
        try await admission.validate(admitted)
        if kind.plural == "bindings" { return try await bindNamed(object, context) }
        switch kind.plural {
        case "selfsubjectreviews":
            object["metadata"] = ["creationTimestamp": .string(context.now.rfc3339)]
            object["status"] = ["userInfo": Self.userJSON(context.user)]
        case "tokenreviews": object["status"] = try await reviewToken(object)
        case "selfsubjectaccessreviews": object["status"] = try await review(object["spec"], context.user, nil, context)
        case "subjectaccessreviews": object["status"] = try await review(object["spec"], Self.subject(object["spec"]), nil, context)
        case "localsubjectaccessreviews":
            object["status"] = try await review(object["spec"], Self.subject(object["spec"]), info.namespace, context)
        case "selfsubjectrulesreviews":
            object["status"] = try rulesReview(object["spec"]?["namespace"]?.string ?? "", context.user)
            // Upstream answers with a review of its own.
            object["metadata"] = [:]
            object["spec"] = [:]
        default: throw .unknownPath
        }
        return Responses.value(object, status: 201, form: context.form)
    }

    /// What is created in a namespace lies there, and what is created in none in none.
    static func checkNamespace(_ object: inout JSONValue, _ namespace: String) throws(APIError) {
        let own = object.value(at: ["metadata", "namespace"])?.string ?? ""
        if namespace.isEmpty {
            if !own.isEmpty { object.remove(at: ["metadata", "namespace"]) }
            return
        }
        guard own.isEmpty || own == namespace else {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
        object.set(.string(namespace), at: ["metadata", "namespace"])
    }

    private func reviewRequest(
        _ object: JSONValue,
        _ kind: KindDescriptor,
        _ gvk: GroupVersionKind,
        _ context: RequestContext
    ) throws(APIError) -> AdmissionRequest {
        var options = Self.givenOptions(context.request.query) ?? [:]
        options["kind"] = "CreateOptions"
        options["apiVersion"] = "meta.k8s.io/v1"
        var request = AdmissionRequest(
            operation: .create,
            kind: gvk,
            resource: gvk.groupVersion.resource(kind.plural),
            namespace: context.info.namespace,
            name: object.value(at: ["metadata", "name"])?.string ?? "",
            user: context.user,
            isDryRun: try context.dryRun(),
            options: options,
            object: object
        )
        request.warn = { context.warnings.add($0) }
        return request
    }

    /// Reviews that are answered as they were sent carry the record of who sent what, as any object created.
    private func noteCreation(
        of object: inout JSONValue,
        _ kind: KindDescriptor,
        _ gvk: GroupVersionKind,
        _ version: KindVersion,
        _ context: RequestContext
    ) throws(APIError) {
        guard kind.plural != "bindings" else { return }
        let name = try FieldTracking.manager(context.request, kind: "CreateOptions")
        let manager = ManagedFields.Manager(
            name: name.isEmpty ? "unknown" : name,
            operation: "Update",
            apiVersion: gvk.apiVersion,
            subresource: ""
        )
        let write = OwnedWrite(apiVersion: gvk.apiVersion, schema: version.schema, time: context.now.rfc3339)
        FieldTracking.noteCreation(&object, by: manager, write)
        if kind.namespaced { object.set(.string(context.info.namespace), at: ["metadata", "namespace"]) }
    }

    /// All that a user may do in a namespace.
    private func rulesReview(_ namespace: String, _ user: UserIdentity) throws(APIError) -> JSONValue {
        guard !namespace.isEmpty else { throw .badRequest("no namespace on request") }
        let rules = (authorizer as? any RuleListing)?.rules(of: user, in: namespace) ?? []
        var resources: [JSONValue] = []
        var paths: [JSONValue] = []
        for rule in rules {
            if !rule.resources.isEmpty {
                var shown: JSONValue = [
                    "verbs": JSONValue(rule.verbs), "apiGroups": JSONValue(rule.apiGroups), "resources": JSONValue(rule.resources),
                ]
                if !rule.resourceNames.isEmpty { shown["resourceNames"] = JSONValue(rule.resourceNames) }
                resources.append(shown)
            }
            if !rule.nonResourceURLs.isEmpty {
                paths.append(["verbs": JSONValue(rule.verbs), "nonResourceURLs": JSONValue(rule.nonResourceURLs)])
            }
        }
        return ["resourceRules": .array(resources), "nonResourceRules": .array(paths), "incomplete": false]
    }

    /// What is asked has to be a question; the hooks know.
    private func checkReview(_ object: JSONValue, _ kind: KindDescriptor, _ context: RequestContext) throws(APIError) {
        var object = object
        if !context.info.namespace.isEmpty, (object.value(at: ["metadata", "namespace"])?.string ?? "").isEmpty {
            object.set(.string(context.info.namespace), at: ["metadata", "namespace"])
        }
        let now = HookContext(now: environment.clock.now, random: environment.random, namespace: context.info.namespace)
        let issues = kind.hooks.validate(object, now)
        // Upstream names the group alone.
        guard issues.isEmpty else { throw .invalid(GroupKind(group: kind.group, kind: ""), "", issues) }
    }

    /// A user as reviews show one.
    static func userJSON(_ user: UserIdentity) -> JSONValue {
        var json: JSONValue = ["username": .string(user.name), "groups": JSONValue(user.groups)]
        if !user.uid.isEmpty { json["uid"] = .string(user.uid) }
        guard !user.extra.isEmpty else { return json }
        json["extra"] = .object(JSONObject(user.extra.map { ($0.key, JSONValue($0.value)) }))
        return json
    }

    private func reviewToken(_ review: JSONValue) async throws(APIError) -> JSONValue {
        guard let token = review.value(at: ["spec", "token"])?.string, !token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        let audiences = review.value(at: ["spec", "audiences"])?.array?.compactMap(\.string) ?? []
        // What a client says of itself in the status stands until it is known better.
        var status: JSONValue = review["status"]?.object.map { .object($0) } ?? [:]
        if status["user"] == nil { status["user"] = [:] }
        guard let tokenAuthenticator else { return status }
        status["authenticated"] = nil
        switch await tokenAuthenticator.authenticate(token: token, audiences: audiences) {
        case .user(let user, let accepted):
            status["authenticated"] = true
            status["user"] = Self.userJSON(user.authenticated())
            status["audiences"] = accepted.isEmpty ? nil : JSONValue(accepted)
        // Upstream asks for its own token first, and lists what each authenticator said.
        case .failed(let reason): status["error"] = .string("[invalid bearer token, \(reason)]")
        case .none: status["error"] = "invalid bearer token"
        }
        return status
    }

    private static func subject(_ spec: JSONValue?) -> UserIdentity {
        var extra: [String: [String]] = [:]
        for (key, values) in spec?["extra"]?.object ?? [:] { extra[key] = values.array?.compactMap(\.string) ?? [] }
        return UserIdentity(
            name: spec?["user"]?.string ?? "",
            uid: spec?["uid"]?.string ?? "",
            groups: spec?["groups"]?.array?.compactMap(\.string) ?? [],
            extra: extra
        )
    }

    private func review(
        _ spec: JSONValue?,
        _ user: UserIdentity,
        _ namespace: String?,
        _ context: RequestContext
    ) async throws(APIError) -> JSONValue {
        let attributes = try Self.reviewed(spec, user, namespace, kind: context.info.resource)
        let decision = await authorizer.authorize(attributes)
        var status: JSONValue = ["allowed": .bool(decision.isAllowed)]
        if case .deny = decision { status["denied"] = true }
        if !decision.reason.isEmpty { status["reason"] = .string(decision.reason) }
        if let problem = SelectorReview.problem(spec?["resourceAttributes"]) { status["evaluationError"] = .string(problem) }
        return status
    }

    private static func reviewed(
        _ spec: JSONValue?,
        _ user: UserIdentity,
        _ namespace: String?,
        kind: String
    ) throws(APIError) -> RequestAttributes {
        let resource = spec?["resourceAttributes"].flatMap { $0.isNull ? nil : $0 }
        let path = spec?["nonResourceAttributes"].flatMap { $0.isNull ? nil : $0 }
        guard (resource == nil) != (path == nil) else {
            let field = FieldPath("spec.resourceAttributes")
            let words =
                resource == nil
                ? "exactly one of nonResourceAttributes or resourceAttributes must be specified"
                : "cannot be specified in combination with resourceAttributes"
            let issue = FieldIssue.invalid(resource == nil ? field : FieldPath("spec.nonResourceAttributes"), .null, words)
            throw .invalid(GroupKind(group: "authorization.k8s.io", kind: ""), "", [issue])
        }
        guard !user.name.isEmpty || !user.groups.isEmpty else {
            let issue = FieldIssue.invalid(FieldPath("spec.user"), "", "at least one of user or group must be specified")
            throw .invalid(GroupKind(group: "authorization.k8s.io", kind: ""), "", [issue])
        }
        if let path {
            return RequestAttributes(user: user, verb: path["verb"]?.string ?? "", path: path["path"]?.string ?? "")
        }
        func text(_ field: String) -> String { resource?[field]?.string ?? "" }
        if let namespace, namespace != text("namespace") {
            throw .badRequest("spec.resourceAttributes.namespace must match namespace: \(namespace)")
        }
        return RequestAttributes(
            user: user,
            verb: text("verb"),
            apiGroup: text("group"),
            apiVersion: text("version"),
            resource: text("resource"),
            subresource: text("subresource"),
            namespace: text("namespace"),
            name: text("name")
        )
    }
}
