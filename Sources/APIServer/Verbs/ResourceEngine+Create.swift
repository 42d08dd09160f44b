import APIModel
import Access
import Schema
import Store
import Units
import Values

extension ResourceEngine {
    /// How often a generated name is drawn before the collision is reported.
    private static let nameAttempts = 8
    private static let generatedNameLimit = 63
    private static let suffixLength = 5

    /// Stores a new object. `object` is decoded and defaulted, in the version of `view`.
    ///
    /// The object is handed on from step to step, so that each changes it where it is: a tree that two hold is copied.
    func create(_ object: consuming JSONValue, view: ResourceView, write: WriteContext) async throws(APIError) -> Stored {
        try view.mayCreate(object)
        let template = try await admitted(object, view: view, write: write)
        let base = template.value(at: ["metadata", "generateName"])?.string ?? ""
        let isGenerated = template.value(at: ["metadata", "name"])?.string?.isEmpty ?? true && !base.isEmpty
        guard isGenerated else { return try await createOnce(filled(template, write), view: view, write: write) }
        for attempt in 1... {
            var object = filled(template, write)
            let name = String(base.prefix(Self.generatedNameLimit - Self.suffixLength)) + environment.random.suffix(Self.suffixLength)
            object.set(.string(name), at: ["metadata", "name"])
            do throws(APIError) {
                return try await createOnce(object, view: view, write: write)
            } catch {
                guard error.isAlreadyExists else { throw error }
                if attempt >= Self.nameAttempts { throw .generateNameConflict(resource, name) }
            }
        }
        throw .generateNameConflict(resource, base)
    }

    /// A new object after the mutating plugins, which see neither a generated name nor what the system fills in.
    private func admitted(_ object: consuming JSONValue, view: ResourceView, write: WriteContext) async throws(APIError) -> JSONValue {
        try clearSystemFields(&object, write)
        if !write.keepsFieldRecords, let owned = write.owned {
            FieldTracking.noteCreation(&object, by: write.fieldWriter(view), owned)
        }
        var named = write
        named.name = object.value(at: ["metadata", "name"])?.string ?? ""
        var admitted = named.admissionRequest(.create, view, object: object)
        try await write.mutate(&admitted)
        guard var changed = admitted.object else { throw .internalError("admission left no object") }
        admitted.object = nil
        var metadata = changed["metadata"] ?? [:]
        changed["metadata"] = nil
        try checkNamespace(&metadata, write.namespace)
        changed["metadata"] = metadata
        return changed
    }

    private func clearSystemFields(_ object: inout JSONValue, _ write: WriteContext) throws(APIError) {
        var metadata = object["metadata"] ?? [:]
        object["metadata"] = nil
        try checkNamespace(&metadata, write.namespace)
        for field in Self.systemFields { metadata[field] = nil }
        // A version given is refused by the store, after all that admission has to say.
        if UInt64(metadata["resourceVersion"]?.string ?? "") ?? 0 == 0 { metadata["resourceVersion"] = nil }
        if write.owned == nil { metadata["managedFields"] = nil }
        object["metadata"] = metadata
    }

    private static let systemFields = [
        "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "uid", "creationTimestamp",
    ]

    private func filled(_ object: consuming JSONValue, _ write: WriteContext) -> JSONValue {
        var metadata = object["metadata"] ?? [:]
        object["metadata"] = nil
        metadata["uid"] = .string(environment.random.uuid())
        metadata["creationTimestamp"] = .string(write.now.rfc3339)
        object["metadata"] = metadata
        return object
    }

    /// Puts the request's namespace into the object, or refuses another one.
    func checkNamespace(_ metadata: inout JSONValue, _ namespace: String) throws(APIError) {
        let own = metadata["namespace"]?.string ?? ""
        let wanted = descriptor.namespaced ? namespace : ""
        if own.isEmpty {
            metadata["namespace"] = wanted.isEmpty ? nil : .string(wanted)
            return
        }
        if wanted.isEmpty {
            // What is in no namespace has none, whatever the manifest says.
            metadata["namespace"] = nil
            return
        }
        guard own == wanted else {
            throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
        }
    }

