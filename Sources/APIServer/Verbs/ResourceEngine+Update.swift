import APIModel
import Access
import Schema
import Store
import Units
import Values

/// What an update does to an object.
struct ObjectChange: Sendable {
    /// Which part may change.
    enum Part: Sendable {
        case object, status
        /// What a subresource shows, checked by the kind's hooks.
        case subresource
        /// What the server itself has put together.
        case other
    }

    var part = Part.object
    /// Whether a lost race is tried again with the newest object; else it is a conflict.
    var retriesConflicts = false
    /// Whether the object is created when it does not exist.
    var creates = false
    /// Whether the change brings the object's field records with it (server-side apply).
    var isApply = false
    /// The conversions that `apply` has to wait for.
    var awaited: AwaitedConversions?
    /// What admission sees; nil when it sees the objects themselves.
    var admitted: AdmittedPart?
    /// Whether the object was made by a patch: then a wrong identity is the new object's fault.
    var isPatch = false
    /// The new object, given the old one with its resourceVersion, both in the served version.
    var apply: @Sendable (JSONValue) throws(APIError) -> JSONValue

    /// The new object, with all conversions that it takes.
    fileprivate func applied(to old: JSONValue) async throws(APIError) -> JSONValue {
        guard let awaited else { return try apply(old) }
        return try await awaited.settled { () throws(APIError) in try apply(old) }
    }
}

/// What became of an update.
struct UpdateOutcome: Sendable {
    var stored: ResourceEngine.Stored
    var isCreated = false
}

extension ResourceEngine {
    /// Upstream tries until the request's time is over. Each try that fails is a write of somebody else that succeeded.
    private static let conflictRetries = 1000

    /// Changes an object.
    func update(_ change: ObjectChange, view: ResourceView, write: WriteContext) async throws(APIError) -> UpdateOutcome {
        let key = key(namespace: write.namespace, name: write.name)
        for attempt in 0... {
            guard let current = try await stored(key) else {
                guard change.creates else { throw .notFound(resource, write.name) }
                return try await createInstead(change, view: view, write: write)
            }
            do throws(APIError) {
                return UpdateOutcome(stored: try await updateOnce(change, current, view: view, write: write))
            } catch {
                guard change.retriesConflicts, error.isConflict, error.isLostRace, attempt < Self.conflictRetries else { throw error }
            }
        }
        throw .modified(resource, write.name)
    }

    private func createInstead(
        _ change: ObjectChange,
        view: ResourceView,
        write: WriteContext
    ) async throws(APIError) -> UpdateOutcome {
        var object = try change.apply([:])
        if let uid = object.value(at: ["metadata", "uid"])?.string, !uid.isEmpty {
            let words = "uid mismatch: the provided object specified uid \(uid), and no existing object was found"
            throw .conflict(resource, write.name, words)
        }
        // A version of what is gone is no hindrance, as upstream has it; one that is no number is a mistake.
        let version = object.value(at: ["metadata", "resourceVersion"])?.string ?? ""
        if !change.isApply, !version.isEmpty, UInt64(version) == nil {
            throw APIError(code: 500, reason: "", message: ListQuery.revisionIssue(version).detail)
        }
        object.remove(at: ["metadata", "resourceVersion"])
        var write = write
        write.keepsFieldRecords = change.isApply
        return UpdateOutcome(stored: try await create(object, view: view, write: write), isCreated: true)
    }

    private func updateOnce(
        _ change: ObjectChange,
        _ current: Stored,
        view: ResourceView,
        write: WriteContext
    ) async throws(APIError) -> Stored {
        let kept = try tree(current)
        let oldServed = try await view.fromStorage(kept)
        // What the hooks and the records of fields are asked about: the version stored, or the one served.
        let old = view.convertsBeforeHooks ? kept : oldServed
        var shown = oldServed
        shown.set(.string(current.revision.description), at: ["metadata", "resourceVersion"])
        var object = try await change.applied(to: shown)
        if !change.isApply, let owned = write.owned {
            await FieldTracking.noteAwaiting(&object, old: oldServed, by: write.fieldWriter(view), owned)
        }
        try await admit(&object, shown, change, view: view, write: write)
        try checkIdentity(&object, old, current, change, write)
        if view.convertsBeforeHooks {
            object = try await view.toStorage(object)
            // What was stored has none, so a list without items would look like a change.
            forgetEmptyLists(&object)
        }
        let claim = change.part == .object ? try await step?.prepare(&object, old: old, isDryRun: write.isDryRun) : nil
        do throws(APIError) {
            try prepare(&object, old, change, view, write)
            FieldTracking.keepTimes(&object, old: old)
            if change.part == .object { view.engineHooks.warnings(object, old: old).forEach(write.warnings.add) }
            var seen = object
            seen.set(.string(current.revision.description), at: ["metadata", "resourceVersion"])
            try await write.admission.validate(try request(seen, shown, change, view, write))
            if !view.convertsBeforeHooks { object = try await view.toStorage(object) }
            settle(&object)
            let stored = try await replace(object, kept, current, write)
            await claim?.finish(object)
            return stored
        } catch {
            await claim?.undo()
            throw error
        }
    }

