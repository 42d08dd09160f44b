import Schema
import Units
import Values

/// Decides what the status of a definition has to say. Pure.
///
/// Source: apiextensions-apiserver controller/status, establish, apiapproval, nonstructuralschema.
public enum DefinitionStatus {
    /// The annotation that says who approved a kind in a group of the community.
    static let approval = "api-approved.kubernetes.io"
    /// The finalizer that keeps a definition until its objects are gone.
    public static let cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io"

    /// Whether a definition is being deleted and waits for its objects to go.
    public static func isGoing(_ definition: JSONValue) -> Bool {
        guard definition.value(at: ["metadata", "deletionTimestamp"])?.string != nil else { return false }
        return definition.value(at: ["metadata", "finalizers"])?.array?.contains(.string(cleanupFinalizer)) ?? false
    }

    /// The definition with the status it should have.
    ///
    /// - Parameter granted: The names that other definitions of the same group have been granted.
    public static func updated(_ definition: JSONValue, granted: [JSONValue], now: Timestamp) -> JSONValue {
        var definition = definition
        let spec = definition["spec"] ?? [:]
        var conditions = DefinitionConditions(definition)
        let accepted = definition.value(at: ["status", "acceptedNames"]) ?? [:]
        let asked = spec["names"] ?? [:]
        if asked != accepted || conditions["NamesAccepted"] == nil {
            let outcome = DefinitionNames(granted: granted).grant(asked, accepted: accepted)
            definition.set(outcome.accepted, at: ["status", "acceptedNames"])
            conditions.set(outcome.condition, now: now)
        }
        establish(&conditions, definition, now)
        approve(&conditions, definition, now)
        structure(&conditions, spec, now)
        definition.set(.array(conditions.json), at: ["status", "conditions"])
        return definition
    }

    private static func establish(_ conditions: inout DefinitionConditions, _ definition: JSONValue, _ now: Timestamp) {
        guard !conditions.isTrue("Established") else { return }
        let condition: DefinitionConditions.Condition
        if !conditions.isTrue("NamesAccepted") {
            condition = .init(type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted")
        } else if ConversionWebhook.hasBrokenAuthorities(definition) {
            condition = .init(
                type: "Established",
                status: "False",
                reason: "InvalidCABundle",
                message: "The conversion webhook CABundle is invalid"
            )
        } else {
            condition = .init(
                type: "Established",
                status: "True",
                reason: "InitialNamesAccepted",
                message: "the initial names have been accepted"
            )
        }
        conditions.set(condition, now: now)
    }

    private static func approve(_ conditions: inout DefinitionConditions, _ definition: JSONValue, _ now: Timestamp) {
        guard let state = Approval.state(of: definition) else { return }
        let outcome: (status: String, reason: String)
        switch state.kind {
        case .invalid: outcome = ("False", "InvalidAnnotation")
        case .missing: outcome = ("False", "MissingAnnotation")
        case .approved: outcome = ("True", "ApprovedAnnotation")
        case .bypassed: outcome = ("False", "UnapprovedAnnotation")
        }
        let condition = DefinitionConditions.Condition(
            type: "KubernetesAPIApprovalPolicyConformant",
            status: outcome.status,
            reason: outcome.reason,
            message: state.reason
        )
        guard conditions[condition.type] != condition else { return }
        conditions.set(condition, now: now)
    }

    private static func structure(_ conditions: inout DefinitionConditions, _ spec: JSONValue, _ now: Timestamp) {
        var issues: [FieldIssue] = []
        if spec["preserveUnknownFields"]?.bool == true {
            issues.append(.invalid(FieldPath("spec.preserveUnknownFields"), true, "must be false"))
        }
        for (index, version) in (spec["versions"]?.array ?? []).enumerated() {
            guard let schema = version.value(at: ["schema", "openAPIV3Schema"]) else { continue }
            let path = FieldPath("spec.versions").index(index).child("schema", "openAPIV3Schema")
            issues += StructuralRules.issues(schema, at: path)
        }
        guard !issues.isEmpty else {
            if conditions["NonStructuralSchema"] != nil { conditions.remove("NonStructuralSchema") }
            return
        }
        let condition = DefinitionConditions.Condition(
            type: "NonStructuralSchema",
            status: "True",
            reason: "Violations",
            message: FieldIssue.aggregate(issues)
        )
        guard conditions[condition.type] != condition else { return }
        conditions.set(condition, now: now)
    }
}

/// Who approved a kind in a group that belongs to the community.
///
/// Source: apiextensions-apiserver apihelpers.GetAPIApprovalState.
enum Approval {
    enum Kind: Sendable { case invalid, approved, bypassed, missing }

    /// What the annotation of a definition says; nil when its group needs no approval.
    static func state(of definition: JSONValue) -> (kind: Kind, reason: String)? {
        guard let group = definition.value(at: ["spec", "group"])?.string, isProtected(group) else { return nil }
        let annotations = definition.value(at: ["metadata", "annotations"])
        return state(annotations?[DefinitionStatus.approval]?.string ?? "")
    }

    private static func isProtected(_ group: String) -> Bool {
        ["k8s.io", "kubernetes.io"].contains { group == $0 || group.hasSuffix(".\($0)") }
    }

    private static func state(_ text: String) -> (kind: Kind, reason: String) {
        let name = GoQuote.quote(DefinitionStatus.approval)
        let more = "see https://github.com/kubernetes/enhancements/pull/1111"
        if text.isEmpty { return (.missing, "protected groups must have approval annotation \(name), \(more)") }
        if text.hasPrefix("unapproved") { return (.bypassed, "not approved: \(GoQuote.quote(text))") }
        if WebAddress(text).map({ !$0.scheme.isEmpty && !$0.host.isEmpty }) == true { return (.approved, "approved in \(text)") }
        return (
            .invalid,
            "protected groups must have approval annotation \(name) with either a URL or a reason starting with \"unapproved\", \(more)"
        )
    }
}