    private func createOnce(_ object: consuming JSONValue, view: ResourceView, write: WriteContext) async throws(APIError) -> Stored {
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        if view.convertsBeforeHooks { object = try await view.toStorage(object) }
        let claim = try await step?.prepare(&object, old: nil, isDryRun: write.isDryRun)
        do throws(APIError) {
            try check(&object, name, view: view, write: write)
            var named = write
            named.name = name
            try await write.admission.validate(named.admissionRequest(.create, view, object: object))
            if !view.convertsBeforeHooks { object = try await view.toStorage(object) }
            settle(&object)
            let stored = try await insert(object, write)
            await claim?.finish(object)
            return stored
        } catch {
            await claim?.undo()
            throw error
        }
    }

    /// What the kind's hooks make of a new object, and what they say to it.
    private func check(_ object: inout JSONValue, _ name: String, view: ResourceView, write: WriteContext) throws(APIError) {
        let context = hookContext(write)
        let hooks = view.engineHooks
        if !traits.keepsStatusOnCreate, !write.keepsStatus, view.subresource("status") != nil { object["status"] = nil }
        hooks.prepareForCreate(&object, context)
        if object["status"] == nil, let status = untouchedStatus { object["status"] = status }
        let issues = prefixIssues(object, hooks, context) + hooks.validate(object, context)
        let common = ObjectMetadata.issues(object, namespaced: descriptor.namespaced)
        let finalizers = ObjectMetadata.finalizerNameIssues(object, of: descriptor)
        try refuse(ObjectMetadata.joined(common + finalizers, with: issues), name)
        hooks.warnings(object, old: nil).forEach(write.warnings.add)
    }

    private func insert(_ made: JSONValue, _ write: WriteContext) async throws(APIError) -> Stored {
        var object = made
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        let key = key(namespace: object.value(at: ["metadata", "namespace"])?.string ?? "", name: name)
        if object.value(at: ["metadata", "resourceVersion"]) != nil {
            guard write.isDryRun else {
                throw APIError(code: 500, reason: "", message: "resourceVersion should not be set on objects to be created")
            }
            var metadata = object["metadata"] ?? [:]
            metadata["resourceVersion"] = nil
            object["metadata"] = metadata
        }
        let bytes = storedBytes(object)
        if write.isDryRun {
            if let present = try await stored(key) { throw occupied(by: present, name) }
            return Stored(key: key, bytes: bytes, revision: .zero)
        }
        do throws(StoreError) {
            let revision = try await environment.store.put(key, indexer.storable(bytes), if: .absent)
            return Stored(key: key, bytes: bytes, revision: revision)
        } catch {
            if case .conflict = error.code { throw occupied(by: try await stored(key), name) }
            throw StoreFailure.apiError(error)
        }
    }

    private func occupied(by present: Stored?, _ name: String) -> APIError {
        var error = APIError.alreadyExists(resource, name)
        guard let present, let object = try? tree(present) else { return error }
        if object.value(at: ["metadata", "deletionTimestamp"])?.string != nil {
            error.message = "object is being deleted: \(error.message)"
        }
        return error
    }

    /// What is wrong with the beginning of a generated name, by the kind's rule for names.
    private func prefixIssues(_ object: JSONValue, _ hooks: any KindHooks, _ context: HookContext) -> [FieldIssue] {
        guard var prefix = object.value(at: ["metadata", "generateName"])?.string, !prefix.isEmpty else { return [] }
        let given = prefix
        // A dash may end it: more is to come.
        if prefix.hasSuffix("-") { prefix = prefix.dropLast() + "a" }
        var probe = object
        probe.set(.string(prefix), at: ["metadata", "name"])
        let path = FieldPath("metadata")
        return hooks.validate(probe, context).filter { $0.path == path.child("name") }.map {
            .invalid(path.child("generateName"), .string(given), $0.detail)
        }
    }

    /// Throws 422 when there are issues.
    func refuse(_ issues: [FieldIssue], _ name: String) throws(APIError) {
        guard issues.isEmpty else { throw .invalid(descriptor.groupKind, name, issues) }
    }
}
