import APIModel
import Access
import Values

extension WriteContext {
    /// The write as admission sees it.
    ///
    /// - Parameters:
    ///   - kind: Of the objects; the view's own when nil.
    ///   - options: Shown instead of the write's own.
    func admissionRequest(
        _ operation: AdmissionRequest.Operation,
        _ view: ResourceView,
        kind: GroupVersionKind? = nil,
        object: JSONValue?,
        oldObject: JSONValue? = nil,
        options: JSONValue? = nil
    ) -> AdmissionRequest {
        var request = AdmissionRequest(
            operation: operation,
            kind: kind ?? view.gvk,
            resource: view.gvr,
            subresource: subresource,
            namespace: namespace,
            name: isOfCollection ? "" : name,
            user: user,
            isDryRun: isDryRun,
            options: options ?? shownOptions(operation),
            object: object,
            oldObject: oldObject
        )
        let warnings = warnings
        request.warn = { warnings.add($0) }
        return request
    }

    /// The options as upstream hands them on: those of a patch are shown as those of the update or creation that it comes to.
    private func shownOptions(_ operation: AdmissionRequest.Operation) -> JSONValue? {
        let kind: JSONValue
        switch operation {
        case .create: kind = "CreateOptions"
        case .update: kind = "UpdateOptions"
        case .delete: kind = "DeleteOptions"
        case .connect: return nil
        }
        var shown = options ?? [:]
        shown["kind"] = kind
        shown["apiVersion"] = "meta.k8s.io/v1"
        return shown
    }

    /// Runs the mutating phase. Plugins may change the records of who owns which fields, but not break them.
    func mutate(_ admitted: inout AdmissionRequest) async throws(APIError) {
        let before = admitted.object?.value(at: FieldTracking.path)
        try await admission.mutate(&admitted)
        guard let after = admitted.object?.value(at: FieldTracking.path), after != before else { return }
        if after == [] { admitted.object?.remove(at: FieldTracking.path) }
        guard let words = Self.problem(ofRecords: after) else { return }
        if let before {
            admitted.object?.set(before, at: FieldTracking.path)
        } else {
            admitted.object?.remove(at: FieldTracking.path)
        }
        warnings.add(
            ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated "
                + "mutating admission controller; please fix your requests: \(words)"
        )
    }

    private static func problem(ofRecords list: JSONValue) -> String? {
        guard ManagedFields(checking: list) == nil else { return nil }
        let operations = (list.array ?? []).map { $0["operation"]?.string ?? "" }
        let areKnown = operations.allSatisfy { $0 == "Apply" || $0 == "Update" }
        return areKnown ? "error decoding managed fields" : "operation must be `Apply` or `Update`"
    }
}

/// What admission sees of a write, where that is not the object itself: the scale of a workload.
struct AdmittedPart: Sendable {
    /// The kind of what is seen.
    var kind: GroupVersionKind
    /// What is seen of an object.
    var show: @Sendable (JSONValue) throws(APIError) -> JSONValue
    /// The object (second) with what admission made of what it saw (first).
    var apply: @Sendable (JSONValue, JSONValue) throws(APIError) -> JSONValue
}
