import APIModel
import APITypes
import HTTPTransport
import Negotiation
import Schema
import Units
import Values

/// `DeleteOptions`, from the body or the query.
struct DeletionRequest: Sendable {
    /// What happens to dependents.
    enum Propagation: String, Sendable {
        case orphan = "Orphan"
        case background = "Background"
        case foreground = "Foreground"
    }

    var gracePeriodSeconds: Int64?
    var uid: String?
    var resourceVersion: String?
    var propagation: Propagation?
    var orphanDependents: Bool?
    var isDryRun = false

    private static let schema = BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")

    init() {}

    /// Reads the options of a request: a body wins over the query.
    init(_ context: RequestContext) throws(APIError) {
        let request = context.request
        var options: JSONValue = [:]
        if !request.body.isEmpty {
            options = try BodySyntax.parse(request, schema: Self.schema, reportDuplicates: false).value
            guard options.object != nil else { throw .badRequest("the body of a DELETE must be DeleteOptions") }
            let kind = options["kind"]?.string ?? "DeleteOptions"
            guard kind == "DeleteOptions" else {
                throw .badRequest(
                    "no kind \(GoQuote.quote(kind)) is registered for version \(GoQuote.quote(options["apiVersion"]?.string ?? "")) "
                        + "in scheme \"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27\""
                )
            }
        } else {
            options = try Self.options(request.query)
        }
        let asked = (options["dryRun"]?.array?.compactMap(\.string) ?? []) + request.query.all("dryRun")
        try read(options, dryRun: asked)
    }

    /// Reads the options that another object carries.
    init(options: JSONValue) throws(APIError) {
        try read(options, dryRun: options["dryRun"]?.array?.compactMap(\.string) ?? [])
    }

    private static func options(_ query: QueryItems) throws(APIError) -> JSONValue {
        var options: JSONValue = [:]
        if let text = query.first("gracePeriodSeconds"), !text.isEmpty {
            guard let seconds = Int64(text) else {
                throw .badRequest("strconv.ParseInt: parsing \(GoQuote.quote(text)): invalid syntax")
            }
            options["gracePeriodSeconds"] = .integer(seconds)
        }
        if let text = query.first("propagationPolicy") { options["propagationPolicy"] = .string(text) }
        if let text = query.first("orphanDependents"), !text.isEmpty {
            options["orphanDependents"] = .bool(RequestInfo.flag(text))
        }
        return options
    }

    private mutating func read(_ options: JSONValue, dryRun: [String]) throws(APIError) {
        if let seconds = options["gracePeriodSeconds"], !seconds.isNull {
            guard let number = seconds.int else { throw .badRequest("gracePeriodSeconds must be a number") }
            gracePeriodSeconds = number < 0 ? 1 : number
        }
        uid = options.value(at: ["preconditions", "uid"])?.string
        resourceVersion = options.value(at: ["preconditions", "resourceVersion"])?.string
        orphanDependents = options["orphanDependents"]?.bool
        let policy = options["propagationPolicy"]?.string
        propagation = policy.flatMap(Propagation.init)
        isDryRun = dryRun.contains("All")
        let issues = issues(policy, dryRun)
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "meta.k8s.io", kind: "DeleteOptions"), "", issues) }
    }

    /// All that is wrong with the options, in upstream's order. A policy that is empty is one that nobody knows.
    private func issues(_ policy: String?, _ dryRun: [String]) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if let policy {
            let field = FieldPath("propagationPolicy")
            if orphanDependents != nil {
                let words = "orphanDependents and deletionPropagation cannot be both set"
                issues.append(.invalid(field, .string(policy), words))
            }
            if propagation == nil {
                issues.append(.notSupported(field, .string(policy), ["Foreground", "Background", "Orphan", "nil"]))
            }
        }
        if dryRun.contains(where: { $0 != "All" }) {
            issues.append(.notSupported(FieldPath("dryRun"), JSONValue(dryRun), ["All"]))
        }
        return issues
    }

    /// What a client is told who deletes objects of a kind without saying what is to become of their dependents; empty for most.
    func warning(_ descriptor: KindDescriptor) -> String {
        guard propagation == nil, orphanDependents == nil, descriptor.groupResource == Self.jobs else { return "" }
        return "child pods are preserved by default when jobs are deleted; "
            + "set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning"
    }

    private static let jobs = GroupResource(group: "batch", resource: "jobs")

    /// The options as admission sees them.
    var json: JSONValue {
        var options: JSONValue = ["kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"]
        if let gracePeriodSeconds { options["gracePeriodSeconds"] = .integer(gracePeriodSeconds) }
        if let propagation { options["propagationPolicy"] = .string(propagation.rawValue) }
        if let orphanDependents { options["orphanDependents"] = .bool(orphanDependents) }
        if let uid { options.set(.string(uid), at: ["preconditions", "uid"]) }
        if let resourceVersion { options.set(.string(resourceVersion), at: ["preconditions", "resourceVersion"]) }
        if isDryRun { options["dryRun"] = ["All"] }
        return options
    }
}

/// What a deletion comes to. Pure.
enum DeletionPlan: Sendable {
    /// The object goes now.
    case remove
    /// The object stays, changed, until its grace is over or its finalizers are gone.
    case mark(JSONValue)
    /// The object is going already and stays as it is.
    case pending