    /// Runs the mutating plugins.
    private func admit(
        _ object: inout JSONValue,
        _ old: JSONValue,
        _ change: ObjectChange,
        view: ResourceView,
        write: WriteContext
    ) async throws(APIError) {
        if var metadata = object["metadata"] {
            try checkNamespace(&metadata, write.namespace)
            object["metadata"] = metadata
        }
        var admitted = try request(object, old, change, view, write)
        guard let part = change.admitted else {
            try await write.mutate(&admitted)
            object = admitted.object ?? object
            return
        }
        let before = admitted.object
        try await write.admission.mutate(&admitted)
        guard let after = admitted.object, after != before else { return }
        object = try part.apply(after, object)
    }

    private func request(
        _ object: JSONValue,
        _ old: JSONValue,
        _ change: ObjectChange,
        _ view: ResourceView,
        _ write: WriteContext
    ) throws(APIError) -> AdmissionRequest {
        var request: AdmissionRequest
        if let part = change.admitted {
            request = write.admissionRequest(.update, view, kind: part.kind, object: try part.show(object), oldObject: try part.show(old))
        } else {
            request = write.admissionRequest(.update, view, object: object, oldObject: old)
        }
        request.isPatch = change.isPatch || change.isApply
        return request
    }

    /// Name, uid, namespace and resourceVersion have to be those of the object that is there.
    private func checkIdentity(
        _ object: inout JSONValue,
        _ old: JSONValue,
        _ current: Stored,
        _ change: ObjectChange,
        _ write: WriteContext
    ) throws(APIError) {
        var metadata = object["metadata"] ?? [:]
        object["metadata"] = nil
        let before = old["metadata"] ?? [:]
        let uid = metadata["uid"]?.string ?? ""
        if !change.isPatch, !change.isApply, !uid.isEmpty, uid != before["uid"]?.string {
            throw .conflict(resource, write.name, Self.preconditionFailed(uid, before, resource, write))
        }
        let version = metadata["resourceVersion"]?.string ?? ""
        if version.isEmpty || version == "0" {
            guard traits.updatesUnconditionally else {
                let field = FieldPath("metadata.resourceVersion")
                let issue = FieldIssue.invalid(field, .integer(0), "must be specified for an update")
                // Upstream names the resource here, not the kind.
                throw .invalid(GroupKind(group: resource.group, kind: resource.resource), write.name, [issue])
            }
        } else if version != current.revision.description {
            guard UInt64(version) != nil else {
                let issue = ListQuery.revisionIssue(version)
                throw APIError(code: 500, reason: "", message: issue.detail)
            }
            throw .modified(resource, write.name)
        }
        try checkNamespace(&metadata, write.namespace)
        for field in ["resourceVersion", "selfLink"] { metadata[field] = nil }
        if uid.isEmpty { metadata["uid"] = before["uid"] }
        metadata["creationTimestamp"] = before["creationTimestamp"]
        metadata["generation"] = before["generation"]
        if (metadata["deletionTimestamp"]?.string ?? "").isEmpty { metadata["deletionTimestamp"] = before["deletionTimestamp"] }
        if metadata["deletionGracePeriodSeconds"]?.int == nil {
            metadata["deletionGracePeriodSeconds"] = before["deletionGracePeriodSeconds"]
        }
        object["metadata"] = metadata
    }

    private func prepare(
        _ object: inout JSONValue,
        _ old: JSONValue,
        _ change: ObjectChange,
        _ view: ResourceView,
        _ write: WriteContext
    ) throws(APIError) {
        let context = hookContext(write)
        let hooks = view.engineHooks
        var issues: [FieldIssue]
        switch change.part {
        case .object:
            if view.subresource("status") != nil { object["status"] = old["status"] }
            hooks.prepareForUpdate(&object, old: old, context)
            issues = metadataIssues(object, old, change.part)
            issues += hooks.validateUpdate(object, old: old, context)
        case .status:
            keepAllButStatus(&object, old)
            hooks.prepareForStatusUpdate(&object, old: old, context)
            issues = metadataIssues(object, old)
            issues += hooks.validateStatusUpdate(object, old: old, context)
        case .subresource:
            hooks.prepareForUpdate(&object, old: old, context)
            issues = metadataIssues(object, old)
            issues += hooks.validateUpdate(object, old: old, context)
        case .other:
            issues = metadataIssues(object, old)
        }
        try refuse(issues, write.name)
    }

