import Units
import Values

/// Which requests a webhook or a policy is about. Read once per change of its object.
public struct MatchCriteria: Sendable {
    /// The rules, of which one has to match.
    public var rules: [ResourceRule]
    /// The rules of which none may match; only policies have these.
    public var excluded: [ResourceRule]
    /// The labels of the namespace, or why the selector cannot be read.
    public var namespaceSelector: Result<LabelSelector, SelectorError>
    /// The labels of the new or of the old object, or why the selector cannot be read.
    public var objectSelector: Result<LabelSelector, SelectorError>
    /// Whether a rule also matches requests for the same objects in other groups and versions (`matchPolicy: Equivalent`).
    public var isEquivalent: Bool
    /// Whether no rules at all means every request, as policies have it.
    public var matchesWithoutRules: Bool

    /// Reads one entry of `webhooks`.
    public init(webhook: JSONValue) {
        self.init(webhook, rules: "rules", excluded: nil, matchesWithoutRules: false)
    }

    /// Reads a policy's `matchConstraints` or a binding's `matchResources`.
    public init(matchResources: JSONValue) {
        self.init(matchResources, rules: "resourceRules", excluded: "excludeResourceRules", matchesWithoutRules: true)
    }

    private init(_ value: JSONValue, rules: String, excluded: String?, matchesWithoutRules: Bool) {
        self.rules = value[rules]?.array?.map { ResourceRule($0) } ?? []
        self.excluded = excluded.flatMap { value[$0]?.array?.map { ResourceRule($0) } } ?? []
        self.matchesWithoutRules = matchesWithoutRules
        namespaceSelector = Self.selector(value["namespaceSelector"])
        objectSelector = Self.selector(value["objectSelector"])
        isEquivalent = value["matchPolicy"]?.string == "Equivalent"
    }

    private static func selector(_ value: JSONValue?) -> Result<LabelSelector, SelectorError> {
        // The API fills in the empty selector, which selects everything.
        guard let value, !value.isNull else { return .success(.everything) }
        do throws(SelectorError) {
            return .success(try LabelSelector(json: value))
        } catch {
            return .failure(error)
        }
    }
}
