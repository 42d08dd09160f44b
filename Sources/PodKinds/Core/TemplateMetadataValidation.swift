import Schema
import Units
import Values

/// What is wrong with the metadata of a template: labels and annotations are all it may have.
package enum TemplateMetadataValidation {
    /// The other fields, as upstream's messages spell them; the field itself where it is spelled otherwise.
    private static let others: [(shown: String, field: String)] = [
        ("name", "name"), ("generateName", "generateName"), ("namespace", "namespace"), ("selfLink", "selfLink"), ("uID", "uid"),
        ("resourceVersion", "resourceVersion"), ("generation", "generation"), ("creationTimestamp", "creationTimestamp"),
        ("deletionTimestamp", "deletionTimestamp"), ("deletionGracePeriodSeconds", "deletionGracePeriodSeconds"),
        ("ownerReferences", "ownerReferences"), ("finalizers", "finalizers"), ("managedFields", "managedFields"),
    ]

    /// Checks the metadata at `path`.
    package static func check(_ metadata: JSONValue?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let metadata else { return }
        annotations(metadata, path.child("annotations"), &issues)
        SelectorValidation.labels(metadata["labels"], path.child("labels"), &issues)
        for (shown, field) in others {
            switch metadata[field] {
            case nil, .null?, .string("")?: continue
            case .integer(0)? where field == "generation": continue
            default: issues.forbidden(path.child(shown), "cannot be set")
            }
        }
    }

    /// Annotations have the keys of labels in any case, and any values.
    package static func annotations(_ metadata: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        for (key, _) in metadata.members("annotations") { issues.add(Names.qualifiedNameIssues(key.lowercased()), path, key) }
    }
}
