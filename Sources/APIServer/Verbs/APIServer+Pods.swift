import APIModel
import Access
import HTTPTransport
import Schema
import Units
import Values

extension APIServer {
    // MARK: Binding

    /// Assigns a pod to a node.
    func bind(
        _ view: ResourceView,
        _ subresource: SubresourceDescriptor,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        var binding = try body(subresource, context)
        guard binding.value(at: ["metadata", "name"])?.string ?? "" == context.info.name else {
            throw .badRequest("name in URL does not match name in Binding object")
        }
        var write = try writeContext(view, context)
        binding = try await admit(binding, subresource, view, &write)
        try await assign(view, binding, write)
        return Self.success(201, context)
    }

    /// Shows admission what a request to create a subresource brings, and returns what became of it; the write to the object
    /// itself is the server's own.
    func admit(
        _ object: JSONValue,
        _ subresource: SubresourceDescriptor,
        _ view: ResourceView,
        _ write: inout WriteContext
    ) async throws(APIError) -> JSONValue {
        var object = object
        try Self.checkNamespace(&object, write.namespace)
        write.subresource = subresource.name
        var admitted = write.admissionRequest(.create, view, kind: subresource.kind, object: object)
        try await write.admission.mutate(&admitted)
        try await write.admission.validate(admitted)
        write.admission = AdmissionChain([])
        write.owned = nil
        return admitted.object ?? object
    }

    /// Assigns the pod that a Binding names.
    func bindNamed(_ binding: JSONValue, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        guard let view = resources.storageView(.core("pods")) else { throw .unknownPath }
        var write = try writeContext(view, context)
        write.name = binding.value(at: ["metadata", "name"])?.string ?? ""
        write.admission = AdmissionChain([])
        write.owned = nil
        try await assign(view, binding, write)
        return Self.success(201, context)
    }

    private func assign(_ view: ResourceView, _ binding: JSONValue, _ write: WriteContext) async throws(APIError) {
        let target = binding["target"]
        let node = target?["name"]?.string ?? ""
        let kind = target?["kind"]?.string ?? ""
        var issues: [FieldIssue] = []
        if !kind.isEmpty, kind != "Node" {
            issues.append(.notSupported(FieldPath("target.kind"), .string(kind), ["Node", "<empty>"]))
        }
        if node.isEmpty { issues.append(.required(FieldPath("target.name"))) }
        // Upstream's storage hands these on as they are, not as an invalid object.
        guard issues.isEmpty else { throw APIError(code: 500, reason: "", message: FieldIssue.aggregate(issues)) }
        let pods = view.descriptor.groupResource
        let change = ObjectChange(part: .other, retriesConflicts: true) { old throws(APIError) in
            try Self.assigned(old, node: node, binding: binding, pods: pods, now: write.now)
        }
        var write = write
        write.subresource = "binding"
        _ = try await view.engine.update(change, view: view, write: write)
    }

    private static func assigned(
        _ pod: JSONValue,
        node: String,
        binding: JSONValue,
        pods: GroupResource,
        now: Timestamp
    ) throws(APIError) -> JSONValue {
        var pod = pod
        let name = pod.value(at: ["metadata", "name"])?.string ?? ""
        if let uid = binding.value(at: ["metadata", "uid"])?.string, !uid.isEmpty {
            pod.set(.string(uid), at: ["metadata", "uid"])
        }
        guard pod.value(at: ["metadata", "deletionTimestamp"])?.string == nil else {
            throw .conflict(pods, name, "pod \(name) is being deleted, cannot be assigned to a host")
        }
        if let present = pod.value(at: ["spec", "nodeName"])?.string, !present.isEmpty {
            throw .conflict(pods, name, "pod \(name) is already assigned to node \(GoQuote.quote(present))")
        }
        if let gates = pod.value(at: ["spec", "schedulingGates"])?.array, !gates.isEmpty {
            throw .conflict(pods, name, "pod \(name) has non-empty .spec.schedulingGates")
        }
        pod.set(.string(node), at: ["spec", "nodeName"])
        for (key, value) in binding.value(at: ["metadata", "annotations"])?.object ?? [:] {
            pod.set(value, at: ["metadata", "annotations", key])
        }
        for (key, value) in binding.value(at: ["metadata", "labels"])?.object ?? [:] {
            pod.set(value, at: ["metadata", "labels", key])
        }
        pod.set(.array(scheduled(pod, now)), at: ["status", "conditions"])
        return pod
    }

    private static func scheduled(_ pod: JSONValue, _ now: Timestamp) -> [JSONValue] {
        var conditions = pod.value(at: ["status", "conditions"])?.array ?? []
        var condition: JSONValue = [
            "type": "PodScheduled", "status": "True", "lastProbeTime": .null, "lastTransitionTime": .string(now.rfc3339),
        ]
        if let generation = pod.value(at: ["metadata", "generation"])?.int, generation > 0 {
            condition["observedGeneration"] = .integer(generation)
        }
        if let index = conditions.firstIndex(where: { $0["type"]?.string == "PodScheduled" }) {
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
        return conditions
    }
}
