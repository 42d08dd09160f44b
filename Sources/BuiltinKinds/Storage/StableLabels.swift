import Values

/// The labels of nodes that were beta once: an affinity that does not change otherwise may move to their stable names.
enum StableLabels {
    private static let ofBeta: [String: String] = [
        "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
        "beta.kubernetes.io/os": "kubernetes.io/os",
        "beta.kubernetes.io/arch": "kubernetes.io/arch",
        "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    ]

    /// A volume's node affinity `old` with the stable names that `new` has in the same places.
    static func taken(by old: JSONValue, from new: JSONValue?) -> JSONValue {
        guard var terms = old.value(at: termsPath)?.array, let others = new?.value(at: termsPath)?.array, terms.count == others.count
        else { return old }
        for index in terms.indices {
            for field in ["matchExpressions", "matchFields"] {
                guard let mine = terms[index][field]?.array, let theirs = others[index][field]?.array, mine.count == theirs.count
                else { continue }
                terms[index][field] = .array(zip(mine, theirs).map(requirement))
            }
        }
        var result = old
        result.set(.array(terms), at: termsPath)
        return result
    }

    private static let termsPath = ["required", "nodeSelectorTerms"]

    private static func requirement(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        // A key that has no stable name may go altogether: that is refused for its own sake.
        let (key, stable) = (new["key"]?.string ?? "", ofBeta[old["key"]?.string ?? ""] ?? "")
        guard key == stable else { return old }
        var old = old
        old["key"] = new["key"]
        return old
    }
}
