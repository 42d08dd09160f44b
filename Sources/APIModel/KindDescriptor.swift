import Schema
import Values

/// All that the one engine needs to know to serve a kind. A value: built-in kinds and custom resources yield the same
/// type.
public struct KindDescriptor: Sendable {
    /// The API group; empty for the core group.
    public var group: String
    /// The kind, such as `Pod`.
    public var kind: String
    /// The kind of lists of it, such as `PodList`.
    public var listKind: String
    /// The resource name, such as `pods`.
    public var plural: String
    /// The name of one, such as `pod`.
    public var singular: String
    /// Short names, such as `po`.
    public var shortNames: [String]
    /// Categories, such as `all`.
    public var categories: [String]
    /// Whether objects live in a namespace.
    public var namespaced: Bool
    /// The verbs served, in upstream's order.
    public var verbs: [String]
    /// The versions, in order of preference.
    public var versions: [KindVersion]
    /// The version written to the store.
    public var storageVersion: String
    /// What discovery reports to tell when the storage version changes; may be empty.
    public var storageVersionHash: String
    /// The subresources.
    public var subresources: [SubresourceDescriptor]
    /// The field labels a field selector may name.
    public var selectableFields: [SelectableField]
    /// The behaviour that the schema cannot express.
    public var hooks: any KindHooks
    /// False for virtual kinds, which are answered but never stored, such as `TokenReview`.
    public var stored: Bool
    /// The resource whose objects these are in other words, such as core `events` for those of `events.k8s.io`; nil when
    /// the kind has a store of its own.
    public var storedAs: GroupResource?
    /// Whether the kind comes from a CustomResourceDefinition.
    public var isCustom = false

    /// Describes a kind.
    public init(
        group: String,
        kind: String,
        listKind: String? = nil,
        plural: String,
        singular: String? = nil,
        shortNames: [String] = [],
        categories: [String] = [],
        namespaced: Bool,
        verbs: [String],
        versions: [KindVersion],
        storageVersion: String,
        storageVersionHash: String = "",
        subresources: [SubresourceDescriptor] = [],
        selectableFields: [SelectableField] = [],
        hooks: any KindHooks = NoHooks(),
        stored: Bool = true,
        storedAs: GroupResource? = nil
    ) {
        self.group = group
        self.kind = kind
        self.listKind = listKind ?? "\(kind)List"
        self.plural = plural
        self.singular = singular ?? kind.lowercased()
        self.shortNames = shortNames
        self.categories = categories
        self.namespaced = namespaced
        self.verbs = verbs
        self.versions = versions
        self.storageVersion = storageVersion
        self.storageVersionHash = storageVersionHash
        self.subresources = subresources
        self.selectableFields = selectableFields
        self.hooks = hooks
        self.stored = stored
        self.storedAs = storedAs
    }

    /// The group and kind.
    public var groupKind: GroupKind { GroupKind(group: group, kind: kind) }
    /// The group and resource.
    public var groupResource: GroupResource { GroupResource(group: group, resource: plural) }
    /// The version that clients should use.
    public var preferredVersion: KindVersion? { versions.first { $0.served } }
    /// The schema of the storage version.
    public var storageSchema: SchemaNode? { version(storageVersion)?.schema }

    /// One of the versions.
    public func version(_ name: String) -> KindVersion? { versions.first { $0.name == name } }
    /// One of the subresources.
    public func subresource(_ name: String) -> SubresourceDescriptor? { subresources.first { $0.name == name } }
    /// The same kind with other hooks: how BuiltinKinds attaches behaviour to `BuiltinResources.all`.
    public func with(hooks: any KindHooks) -> KindDescriptor {
        var copy = self
        copy.hooks = hooks
        return copy
    }
}

/// One version of a kind.
public struct KindVersion: Sendable {
    /// The version, such as `v1`.
    public var name: String
    /// Whether clients can use it.
    public var served: Bool
    /// Its schema.
    public var schema: SchemaNode
    /// The columns of a table of such objects; empty means Name and Created At.
    public var columns: [ColumnDefinition]
    /// What a client of a deprecated version is told.
    public var deprecationWarning: String?
    /// How its objects become those of the storage version; nil when only the name differs or nothing does.
    public var conversion: (any VersionConversion)?
    /// The behaviour of this version, where each version has its own: these hooks see objects of this version rather than
    /// of the storage version. Nil when the kind's hooks serve all versions.
    public var hooks: (any KindHooks)?
    /// The subresources of this version; nil when it has the kind's.
    public var subresources: [SubresourceDescriptor]?
    /// The field labels of this version; nil when it has the kind's.
    public var selectableFields: [SelectableField]?
    /// The schema as its author wrote it, for OpenAPI; nil when it is made from `schema`.
    public var document: SchemaDocument?

