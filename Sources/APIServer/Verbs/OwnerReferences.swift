import Values

/// An object's list of owners.
enum OwnerReferences {
    private static let path = ["metadata", "ownerReferences"]
    private static let words =
        "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests"

    /// Drops references that stand there twice, and says so.
    static func merge(in object: inout JSONValue, _ warnings: WarningList, isAfterAdmission: Bool = false) {
        guard let given = object.value(at: path)?.array, given.count > 1 else { return }
        var seen: Set<JSONValue> = []
        var kept: [JSONValue] = []
        var repeated: [String] = []
        for reference in given {
            if seen.insert(reference).inserted { kept.append(reference) } else { repeated.append(reference["uid"]?.string ?? "") }
        }
        guard !repeated.isEmpty else { return }
        object.set(.array(kept), at: path)
        let place = isAfterAdmission ? "duplicate entries after mutating admission happens" : "duplicate entries"
        let uids = repeated.joined(separator: ", ")
        warnings.add(".metadata.ownerReferences contains \(place); \(words); duplicate UID(s) observed: \(uids)")
    }
}
