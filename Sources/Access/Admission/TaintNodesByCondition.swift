import APIModel
import Values

/// Gives new nodes the not-ready taint, so that nothing is scheduled to them before they report.
public struct TaintNodesByCondition: Admission {
    private static let taint = "node.kubernetes.io/not-ready"

    /// The plugin.
    public init() {}

    /// The plugin's name.
    public var name: String { "TaintNodesByCondition" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation == .create && request.writes(core: "nodes")
    }

    /// Changes the object, or refuses the request.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        let taints = request.object?.value(at: ["spec", "taints"])?.array ?? []
        let has = taints.contains { $0["key"]?.string == Self.taint && $0["effect"]?.string == "NoSchedule" }
        guard !has else { return }
        let added: JSONValue = ["key": .string(Self.taint), "effect": "NoSchedule"]
        request.object?.set(.array(taints + [added]), at: ["spec", "taints"])
    }
}