    private func metadataIssues(_ object: JSONValue, _ old: JSONValue, _ part: ObjectChange.Part = .other) -> [FieldIssue] {
        let whole = ObjectMetadata.issues(object, namespaced: descriptor.namespaced)
        let change = ObjectMetadata.updateIssues(object, old: old) + ObjectMetadata.repeated(whole)
        // Upstream checks metadata for all kinds, as of a new object and of a changed one, and again with each kind's own rules.
        var issues = whole + change + change
        if case .object = part, !whole.isEmpty { for _ in 0..<traits.wholeMetadataChecks { issues += whole } }
        return issues + ObjectMetadata.finalizerNameIssues(object, of: descriptor)
    }

    /// How upstream's storage puts it.
    static func preconditionFailed(_ uid: String, _ before: JSONValue, _ resource: GroupResource, _ write: WriteContext) -> String {
        let group = resource.group.contains(".") && !resource.group.hasSuffix(".k8s.io") ? "\(resource.group)/" : ""
        let place = write.namespace.isEmpty ? write.name : "\(write.namespace)/\(write.name)"
        return "StorageError: invalid object, Code: 4, Key: /registry/\(group)\(resource.resource)/\(place), ResourceVersion: 0, "
            + "AdditionalErrorMsg: Precondition failed: UID in precondition: \(uid), UID in object meta: \(before["uid"]?.string ?? "")"
    }

    private func keepAllButStatus(_ object: inout JSONValue, _ old: JSONValue) {
        var kept = old
        kept["status"] = object["status"]
        if let metadata = object["metadata"] { kept["metadata"] = metadata }
        object = kept
    }

    private func replace(
        _ object: JSONValue,
        _ old: JSONValue,
        _ current: Stored,
        _ write: WriteContext
    ) async throws(APIError) -> Stored {
        let bytes = storedBytes(object)
        if isFinished(object, old) { return try await remove(current, object, bytes, write) }
        if bytes == current.bytes { return current }
        if write.isDryRun { return Stored(key: current.key, bytes: bytes, revision: current.revision) }
        do throws(StoreError) {
            let revision = try await environment.store.put(current.key, indexer.storable(bytes), if: .revision(current.revision))
            return Stored(key: current.key, bytes: bytes, revision: revision)
        } catch {
            throw conflictOrFailure(error, write.name)
        }
    }

    /// What a lost compare-and-set means to the client.
    func conflictOrFailure(_ error: StoreError, _ name: String) -> APIError {
        guard case .conflict(let current) = error.code else { return StoreFailure.apiError(error) }
        return current == nil ? .notFound(resource, name) : .modified(resource, name)
    }

    /// A change that takes the last finalizer from an object being deleted completes the deletion.
    private func isFinished(_ object: JSONValue, _ old: JSONValue) -> Bool {
        let metadata = object["metadata"]
        guard metadata?["deletionTimestamp"]?.string != nil, ObjectMetadata.finalizers(metadata).isEmpty else { return false }
        guard (metadata?["deletionGracePeriodSeconds"]?.int ?? 0) == 0,
            (old.value(at: ["metadata", "deletionGracePeriodSeconds"])?.int ?? 0) == 0
        else { return false }
        guard resource == .core("namespaces") else { return true }
        return (object.value(at: ["spec", "finalizers"])?.array ?? []).isEmpty
    }

    private func remove(
        _ current: Stored,
        _ object: JSONValue,
        _ bytes: [UInt8],
        _ write: WriteContext
    ) async throws(APIError) -> Stored {
        if write.isDryRun { return Stored(key: current.key, bytes: bytes, revision: current.revision) }
        do throws(StoreError) {
            _ = try await environment.store.delete(current.key, if: .revision(current.revision))
            await step?.removed(object)
            // The answer is what would have been written; it was not, and has no version of its own.
            return Stored(key: current.key, bytes: bytes, revision: current.revision)
        } catch {
            throw conflictOrFailure(error, write.name)
        }
    }
}

extension APIError {
    /// A conflict with a concurrent write, as opposed to a precondition of the client's.
    var isLostRace: Bool { message.hasSuffix("please apply your changes to the latest version and try again") }
}
