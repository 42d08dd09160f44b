import APIModel
import Schema
import Units
import Values

/// The checks of `metadata` that all kinds share.
enum ObjectMetadata {
    private static let path = FieldPath("metadata")
    private static let annotationsLimit = 256 << 10
    static let orphanFinalizer = "orphan"
    static let foregroundFinalizer = "foregroundDeletion"

    /// The issues of an object's metadata.
    static func issues(_ object: JSONValue, namespaced: Bool) -> [FieldIssue] {
        let metadata = object["metadata"] ?? [:]
        var issues = nameIssues(metadata)
        issues += namespaceIssues(metadata, namespaced: namespaced)
        issues += labelIssues(metadata)
        issues += annotationIssues(metadata)
        issues += ownerIssues(metadata)
        issues += finalizerIssues(metadata)
        return issues
    }

    /// What a path segment may not be.
    static func segmentIssues(_ name: String) -> [String] {
        if name == "." || name == ".." { return ["may not be '\(name)'"] }
        return ["/", "%"].filter { name.contains($0) }.map { "may not contain '\($0)'" }
    }

    private static func nameIssues(_ metadata: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if let prefix = metadata["generateName"]?.string, !prefix.isEmpty {
            let wrong = ["/", "%"].filter { prefix.contains($0) }.map { "may not contain '\($0)'" }
            issues += wrong.map { .invalid(path.child("generateName"), .string(prefix), $0) }
        }
        let name = metadata["name"]?.string ?? ""
        if name.isEmpty {
            issues.append(.required(path.child("name"), "name or generateName is required"))
        } else {
            issues += segmentIssues(name).map { .invalid(path.child("name"), .string(name), $0) }
        }
        return issues
    }

    private static func namespaceIssues(_ metadata: JSONValue, namespaced: Bool) -> [FieldIssue] {
        let namespace = metadata["namespace"]?.string ?? ""
        let field = path.child("namespace")
        guard namespaced else { return namespace.isEmpty ? [] : [.forbidden(field, "not allowed on this type")] }
        if namespace.isEmpty { return [.required(field)] }
        return Names.dns1123LabelIssues(namespace).map { .invalid(field, .string(namespace), $0) }
    }

    private static func labelIssues(_ metadata: JSONValue) -> [FieldIssue] {
        let field = path.child("labels")
        var issues: [FieldIssue] = []
        for (key, value) in metadata["labels"]?.object ?? [:] {
            issues += Names.qualifiedNameIssues(key).map { .invalid(field, .string(key), $0) }
            let text = value.string ?? ""
            issues += Names.labelValueIssues(text).map { .invalid(field, .string(text), $0) }
        }
        return issues
    }

    private static func annotationIssues(_ metadata: JSONValue) -> [FieldIssue] {
        let field = path.child("annotations")
        var issues: [FieldIssue] = []
        var size = 0
        for (key, value) in metadata["annotations"]?.object ?? [:] {
            issues += Names.qualifiedNameIssues(key.lowercased()).map { .invalid(field, .string(key), $0) }
            size += key.utf8.count + (value.string?.utf8.count ?? 0)
        }
        if size > annotationsLimit { issues.append(.tooLong(field, maximum: annotationsLimit)) }
        return issues
    }

    private static func ownerIssues(_ metadata: JSONValue) -> [FieldIssue] {
        let field = path.child("ownerReferences")
        var issues: [FieldIssue] = []
        var controller: String?
        for (index, owner) in (metadata["ownerReferences"]?.array ?? []).enumerated() {
            issues += missing(owner, at: field.index(index))
            guard owner["controller"]?.bool == true else { continue }
            let name = "\(owner["kind"]?.string ?? "")/\(owner["name"]?.string ?? "")"
            if let first = controller {
                let text = "Only one reference can have Controller set to true. Found \"true\" in references for \(first) and \(name)"
                issues.append(.invalid(field, metadata["ownerReferences"], text))
            }
            controller = controller ?? name
        }
        return issues
    }

    private static func missing(_ owner: JSONValue, at field: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        func check(_ name: String, _ detail: String) {
            guard (owner[name]?.string ?? "").isEmpty else { return }
            issues.append(.invalid(field.child(name), .string(""), detail))
        }
        check("apiVersion", "version must not be empty")
        check("kind", "must not be empty")
        check("name", "must not be empty")
        check("uid", "must not be empty")
        if owner["kind"]?.string == "Event", owner["apiVersion"]?.string == "v1" {
            issues.append(.invalid(field, owner, "/v1, Kind=Event is disallowed from being an owner"))
        }
        return issues
    }

    private static func finalizerIssues(_ metadata: JSONValue) -> [FieldIssue] {
        let field = path.child("finalizers")
        let finalizers = finalizers(metadata)
        var issues: [FieldIssue] = []
        for name in finalizers { issues += Names.qualifiedNameIssues(name).map { .invalid(field, .string(name), $0) } }
        if finalizers.contains(orphanFinalizer), finalizers.contains(foregroundFinalizer) {
            let text = "finalizer \(orphanFinalizer) and \(foregroundFinalizer) cannot be both set"
            issues.append(.invalid(field, metadata["finalizers"], text))
        }
        return issues
    }

    /// The finalizers in a metadata object.
    static func finalizers(_ metadata: JSONValue?) -> [String] {
        metadata?["finalizers"]?.array?.compactMap(\.string) ?? []
    }

    /// The issues of a change.
    static func updateIssues(_ object: JSONValue, old: JSONValue) -> [FieldIssue] {
        let new = object["metadata"] ?? [:]
        let before = old["metadata"] ?? [:]
        var issues: [FieldIssue] = []
        if before["deletionTimestamp"]?.string != nil {
            let added = Set(finalizers(new)).subtracting(finalizers(before)).sorted()
            if !added.isEmpty {
                let shown = added.map { GoQuote.quote($0) }.joined(separator: ", ")
                issues.append(
                    .forbidden(
                        path.child("finalizers"),
                        "no new finalizers can be added if the object is being deleted, found new finalizers []string{\(shown)}"
                    )
                )
            }
        }
        if (new["generation"]?.int ?? 0) < (before["generation"]?.int ?? 0) {
            issues.append(.invalid(path.child("generation"), new["generation"] ?? 0, "must not be decremented"))
        }
        for name in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            guard new[name] != before[name] else { continue }
            issues.append(.invalid(path.child(name), new[name] ?? .null, "field is immutable"))
        }
        return issues
    }
}
