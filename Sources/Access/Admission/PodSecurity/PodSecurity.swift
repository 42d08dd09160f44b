import APIModel
import Channels
import Schema
import Units
import Values

/// Holds pods to the pod security standard that their namespace's labels ask for, and warns of controllers whose pods would
/// not pass.
public struct PodSecurity: Admission {
    /// Who and what is not looked at.
    public struct Exemptions: Sendable {
        /// Users by name.
        public var users: Set<String>
        /// Namespaces.
        public var namespaces: Set<String>
        /// Pods by their runtime class.
        public var runtimeClasses: Set<String>

        /// Exempts what is named; nothing by default.
        public init(users: Set<String> = [], namespaces: Set<String> = [], runtimeClasses: Set<String> = []) {
            self.users = users
            self.namespaces = namespaces
            self.runtimeClasses = runtimeClasses
        }
    }

    let lookup: any ClusterLookup
    let clock: any ClusterClock
    let defaults: PodSecurityPolicy
    let exemptions: Exemptions
    static let namespaces = GroupResource.core("namespaces")
    static let pods = GroupResource.core("pods")

    /// - Parameters:
    ///   - lookup: Where namespaces and pods are looked up.
    ///   - clock: Bounds the time for which the pods of a namespace are looked at.
    ///   - defaults: What a namespace without labels asks.
    ///   - exemptions: Who and what is not looked at.
    public init(
        lookup: any ClusterLookup,
        clock: any ClusterClock = SystemClock(),
        defaults: PodSecurityPolicy = PodSecurityPolicy(),
        exemptions: Exemptions = Exemptions()
    ) {
        self.lookup = lookup
        self.clock = clock
        self.defaults = defaults
        self.exemptions = exemptions
    }

    /// The plugin's name.
    public var name: String { "PodSecurity" }

    /// Where the pod stands in what makes pods, by resource.
    private static let templates: [GroupResource: [String]] = {
        var templates: [GroupResource: [String]] = [
            .core("replicationcontrollers"): ["spec", "template"], .core("podtemplates"): ["template"],
            GroupResource(group: "batch", resource: "jobs"): ["spec", "template"],
            GroupResource(group: "batch", resource: "cronjobs"): ["spec", "jobTemplate", "spec", "template"],
        ]
        for resource in ["replicasets", "deployments", "statefulsets", "daemonsets"] {
            templates[GroupResource(group: "apps", resource: resource)] = ["spec", "template"]
        }
        return templates
    }()
    private static let enforceKey = PodSecurityPolicy.prefix + "enforce-policy"
    private static let privileged = PodSecurityStandard(.privileged).description
    private static let ignoredSubresources: Set<String> = [
        "exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status",
    ]

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        guard request.operation == .create || request.operation == .update else { return false }
        if request.resource.group.isEmpty, request.resource.resource == "pods" {
            return !Self.ignoredSubresources.contains(request.subresource)
        }
        guard request.subresource.isEmpty else { return false }
        return request.writes(core: "namespaces") || Self.templates[request.resource.groupResource] != nil
    }

    /// Refuses what may not be, and warns.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let object = request.object else { return }
        if request.writes(core: "namespaces") { return try checkNamespace(object, request) }
        if isExempt(request) { return }
        guard let namespace = await namespace(request.namespace) else {
            guard request.resource.resource == "pods" else { return note("error", "failed to lookup namespace", request) }
            throw .internalError("failed to lookup namespace \(GoQuote.quote(request.namespace))")
        }
        let (policy, issues) = PodSecurityPolicy.read(namespace.value(at: ["metadata", "labels"]), defaults: defaults)
        if !issues.isEmpty { note("error", "Failed to parse policy: \(FieldIssue.aggregate(issues))", request) }
        guard request.resource.resource == "pods" else {
            guard policy.warn.level != .privileged || policy.audit.level != .privileged || !issues.isEmpty,
                let path = Self.templates[request.resource.groupResource], let template = object.value(at: path),
                template != .null
            else { return }
            return try check(template, policy, request, isEnforced: false)
        }
        if issues.isEmpty, policy.isPrivileged { return request.annotate(Self.enforceKey, Self.privileged) }
        if request.operation == .update, let old = request.oldObject, !Self.isSignificant(object, old) { return }
        try check(object, policy, request, isEnforced: true)
    }

    private func isExempt(_ request: AdmissionRequest) -> Bool {
        if exemptions.namespaces.contains(request.namespace) {
            note("exempt", "namespace", request)
        } else if exemptions.users.contains(request.user.name) {
            note("exempt", "user", request)
        } else {
            return false
        }
        return true
    }

    private func check(
        _ pod: JSONValue,
        _ policy: PodSecurityPolicy,
        _ request: AdmissionRequest,
        isEnforced: Bool
    ) throws(APIError) {
        let reviewed = ReviewedPod(metadata: pod["metadata"], spec: pod["spec"] ?? [:])
        if isExempt(reviewed) { return note("exempt", "runtimeClass", request) }
        var known: [PodSecurityStandard: [PodSecurityViolation]] = [:]
        func violations(_ standard: PodSecurityStandard) -> [PodSecurityViolation] {
            if let found = known[standard] { return found }
            let found = PodSecurityCheck.violations(standard, reviewed)
            known[standard] = found
            return found
        }
        let audited = violations(policy.audit)
        if !audited.isEmpty { note("audit-violations", "would \(Self.words(policy.audit, audited))", request) }
        if isEnforced {
            note("enforce-policy", policy.enforce.description, request)
            let refused = violations(policy.enforce)
            guard refused.isEmpty else {
                let name = request.name.isEmpty ? pod.value(at: ["metadata", "name"])?.string ?? "" : request.name
                throw .forbidden(Self.pods, name, Self.words(policy.enforce, refused, verb: "violates"))
            }
        }
        let warned = violations(policy.warn)
        if !warned.isEmpty { request.warn("would \(Self.words(policy.warn, warned))") }
    }

    private static func words(_ standard: PodSecurityStandard, _ found: [PodSecurityViolation], verb: String = "violate") -> String {
        "\(verb) PodSecurity \"\(standard)\": \(PodSecurityCheck.details(found))"
    }

    func isExempt(_ pod: ReviewedPod) -> Bool {
        guard let name = pod.spec["runtimeClassName"]?.string else { return false }
        return exemptions.runtimeClasses.contains(name)
    }

    private func namespace(_ name: String) async -> JSONValue? {
        if let known = lookup.object(Self.namespaces, namespace: "", name: name) { return known }
        return await lookup.currentObject(Self.namespaces, namespace: "", name: name)
    }

    func note(_ key: String, _ value: String, _ request: AdmissionRequest) {
        request.annotate(PodSecurityPolicy.prefix + key, value)
    }

    /// Whether an update changes anything that the checks look at: images, and which containers there are.
    private static func isSignificant(_ pod: JSONValue, _ old: JSONValue) -> Bool {
        for list in ["containers", "initContainers"] {
            let now = (pod.value(at: ["spec", list])?.array ?? []).map { $0["image"]?.string ?? "" }
            let before = (old.value(at: ["spec", list])?.array ?? []).map { $0["image"]?.string ?? "" }
            if now != before { return true }
        }
        let before = old.value(at: ["spec", "ephemeralContainers"])?.array ?? []
        return (pod.value(at: ["spec", "ephemeralContainers"])?.array ?? []).contains { container in
            guard let known = before.first(where: { $0["name"] == container["name"] }) else { return true }
            return known["image"] != container["image"]
        }
    }
}
