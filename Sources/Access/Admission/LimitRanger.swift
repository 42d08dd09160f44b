import APIModel
import Units
import Values

/// Holds pods and volume claims to the limit ranges of their namespace, and fills in what containers leave open.
public struct LimitRanger: Admission {
    private let lookup: any ClusterLookup
    private static let ranges = GroupResource.core("limitranges")
    private static let annotation = "kubernetes.io/limit-ranger"

    /// A plugin that looks limit ranges up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "LimitRanger" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        switch request.operation {
        case .create: request.writes(core: "pods") || request.writes(core: "persistentvolumeclaims")
        // A pod's containers change by a resize only.
        case .update: request.writes(core: "pods", subresource: "resize") || request.writes(core: "persistentvolumeclaims")
        default: false
        }
    }

    private func limits(_ namespace: String) -> [[JSONValue]] {
        lookup.objects(Self.ranges, namespace: namespace).map { $0.value(at: ["spec", "limits"])?.array ?? [] }
    }

    /// Gives containers the default requests and limits.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard request.resource.resource == "pods", var pod = request.object else { return }
        for limits in limits(request.namespace) {
            var defaults = ContainerDefaults()
            for limit in limits where limit["type"]?.string == "Container" { defaults.add(limit) }
            var notes: [String] = []
            for (list, words) in [("containers", "container"), ("initContainers", "init container")] {
                guard var containers = pod.value(at: ["spec", list])?.array else { continue }
                for index in containers.indices { notes += defaults.fill(&containers[index], words) }
                pod.set(.array(containers), at: ["spec", list])
            }
            if notes.isEmpty { continue }
            let text = "LimitRanger plugin set: \(notes.joined(separator: "; "))"
            pod.set(.string(text), at: ["metadata", "annotations", Self.annotation])
        }
        request.object = pod
    }

    /// Refuses what is outside of a range.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let object = request.object else { return }
        if object.value(at: ["metadata", "deletionTimestamp"])?.string != nil { return }
        for limits in limits(request.namespace) {
            var problems: [String] = []
            for limit in limits { problems += Self.problems(limit, object, request.resource.resource) }
            if problems.isEmpty { continue }
            throw request.forbidden(problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]")
        }
    }

    private static func problems(_ limit: JSONValue, _ object: JSONValue, _ resource: String) -> [String] {
        switch (limit["type"]?.string, resource) {
        case ("Container", "pods"):
            return ["containers", "initContainers"].flatMap { list in
                (object.value(at: ["spec", list])?.array ?? []).flatMap { container in
                    let resources = container["resources"]
                    return LimitCheck(limit, resources?["requests"], resources?["limits"]).problems
                }
            }
        case ("Pod", "pods"):
            let requests = PodResources.total(of: object, "requests")
            return LimitCheck(limit, requests, PodResources.total(of: object, "limits")).problems
        case ("PersistentVolumeClaim", "persistentvolumeclaims"):
            return LimitCheck(limit, object.value(at: ["spec", "resources", "requests"]), nil).claimProblems
        default: return []
        }
    }
}

/// What a limit range gives containers that leave it open.
private struct ContainerDefaults {
    private var requests = JSONObject()
    private var limits = JSONObject()

    mutating func add(_ limit: JSONValue) {
        for (name, value) in limit["defaultRequest"]?.object ?? [:] { requests[name] = value }
        for (name, value) in limit["default"]?.object ?? [:] { limits[name] = value }
    }

    /// Fills a container; tells what was set.
    func fill(_ container: inout JSONValue, _ words: String) -> [String] {
        var notes: [String] = []
        for (list, values, what) in [("requests", requests, "request"), ("limits", limits, "limit")] {
            let missing = values.filter { container.value(at: ["resources", list, $0.key]) == nil }
            if missing.isEmpty { continue }
            for (name, value) in missing { container.set(value, at: ["resources", list, name]) }
            notes.append("\(missing.keys.joined(separator: ", ")) \(what) for \(words) \(container["name"]?.string ?? "")")
        }
        return notes
    }
}

/// One limit against the requests and limits of something.
private struct LimitCheck {
    private let limit: JSONValue
    private let type: String
    private let requests: JSONValue?
    private let limits: JSONValue?

    init(_ limit: JSONValue, _ requests: JSONValue?, _ limits: JSONValue?) {
        self.limit = limit
        type = limit["type"]?.string ?? ""
        self.requests = requests
        self.limits = limits
    }

