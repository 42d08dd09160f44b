import APIModel
import PodKinds
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
        if let generation = metadata["generation"]?.int, generation < 0 {
            issues.append(.invalid(path.child("generation"), .integer(generation), "must be greater than or equal to 0"))
        }
        issues += labelIssues(metadata)
        issues += annotationIssues(metadata)
        issues += ownerIssues(metadata)
        issues += finalizerIssues(metadata)
        issues += recordIssues(metadata)
        return issues
    }

    /// The issues of a new object as upstream lists them: its name as the kind sees it, the rest of its metadata, the
    /// kind's own.
    static func joined(_ metadata: [FieldIssue], with own: [FieldIssue]) -> [FieldIssue] {
        if own.isEmpty || metadata.isEmpty { return own + metadata }
        let names: Set<FieldPath> = [path.child("name"), path.child("generateName")]
        let known = Set(own)
        let first = own.prefix { names.contains($0.path) }
        let rest = metadata.filter { !known.contains($0) && (first.isEmpty || !names.contains($0.path)) }
        return first + rest + own.dropFirst(first.count)
    }

    private static let repeatedFields = ["labels", "annotations", "ownerReferences", "managedFields"].map { "metadata.\($0)" }

    /// Of the issues of metadata those that upstream finds of a change as well as of a new object.
    static func repeated(_ whole: [FieldIssue]) -> [FieldIssue] {
        whole.filter { issue in
            let place = issue.path.description
            return repeatedFields.contains { place.hasPrefix($0) }
        }
    }

    private static let maxSubresourceLength = 256
    private static let maxManagerLength = 128

    private static func recordIssues(_ metadata: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        for (index, entry) in (metadata["managedFields"]?.array ?? []).enumerated() {
            let field = path.child("managedFields").index(index)
            let operation = entry["operation"]?.string ?? ""
            if operation != "Apply", operation != "Update" {
                issues.append(.invalid(field.child("operation"), .string(operation), "must be `Apply` or `Update`"))
            }
            let type = entry["fieldsType"]?.string ?? ""
            if !type.isEmpty, type != "FieldsV1" {
                issues.append(.invalid(field.child("fieldsType"), .string(type), "must be `FieldsV1`"))
            }
            if (entry["manager"]?.string?.utf8.count ?? 0) > maxManagerLength {
                issues.append(.tooLong(field.child("manager"), maximum: maxManagerLength))
            }
            if (entry["subresource"]?.string?.utf8.count ?? 0) > maxSubresourceLength {
                issues.append(.tooLong(field.child("subresource"), maximum: maxSubresourceLength))
            }
        }
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
        for owner in metadata["ownerReferences"]?.array ?? [] {
            issues += missing(owner, at: field)
            guard owner["controller"]?.bool == true else { continue }
            let name = "\(owner["kind"]?.string ?? "")/\(owner["name"]?.string ?? "")"
            if let first = controller {
                let text = "Only one reference can have Controller set to true. Found \"true\" in references for \(first) and \(name)"
                issues.append(.invalid(field, metadata["ownerReferences"], as: "[metav1.OwnerReference", text))
                continue
            }
            controller = name
        }
        return issues
    }

    private static func missing(_ owner: JSONValue, at field: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        func check(_ name: String, _ detail: String) {
            guard (owner[name]?.string ?? "").isEmpty else { return }
            issues.append(.invalid(field.child(name), .string(""), detail))
        }
        let version = owner["apiVersion"]?.string ?? ""
        if version.isEmpty || version.hasSuffix("/") || version.filter({ $0 == "/" }).count > 1 {
            issues.append(.invalid(field.child("apiVersion"), .string(version), "version must not be empty"))
        }
        check("kind", "must not be empty")
        check("name", "must not be empty")
        check("uid", "must not be empty")
        if owner["kind"]?.string == "Event", owner["apiVersion"]?.string == "v1" {
            issues.append(.invalid(field, owner, as: "metav1.OwnerReference", "/v1, Kind=Event is disallowed from being an owner"))
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

    /// Kinds that upstream checks by the rules of its library alone.
    private static let looseGroups: Set<String> = ["apiextensions.k8s.io", "apiregistration.k8s.io", "admissionregistration.k8s.io"]

    /// Finalizers of built-in kinds are standard ones or name their owner's domain.
    static func finalizerNameIssues(_ object: JSONValue, of descriptor: KindDescriptor) -> [FieldIssue] {
        guard !descriptor.isCustom, !looseGroups.contains(descriptor.group) else { return [] }
        return finalizerNameIssues(object["metadata"], path.child("finalizers"))
    }

    /// Those among the `finalizers` of an object's metadata, or of a namespace's spec, that name nobody.
    static func finalizerNameIssues(_ part: JSONValue?, _ field: FieldPath) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        for (index, name) in finalizers(part).enumerated() {
            guard !name.contains("/"), ![orphanFinalizer, foregroundFinalizer, "kubernetes"].contains(name) else { continue }
            issues.append(
                .invalid(field.index(index), .string(name), "name is neither a standard finalizer name nor is it fully qualified")
            )
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
