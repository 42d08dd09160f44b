import APIModel
import Units
import Values

/// Gives pods what their runtime class brings along, its overhead and its nodes, and refuses those whose class is not there.
public struct RuntimeClassAdmission: Admission {
    private let lookup: any ClusterLookup
    private static let classes = GroupResource(group: "node.k8s.io", resource: "runtimeclasses")
    private static let mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"

    /// A plugin that looks classes up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "RuntimeClass" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool { request.operation == .create && request.writes(core: "pods") }

    private func runtimeClass(_ request: AdmissionRequest) async throws(APIError) -> JSONValue? {
        guard let name = request.object?.value(at: ["spec", "runtimeClassName"])?.string else { return nil }
        // Upstream's own client refuses to ask for this.
        if name.isEmpty { throw APIError(code: 500, reason: "", message: "resource name may not be empty") }
        if let known = lookup.object(Self.classes, namespace: "", name: name) { return known }
        // It may be so new that the cache has not seen it.
        guard let stored = await lookup.currentObject(Self.classes, namespace: "", name: name) else {
            throw request.forbidden("pod rejected: RuntimeClass \"\(name)\" not found")
        }
        return stored
    }

    /// Sets the overhead, and adds the nodes and tolerations of the class.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard let found = try await runtimeClass(request), var pod = request.object else { return }
        if let overhead = found["overhead"], overhead.object != nil {
            let fixed = overhead["podFixed"] ?? [:]
            let own = pod.value(at: ["spec", "overhead"])
            guard Self.amounts(own).isEmpty || Self.amounts(own) == Self.amounts(fixed) else { throw request.forbidden(Self.mismatch) }
            pod.set(fixed, at: ["spec", "overhead"])
        }
        if let scheduling = found["scheduling"], scheduling.object != nil {
            for (key, value) in scheduling["nodeSelector"]?.object ?? [:] {
                let own = pod.value(at: ["spec", "nodeSelector", key])
                guard own == nil || own == value else {
                    throw request.forbidden(
                        "conflict: runtimeClass.scheduling.nodeSelector[\(key)] = \(value.string ?? ""); "
                            + "pod.spec.nodeSelector[\(key)] = \(own?.string ?? "")"
                    )
                }
                pod.set(value, at: ["spec", "nodeSelector", key])
            }
            let tolerations = (pod.value(at: ["spec", "tolerations"])?.array ?? []) + (scheduling["tolerations"]?.array ?? [])
            if !tolerations.isEmpty { pod.set(.array(Self.merged(tolerations)), at: ["spec", "tolerations"]) }
        }
        request.object = pod
    }

    /// Refuses an overhead that is not the class's.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        let found = try await runtimeClass(request)
        let own = request.object?.value(at: ["spec", "overhead"])
        if let overhead = found?["overhead"], overhead.object != nil {
            guard Self.amounts(own) == Self.amounts(overhead["podFixed"]) else { throw request.forbidden(Self.mismatch) }
        } else if own?.object != nil {
            throw request.forbidden("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
        }
    }

    private static func amounts(_ value: JSONValue?) -> [String: Quantity] {
        var amounts: [String: Quantity] = [:]
        for (name, amount) in value?.object ?? [:] { amounts[name] = amount.string.flatMap { Quantity($0) } }
        return amounts
    }

    /// The tolerations without those that others cover; of equal ones the first stays.
    static func merged(_ all: [JSONValue]) -> [JSONValue] {
        var merged: [JSONValue] = []
        for (index, toleration) in all.enumerated() {
            if merged.contains(where: { covers($0, toleration) }) { continue }
            if all[(index + 1)...].contains(where: { $0 != toleration && covers($0, toleration) }) { continue }
            merged.append(toleration)
        }
        return merged
    }

    private static func covers(_ wide: JSONValue, _ narrow: JSONValue) -> Bool {
        if wide == narrow { return true }
        func text(_ value: JSONValue, _ field: String) -> String { value[field]?.string ?? "" }
        let exists = text(wide, "operator") == "Exists"
        if text(narrow, "key") != text(wide, "key"), !(text(wide, "key").isEmpty && exists) { return false }
        let effect = text(wide, "effect")
        if text(narrow, "effect") != effect, !effect.isEmpty { return false }
        if effect == "NoExecute", let limit = wide["tolerationSeconds"]?.int {
            guard let seconds = narrow["tolerationSeconds"]?.int, seconds <= limit else { return false }
        }
        switch text(wide, "operator") {
        case "Equal", "": return text(narrow, "operator") == "Equal" && text(narrow, "value") == text(wide, "value")
        case "Exists": return true
        default: return false
        }
    }
}