    private static func quantity(_ value: JSONValue?) -> Quantity? {
        switch value {
        case .string(let text): Quantity(text)
        case .integer(let number): Quantity(value: number)
        default: nil
        }
    }

    private func each(_ field: String, _ body: (String, Quantity, Quantity?, Quantity?) -> String?) -> [String] {
        (limit[field]?.object ?? [:]).compactMap { name, value in
            guard let enforced = Self.quantity(value) else { return nil }
            return body(name, enforced, Self.quantity(requests?[name]), Self.quantity(limits?[name]))
        }
    }

    private func minimum(_ name: String, _ enforced: Quantity, _ request: Quantity?, _ limit: Quantity?) -> String? {
        let start = "minimum \(name) usage per \(type) is \(enforced)"
        guard let request else { return "\(start).  No request is specified" }
        if request < enforced { return "\(start), but request is \(request)" }
        if let limit, limit < enforced { return "\(start), but limit is \(limit)" }
        return nil
    }

    var problems: [String] {
        let low = each("min", minimum)
        let high = each("max") { name, enforced, request, limit in
            let start = "maximum \(name) usage per \(type) is \(enforced)"
            guard let limit else { return "\(start).  No limit is specified" }
            if enforced < limit { return "\(start), but limit is \(limit)" }
            if let request, enforced < request { return "\(start), but request is \(request)" }
            return nil
        }
        let ratios = each("maxLimitRequestRatio") { name, enforced, request, limit in
            let start = "\(name) max limit to request ratio per \(type) is \(enforced)"
            guard let request, !request.isZero else { return "\(start), but no request is specified or request is 0" }
            guard let limit, !limit.isZero else { return "\(start), but no limit is specified or limit is 0" }
            let ratio = limit.approximateDouble / request.approximateDouble
            return ratio > enforced.approximateDouble ? "\(start), but provided ratio is \(Self.fixed(ratio))" : nil
        }
        return low + high + ratios
    }

    /// A claim has requests only.
    var claimProblems: [String] {
        let high = each("max") { name, enforced, request, _ in
            let start = "maximum \(name) usage per \(type) is \(enforced)"
            guard let request else { return "\(start).  No request is specified" }
            return enforced < request ? "\(start), but request is \(request)" : nil
        }
        return each("min", minimum) + high
    }

    private static let decimals = 6

    /// As Go prints `%f`.
    private static func fixed(_ number: Double) -> String {
        guard number.isFinite, abs(number) < 1e12 else { return "\(number)" }
        let scaled = Int64((number * 1_000_000).rounded())
        let rest = String(abs(scaled) % 1_000_000)
        return "\(scaled / 1_000_000)." + String(repeating: "0", count: decimals - rest.count) + rest
    }
}

/// What a pod asks for as a whole.
enum PodResources {
    /// The sum over the containers, or what one init container needs with the sidecars before it if that is more; with
    /// the pod's overhead.
    static func total(of pod: JSONValue, _ list: String) -> JSONValue {
        var sum: [String: Quantity] = [:]
        for container in pod.value(at: ["spec", "containers"])?.array ?? [] { add(container["resources"]?[list], to: &sum) }
        var sidecars: [String: Quantity] = [:]
        var peak: [String: Quantity] = [:]
        for container in pod.value(at: ["spec", "initContainers"])?.array ?? [] {
            var need: [String: Quantity] = sidecars
            add(container["resources"]?[list], to: &need)
            if container["restartPolicy"]?.string == "Always" {
                add(container["resources"]?[list], to: &sum)
                sidecars = need
            }
            for (name, value) in need where peak[name] ?? .zero < value || peak[name] == nil { peak[name] = value }
        }
        for (name, value) in peak where sum[name].map({ $0 < value }) ?? true { sum[name] = value }
        for (name, value) in pod.value(at: ["spec", "resources", list])?.object ?? [:] {
            if let text = value.string, let quantity = Quantity(text) { sum[name] = quantity }
        }
        let overhead = pod.value(at: ["spec", "overhead"])
        if list == "requests" {
            add(overhead, to: &sum)
        } else {
            // A limit that is not there is none, overhead or not.
            add(.object((overhead?.object ?? [:]).filter { sum[$0.key] != nil }), to: &sum)
        }
        return .object(JSONObject(sum.map { ($0.key, .string($0.value.description)) }))
    }

    private static func add(_ list: JSONValue?, to sum: inout [String: Quantity]) {
        for (name, value) in list?.object ?? [:] {
            guard let text = value.string, let quantity = Quantity(text) else { continue }
            sum[name] = (sum[name] ?? .zero) + quantity
        }
    }
}
