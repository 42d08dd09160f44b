import APIModel
import PodKinds
import Schema
import Units
import Values

/// Hooks whose issues show values in the form of upstream's types of no version: its messages name Go's fields.
struct GoWordedHooks: KindHooks {
    private let hooks: any KindHooks
    private let type: String

    /// The packages of upstream's internal types, by API group.
    private static let packages: [String: String] = [
        "": "core", "apps": "apps", "batch": "batch", "autoscaling": "autoscaling", "policy": "policy",
        "networking.k8s.io": "networking", "discovery.k8s.io": "discovery", "storage.k8s.io": "storage",
        "rbac.authorization.k8s.io": "rbac", "scheduling.k8s.io": "scheduling", "node.k8s.io": "node",
        "coordination.k8s.io": "coordination", "certificates.k8s.io": "certificates",
        "flowcontrol.apiserver.k8s.io": "flowcontrol", "admissionregistration.k8s.io": "admissionregistration",
        "resource.k8s.io": "resource", "authorization.k8s.io": "authorization", "events.k8s.io": "core",
    ]

    /// The hooks of a kind with its values worded; hooks of a group without such types stay as they are.
    static func wording(_ hooks: any KindHooks, group: String, kind: String) -> any KindHooks {
        guard let package = packages[group] else { return hooks }
        return GoWordedHooks(hooks: hooks, type: "\(package).\(kind)")
    }

    private func worded(_ issues: [FieldIssue]) -> [FieldIssue] {
        issues.isEmpty ? issues : issues.map { InternalForm.worded($0, root: type) }
    }

    func validate(_ object: JSONValue, _ context: HookContext) -> [FieldIssue] { worded(hooks.validate(object, context)) }

    func validateUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        worded(hooks.validateUpdate(object, old: old, context))
    }

    func validateStatusUpdate(_ object: JSONValue, old: JSONValue, _ context: HookContext) -> [FieldIssue] {
        worded(hooks.validateStatusUpdate(object, old: old, context))
    }

    // What follows is passed on as it is.

    func defaults(_ object: inout JSONValue) { hooks.defaults(&object) }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) { hooks.prepareForCreate(&object, context) }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        hooks.prepareForUpdate(&object, old: old, context)
    }

    func prepareForStatusUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        hooks.prepareForStatusUpdate(&object, old: old, context)
    }

    func warnings(_ object: JSONValue, old: JSONValue?) -> [String] { hooks.warnings(object, old: old) }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? { hooks.cells(object, now: now) }

    var orderingCell: Int? { hooks.orderingCell }

    func fieldLabel(_ label: String, of object: JSONValue) -> String? { hooks.fieldLabel(label, of: object) }

    func gracePeriod(_ object: JSONValue, requested: Int64?) -> Int64? { hooks.gracePeriod(object, requested: requested) }

    func prepareForDeletion(_ object: inout JSONValue, now: Timestamp) { hooks.prepareForDeletion(&object, now: now) }

    var restores: Bool { hooks.restores }

    func restore(_ object: inout JSONValue) -> Bool { hooks.restore(&object) }
}
