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
    func create(_ object: JSONValue, view: ResourceView, write: WriteContext) async throws(APIError) -> Stored {
        try view.mayCreate(object)
        var template = object
        try fillSystemFields(&template, write)
        if !write.keepsFieldRecords, let owned = write.owned {
            FieldTracking.noteCreation(&template, by: write.fieldWriter(view), owned)
        }
        let isGenerated =
            template.value(at: ["metadata", "name"])?.string?.isEmpty ?? true
            && template.value(at: ["metadata", "generateName"])?.string?.isEmpty == false
        guard isGenerated else { return try await createOnce(template, view: view, write: write) }
        let base = template.value(at: ["metadata", "generateName"])?.string ?? ""
        for attempt in 1... {
            var object = template
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

    private func fillSystemFields(_ object: inout JSONValue, _ write: WriteContext) throws(APIError) {
        var metadata = object["metadata"] ?? [:]
        object["metadata"] = nil
        if let version = metadata["resourceVersion"]?.string, !version.isEmpty, version != "0" {
            throw APIError(code: 500, reason: "", message: "resourceVersion should not be set on objects to be created")
        }
        try checkNamespace(&metadata, write.namespace)
        for field in ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            metadata[field] = nil
        }
        if write.owned == nil { metadata["managedFields"] = nil }
        metadata["uid"] = .string(environment.random.uuid())
        metadata["creationTimestamp"] = .string(write.now.rfc3339)
        object["metadata"] = metadata
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

    private func createOnce(_ input: JSONValue, view: ResourceView, write: WriteContext) async throws(APIError) -> Stored {
        let name = input.value(at: ["metadata", "name"])?.string ?? ""
        var admitted = AdmissionRequest(
            operation: .create,
            kind: view.gvk,
            resource: view.gvr,
            namespace: write.namespace,
            name: name,
            user: write.user,
            isDryRun: write.isDryRun,
            options: write.options,
            object: input
        )
        try await write.admission.mutate(&admitted)
        var object = admitted.object ?? input
        admitted.object = nil
        if view.convertsBeforeHooks { object = try await view.toStorage(object) }
        let context = hookContext(write)
        let hooks = view.engineHooks
        if !traits.keepsStatusOnCreate, !write.keepsStatus, view.subresource("status") != nil { object["status"] = nil }
        hooks.prepareForCreate(&object, context)
        let issues = withStructure(object, hooks.validate(object, context))
        try refuse(ObjectMetadata.joined(ObjectMetadata.issues(object, namespaced: descriptor.namespaced), with: issues), name)
        hooks.warnings(object, old: nil).forEach(write.warnings.add)
        let claim = try await step?.prepare(&object, old: nil, isDryRun: write.isDryRun)
        do throws(APIError) {
            admitted.object = object
            try await write.admission.validate(admitted)
            admitted.object = nil
            if !view.convertsBeforeHooks { object = try await view.toStorage(object) }
            let stored = try await insert(object, write)
            await claim?.finish()
            return stored
        } catch {
            await claim?.undo()
            throw error
        }
    }

    private func insert(_ object: JSONValue, _ write: WriteContext) async throws(APIError) -> Stored {
        let name = object.value(at: ["metadata", "name"])?.string ?? ""
        let key = key(namespace: object.value(at: ["metadata", "namespace"])?.string ?? "", name: name)
        let bytes = object.encoded()
        if write.isDryRun {
            if try await stored(key) != nil { throw .alreadyExists(resource, name) }
            return Stored(key: key, bytes: bytes, revision: .zero)
        }
        do throws(StoreError) {
            let revision = try await environment.store.put(key, indexer.storable(bytes), if: .absent)
            return Stored(key: key, bytes: bytes, revision: revision)
        } catch {
            if case .conflict = error.code { throw .alreadyExists(resource, name) }
            throw StoreFailure.apiError(error)
        }
    }

    /// Adds what the schema finds wrong where the hooks found nothing.
    func withStructure(_ object: JSONValue, _ issues: [FieldIssue]) -> [FieldIssue] {
        guard !traits.hasOwnValidation, let schema = descriptor.storageSchema else { return issues }
        let known = Set(issues.map(\.path))
        let found = schema.validate(object, path: .root).filter { issue in
            // Metadata has its own checks; the status is the controllers'.
            let path = issue.path.description
            return !known.contains(issue.path) && !path.hasPrefix("metadata") && !path.hasPrefix("status")
        }
        return issues + found
    }

    /// Throws 422 when there are issues.
    func refuse(_ issues: [FieldIssue], _ name: String) throws(APIError) {
        guard issues.isEmpty else { throw .invalid(descriptor.groupKind, name, issues) }
    }
}