    /// Decides about an object as it is stored.
    static func make(
        _ object: JSONValue,
        _ request: DeletionRequest,
        _ descriptor: KindDescriptor,
        _ traits: ResourceTraits,
        now: Timestamp
    ) -> DeletionPlan {
        if descriptor.groupResource == GroupResource(group: "", resource: "namespaces") {
            return namespace(object, now: now)
        }
        let before = ObjectMetadata.finalizers(object["metadata"])
        var object = object
        if object.value(at: ["metadata", "deletionTimestamp"])?.string == nil {
            descriptor.hooks.prepareForDeletion(&object, now: now)
        }
        let finalizers = finalizers(object, request, traits)
        if Set(finalizers) != Set(before) {
            object.set(.array(finalizers.map { .string($0) }), at: ["metadata", "finalizers"])
            if finalizers.isEmpty { object.remove(at: ["metadata", "finalizers"]) }
        }
        switch grace(&object, request, descriptor.hooks, now: now) {
        case .pending where Set(finalizers) == Set(before): return .pending
        case .pending, .graceful: return .mark(object)
        case .none: break
        }
        guard !finalizers.isEmpty else { return .remove }
        markAsDeleting(&object, now: now)
        // Definitions are marked by their own registry, which knows no grace.
        if descriptor.groupResource == CustomResourceService.resource {
            object.remove(at: ["metadata", "deletionGracePeriodSeconds"])
        }
        return .mark(object)
    }

    private enum Grace { case none, graceful, pending }

    private static func grace(
        _ object: inout JSONValue,
        _ request: DeletionRequest,
        _ hooks: any KindHooks,
        now: Timestamp
    ) -> Grace {
        let metadata = object["metadata"]
        if let text = metadata?["deletionTimestamp"]?.string, let deadline = Timestamp(text) {
            let period = max(0, metadata?["deletionGracePeriodSeconds"]?.int ?? 0)
            guard period > 0 else { return .none }
            guard let asked = request.gracePeriodSeconds, asked < period else { return .pending }
            return shorten(&object, deadline, period, asked, now)
        }
        guard let period = hooks.gracePeriod(object, requested: request.gracePeriodSeconds), period > 0 else { return .none }
        object.set(.string((now + .seconds(period)).rfc3339), at: ["metadata", "deletionTimestamp"])
        object.set(.integer(period), at: ["metadata", "deletionGracePeriodSeconds"])
        raiseGeneration(&object)
        return .graceful
    }

    private static func shorten(
        _ object: inout JSONValue,
        _ deadline: Timestamp,
        _ period: Int64,
        _ asked: Int64,
        _ now: Timestamp
    ) -> Grace {
        var earlier = deadline + .seconds(asked - period)
        var seconds = asked
        if earlier < now {
            earlier = now
            if asked != 0 { seconds = 1 }
        }
        guard seconds > 0 else { return .none }
        object.set(.string(earlier.rfc3339), at: ["metadata", "deletionTimestamp"])
        object.set(.integer(seconds), at: ["metadata", "deletionGracePeriodSeconds"])
        return .graceful
    }

    private static func finalizers(
        _ object: JSONValue,
        _ request: DeletionRequest,
        _ traits: ResourceTraits
    ) -> [String] {
        let before = ObjectMetadata.finalizers(object["metadata"])
        let orphan = ObjectMetadata.orphanFinalizer
        let foreground = ObjectMetadata.foregroundFinalizer
        var after = before.filter { $0 != orphan && $0 != foreground }
        let orphans: Bool
        var waits = false
        if let flag = request.orphanDependents {
            orphans = flag
        } else if let policy = request.propagation {
            orphans = policy == .orphan
            waits = policy == .foreground
        } else {
            orphans = before.contains(orphan) || (traits.orphansByDefault && !before.contains(foreground))
            waits = before.contains(foreground)
        }
        if orphans { after.append(orphan) }
        if waits { after.append(foreground) }
        return after
    }

    static func markAsDeleting(_ object: inout JSONValue, now: Timestamp) {
        let given = object.value(at: ["metadata", "deletionTimestamp"])?.string.flatMap { Timestamp($0) }
        if given == nil { raiseGeneration(&object) }
        if given == nil || given.map({ $0 > now }) == true {
            object.set(.string(now.rfc3339), at: ["metadata", "deletionTimestamp"])
        }
        object.set(0, at: ["metadata", "deletionGracePeriodSeconds"])
    }

    private static func raiseGeneration(_ object: inout JSONValue) {
        guard let generation = object.value(at: ["metadata", "generation"])?.int, generation > 0 else { return }
        object.set(.integer(generation + 1), at: ["metadata", "generation"])
    }

    /// A namespace first becomes Terminating; it goes when its content has gone and its finalizers with it.
    private static func namespace(_ object: JSONValue, now: Timestamp) -> DeletionPlan {
        var object = object
        guard object.value(at: ["metadata", "deletionTimestamp"])?.string == nil else {
            let isEmpty = (object.value(at: ["spec", "finalizers"])?.array ?? []).isEmpty
            return isEmpty && ObjectMetadata.finalizers(object["metadata"]).isEmpty ? .remove : .pending
        }
        object.set(.string(now.rfc3339), at: ["metadata", "deletionTimestamp"])
        object.set("Terminating", at: ["status", "phase"])
        return .mark(object)
    }
}
