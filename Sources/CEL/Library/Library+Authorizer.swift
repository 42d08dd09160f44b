/// What an expression asks an authorizer.
public struct CELAuthorizationQuery: Sendable, Hashable {
    /// Whether it is about a resource; else about a path.
    public var isResource = false
    /// The verb.
    public var verb = ""
    /// The path, for what is no resource.
    public var path = ""
    /// The resource's group.
    public var group = ""
    /// The resource.
    public var resource = ""
    /// Its subresource.
    public var subresource = ""
    /// The namespace; empty for all.
    public var namespace = ""
    /// The object's name; empty for all.
    public var name = ""
    /// The field selector, as it was written.
    public var fieldSelector = ""
    /// The label selector, as it was written.
    public var labelSelector = ""
    /// The service account to ask for, instead of the request's user.
    public var serviceAccount: ServiceAccount?

    /// A service account.
    public struct ServiceAccount: Sendable, Hashable {
        /// Its namespace.
        public let namespace: String
        /// Its name.
        public let name: String
    }

    /// A query about nothing yet.
    public init() {}
}

/// What an authorizer answers.
public struct CELAuthorizationDecision: CELObject, Hashable {
    /// Whether it is allowed.
    public let isAllowed: Bool
    /// Why.
    public let reason: String
    /// What went wrong; nil when nothing did.
    public let error: String?

    /// An answer.
    public init(isAllowed: Bool, reason: String = "", error: String? = nil) {
        self.isAllowed = isAllowed
        self.reason = reason
        self.error = error
    }

    /// `kubernetes.authorization.Decision`.
    public var type: CELType { TypeNames.decision }
    /// Upstream does not compare decisions.
    public var isIncomparable: Bool { true }
    /// Decisions are equal when all of them is.
    public func isEqual(to other: any CELObject) -> Bool { (other as? CELAuthorizationDecision) == self }
}

/// Who answers `authorizer` in expressions.
public protocol CELAuthorizer: Sendable {
    /// Whether what is asked is allowed. Called by the thread that evaluates; must not block for long.
    func decide(_ query: CELAuthorizationQuery) -> CELAuthorizationDecision
}

/// The value of `authorizer`, and of the checks that are made of it.
public struct CELAuthorizerValue: CELObject {
    let authorizer: any CELAuthorizer
    let query: CELAuthorizationQuery
    /// The step that the check has come to.
    public let type: CELType

    /// The value of `authorizer`.
    public init(_ authorizer: any CELAuthorizer) {
        self.init(authorizer, CELAuthorizationQuery(), TypeNames.authorizer)
    }

    /// The value of `authorizer.requestResource`: a check of the request's own resource.
    public init(_ authorizer: any CELAuthorizer, requestResource query: CELAuthorizationQuery) {
        self.init(authorizer, query, TypeNames.resourceCheck)
    }

    fileprivate init(_ authorizer: any CELAuthorizer, _ query: CELAuthorizationQuery, _ type: CELType) {
        self.authorizer = authorizer
        self.query = query
        self.type = type
    }

    /// Upstream does not compare what asks an authorizer.
    public var isIncomparable: Bool { true }
    /// Checks are equal when they ask the same.
    public func isEqual(to other: any CELObject) -> Bool {
        guard let other = other as? CELAuthorizerValue else { return false }
        return type == other.type && query == other.query
    }

    /// The type of `authorizer`.
    public static var authorizerType: CELType { TypeNames.authorizer }
    /// The type of `authorizer.requestResource`.
    public static var resourceCheckType: CELType { TypeNames.resourceCheck }

    fileprivate func next(_ type: CELType, _ change: (inout CELAuthorizationQuery) -> Void) -> CELValue {
        var query = query
        change(&query)
        return .object(CELAuthorizerValue(authorizer, query, type))
    }

    fileprivate static func from(_ value: CELValue) throws(CELError) -> CELAuthorizerValue {
        guard case .object(let object) = value, let held = object as? CELAuthorizerValue else { throw .noSuchOverload }
        return held
    }
}

/// Source: apiserver/pkg/cel/library/authz.go.
extension FunctionTable {
    mutating func addAuthorizer() {
        let check = TypeNames.resourceCheck
        step("path", "authorizer_path", TypeNames.authorizer, TypeNames.pathCheck) { $0.path = $1 }
        step("group", "authorizer_group", TypeNames.authorizer, TypeNames.groupCheck) { $0.group = $1 }
        step("resource", "groupcheck_resource", TypeNames.groupCheck, check) {
            $0.resource = $1
            $0.isResource = true
        }
        step("subresource", "resourcecheck_subresource", check, check) { $0.subresource = $1 }
        step("namespace", "resourcecheck_namespace", check, check) { $0.namespace = $1 }
        step("name", "resourcecheck_name", check, check) { $0.name = $1 }
        step("fieldSelector", "authorizer_fieldselector", check, check) { $0.fieldSelector = $1 }
        step("labelSelector", "authorizer_labelselector", check, check) { $0.labelSelector = $1 }
        member("serviceAccount", "authorizer_serviceaccount", [TypeNames.authorizer, .string, .string], TypeNames.authorizer) {
            arguments,
            _ throws(CELError) in
            let (namespace, name) = (arguments[1].string ?? "", arguments[2].string ?? "")
            if Self.nameIssue(name, isLabel: false) != nil { throw CELError("Invalid service account name") }
            if Self.nameIssue(namespace, isLabel: true) != nil { throw CELError("Invalid service account namespace") }
            return try CELAuthorizerValue.from(arguments[0]).next(TypeNames.authorizer) {
                $0.serviceAccount = .init(namespace: namespace, name: name)
            }
        }
        for (id, type) in [("pathcheck_check", TypeNames.pathCheck), ("resourcecheck_check", check)] {
            member("check", id, [type, .string], TypeNames.decision) { arguments, evaluation throws(CELError) in
                let held = try CELAuthorizerValue.from(arguments[0])
                var query = held.query
                query.verb = arguments[1].string ?? ""
                try evaluation.step()
                return .object(held.authorizer.decide(query))
            }
        }
        decision("allowed", .bool) { .bool($0.isAllowed) }
        decision("reason", .string) { .string($0.reason) }
        decision("errored", .bool) { .bool($0.error != nil) }
        decision("error", .string) { .string($0.error ?? "") }
    }

    private static func nameIssue(_ name: String, isLabel: Bool) -> String? {
        let format = NamedFormat.byName[isLabel ? "dns1123Label" : "dns1123Subdomain"]
        return format?.issues(name).first
    }

    private mutating func step(
        _ name: String,
        _ id: String,
        _ type: CELType,
        _ result: CELType,
        _ change: @escaping @Sendable (inout CELAuthorizationQuery, String) -> Void
    ) {
        member(name, id, [type, .string], result) { arguments, _ throws(CELError) in
            guard case .string(let text) = arguments[1] else { throw .noSuchOverload }
            if text.isEmpty, ["path", "resource"].contains(name) { throw CELError("\(name) must not be empty") }
            return try CELAuthorizerValue.from(arguments[0]).next(result) { change(&$0, text) }
        }
    }

    private mutating func decision(_ name: String, _ result: CELType, _ body: @escaping @Sendable (CELAuthorizationDecision) -> CELValue) {
        member(name, "decision_\(name)", [TypeNames.decision], result) { arguments, _ throws(CELError) in
            guard case .object(let object) = arguments[0], let decision = object as? CELAuthorizationDecision else {
                throw .noSuchOverload
            }
            return body(decision)
        }
    }
}
