import PodKinds
import Schema
import Units
import Values

/// What is wrong with the objects that are asked and answered, and never stored.
///
/// Source: pkg/apis/authentication/validation and pkg/apis/authorization/validation.
public enum ReviewValidation {
    private static let shortestToken: Int64 = 600
    private static let longestToken: Int64 = 1 << 32
    private static let spec = FieldPath("spec")

    /// A TokenRequest.
    public static func tokenRequest(_ object: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let seconds = object["spec"]?["expirationSeconds"]?.int ?? 3600
        let place = spec.child("expirationSeconds")
        if seconds < shortestToken {
            issues.invalid(place, .integer(seconds), "may not specify a duration less than 10 minutes")
        }
        if seconds > longestToken {
            issues.invalid(place, .integer(seconds), "may not specify a duration larger than 2^32 seconds")
        }
        return issues
    }

    /// A SubjectAccessReview.
    public static func subjectAccess(_ object: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        access(object["spec"] ?? [:], namesSubject: true, &issues)
        metadata(object, allowsNamespace: false, &issues)
        return issues
    }

    /// A SelfSubjectAccessReview.
    public static func selfSubjectAccess(_ object: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        access(object["spec"] ?? [:], namesSubject: false, &issues)
        metadata(object, allowsNamespace: false, &issues)
        return issues
    }

    /// A LocalSubjectAccessReview.
    public static func localSubjectAccess(_ object: JSONValue) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        let own = object["spec"] ?? [:]
        access(own, namesSubject: true, &issues)
        metadata(object, allowsNamespace: true, &issues)
        if let resource = own["resourceAttributes"], resource.text("namespace") != object["metadata"]?.text("namespace") ?? "" {
            let place = spec.child("resourceAttributes", "namespace")
            issues.invalid(place, .string(resource.text("namespace")), "must match metadata.namespace")
        }
        if let other = own["nonResourceAttributes"] {
            issues.invalid(spec.child("nonResourceAttributes"), other, "disallowed on this kind of request")
        }
        return issues
    }

    private static func access(_ own: JSONValue, namesSubject: Bool, _ issues: inout [FieldIssue]) {
        let (resource, other) = (own["resourceAttributes"], own["nonResourceAttributes"])
        if resource != nil, let other {
            let words = "cannot be specified in combination with resourceAttributes"
            issues.invalid(spec.child("nonResourceAttributes"), other, words)
        }
        if resource == nil, other == nil {
            let words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
            issues.invalid(spec.child("resourceAttributes"), .null, words)
        }
        if namesSubject, own.text("user").isEmpty, own.list("groups").isEmpty {
            issues.invalid(spec.child("user"), "", "at least one of user or group must be specified")
        }
        guard let resource else { return }
        for field in ["fieldSelector", "labelSelector"] {
            guard let selector = resource[field] else { continue }
            self.selector(selector, isOfLabels: field == "labelSelector", spec.child("resourceAttributes", field), &issues)
        }
    }

    private static func selector(_ selector: JSONValue, isOfLabels: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (raw, requirements) = (selector.text("rawSelector"), selector.list("requirements"))
        if !raw.isEmpty, !requirements.isEmpty {
            issues.invalid(path.child("rawSelector"), .string(raw), "may not specified at the same time as requirements")
        }
        if raw.isEmpty, requirements.isEmpty {
            issues.required(path.child("requirements"), "when \(path) is specified, requirements or rawSelector is required")
        }
        for (index, requirement) in requirements.enumerated() {
            let place = path.child("requirements").index(index)
            if isOfLabels {
                SelectorValidation.requirement(requirement, allowsAnyOperator: true, place, &issues)
            } else {
                SelectorValidation.fieldRequirement(requirement, place, &issues)
            }
        }
    }

    private static func metadata(_ object: JSONValue, allowsNamespace: Bool, _ issues: inout [FieldIssue]) {
        guard var metadata = object["metadata"]?.object else { return }
        metadata["managedFields"] = nil
        if metadata["creationTimestamp"]?.string == nil { metadata["creationTimestamp"] = nil }
        if allowsNamespace { metadata["namespace"] = nil }
        if metadata.isEmpty { return }
        let words = allowsNamespace ? "must be empty except for namespace" : "must be empty"
        var issue = FieldIssue.invalid(FieldPath("metadata"), .null, words)
        issue.badValue = nil
        issue.shownValue = shown(object["metadata"] ?? [:]).compact
        issues.append(issue)
    }

    /// Metadata with its fields in the order that upstream's type has.
    private static func shown(_ metadata: JSONValue) -> GoValue {
        let types = ["ownerReferences": "[metav1.OwnerReference", "managedFields": "[metav1.ManagedFieldsEntry"]
        let order = [
            "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
            "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields",
        ]
        let members = order.compactMap { name -> GoValue.Member? in
            guard let value = metadata[name], value != .null else { return nil }
            return GoValue.Member(name: name, value: types[name].map { InternalForm.value(value, as: $0) } ?? GoValue(value))
        }
        return .members(members)
    }
}