    /// Describes a version.
    public init(
        name: String,
        served: Bool = true,
        schema: SchemaNode,
        columns: [ColumnDefinition] = [],
        deprecationWarning: String? = nil,
        conversion: (any VersionConversion)? = nil,
        hooks: (any KindHooks)? = nil,
        subresources: [SubresourceDescriptor]? = nil,
        selectableFields: [SelectableField]? = nil,
        document: SchemaDocument? = nil
    ) {
        self.name = name
        self.served = served
        self.schema = schema
        self.columns = columns
        self.deprecationWarning = deprecationWarning
        self.conversion = conversion
        self.hooks = hooks
        self.subresources = subresources
        self.selectableFields = selectableFields
        self.document = document
    }
}

/// A schema as its author wrote it, descriptions and all. Not kept in memory: read anew whenever documentation is asked for.
public struct SchemaDocument: Sendable {
    /// Changes exactly when the content does; empty when the version has no schema.
    public var tag: String
    /// Reads the schema, as OpenAPI v3 has it; nil when it is gone or has changed, or the version has none.
    public var load: @Sendable () -> JSONValue?

    /// Describes where the schema is found.
    public init(tag: String, load: @escaping @Sendable () -> JSONValue?) {
        self.tag = tag
        self.load = load
    }
}

/// A subresource such as `status`, `scale` or `exec`.
public struct SubresourceDescriptor: Sendable, Hashable {
    /// Its name in the path.
    public var name: String
    /// The kind of its body.
    public var kind: GroupVersionKind
    /// The verbs served.
    public var verbs: [String]
    /// The OpenAPI name of the body's type; empty when there is none.
    public var typeName: String
    /// Where a custom resource keeps what its scale shows; nil for all other subresources.
    public var scalePaths: ScalePaths?

    /// Describes a subresource.
    public init(name: String, kind: GroupVersionKind, verbs: [String], typeName: String = "", scalePaths: ScalePaths? = nil) {
        self.name = name
        self.kind = kind
        self.verbs = verbs
        self.typeName = typeName
        self.scalePaths = scalePaths
    }
}

/// Where a custom resource keeps what its scale shows, as member names from the object's root.
public struct ScalePaths: Sendable, Hashable {
    /// The replicas asked for.
    public var specReplicas: [String]
    /// The replicas there are.
    public var statusReplicas: [String]
    /// The selector of the pods, as text; empty when the kind has none.
    public var labelSelector: [String]

    /// Describes the paths.
    public init(specReplicas: [String], statusReplicas: [String], labelSelector: [String] = []) {
        self.specReplicas = specReplicas
        self.statusReplicas = statusReplicas
        self.labelSelector = labelSelector
    }
}

/// A field label that a field selector may name.
public struct SelectableField: Sendable, Hashable {
    /// The label, such as `spec.nodeName`.
    public var label: String
    /// Where its value is found, as JSON names; empty when only a hook knows.
    public var path: [String]
    /// The value when the field is absent.
    public var absent: String
    /// False when the label is accepted but matches nothing, as upstream has it for some.
    public var matchable: Bool

    /// Describes a field label.
    public init(label: String, path: [String], absent: String = "", matchable: Bool = true) {
        self.label = label
        self.path = path
        self.absent = absent
        self.matchable = matchable
    }
}

/// A column of a table of objects.
public struct ColumnDefinition: Sendable, Hashable {
    /// The heading.
    public var name: String
    /// The OpenAPI type: `string`, `integer`, `number`, `boolean` or `date`.
    public var type: String
    /// The OpenAPI format; `name` marks the column with the object's name.
    public var format: String
    /// What the column shows.
    public var description: String
    /// Zero is always shown; more only in wide output.
    public var priority: Int
    /// Where the cell is found, for custom resources; empty when a hook computes it.
    public var jsonPath: String

    /// Describes a column.
    public init(
        name: String,
        type: String,
        format: String = "",
        description: String = "",
        priority: Int = 0,
        jsonPath: String = ""
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.description = description
        self.priority = priority
        self.jsonPath = jsonPath
    }
}
