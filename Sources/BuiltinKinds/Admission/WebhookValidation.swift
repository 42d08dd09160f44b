import PodKinds
import Schema
import Units
import Values

/// What is wrong with webhook configurations.
///
/// Source: pkg/apis/admissionregistration/validation.
struct WebhookValidation {
    /// Whether webhooks may change what they are shown.
    let isMutating: Bool
    /// The rules that an update relaxes for what was stored before there were such rules.
    private let relaxed: Relaxations

    private struct Relaxations {
        var matchConditions = false
        var sideEffects = false
        var reviewVersions = false
        var names = false
        var selectorValues = false
    }

    private static let reviewVersions = ["v1", "v1beta1"]
    private static let sideEffects = ["None", "NoneOnDryRun"]
    private static let allSideEffects = ["None", "NoneOnDryRun", "Some", "Unknown"]
    private static let longestTimeout: Int64 = 30

    /// Prepares to check a configuration that replaces `old`, or a new one.
    ///
    /// - Parameter version: The version of the request; in `v1beta1` webhooks could leave their side effects open.
    init(isMutating: Bool, old: JSONValue? = nil, version: String = "") {
        self.isMutating = isMutating
        let isOpen = version == "v1beta1"
        guard let hooks = old?.list("webhooks") else {
            relaxed = Relaxations(sideEffects: isOpen)
            return
        }
        relaxed = Relaxations(
            sideEffects: isOpen || hooks.contains { !Self.sideEffects.contains($0.text("sideEffects")) },
            reviewVersions: hooks.contains { hook in
                let versions = hook.texts("admissionReviewVersions")
                return !versions.isEmpty && !versions.contains(where: Self.reviewVersions.contains)
            },
            names: Set(hooks.map { $0.text("name") }).count < hooks.count,
            selectorValues: hooks.contains(where: Self.hasBadSelector)
        )
    }

    private static func hasBadSelector(_ hook: JSONValue) -> Bool {
        var issues: [FieldIssue] = []
        for field in ["namespaceSelector", "objectSelector"] { SelectorValidation.selector(hook[field], .root, &issues) }
        return !issues.isEmpty
    }

    /// A whole configuration; conditions that an update leaves alone are not checked again.
    func check(_ object: JSONValue, old: JSONValue? = nil, _ issues: inout [FieldIssue]) {
        let hooks = object.list("webhooks")
        let before = old?.list("webhooks")
        let keepsConditions =
            before.map { before in
                before.count == hooks.count && zip(before, hooks).allSatisfy { $0["matchConditions"] == $1["matchConditions"] }
            } ?? false
        let known = Set((before ?? []).flatMap { $0.list("matchConditions").map { $0.text("expression") } })
        var names: Set<String> = []
        for (index, hook) in hooks.enumerated() {
            let path = FieldPath("webhooks").index(index)
            self.hook(hook, path, &issues)
            if !keepsConditions {
                let scope = ExpressionScope(hasParameters: false, hasAuthorizer: true, known: known)
                MatchRuleValidation.conditions(hook.list("matchConditions"), scope, path.child("matchConditions"), &issues)
            }
            versions(hook, path.child("admissionReviewVersions"), &issues)
            let name = hook.text("name")
            if !relaxed.names, !name.isEmpty, !names.insert(name).inserted {
                issues.append(.duplicate(path.child("name"), .string(name)))
            }
        }
    }

    private func hook(_ hook: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        name(hook.text("name"), path.child("name"), &issues)
        for (index, rule) in hook.list("rules").enumerated() {
            MatchRuleValidation.rule(rule, path.child("rules").index(index), &issues)
        }
        if let policy = hook["failurePolicy"]?.string { issues.oneOf(policy, ["Fail", "Ignore"], path.child("failurePolicy")) }
        if let policy = hook["matchPolicy"]?.string { issues.oneOf(policy, ["Equivalent", "Exact"], path.child("matchPolicy")) }
        let allowed = relaxed.sideEffects ? Self.allSideEffects : Self.sideEffects
        if let effects = hook["sideEffects"]?.string {
            issues.oneOf(effects, allowed, path.child("sideEffects"))
        } else {
            issues.required(path.child("sideEffects"), "must specify one of \(allowed.joined(separator: ", "))")
        }
        if let seconds = hook["timeoutSeconds"]?.int, !(1...Self.longestTimeout).contains(seconds) {
            let words = "the timeout value must be between 1 and 30 seconds"
            issues.invalid(path.child("timeoutSeconds"), .integer(seconds), words)
        }
        for field in ["namespaceSelector", "objectSelector"] {
            SelectorValidation.selector(hook[field], allowsAnyValue: relaxed.selectorValues, path.child(field), &issues)
        }
        if isMutating, let policy = hook["reinvocationPolicy"]?.string {
            issues.oneOf(policy, ["IfNeeded", "Never"], path.child("reinvocationPolicy"))
        }
        WebhookClientValidation.check(hook["clientConfig"] ?? [:], path.child("clientConfig"), &issues)
    }

