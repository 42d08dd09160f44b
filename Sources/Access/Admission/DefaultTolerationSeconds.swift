import APIModel
import Values

/// Lets pods stay five minutes on a node that became unready or unreachable, unless they say otherwise.
public struct DefaultTolerationSeconds: Admission {
    private static let taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]
    private static let seconds: Int64 = 300

    /// The plugin with upstream's 300 seconds.
    public init() {}

    /// The plugin's name.
    public var name: String { "DefaultTolerationSeconds" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        (request.operation == .create || request.operation == .update) && request.writes(core: "pods")
    }

    /// Changes the object, or refuses the request.
    public func mutate(_ request: inout AdmissionRequest) async throws(APIError) {
        guard let tolerations = request.object?.value(at: ["spec", "tolerations"])?.array ?? Optional([]) else { return }
        let missing = Self.taints.filter { taint in !tolerations.contains { Self.covers($0, taint) } }
        guard !missing.isEmpty, request.object?["spec"] != nil else { return }
        let added = missing.map { taint -> JSONValue in
            ["key": .string(taint), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": .integer(Self.seconds)]
        }
        request.object?.set(.array(tolerations + added), at: ["spec", "tolerations"])
    }

    private static func covers(_ toleration: JSONValue, _ taint: String) -> Bool {
        let key = toleration["key"]?.string ?? ""
        let effect = toleration["effect"]?.string ?? ""
        return (key == taint || key.isEmpty) && (effect == "NoExecute" || effect.isEmpty)
    }
}
