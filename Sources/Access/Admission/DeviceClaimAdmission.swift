import APIModel
import Schema
import Units
import Values

/// Who may have devices: `adminAccess` is for namespaces with the label for it alone, and who writes the status of a claim
/// needs, besides the status itself, `resourceclaims/binding` to allocate and reserve, and `resourceclaims/driver` to tell of
/// the devices of a driver.
///
/// Upstream checks this in the storage of claims, beside their other rules. Source: pkg/registry/resource.
public struct DeviceClaimAdmission: Admission {
    private let lookup: any ClusterLookup
    private let authorizer: (any Authorizer)?
    private static let group = "resource.k8s.io"
    private static let label = "resource.kubernetes.io/admin-access"

    /// A plugin that looks namespaces up in `lookup`. Without an `authorizer` nobody asks who may write which status.
    public init(lookup: any ClusterLookup, authorizer: (any Authorizer)? = nil) {
        self.lookup = lookup
        self.authorizer = authorizer
    }

    /// The plugin's name. Upstream has none for it.
    public var name: String { "DeviceClaims" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        guard request.resource.group == Self.group else { return false }
        switch (request.resource.resource, request.subresource, request.operation) {
        case ("resourceclaims", "", .create), ("resourceclaimtemplates", "", .create), ("resourceclaims", "status", .update): return true
        default: return false
        }
    }

    /// Refuses who may not.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let object = request.object else { return }
        var issues: [FieldIssue] = []
        let isStatus = request.subresource == "status"
        if let path = isStatus ? Self.newlyGranted(request) : Self.requested(request), await !allowsAdminAccess(request.namespace) {
            let words = "admin access to devices requires the `\(Self.label): true` label on the containing namespace"
            issues.append(.forbidden(path, words))
        }
        if isStatus, let authorizer {
            issues += await StatusAuthorization(request, authorizer).issues()
        }
        guard !issues.isEmpty else { return }
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        throw .invalid(GroupKind(group: request.kind.group, kind: request.kind.kind), name, issues)
    }

    // MARK: Admin access

    /// Asked of the store: a cache may still show a label that was taken away.
    private func allowsAdminAccess(_ namespace: String) async -> Bool {
        let found = await lookup.currentObject(.core("namespaces"), namespace: "", name: namespace)
        return found?.value(at: ["metadata", "labels", Self.label])?.string == "true"
    }

    /// The first request of a claim or template that asks for it. Versions before v1 have no `exactly`.
    private static func requested(_ request: AdmissionRequest) -> FieldPath? {
        let isTemplate = request.resource.resource == "resourceclaimtemplates"
        let spec = request.object?.value(at: isTemplate ? ["spec", "spec"] : ["spec"])
        let requests = spec?.value(at: ["devices", "requests"])?.array ?? []
        let place = requests.firstIndex { ($0["exactly"] ?? $0)["adminAccess"]?.bool == true }
        // Upstream names the claim's field for a template too.
        return place.map { FieldPath("spec.devices.requests").index($0).child("adminAccess") }
    }

    private static func granted(_ object: JSONValue?) -> Int? {
        let results = object?.value(at: ["status", "allocation", "devices", "results"])?.array ?? []
        return results.firstIndex { $0["adminAccess"]?.bool == true }
    }

    /// The first device given with it, unless the claim had such a one: an allocation never changes.
    private static func newlyGranted(_ request: AdmissionRequest) -> FieldPath? {
        guard granted(request.oldObject) == nil, let place = granted(request.object) else { return nil }
        return FieldPath("status.allocation.devices.results").index(place).child("adminAccess")
    }
}

/// What the user of a request may not change in a claim's status.
private struct StatusAuthorization {
    private let request: AdmissionRequest
    private let authorizer: any Authorizer
    private let new: JSONValue
    private let old: JSONValue
    private static let nodeKey = "authentication.kubernetes.io/node-name"

