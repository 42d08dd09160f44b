import APIModel
import Channels
import Values

/// One write on its way to the store, as admission sees it.
public struct AdmissionRequest: Sendable {
    /// What is done to the object.
    public enum Operation: String, Sendable, Hashable {
        /// A new object.
        case create = "CREATE"
        /// A change of an object.
        case update = "UPDATE"
        /// A removal.
        case delete = "DELETE"
        /// A connection: exec, attach, portforward, proxy.
        case connect = "CONNECT"
    }

    /// What is done.
    public let operation: Operation
    /// The kind of `object`.
    public let kind: GroupVersionKind
    /// The resource written to.
    public let resource: GroupVersionResource
    /// The subresource, or empty.
    public let subresource: String
    /// The namespace, empty for cluster-scoped objects.
    public let namespace: String
    /// The object's name; empty for a create whose name is not known yet.
    public let name: String
    /// Who asks.
    public let user: UserIdentity
    /// Nothing will be stored.
    public let isDryRun: Bool
    /// Whether an update was asked for with PATCH.
    public var isPatch = false
    /// The options of the request, e.g. DeleteOptions.
    public let options: JSONValue?
    /// The new object; nil on delete.
    public var object: JSONValue?
    /// The object as it is stored; nil on create.
    public let oldObject: JSONValue?
    /// Warns the client of something, whatever becomes of the request. May be called concurrently.
    public var warn: @Sendable (String) -> Void = { _ in }
    /// Notes a key and a value in the audit log, bounded by who notes it. May be called concurrently.
    public var annotate: @Sendable (String, String) -> Void = { _, _ in }
    /// What mutating plugins know of their first round in the second one.
    public var reinvocation = Reinvocation()

    /// A request to admit.
    public init(
        operation: Operation,
        kind: GroupVersionKind,
        resource: GroupVersionResource,
        subresource: String = "",
        namespace: String,
        name: String,
        user: UserIdentity,
        isDryRun: Bool = false,
        options: JSONValue? = nil,
        object: JSONValue?,
        oldObject: JSONValue? = nil
    ) {
        self.operation = operation
        self.kind = kind
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
        self.user = user
        self.isDryRun = isDryRun
        self.options = options
        self.object = object
        self.oldObject = oldObject
    }

    /// Whether the request writes the given core resource itself.
    public func writes(core resource: String, subresource: String = "") -> Bool {
        self.resource.group.isEmpty && self.resource.resource == resource && self.subresource == subresource
    }

    /// The 403 with which a plugin refuses the request.
    public func forbidden(_ reason: String) -> APIError {
        let metadata = object?["metadata"]
        let shown = name.isEmpty ? metadata?["name"]?.string ?? metadata?["generateName"]?.string ?? "Unknown" : name
        return .forbidden(GroupResource(group: resource.group, resource: resource.resource), shown, reason)
    }
}

/// A plugin that may change or refuse writes. May be called concurrently.
public protocol Admission: Sendable {
    /// The plugin's name, e.g. `NamespaceLifecycle`.
    var name: String { get }
    /// Whether the plugin has anything to do with the request.
    func handles(_ request: AdmissionRequest) -> Bool
    /// Changes the object, or refuses the request.
    func mutate(_ request: inout AdmissionRequest) async throws(APIError)
    /// Looks at the final object and may refuse it.
    func validate(_ request: AdmissionRequest) async throws(APIError)
}

extension Admission {
    /// Changes nothing.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {}
    /// Refuses nothing.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {}
}

/// Plugins asked in order.
public struct AdmissionChain: Sendable {
    private let plugins: [any Admission]

    /// A chain of the plugins given.
    public init(_ plugins: [any Admission]) {
        self.plugins = plugins
    }

    /// The chain with one more plugin at its end.
    public func followed(by plugin: any Admission) -> AdmissionChain {
        AdmissionChain(plugins + [plugin])
    }

    /// The plugins' names.
    public var names: [String] { plugins.map(\.name) }

    /// The chain with more plugins at its end.
    public func with(_ added: [any Admission]) -> AdmissionChain { AdmissionChain(plugins + added) }

    /// Runs the mutating phase, and once more when a plugin asks for it because it has changed what earlier ones saw.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        // By position, here and below: most plugins are only asked, and need not be copied for it.
        for index in plugins.indices where plugins[index].handles(request) { try await plugins[index].mutate(&request) }
        guard request.reinvocation.isNeeded else { return }
        request.reinvocation.isSecondRound = true
        for index in plugins.indices where plugins[index].handles(request) { try await plugins[index].mutate(&request) }
    }

    /// Runs the validating phase.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        for index in plugins.indices where plugins[index].handles(request) { try await plugins[index].validate(request) }
    }

    /// The plugins every server runs, in upstream's order. Without an `authorizer` nobody asks who may approve and sign
    /// certificates.
    public static func builtIn(
        lookup: any ClusterLookup,
        random: any RandomSource,
        clock: any ClusterClock = SystemClock(),
        authorizer: (any Authorizer)? = nil
    ) -> AdmissionChain {
        let certificates: [any Admission] = authorizer.map { [CertificateAdmission(authorizer: $0)] } ?? []
        let first: [any Admission] = [
            // First: upstream says this with the kind's own rules, before any plugin validates.
            DeviceClaimAdmission(lookup: lookup, authorizer: authorizer),
            NamespaceLifecycle(lookup: lookup),
            LimitRanger(lookup: lookup),
            ServiceAccountAdmission(lookup: lookup, random: random, clock: clock),
            NodeRestriction(lookup: lookup),
            NodeSliceRestriction(),
            TaintNodesByCondition(),
            PodSecurity(lookup: lookup, clock: clock),
            PriorityAdmission(lookup: lookup),
            DefaultTolerationSeconds(),
            DefaultClass.storage(lookup),
            StorageObjectInUseProtection(),
            VolumeClaimResize(lookup: lookup),
            RuntimeClassAdmission(lookup: lookup),
        ]
        let last: [any Admission] = [
            CertificateSubjectRestriction(), DefaultClass.ingress(lookup), PodTopologyLabels(lookup: lookup),
            PodResizeValidator(lookup: lookup),
        ]
        return AdmissionChain(first + certificates + last)
    }
}
