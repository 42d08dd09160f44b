import APIModel
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
        let binding = try body(subresource, context)
        let name = binding.value(at: ["metadata", "name"])?.string ?? ""
        guard name.isEmpty || name == context.info.name else {
            throw .badRequest("name in URL does not match name in Binding object")
        }
        try await assign(view, binding, try writeContext(view, context))
        return Self.success(201, context)
    }

    /// Assigns the pod that a Binding names.
    func bindNamed(_ binding: JSONValue, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        guard let view = resources.storageView(.core("pods")) else { throw .unknownPath }
        var write = try writeContext(view, context)
        write.name = binding.value(at: ["metadata", "name"])?.string ?? ""
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
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "", kind: "Binding"), write.name, issues) }
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

    // MARK: Eviction

    private static let evictionRetrySeconds = 10
    private static let budgets = GroupResource(group: "policy", resource: "poddisruptionbudgets")

    /// Deletes a pod unless a disruption budget says no.
    func evict(
        _ view: ResourceView,
        _ subresource: SubresourceDescriptor,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let eviction = try body(subresource, context)
        let name = eviction.value(at: ["metadata", "name"])?.string ?? ""
        guard name.isEmpty || name == context.info.name else {
            throw .badRequest("name in URL does not match name in Eviction object")
        }
        var request = DeletionRequest()
        let options = eviction["deleteOptions"]
        request.gracePeriodSeconds = options?["gracePeriodSeconds"]?.int
        request.uid = options?.value(at: ["preconditions", "uid"])?.string
        request.resourceVersion = options?.value(at: ["preconditions", "resourceVersion"])?.string
        var write = try writeContext(view, context)
        let asked = options?["dryRun"]?.array?.compactMap(\.string) ?? []
        if try RequestContext.dryRun(asked, kind: "DeleteOptions") { write.isDryRun = true }
        let stored = try await view.engine.existing(namespace: write.namespace, name: write.name)
        let pod = try view.engine.tree(stored)
        if Self.countsAsDisruption(pod) { try await spendBudget(pod, write) }
        write.subresource = ""
        _ = try await view.engine.delete(request, view: view, write: write)
        return Self.success(201, context)
    }

    private static func countsAsDisruption(_ pod: JSONValue) -> Bool {
        if pod.value(at: ["metadata", "deletionTimestamp"])?.string != nil { return false }
        let phase = pod.value(at: ["status", "phase"])?.string ?? ""
        return !["Succeeded", "Failed", "Pending"].contains(phase)
    }

    private func spendBudget(_ pod: JSONValue, _ write: WriteContext) async throws(APIError) {
        guard let view = resources.storageView(Self.budgets) else { return }
        let labels = (pod.value(at: ["metadata", "labels"])?.object ?? [:]).reduce(into: [String: String]()) {
            $0[$1.key] = $1.value.string ?? ""
        }
        let matching = lookup.objects(Self.budgets, namespace: write.namespace).filter { budget in
            guard let selector = budget.value(at: ["spec", "selector"]) else { return false }
            return (try? LabelSelector(json: selector))?.matches(labels) ?? false
        }
        guard let budget = matching.first else { return }
        guard matching.count == 1 else {
            throw .internalError(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        }
        if Self.mayEvictUnready(pod, budget) { return }
        let name = budget.value(at: ["metadata", "name"])?.string ?? ""
        let podName = write.name
        let now = write.now
        let change = ObjectChange(part: .status, retriesConflicts: true) { old throws(APIError) in
            try Self.spent(old, pod: podName, now: now)
        }
        var spending = write
        spending.name = name
        spending.subresource = "status"
        _ = try await view.engine.update(change, view: view, write: spending)
    }

    private static func mayEvictUnready(_ pod: JSONValue, _ budget: JSONValue) -> Bool {
        let conditions = pod.value(at: ["status", "conditions"])?.array ?? []
        let isReady = conditions.contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" }
        if isReady { return false }
        if budget.value(at: ["spec", "unhealthyPodEvictionPolicy"])?.string == "AlwaysAllow" { return true }
        let healthy = budget.value(at: ["status", "currentHealthy"])?.int ?? 0
        let desired = budget.value(at: ["status", "desiredHealthy"])?.int ?? 0
        return desired > 0 && healthy >= desired
    }

    private static func spent(_ budget: JSONValue, pod: String, now: Timestamp) throws(APIError) -> JSONValue {
        let name = budget.value(at: ["metadata", "name"])?.string ?? ""
        let refusal = "Cannot evict pod as it would violate the pod's disruption budget."
        let generation = budget.value(at: ["metadata", "generation"])?.int ?? 0
        guard (budget.value(at: ["status", "observedGeneration"])?.int ?? 0) >= generation else {
            var error = APIError.tooManyRequests(refusal, retryAfterSeconds: evictionRetrySeconds)
            error.addCause(
                reason: "DisruptionBudget",
                message: "The disruption budget \(name) is still being processed by the server.",
                field: ""
            )
            throw error
        }
        let allowed = budget.value(at: ["status", "disruptionsAllowed"])?.int ?? 0
        guard allowed > 0 else {
            let desired = budget.value(at: ["status", "desiredHealthy"])?.int ?? 0
            let healthy = budget.value(at: ["status", "currentHealthy"])?.int ?? 0
            var error = APIError.tooManyRequests(refusal, retryAfterSeconds: 0)
            error.addCause(
                reason: "DisruptionBudget",
                message: "The disruption budget \(name) needs \(desired) healthy pods and has \(healthy) currently",
                field: ""
            )
            throw error
        }
        var budget = budget
        budget.set(.integer(allowed - 1), at: ["status", "disruptionsAllowed"])
        budget.set(.string(now.rfc3339), at: ["status", "disruptedPods", pod])
        return budget
    }
}
