import Schema
import Units
import Values

/// Checks how a definition converts between its versions.
///
/// Source: apiextensions validation (validateCustomResourceConversion), apiserver util/webhook.
struct ConversionCheck {
    private let definition: JSONValue
    private let old: JSONValue?

    init(_ definition: JSONValue, old: JSONValue?) {
        self.definition = definition
        self.old = old
    }

    func issues(at path: FieldPath) -> [FieldIssue] {
        guard let conversion = definition.value(at: ["spec", "conversion"]), conversion.object != nil else { return [] }
        let strategy = conversion["strategy"]?.string ?? ""
        var issues: [FieldIssue] = []
        if strategy != "None", definition.value(at: ["spec", "preserveUnknownFields"])?.bool == true {
            let words = "must be None if spec.preserveUnknownFields is true"
            issues.append(.invalid(path.child("strategy"), .string(strategy), words))
        }
        if strategy.isEmpty {
            issues.append(.required(path.child("strategy")))
        } else if strategy != "None", strategy != "Webhook" {
            issues.append(.notSupported(path.child("strategy"), .string(strategy), ["None", "Webhook"]))
        }
        let client = conversion.value(at: ["webhook", "clientConfig"])
        let versions = conversion.value(at: ["webhook", "conversionReviewVersions"])?.array?.compactMap(\.string) ?? []
        let clientPath = path.child("webhookClientConfig")
        let versionsPath = path.child("conversionReviewVersions")
        guard strategy == "Webhook" else {
            let words = "should not be set when strategy is not set to Webhook"
            if client?.object != nil { issues.append(.forbidden(clientPath, words)) }
            if !versions.isEmpty { issues.append(.forbidden(versionsPath, words)) }
            return issues
        }
        if let client, client.object != nil {
            issues += clientIssues(client, clientPath)
        } else {
            issues.append(.required(clientPath, "required when strategy is set to Webhook"))
        }
        return issues + versionIssues(versions, versionsPath)
    }

    private func clientIssues(_ client: JSONValue, _ path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        switch (client["url"]?.string, client["service"]?.object) {
        case (nil, nil), (.some, .some): issues.append(.required(path, "exactly one of url or service is required"))
        case (let url?, nil): issues += Self.urlIssues(url, path.child("url"))
        case (nil, .some): issues += Self.serviceIssues(client["service"] ?? [:], path.child("service"))
        }
        if let bundle = client["caBundle"]?.string, !bundle.isEmpty, !mayHaveBrokenBundle, !ConversionWebhook.isBundle(bundle) {
            let words = "unable to load root certificates: unable to parse bytes as PEM block"
            issues.append(.invalid(path.child("caBundle"), .string(bundle), words))
        }
        return issues
    }

    /// A bundle may be broken until the kind is served, and stay so when it was.
    private var mayHaveBrokenBundle: Bool {
        guard let old, DefinitionConditions(old).isTrue("Established") else { return true }
        return ConversionWebhook.hasBrokenAuthorities(old)
    }

    private static func urlIssues(_ text: String, _ path: FieldPath) -> [FieldIssue] {
        let form = "; desired format: https://host[/path]"
        guard let url = WebAddress(text) else {
            return [.required(path, "url must be a valid URL: parse \(GoQuote.quote(text)): invalid URL\(form)")]
        }
        var issues: [FieldIssue] = []
        if url.scheme != "https" {
            issues.append(.invalid(path, .string(url.scheme), "'https' is the only allowed URL scheme\(form)"))
        }
        if url.host.isEmpty { issues.append(.invalid(path, "", "host must be specified\(form)")) }
        if let user = url.user {
            issues.append(.invalid(path, .string(user), "user information is not permitted in the URL"))
        }
        if !url.fragment.isEmpty {
            issues.append(.invalid(path, .string(url.fragment), "fragments are not permitted in the URL"))
        }
        if !url.query.isEmpty {
            issues.append(.invalid(path, .string(url.query), "query parameters are not permitted in the URL"))
        }
        return issues
    }

    /// Upstream passes the name where the namespace is expected and the other way round; so do the fields named here.
    private static func serviceIssues(_ service: JSONValue, _ path: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if (service["namespace"]?.string ?? "").isEmpty { issues.append(.required(path.child("name"))) }
        if (service["name"]?.string ?? "").isEmpty { issues.append(.required(path.child("namespace"))) }
        let port = service["port"]?.int ?? 443
        let wrong = Names.portNumberIssues(port)
        if !wrong.isEmpty {
            issues.append(.invalid(path.child("port"), .integer(port), "port is not valid: " + wrong.joined(separator: ", ")))
        }
        guard let text = service["path"]?.string, !text.isEmpty, text != "/" else { return issues }
        let field = path.child("path")
        let value = JSONValue.string(text)
        if text == "//" { return issues + [.invalid(field, value, "segment[0] may not be empty")] }
        if !text.hasPrefix("/") { issues.append(.invalid(field, value, "must start with a '/'")) }
        var rest = text.dropFirst()
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        for (index, step) in rest.split(separator: "/", omittingEmptySubsequences: false).enumerated() {
            if step.isEmpty {
                issues.append(.invalid(field, value, "segment[\(index)] may not be empty"))
                continue
            }
            issues += Names.dns1123SubdomainIssues(String(step)).map { .invalid(field, value, "segment[\(index)]: \($0)") }
        }
        return issues
    }

    private func versionIssues(_ versions: [String], _ path: FieldPath) -> [FieldIssue] {
        guard !versions.isEmpty else { return [.required(path)] }
        var issues: [FieldIssue] = []
        var seen: Set<String> = []
        for (index, version) in versions.enumerated() {
            guard seen.insert(version).inserted else {
                issues.append(.invalid(path.index(index), .string(version), "duplicate version"))
                continue
            }
            issues += Names.dns1035LabelIssues(version).map { .invalid(path.index(index), .string(version), $0) }
        }
        let before = old?.value(at: ["spec", "conversion", "webhook", "conversionReviewVersions"])?.array?.compactMap(\.string) ?? []
        let wasRecognized = before.isEmpty || !seen.isDisjoint(with: before) || before.contains { $0 == "v1" || $0 == "v1beta1" }
        if wasRecognized, !seen.contains("v1"), !seen.contains("v1beta1") {
            issues.append(.invalid(path, JSONValue(versions), "must include at least one of v1, v1beta1"))
        }
        return issues
    }
}
