import Values

/// What a quota's selection asks of an object.
public struct ScopeRequirement: Sendable, Hashable {
    /// The scope, e.g. `PriorityClass`.
    public var scope: String
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    public var comparison: String
    /// What is compared with.
    public var values: [String]

    /// A requirement.
    public init(_ scope: String, _ comparison: String = "Exists", _ values: [String] = []) {
        (self.scope, self.comparison, self.values) = (scope, comparison, values)
    }

    /// Whether a name, nil for none, is what is asked for.
    func accepts(_ name: String?) -> Bool {
        switch comparison {
        case "In": name.map(values.contains) ?? false
        case "NotIn": name.map { !values.contains($0) } ?? true
        case "Exists": name != nil
        case "DoesNotExist": name == nil
        default: false
        }
    }
}

/// A ResourceQuota as accounting sees it.
public struct NamespaceQuota: Sendable {
    /// The quota's name.
    public let name: String
    /// What counts towards it; empty for everything.
    public let scopes: [ScopeRequirement]
    /// The limits that are wanted.
    public let wanted: ResourceAmounts
    /// The limits in force; nil when the controller has not seen the quota yet.
    public let hard: ResourceAmounts?
    /// What is used; nil when nobody has counted yet.
    public var used: ResourceAmounts?
    /// The object read.
    public let object: JSONValue

    /// Reads a quota.
    public init(_ object: JSONValue) {
        self.object = object
        name = object.value(at: ["metadata", "name"])?.string ?? ""
        let spec = object["spec"]
        let plain = (spec?["scopes"]?.array ?? []).compactMap(\.string).map { ScopeRequirement($0) }
        let selected = (spec?["scopeSelector"]?["matchExpressions"]?.array ?? []).map { expression in
            ScopeRequirement(
                expression["scopeName"]?.string ?? "",
                expression["operator"]?.string ?? "",
                (expression["values"]?.array ?? []).compactMap(\.string)
            )
        }
        scopes = plain + selected
        wanted = ResourceAmounts(json: spec?["hard"])
        hard = object["status"]?["hard"].map { ResourceAmounts(json: $0) }
        used = object["status"]?["used"].map { ResourceAmounts(json: $0) }
    }

    /// The names that are limited now.
    public var limitedNames: [String] { hard?.names ?? [] }
}
