import APIModel
import Access
import Units
import Values

/// What a rule matched: the resource that it named, which may be another version of the one asked for.
public struct MatchedResource: Sendable, Hashable {
    /// The resource, in the group and version of the rule.
    public var resource: GroupVersionResource
    /// The kind in which webhook or policy see the object.
    public var kind: GroupVersionKind
}

/// Decides whether webhooks and policies are about a request. Webhooks and policies share it.
///
/// Source: apiserver admission/plugin/webhook/generic/webhook.go and admission/plugin/policy/matching/matching.go.
public struct RequestMatcher: Sendable {
    /// The kinds served.
    public let kinds: any AdmissionKinds
    private let lookup: any ClusterLookup

    /// A matcher that finds namespaces with `lookup`.
    public init(kinds: any AdmissionKinds, lookup: any ClusterLookup) {
        self.kinds = kinds
        self.lookup = lookup
    }

    /// What of the criteria matched; nil when the request is none of their business.
    ///
    /// Errors: 404 when the namespace does not exist, 500 when a selector cannot be read; both only for requests that the
    /// rules match.
    public func match(_ criteria: MatchCriteria, _ request: AdmissionRequest) async throws(APIError) -> MatchedResource? {
        // Rules come first because they are cheap; upstream asks the selectors first, with the same outcome.
        if try ruleMatch(criteria.excluded, criteria.isEquivalent, request) != nil { return nil }
        let matched: MatchedResource?
        if criteria.matchesWithoutRules, criteria.rules.isEmpty {
            matched = MatchedResource(resource: request.resource, kind: request.kind)
        } else {
            matched = try ruleMatch(criteria.rules, criteria.isEquivalent, request)
        }
        guard let matched, Self.isSelected(by: criteria.objectSelector, request) else { return nil }
        guard try await isInSelectedNamespace(criteria.namespaceSelector, request) else { return nil }
        if case .failure(let error) = criteria.objectSelector { throw .internalError(error.description) }
        return matched
    }

    /// The namespace that the request is in, for those that look at it; nil when it is in none.
    ///
    /// Errors: 404 when it does not exist.
    public func namespace(of request: AdmissionRequest) async throws(APIError) -> JSONValue? {
        let name = request.objectNamespace
        guard !name.isEmpty else { return nil }
        if let known = lookup.object(.core("namespaces"), namespace: "", name: name) { return known }
        // A cache may not have seen yet what was created a moment ago.
        guard let stored = await lookup.currentObject(.core("namespaces"), namespace: "", name: name) else {
            throw .notFound(.core("namespaces"), name)
        }
        return stored
    }

    private func ruleMatch(
        _ rules: [ResourceRule],
        _ isEquivalent: Bool,
        _ request: AdmissionRequest
    ) throws(APIError) -> MatchedResource? {
        for rule in rules where rule.matches(request, as: request.resource) && rule.names(request) {
            return MatchedResource(resource: request.resource, kind: request.kind)
        }
        guard isEquivalent, !rules.isEmpty else { return nil }
        let others = kinds.equivalents(of: request.resource, subresource: request.subresource).filter { $0 != request.resource }
        guard !others.isEmpty else { return nil }
        for rule in rules {
            for other in others where rule.matches(request, as: other) {
                guard let kind = kinds.kind(of: other, subresource: request.subresource) else {
                    throw .internalError("unable to convert to \(other): unknown kind")
                }
                if rule.names(request) { return MatchedResource(resource: other, kind: kind) }
            }
        }
        return nil
    }

    /// Whether the new or the old object has the labels asked for. A selector that cannot be read does not exclude.
    private static func isSelected(by selector: Result<LabelSelector, SelectorError>, _ request: AdmissionRequest) -> Bool {
        guard case .success(let selector) = selector, !selector.isEverything else { return true }
        return [request.object, request.oldObject].contains { object in
            guard let metadata = object?["metadata"] else { return false }
            return selector.matches(labels(metadata))
        }
    }

    private func isInSelectedNamespace(
        _ selector: Result<LabelSelector, SelectorError>,
        _ request: AdmissionRequest
    ) async throws(APIError) -> Bool {
        // What is in no namespace is never exempted.
        if request.objectNamespace.isEmpty && request.resource.resource != "namespaces" { return true }
        let wanted: LabelSelector
        switch selector {
        case .success(let read): wanted = read
        case .failure(let error): throw .internalError(error.description)
        }
        if wanted.isEverything { return true }
        let isNamespace = request.resource.resource == "namespaces" && request.subresource.isEmpty
        if isNamespace, request.operation == .create || request.operation == .update {
            // The cache does not have the newest yet; it comes with the request.
            return wanted.matches(Self.labels(request.object?["metadata"] ?? [:]))
        }
        let namespace = try await namespace(of: request)
        return wanted.matches(Self.labels(namespace?["metadata"] ?? [:]))
    }

    private static func labels(_ metadata: JSONValue) -> [String: String] {
        guard let members = metadata["labels"]?.object else { return [:] }
        var labels: [String: String] = [:]
        for (key, value) in members { labels[key] = value.string ?? "" }
        return labels
    }
}
