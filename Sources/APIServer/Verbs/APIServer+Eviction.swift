import APIModel
import Access
import HTTPTransport
import Negotiation
import Schema
import Units
import Values

/// Eviction: a deletion that a pod's disruption budget may refuse.
extension APIServer {
    private static let evictionRetrySeconds = 10
    private static let evictionAttempts = 20
    private static let budgets = GroupResource(group: "policy", resource: "poddisruptionbudgets")
    private static let refusal = "Cannot evict pod as it would violate the pod's disruption budget."

    /// Deletes a pod unless a disruption budget says no.
    func evict(
        _ view: ResourceView,
        _ subresource: SubresourceDescriptor,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        var eviction = try evictionBody(subresource, context)
        guard eviction.value(at: ["metadata", "name"])?.string == context.info.name else {
            throw .badRequest("name in URL does not match name in Eviction object")
        }
        var request = DeletionRequest()
        var write = try writeContext(view, context)
        if let options = eviction["deleteOptions"], !options.isNull {
            do throws(APIError) { request = try DeletionRequest(options: options) } catch {
                // Only when there is a pod to delete are the options looked at.
                _ = try await view.engine.existing(namespace: write.namespace, name: write.name)
                throw error
            }
        }
        write.isDryRun = write.isDryRun || request.isDryRun
        request.isDryRun = write.isDryRun
        eviction = try await admit(eviction, subresource, view, &write)
        write.subresource = ""
        var pod: JSONValue = [:]
        for attempt in 0... {
            let stored = try await view.engine.existing(namespace: write.namespace, name: write.name)
            pod = try view.engine.tree(stored)
            pod.set(.string(stored.revision.description), at: ["metadata", "resourceVersion"])
            guard !Self.countsAsDisruption(pod) else { break }
            var bound = request
            if bound.resourceVersion == nil, Self.mustBeUnchanged(pod) { bound.resourceVersion = stored.revision.description }
            do throws(APIError) {
                try await remove(bound, view, write)
                return Self.success(201, context)
            } catch {
                guard error.isConflict, request.resourceVersion == nil, attempt < Self.evictionAttempts else { throw error }
            }
            // The revision is read again with the pod.
        }
        return try await evict(pod, request, view, write, context)
    }

    /// The Eviction, in `policy/v1` or its beta.
    private func evictionBody(_ subresource: SubresourceDescriptor, _ context: RequestContext) throws(APIError) -> JSONValue {
        guard let parsed = try? JSONParser.parse(context.request.body), parsed["apiVersion"]?.string == "policy/v1beta1" else {
            return try body(subresource, context)
        }
        var old = subresource
        old.kind = GroupVersionKind(group: "policy", version: "v1beta1", kind: "Eviction")
        return try body(old, context)
    }

