import Values

/// The names that the definitions of one group have been granted, and who asks for which.
///
/// Source: apiextensions-apiserver controller/status (naming controller).
public struct DefinitionNames: Sendable {
    /// What came of asking.
    struct Outcome: Sendable {
        var accepted: JSONValue
        var condition: DefinitionConditions.Condition
    }

    private var resources: Set<String> = []
    private var kinds: Set<String> = []

    /// Collects the names granted to definitions.
    public init(granted: [JSONValue]) {
        for names in granted {
            for key in ["plural", "singular"] { if let name = names[key]?.string { resources.insert(name) } }
            for name in names["shortNames"]?.array ?? [] { if let name = name.string { resources.insert(name) } }
            for key in ["kind", "listKind"] { if let name = names[key]?.string { kinds.insert(name) } }
        }
    }

    /// Whether these are without a name that was granted before, which others can now have.
    public func lacks(from former: JSONValue) -> Bool {
        let before = DefinitionNames(granted: [former])
        return !before.resources.isSubset(of: resources) || !before.kinds.isSubset(of: kinds)
    }

    /// Grants what nobody else has.
    func grant(_ asked: JSONValue, accepted: JSONValue) -> Outcome {
        var names = accepted
        var reason = ""
        var message = ""
        func ask(_ key: String, _ used: Set<String>, _ conflict: String) {
            let name = asked[key]?.string ?? ""
            guard name != accepted[key]?.string ?? "", used.contains(name) else {
                names[key] = asked[key]
                return
            }
            reason = conflict
            message = "\"\(name)\" is already in use"
        }
        ask("plural", resources, "PluralConflict")
        ask("singular", resources, "SingularConflict")
        let own = Set(accepted["shortNames"]?.array?.compactMap(\.string) ?? [])
        let short = asked["shortNames"]?.array?.compactMap(\.string) ?? []
        let taken = short.filter { !own.contains($0) && resources.contains($0) }
        if taken.isEmpty {
            names["shortNames"] = asked["shortNames"]
        } else {
            reason = "ShortNamesConflict"
            let words = taken.map { "\"\($0)\" is already in use" }
            message = words.count == 1 ? words[0] : "[\(words.joined(separator: ", "))]"
        }
        ask("kind", kinds, "KindConflict")
        ask("listKind", kinds, "ListKindConflict")
        names["categories"] = asked["categories"]
        let condition =
            reason.isEmpty
            ? DefinitionConditions.Condition(
                type: "NamesAccepted",
                status: "True",
                reason: "NoConflicts",
                message: "no conflicts found"
            )
            : DefinitionConditions.Condition(type: "NamesAccepted", status: "False", reason: reason, message: message)
        return Outcome(accepted: names, condition: condition)
    }
}
