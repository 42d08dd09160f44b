import APIModel
import Values

/// Turns a pod's priority class into the number the scheduler uses, and keeps one default class.
public struct PriorityAdmission: Admission {
    private let lookup: any ClusterLookup
    private static let classes = GroupResource(group: "scheduling.k8s.io", resource: "priorityclasses")

    /// A plugin that looks classes up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "Priority" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        guard request.operation == .create || request.operation == .update, request.subresource.isEmpty else { return false }
        return request.writes(core: "pods") || Self.isClass(request)
    }

    /// Changes the object, or refuses the request.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard request.writes(core: "pods"), var pod = request.object else { return }
        if request.operation == .update {
            keepOld(&pod, old: request.oldObject)
            request.object = pod
            return
        }
        let asked = pod.value(at: ["spec", "priorityClassName"])?.string ?? ""
        let found = asked.isEmpty ? defaultClass() : try await namedClass(asked, request)
        let value = found?["value"]?.int ?? 0
        let policy = found?["preemptionPolicy"]?.string ?? "PreemptLowerPriority"
        if asked.isEmpty, let name = found?.value(at: ["metadata", "name"]) {
            pod.set(name, at: ["spec", "priorityClassName"])
        }
        if let own = pod.value(at: ["spec", "priority"])?.int, own != value {
            throw request.forbidden(
                "the integer value of priority (\(own)) must not be provided in pod spec; "
                    + "priority admission controller computed \(value) from the given PriorityClass name"
            )
        }
        if let own = pod.value(at: ["spec", "preemptionPolicy"])?.string, own != policy {
            throw request.forbidden(
                "the string value of PreemptionPolicy (\(own)) must not be provided in pod spec; "
                    + "priority admission controller computed \(policy) from the given PriorityClass name"
            )
        }
        // Held by this function alone, it is changed where it is.
        request.object = nil
        pod.set(.integer(value), at: ["spec", "priority"])
        pod.set(.string(policy), at: ["spec", "preemptionPolicy"])
        request.object = pod
    }

    /// Refuses what may not be.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard Self.isClass(request), request.object?["globalDefault"]?.bool == true else { return }
        guard let other = defaultClass()?.value(at: ["metadata", "name"])?.string else { return }
        let own = request.object?.value(at: ["metadata", "name"])?.string
        guard request.operation == .create || other != own else { return }
        throw request.forbidden(
            "PriorityClass \(other) is already marked as default. Only one default can exist"
        )
    }

    private static func isClass(_ request: AdmissionRequest) -> Bool {
        request.resource.group == classes.group && request.resource.resource == classes.resource
    }

    private func keepOld(_ pod: inout JSONValue, old: JSONValue?) {
        for field in ["priority", "preemptionPolicy"] where pod.value(at: ["spec", field]) == nil {
            if let value = old?.value(at: ["spec", field]) { pod.set(value, at: ["spec", field]) }
        }
    }

    private func defaultClass() -> JSONValue? {
        lookup.objects(Self.classes, namespace: nil)
            .filter { $0["globalDefault"]?.bool == true }
            .min { ($0["value"]?.int ?? 0) < ($1["value"]?.int ?? 0) }
    }

    private func namedClass(_ name: String, _ request: AdmissionRequest) async throws(APIError) -> JSONValue? {
        if let known = lookup.object(Self.classes, namespace: "", name: name) { return known }
        if let stored = await lookup.currentObject(Self.classes, namespace: "", name: name) { return stored }
        throw request.forbidden("no PriorityClass with name \(name) was found")
    }
}