    private func evict(
        _ pod: JSONValue,
        _ request: DeletionRequest,
        _ view: ResourceView,
        _ write: WriteContext,
        _ context: RequestContext
    ) async throws(APIError) -> HTTPResponse {
        let found = budgetsOf(pod, write.namespace)
        guard found.count < 2 else {
            let status: JSONValue = [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "code": 500,
                "message": "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ]
            // Upstream's handler gives every result of a creation 201, whatever the Status in it says.
            return Responses.value(status, status: 201, form: context.form)
        }
        guard let budget = found.first else {
            try await remove(request, view, write)
            return Self.success(201, context)
        }
        guard Self.mayEvictUnready(pod, budget) else {
            try await spend(budget, pod: write.name, write)
            try await remove(request, view, write)
            return Self.success(201, context)
        }
        // Unready now; should it become ready meanwhile, the budget has to be asked.
        var bound = request
        bound.resourceVersion = request.resourceVersion ?? pod.value(at: ["metadata", "resourceVersion"])?.string
        do throws(APIError) { try await remove(bound, view, write) } catch {
            guard error.isConflict, request.resourceVersion == nil else { throw error }
            throw Self.stillProcessed(budget.value(at: ["metadata", "name"])?.string ?? "")
        }
        return Self.success(201, context)
    }

    private static func countsAsDisruption(_ pod: JSONValue) -> Bool {
        if pod.value(at: ["metadata", "deletionTimestamp"])?.string != nil { return false }
        let phase = pod.value(at: ["status", "phase"])?.string ?? ""
        return !["Succeeded", "Failed", "Pending"].contains(phase)
    }

    /// A pod that has ended or goes may change; another has to be in the state that was judged.
    private static func mustBeUnchanged(_ pod: JSONValue) -> Bool {
        if pod.value(at: ["metadata", "deletionTimestamp"])?.string != nil { return false }
        return !["Succeeded", "Failed"].contains(pod.value(at: ["status", "phase"])?.string ?? "")
    }

    // MARK: The pod

    /// Says in the pod's status why it goes, and deletes it.
    private func remove(_ request: DeletionRequest, _ view: ResourceView, _ write: WriteContext) async throws(APIError) {
        var request = request
        if !write.isDryRun {
            let wanted = request
            let name = write.name
            let now = write.now
            let change = ObjectChange(part: .status, retriesConflicts: request.resourceVersion == nil) { old throws(APIError) in
                try Self.check(wanted, old, name)
                return Self.marked(old, now: now)
            }
            let outcome = try await view.engine.update(change, view: view, write: write)
            if request.resourceVersion != nil { request.resourceVersion = outcome.stored.revision.description }
        }
        _ = try await view.engine.delete(request, view: view, write: write)
    }

    private static func check(_ request: DeletionRequest, _ pod: JSONValue, _ name: String) throws(APIError) {
        let kind = GroupResource(group: "", resource: "Pod")
        let uid = pod.value(at: ["metadata", "uid"])?.string ?? ""
        if let wanted = request.uid, !wanted.isEmpty, wanted != uid {
            throw .conflict(
                kind,
                name,
                "the UID in the precondition (\(wanted)) does not match the UID in record (\(uid)). "
                    + "The object might have been deleted and then recreated"
            )
        }
        let version = pod.value(at: ["metadata", "resourceVersion"])?.string ?? ""
        if let wanted = request.resourceVersion, !wanted.isEmpty, wanted != version {
            throw .conflict(
                kind,
                name,
                "the ResourceVersion in the precondition (\(wanted)) does not match the ResourceVersion in record (\(version)). "
                    + "The object might have been modified"
            )
        }
    }

    private static func marked(_ pod: JSONValue, now: Timestamp) -> JSONValue {
        var pod = pod
        var conditions = pod.value(at: ["status", "conditions"])?.array ?? []
        var condition: JSONValue = [
            "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
            "lastProbeTime": .null, "lastTransitionTime": .string(now.rfc3339),
        ]
        if let index = conditions.firstIndex(where: { $0["type"]?.string == "DisruptionTarget" }) {
            if conditions[index]["status"] == "True" { condition["lastTransitionTime"] = conditions[index]["lastTransitionTime"] }
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
        pod.set(.array(conditions), at: ["status", "conditions"])
        return pod
    }

    // MARK: The budget

    private func budgetsOf(_ pod: JSONValue, _ namespace: String) -> [JSONValue] {
        let labels = (pod.value(at: ["metadata", "labels"])?.object ?? [:]).reduce(into: [String: String]()) {
            $0[$1.key] = $1.value.string ?? ""
        }
        return lookup.objects(Self.budgets, namespace: namespace).filter { budget in
            guard let selector = budget.value(at: ["spec", "selector"]) else { return false }
            return (try? LabelSelector(json: selector))?.matches(labels) ?? false
        }
    }

    private func spend(_ budget: JSONValue, pod: String, _ write: WriteContext) async throws(APIError) {
        guard let view = resources.storageView(Self.budgets) else { return }
        var spending = write
        spending.name = budget.value(at: ["metadata", "name"])?.string ?? ""
        spending.subresource = "status"
        spending.fieldManager = "kube-apiserver"
        spending.owned = ownedWrite(view, subresource: "status", now: write.now)
        let now = write.now
        let change = ObjectChange(part: .status, retriesConflicts: true) { old throws(APIError) in
            try Self.spent(old, pod: pod, now: now)
        }
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

    private static func stillProcessed(_ budget: String) -> APIError {
        var error = APIError.tooManyRequests(refusal, retryAfterSeconds: evictionRetrySeconds)
        let words = "The disruption budget \(budget) is still being processed by the server."
        error.addCause(reason: "DisruptionBudget", message: words)
        return error
    }

    private static let maxDisruptedPods = 2000

    private static func spent(_ budget: JSONValue, pod: String, now: Timestamp) throws(APIError) -> JSONValue {
        let name = budget.value(at: ["metadata", "name"])?.string ?? ""
        let status = budget["status"] ?? [:]
        guard (status["observedGeneration"]?.int ?? 0) >= budget.value(at: ["metadata", "generation"])?.int ?? 0 else {
            throw stillProcessed(name)
        }
        let resource = GroupResource(group: "policy", resource: "poddisruptionbudget")
        let allowed = status["disruptionsAllowed"]?.int ?? 0
        guard allowed >= 0 else { throw .forbidden(resource, name, "pdb disruptions allowed is negative") }
        guard (status["disruptedPods"]?.object?.count ?? 0) <= maxDisruptedPods else {
            throw .forbidden(resource, name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
        }
        guard allowed > 0 else {
            var error = APIError.tooManyRequests(refusal, retryAfterSeconds: 0)
            error.addCause(reason: "DisruptionBudget", message: exhausted(name, status))
            throw error
        }
        var budget = budget
        budget.set(.integer(allowed - 1), at: ["status", "disruptionsAllowed"])
        if allowed == 1 { budget.set(.array(insufficient(status, budget, now)), at: ["status", "conditions"]) }
        budget.set(.string(now.rfc3339), at: ["status", "disruptedPods", pod])
        return budget
    }

    private static func exhausted(_ name: String, _ status: JSONValue) -> String {
        let start = "The disruption budget \(name)"
        let condition = status["conditions"]?.array?.first { $0["type"]?.string == "DisruptionAllowed" }
        let message = condition?["status"]?.string == "False" ? condition?["message"]?.string ?? "" : ""
        let reason = condition?["reason"]?.string ?? ""
        let desired = status["desiredHealthy"]?.int ?? 0
        let healthy = status["currentHealthy"]?.int ?? 0
        if reason == "SyncFailed", !message.isEmpty {
            return "\(start) does not allow evicting pods currently because it failed sync: \(message)"
        }
        if healthy <= desired { return "\(start) needs \(desired) healthy pods and has \(healthy) currently" }
        if !message.isEmpty { return "\(start) does not allow evicting pods currently (\(reason)): \(message)" }
        return "\(start) does not allow evicting pods currently"
    }

    private static func insufficient(_ status: JSONValue, _ budget: JSONValue, _ now: Timestamp) -> [JSONValue] {
        var conditions = status["conditions"]?.array ?? []
        var condition: JSONValue = [
            "type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": "",
            "lastTransitionTime": .string(now.rfc3339),
        ]
        if let generation = status["observedGeneration"] { condition["observedGeneration"] = generation }
        if let index = conditions.firstIndex(where: { $0["type"]?.string == "DisruptionAllowed" }) {
            if conditions[index]["status"] == "False" { condition["lastTransitionTime"] = conditions[index]["lastTransitionTime"] }
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
        return conditions
    }
}