    init(_ request: AdmissionRequest, _ authorizer: any Authorizer) {
        self.request = request
        self.authorizer = authorizer
        new = request.object?["status"] ?? [:]
        old = request.oldObject?["status"] ?? [:]
    }

    private var verb: String { request.isPatch ? "patch" : "update" }

    func issues() async -> [FieldIssue] {
        var issues: [FieldIssue] = []
        if new["allocation"] != old["allocation"] || Self.list(new, "reservedFor") != Self.list(old, "reservedFor") {
            let asked = attributes(verb, part: "binding", namespace: "", name: "")
            if let refusal = await refusal(asked) {
                let words =
                    "changing status.allocation or status.reservedFor requires resource=\"resourceclaims/binding\", verb=\"\(verb)\""
                issues.append(.forbidden(FieldPath("status.allocation"), "\(words) permission: \(refusal)"))
            }
        }
        // Without an allocation the status of its devices goes anyway.
        guard new["allocation"]?.object != nil else { return issues }
        let verbs = (isOnAllocatedNode ? ["associated-node:"] : []) + ["arbitrary-node:"]
        for driver in changedDrivers().sorted() {
            guard let refusal = await refusal(ofAll: verbs.map { $0 + verb }, driver: driver) else { continue }
            let shown = verbs.map { $0 + verb }.joined(separator: " ")
            let words = "changing status.devices requires resource=\"resourceclaims/driver\", verb=\"[\(shown)]\" permission: \(refusal)"
            issues.append(.forbidden(FieldPath("status.devices"), words))
        }
        return issues
    }

    private static func list(_ status: JSONValue, _ field: String) -> [JSONValue] { status[field]?.array ?? [] }

    private func attributes(_ verb: String, part: String, namespace: String, name: String) -> RequestAttributes {
        RequestAttributes(
            user: request.user,
            verb: verb,
            apiGroup: request.resource.group,
            apiVersion: request.resource.version,
            resource: request.resource.resource,
            subresource: part,
            namespace: namespace,
            name: name
        )
    }

    /// What the user is told; nil when he may.
    private func refusal(_ asked: RequestAttributes) async -> String? {
        let decision = await authorizer.authorize(asked)
        return decision.isAllowed ? nil : asked.forbidden(reason: decision.reason).message
    }

    /// The first refusal; nil when one of the verbs is allowed.
    private func refusal(ofAll verbs: [String], driver: String) async -> String? {
        var first: String?
        for verb in verbs {
            let asked = attributes(verb, part: "driver", namespace: request.namespace, name: driver)
            guard let refusal = await refusal(asked) else { return nil }
            first = first ?? refusal
        }
        return first
    }

    /// The drivers of devices that come, go or change.
    private func changedDrivers() -> Set<String> {
        func byDevice(_ status: JSONValue) -> [[String]: JSONValue] {
            let keyed = Self.list(status, "devices").map { device in
                (["driver", "pool", "device", "shareID"].map { device[$0]?.string ?? "" }, device)
            }
            return Dictionary(keyed) { $1 }
        }
        let (now, before) = (byDevice(new), byDevice(old))
        return Set(Set(now.keys).union(before.keys).filter { now[$0] != before[$0] }.map { $0[0] })
    }

    /// Whether a service account asks from the node that the devices were allocated on.
    private var isOnAllocatedNode: Bool {
        guard request.user.name.hasPrefix(UserIdentity.serviceAccountPrefix),
            let nodes = request.user.extra[Self.nodeKey], nodes.count == 1,
            let terms = new.value(at: ["allocation", "nodeSelector", "nodeSelectorTerms"])?.array, terms.count == 1,
            (terms[0]["matchExpressions"]?.array ?? []).isEmpty,
            let fields = terms[0]["matchFields"]?.array, fields.count == 1,
            fields[0]["key"] == "metadata.name", fields[0]["operator"] == "In"
        else { return false }
        return fields[0]["values"]?.array == [.string(nodes[0])] && !nodes[0].isEmpty
    }
}