    private func name(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if name.isEmpty { return issues.required(path) }
        let problems = Names.dns1123SubdomainIssues(name)
        if !problems.isEmpty { return issues.invalid(path, .string(name), problems.joined(separator: ",")) }
        if name.split(separator: ".", omittingEmptySubsequences: false).count < 3 {
            issues.invalid(path, .string(name), "should be a domain with at least three segments separated by dots")
        }
    }

    private func versions(_ hook: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let versions = hook.texts("admissionReviewVersions")
        let words = Self.reviewVersions.joined(separator: ", ")
        if versions.isEmpty { return issues.required(path, "must specify one of \(words)") }
        var seen: Set<String> = []
        for (index, version) in versions.enumerated() {
            guard seen.insert(version).inserted else {
                issues.invalid(path.index(index), .string(version), "duplicate version")
                continue
            }
            issues.add(Names.dns1035LabelIssues(version), path.index(index), version)
        }
        if !relaxed.reviewVersions, !versions.contains(where: Self.reviewVersions.contains) {
            issues.invalid(path, hook["admissionReviewVersions"], "must include at least one of \(words)")
        }
    }
}

/// What is wrong with where a webhook is said to be: an address or a service.
package enum WebhookClientValidation {
    private static let form = "; desired format: https://host[/path]"

    /// Exactly one of `url` and `service`.
    package static func check(_ client: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (address, service) = (client["url"]?.string, client["service"])
        if (address == nil) == (service == nil) { return issues.required(path, "exactly one of url or service is required") }
        if let address { url(address, path.child("url"), &issues) }
        if let service { self.service(service, path.child("service"), &issues) }
    }

    /// An `https` address with a host, and nothing that a webhook has no use for.
    package static func url(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let url = WebAddress(text) else {
            return issues.required(path, "url must be a valid URL: parse \(GoQuote.quote(text)): invalid URL\(form)")
        }
        if url.scheme != "https" { issues.invalid(path, .string(url.scheme), "'https' is the only allowed URL scheme\(form)") }
        if url.host.isEmpty { issues.invalid(path, .string(url.host), "host must be specified\(form)") }
        if let user = url.user { issues.invalid(path, .string(user), "user information is not permitted in the URL") }
        if !url.fragment.isEmpty { issues.invalid(path, .string(url.fragment), "fragments are not permitted in the URL") }
        if !url.query.isEmpty { issues.invalid(path, .string(url.query), "query parameters are not permitted in the URL") }
    }

    /// A service that serves the webhook.
    package static func service(_ service: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        // Upstream hands the two over in the other order, so each is missed under the other's name.
        issues.need(service.text("namespace"), path.child("name"))
        issues.need(service.text("name"), path.child("namespace"))
        let port = service["port"]?.int ?? 443
        let problems = Names.portNumberIssues(port)
        if !problems.isEmpty {
            issues.invalid(path.child("port"), .integer(port), "port is not valid: \(problems.joined(separator: ", "))")
        }
        if let text = service["path"]?.string { self.path(text, path.child("path"), &issues) }
    }

    private static func path(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if text.isEmpty || text == "/" { return }
        if text == "//" { return issues.invalid(path, .string(text), "segment[0] may not be empty") }
        if !text.hasPrefix("/") { issues.invalid(path, .string(text), "must start with a '/'") }
        var rest = text.dropFirst()
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        for (index, step) in rest.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
            if step.isEmpty {
                issues.invalid(path, .string(text), "segment[\(index)] may not be empty")
                continue
            }
            for problem in Names.dns1123SubdomainIssues(String(step)) {
                issues.invalid(path, .string(text), "segment[\(index)]: \(problem)")
            }
        }
    }
}

/// The parts of a URL, as far as rules ask for them.
struct WebAddress {
    private(set) var scheme = ""
    private(set) var user: String?
    private(set) var host = ""
    private(set) var query = ""
    private(set) var fragment = ""

    /// Takes a text apart; nil when it is no URL.
    init?(_ text: String) {
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return nil }
        var rest = Substring(text)
        if let hash = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), Self.isScheme(rest[..<colon]) {
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        } else if rest.hasPrefix(":") {
            return nil
        }
        guard rest.hasPrefix("//") else { return }
        rest = rest.dropFirst(2)
        var authority = rest.prefix { $0 != "/" }
        if let at = authority.lastIndex(of: "@") {
            user = String(authority[..<at])
            authority = authority[authority.index(after: at)...]
        }
        if authority.contains(" ") { return nil }
        host = String(authority)
        let port = host.hasPrefix("[") ? host[(host.lastIndex(of: "]") ?? host.startIndex)...].dropFirst() : host.drop { $0 != ":" }
        if !port.dropFirst().allSatisfy(\.isNumber) { return nil }
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}
