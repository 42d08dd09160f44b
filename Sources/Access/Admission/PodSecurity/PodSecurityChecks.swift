import APIModel
import Values

/// What a check has against a pod.
struct PodSecurityViolation: Hashable {
    /// In a few words.
    var reason: String
    /// Which parts of the pod, and what would be right; may be empty.
    var detail: String
}

/// A pod, or what a controller makes pods of, as the checks see it.
struct ReviewedPod {
    /// The pod's annotations.
    let annotations: JSONObject
    /// The pod's spec.
    let spec: JSONValue
    /// Init containers, containers and ephemeral ones, in this order.
    let containers: [JSONValue]

    init(metadata: JSONValue?, spec: JSONValue) {
        annotations = metadata?["annotations"]?.object ?? [:]
        self.spec = spec
        containers = PodReferences.containers(spec)
    }

    var securityContext: JSONValue? { spec["securityContext"] }
    var isWindows: Bool { spec.value(at: ["os", "name"])?.string == "windows" }
    /// Root in a user namespace is nobody outside of it.
    var hasUserNamespace: Bool { spec["hostUsers"]?.bool == false }

    /// The names of the containers for which the condition holds.
    func names(_ condition: (JSONValue) -> Bool) -> [String] {
        containers.filter(condition).map { $0["name"]?.string ?? "" }
    }

    /// The pod and its containers whose member of the security context the condition calls bad, worded for a message.
    func setters(of member: String, _ isBad: (JSONValue) -> Bool) -> [String] {
        var setters: [String] = []
        if let own = securityContext?[member], own != .null, isBad(own) { setters.append("pod") }
        let named = names { container in
            guard let own = container["securityContext"]?[member], own != .null else { return false }
            return isBad(own)
        }
        if !named.isEmpty { setters.append(Self.containers(named)) }
        return setters
    }

    /// `container "a"` or `containers "a", "b"`.
    static func containers(_ names: [String]) -> String { "\(plural("container", names.count)) \(quoted(names))" }

    static func quoted(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }

    static func plural(_ word: String, _ count: Int) -> String { count == 1 ? word : word + "s" }
}

/// One rule of the pod security standards with what it was in earlier releases. The rules, their order and their words are
/// upstream's (staging/src/k8s.io/pod-security-admission/policy).
struct PodSecurityCheck: Sendable {
    typealias Rule = @Sendable (ReviewedPod) -> PodSecurityViolation?

    /// A form of the rule, and the first release (`v1.n`) that has it.
    struct Form: Sendable {
        let since: Int
        let rule: Rule
        /// The rules of the baseline that this one replaces.
        var replaces: [String] = []
    }

    let id: String
    /// From the oldest to the newest.
    let forms: [Form]

    init(_ id: String, _ forms: [Form]) {
        self.id = id
        self.forms = forms
    }

    private func form(_ version: PodSecurityVersion) -> Form? { forms.last { $0.since <= version.number } }

    /// What a standard has against a pod, in upstream's order.
    static func violations(_ standard: PodSecurityStandard, _ pod: ReviewedPod) -> [PodSecurityViolation] {
        guard standard.level != .privileged else { return [] }
        let strict = standard.level == .restricted ? restricted.compactMap { $0.form(standard.version) } : []
        let replaced = Set(strict.flatMap(\.replaces))
        let base = baseline.filter { !replaced.contains($0.id) }.compactMap { $0.form(standard.version) }
        return (base + strict).compactMap { $0.rule(pod) }
    }

    /// The violations as one sentence, with what would be right.
    static func details(_ violations: [PodSecurityViolation]) -> String {
        violations.map { $0.detail.isEmpty ? $0.reason : "\($0.reason) (\($0.detail))" }.joined(separator: ", ")
    }

    /// The violations in a few words.
    static func reasons(_ violations: [PodSecurityViolation]) -> String {
        violations.map(\.reason).joined(separator: ", ")
    }
}
