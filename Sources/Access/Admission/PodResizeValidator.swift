import APIModel
import Schema
import Units
import Values

/// Refuses a pod's new size where its node could never hold it, or does not resize pods.
public struct PodResizeValidator: Admission {
    private let lookup: any ClusterLookup

    /// A plugin that looks nodes up in `lookup`.
    public init(lookup: any ClusterLookup) {
        self.lookup = lookup
    }

    /// The plugin's name.
    public var name: String { "PodResizeValidator" }

    /// Whether the plugin has anything to do with the request.
    public func handles(_ request: AdmissionRequest) -> Bool {
        request.operation == .update && request.writes(core: "pods", subresource: "resize")
    }

    /// Refuses what the node cannot do.
    public func validate(_ request: AdmissionRequest) async throws(APIError) {
        guard let pod = request.object, let name = pod.value(at: ["spec", "nodeName"])?.string, !name.isEmpty,
            pod.value(at: ["metadata", "generation"]) != request.oldObject?.value(at: ["metadata", "generation"])
        else { return }
        guard let node = lookup.object(.core("nodes"), namespace: "", name: name) else {
            throw request.forbidden("node \(GoQuote.quote(name)) not found")
        }
        if let system = node.value(at: ["metadata", "labels", "kubernetes.io/os"])?.string, system != "linux" {
            let words = "pod resize is only supported on linux nodes, node \(GoQuote.quote(name)) is \(GoQuote.quote(system))"
            throw refused(request, words, cause: "UnsupportedPlatform")
        }
        let problems = Self.problems(PodResources.total(of: pod, "requests"), node.value(at: ["status", "allocatable"]))
        guard !problems.isEmpty else { return }
        let words = "node didn't have enough allocatable resources: \(problems.joined(separator: "; "))"
        throw refused(request, words, cause: "NodeCapacity")
    }

    private func refused(_ request: AdmissionRequest, _ words: String, cause: String) -> APIError {
        var error = request.forbidden(words)
        error.addCause(reason: cause, message: "", field: "")
        return error
    }

    private static func problems(_ requests: JSONValue, _ allocatable: JSONValue?) -> [String] {
        func amount(_ list: JSONValue?, _ name: String) -> Quantity { list?[name]?.string.flatMap { Quantity($0) } ?? .zero }
        var problems: [String] = []
        let (cpu, freeCPU) = (amount(requests, "cpu"), amount(allocatable, "cpu"))
        if cpu > freeCPU { problems.append("cpu, requested: \(cpu.milliValue), allocatable: \(freeCPU.milliValue)") }
        let (memory, freeMemory) = (amount(requests, "memory"), amount(allocatable, "memory"))
        if memory > freeMemory { problems.append("memory, requested: \(memory.value), allocatable: \(freeMemory.value)") }
        return problems
    }
}
