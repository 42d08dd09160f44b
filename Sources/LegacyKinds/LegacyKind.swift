import APIModel
import Schema
import Units
import Values

/// A kind in a version of the past, and how it differs from what it became.
struct LegacyKind: Sendable {
    /// The group it was served in.
    let group: String
    /// The version it was served as.
    let version: String
    /// What it is called today.
    let current: GroupResource
    /// The minor versions of Kubernetes that deprecated and removed it.
    let lifetime: (deprecated: Int, removed: Int)
    /// What clients are told to use; nil for today's kind, empty for nothing.
    let replacement: String?
    /// How its objects differ.
    let shape: LegacyShape

    init(
        _ group: String,
        _ version: String,
        _ current: GroupResource,
        _ lifetime: (deprecated: Int, removed: Int),
        replacement: String? = nil,
        _ shape: LegacyShape = .same
    ) {
        self.group = group
        self.version = version
        self.current = current
        self.lifetime = lifetime
        self.replacement = replacement
        self.shape = shape
    }

    /// The descriptor that serves it; nil when today's kind serves that version itself.
    func descriptor(_ today: KindDescriptor) -> KindDescriptor? {
        guard let target = today.version(today.storageVersion) ?? today.preferredVersion else { return nil }
        if today.group == group, today.version(version) != nil { return nil }
        let currentGVK = GroupVersionKind(group: today.group, version: target.name, kind: today.kind)
        let ownGVK = GroupVersionKind(group: group, version: version, kind: today.kind)
        let conversion = LegacyConversion(
            served: ownGVK.apiVersion,
            current: currentGVK.apiVersion,
            onward: target.conversion,
            shape: shape
        )
        var kind = today
        kind.group = group
        kind.shortNames = []
        kind.categories = []
        kind.storedAs = today.storedAs ?? today.groupResource
        kind.storageVersion = version
        kind.hooks = LegacyHooks(
            shape: shape,
            served: ownGVK.apiVersion,
            current: currentGVK.apiVersion,
            schema: target.schema,
            hooks: today.hooks
        )
        kind.versions = [
            KindVersion(
                name: version,
                schema: schema(target.schema, ownGVK),
                columns: target.columns,
                deprecationWarning: warning(ownGVK, currentGVK),
                conversion: conversion
            )
        ]
        kind.subresources = subresources(today, ownGVK)
        return kind
    }

    /// Today's subresources, in the kinds they had; and the one that is gone.
    private func subresources(_ today: KindDescriptor, _ own: GroupVersionKind) -> [SubresourceDescriptor] {
        var all = today.subresources.map { sub in
            var sub = sub
            if sub.kind.group == today.group, sub.kind.kind == today.kind { sub.kind = own }
            // Each of these groups had a Scale of its own.
            if sub.name == "scale" { sub.kind = GroupVersionKind(group: group, version: version, kind: "Scale") }
            return sub
        }
        if current == GroupResource(group: "apps", resource: "deployments"), version == "v1beta1" {
            let kind = GroupVersionKind(group: group, version: version, kind: "DeploymentRollback")
            all.append(SubresourceDescriptor(name: "rollback", kind: kind, verbs: ["create"]))
        }
        return all
    }

    /// Worded as upstream words it.
    private func warning(_ own: GroupVersionKind, _ today: GroupVersionKind) -> String {
        var words = "\(own.apiVersion) \(own.kind) is deprecated in v1.\(lifetime.deprecated)+, unavailable in v1.\(lifetime.removed)+"
        let successor = replacement ?? "\(today.apiVersion) \(today.kind)"
        if !successor.isEmpty { words += "; use \(successor)" }
        return words
    }

    private func schema(_ node: SchemaNode, _ gvk: GroupVersionKind) -> SchemaNode {
        // `networking.k8s.io` types live in `io.k8s.api.networking`.
        let package = "io.k8s.api.\(group.prefix { $0 != "." }).\(version)."
        return shape.edit.kind(node, package: package, kind: (gvk.group, gvk.version, gvk.kind))
    }
}

/// How the objects of an old version differ from today's.
struct LegacyShape: Sendable {
    typealias Change = @Sendable (inout JSONValue) -> Void

    /// How the schema differs.
    var edit = SchemaEdit()
    /// The defaults of the past, on the old form, before today's.
    var defaults: Change?
    /// From the old form to today's; `apiVersion` apart.
    var up: Change?
    /// From today's form to the old one.
    var down: Change?

    /// Nothing but the version's name differs.
    static let same = LegacyShape()
}

/// Between an old version and what is stored, by way of today's version.
struct LegacyConversion: VersionConversion {
    let served: String
    let current: String
    /// From today's version to the stored form, where they differ (events).
    let onward: (any VersionConversion)?
    let shape: LegacyShape

    func toStorage(_ object: JSONValue) -> JSONValue {
        var object = object
        shape.up?(&object)
        object["apiVersion"] = .string(current)
        return onward?.toStorage(object) ?? object
    }

    func fromStorage(_ object: JSONValue) -> JSONValue {
        var object = onward?.fromStorage(object) ?? object
        shape.down?(&object)
        object["apiVersion"] = .string(served)
        return object
    }
}

/// The behaviour of today's kind, for objects in the old form.
struct LegacyHooks: KindHooks {
    let shape: LegacyShape
    let served: String
    let current: String
    let schema: SchemaNode
    let hooks: any KindHooks

    private var conversion: LegacyConversion { LegacyConversion(served: served, current: current, onward: nil, shape: shape) }

    /// First the old defaults, then today's for what is still missing.
    func defaults(_ object: inout JSONValue) {
        shape.defaults?(&object)
        var today = conversion.toStorage(object)
        schema.applyDefaults(&today)
        hooks.defaults(&today)
        object = conversion.fromStorage(today)
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        hooks.cells(conversion.toStorage(object), now: now)
    }

    var orderingCell: Int? { hooks.orderingCell }

    func fieldLabel(_ label: String, of object: JSONValue) -> String? {
        hooks.fieldLabel(label, of: conversion.toStorage(object))
    }

    func gracePeriod(_ object: JSONValue, requested: Int64?) -> Int64? {
        hooks.gracePeriod(conversion.toStorage(object), requested: requested)
    }
}
