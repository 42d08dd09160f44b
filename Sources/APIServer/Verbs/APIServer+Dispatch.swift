import APIModel
import Access
import HTTPTransport
import Negotiation
import Schema
import Store
import Values

extension APIServer {
    /// Serves a request for a resource.
    func dispatch(_ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let info = context.info
        guard info.isRoutable else { throw .unknownPath }
        let resources = resources
        guard let view = resources.view(group: info.group, version: info.version, resource: info.resource) else {
            guard let (kind, version) = resources.virtualKind(group: info.group, version: info.version, resource: info.resource)
            else { throw .unknownPath }
            return try await respondToVirtual(kind, version, context)
        }
        // Custom resources have no routes upstream: their warning comes first.
        if view.descriptor.isCustom { context.warnings.add(view.version.deprecationWarning ?? "") }
        try checkScope(view, info)
        if info.isWatchPath, !info.subresource.isEmpty { throw .unknownPath }
        guard info.subresource.isEmpty else { return try await respondToSubresource(view, context) }
        guard view.descriptor.verbs.contains(info.verb), try Self.hasRoute(view, context) else { throw .methodNotAllowed() }
        context.warnings.add(view.version.deprecationWarning ?? "")
        if let issue = info.name.isEmpty ? nil : ObjectMetadata.segmentIssues(info.name).first {
            throw .badRequest("Name parameter invalid: \(GoQuote.quote(info.name)): \(issue)")
        }
        try context.checkOptions()
        switch info.verb {
        case "get": return try await get(view, context)
        case "list": return try await list(view, context)
        case "watch": return try watch(view, context)
        case "create": return try await create(view, context)
        case "update": return try await update(view, context)
        case "patch": return try await patch(view, context)
        case "delete": return try await delete(view, context)
        case "deletecollection": return try await deleteCollection(view, context)
        default: throw .methodNotAllowed()
        }
    }

    /// Whether the method fits the path: collections are created in, objects are written by their names, and watch paths only read.
    /// Custom resources have no routes upstream, only verbs.
    private static func hasRoute(_ view: ResourceView, _ context: RequestContext) throws(APIError) -> Bool {
        let info = context.info
        if context.request.method == "HEAD" || (info.isWatchPath && context.request.method != "GET") { return false }
        switch info.verb {
        case "create": return info.name.isEmpty || view.descriptor.isCustom
        case "update", "patch":
            guard info.name.isEmpty else { return true }
            if view.descriptor.isCustom { throw .badRequest("name must be provided") }
            return false
        default: return true
        }
    }

    private func checkScope(_ view: ResourceView, _ info: RequestInfo) throws(APIError) {
        if view.descriptor.namespaced {
            let isCollection = info.name.isEmpty
            guard info.namespace.isEmpty else { return }
            guard isCollection, ["list", "watch"].contains(info.verb) else {
                if isCollection { throw .methodNotAllowed() }
                throw .unknownPath
            }
        } else if !info.namespace.isEmpty {
            // Only a namespace itself is found below its own name.
            guard view.descriptor.plural == "namespaces", info.name == info.namespace else { throw .unknownPath }
        }
    }

    /// The namespace of the objects a request is about; a namespace object itself is in none.
    static func namespace(_ view: ResourceView, _ info: RequestInfo) -> String {
        view.descriptor.namespaced ? info.namespace : ""
    }

    func writeContext(_ view: ResourceView, _ context: RequestContext) throws(APIError) -> WriteContext {
        WriteContext(
            user: context.user,
            now: context.now,
            namespace: Self.namespace(view, context.info),
            name: context.info.name,
            subresource: context.info.subresource,
            isDryRun: try context.dryRun(),
            admission: admission,
            warnings: context.warnings,
            version: view.version.name,
            options: Self.givenOptions(context.request.query),
            fieldManager: try FieldTracking.manager(context.request, kind: context.optionsKind),
            owned: ownedWrite(view, subresource: context.info.subresource, now: context.now)
        )
    }

    /// The options of a write that the client has given.
    static func givenOptions(_ query: QueryItems) -> JSONValue? {
        guard !query.isEmpty else { return nil }
        var given: JSONValue = [:]
        if !query.all("dryRun").isEmpty { given["dryRun"] = JSONValue(query.all("dryRun")) }
        for name in ["fieldManager", "fieldValidation"] {
            if let value = query.first(name), !value.isEmpty { given[name] = .string(value) }
        }
        return given
    }

    /// Writes one object in the form asked for.
    func render(
        _ stored: ResourceEngine.Stored,
        _ view: ResourceView,
        _ context: RequestContext,
        status: Int = 200
    ) async throws(APIError) -> HTTPResponse {
        render(try await view.answered(stored), view, context, status: status)
    }

    func render(_ bytes: [UInt8], _ view: ResourceView, _ context: RequestContext, status: Int = 200) -> HTTPResponse {
        if context.form.shape != .object, !ObjectBytes.isStatus(bytes) {
            do throws(APIError) { try ShapeCheck.one(view, context) } catch {
                return Responses.error(error, form: ResponseForm.ofError(context.request))
            }
        }
        switch context.form.shape {
        case .object: return Responses.object(bytes, status: status, form: context.form)
        case .table(let version):
            guard let value = try? JSONParser.parse(bytes) else { return Responses.object(bytes, form: context.form) }
            if value["kind"]?.string == "Status" { return Responses.object(bytes, status: status, form: context.form) }
            let table = TableForm(view: view, version: version, context: context).single(value)
            return Responses.value(table, status: status, form: context.form)
        case .partial(let version):
            if ObjectBytes.isStatus(bytes) { return Responses.object(bytes, status: status, form: context.form) }
            guard let range = ObjectBytes.metadata(of: bytes) else { return Responses.object(bytes, form: context.form) }
            var out = Array("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/\(version)\",\"metadata\":".utf8)
            out += bytes[range]
            out.append(UInt8(ascii: "}"))
            return Responses.object(out, status: status, form: context.form)
        }
    }

    // MARK: Reading

    private func get(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let info = context.info
        let engine = view.engine
        let namespace = Self.namespace(view, info)
        if let text = context.request.query.first("resourceVersion"), !text.isEmpty {
            guard let revision = UInt64(text).map({ Revision($0) }) else {
                throw APIError(code: 500, reason: "", message: ListQuery.revisionIssue(text).message)
            }
            try await engine.catchUp(to: revision)
            guard let object = engine.cache.get(engine.key(namespace: namespace, name: info.name)) else {
                throw .notFound(view.descriptor.groupResource, info.name)
            }
            return render(try await view.answered(object), view, context)
        }
        guard let stored = try await engine.stored(engine.key(namespace: namespace, name: info.name)) else {
            throw .notFound(view.descriptor.groupResource, info.name)
        }
        return try await render(stored, view, context)
    }

    private func options(_ context: RequestContext) throws(APIError) -> ListOptions {
        try ListOptions { context.request.query.first($0) }
    }

    private func list(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let namespace = Self.namespace(view, context.info)
        let query = try ListQuery(try options(context), view: view, namespace: namespace)
        let (page, view) = try await view.page(query, namespace: namespace)
        guard !context.form.isCopied, page.isLong else {
            return try ListResponse.make(page, view: view, context: context)
        }
        // Every object has to be decoded: too much for a thread that serves connections.
        let outcome: Result<HTTPResponse, APIError> = await offEventLoop { [page, view] in
            do throws(APIError) {
                return .success(try ListResponse.make(page, view: view, context: context))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private func watch(_ view: ResourceView, _ context: RequestContext) throws(APIError) -> HTTPResponse {
        var options = try options(context)
        if context.info.isWatchPath, !context.info.name.isEmpty {
            let term = "metadata.name=\(context.info.name)"
            guard options.fieldSelector.isEmpty || options.fieldSelector == term else {
                throw .badRequest("fieldSelector metadata.name doesn't match requested name")
            }
            options.fieldSelector = term
        }
        try ListQuery.checkPaging(options)
        return try WatchResponse.make(
            view,
            options,
            context: context,
            namespace: Self.namespace(view, context.info),
            deadlines: deadlines
        )
    }

    // MARK: Writing

    private func create(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        var write = try writeContext(view, context)
        // The path of a custom resource may name one, to no effect.
        write.name = ""
        var object = try ObjectDecoding(view).object(context)
        OwnerReferences.merge(in: &object, context.warnings)
        let stored = try await view.engine.create(object, view: view, write: write)
        return try await render(stored, view, context, status: 201)
    }

    private func update(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let object = try ObjectDecoding(view).object(context)
        var change = try Self.replacement(object, name: context.info.name, context.warnings)
        change.creates = view.engine.traits.createsOnUpdate
        let outcome = try await view.engine.update(change, view: view, write: try writeContext(view, context))
        return try await render(outcome.stored, view, context, status: outcome.isCreated ? 201 : 200)
    }

    /// Refuses an object, or a scale, of another name than the one it is written under.
    static func checkName(_ object: JSONValue, _ name: String) throws(APIError) {
        let own = object.value(at: ["metadata", "name"])?.string ?? ""
        guard own != name else { return }
        if own.isEmpty { throw .undeterminableName(name) }
        throw .badRequest("the name of the object (\(own)) does not match the name on the URL (\(name))")
    }

    /// A change that puts the object given in place of the one that is there.
    /// Owners named twice are told of when the object's name is right.
    static func replacement(_ object: JSONValue, name: String, _ warnings: WarningList) throws(APIError) -> ObjectChange {
        try checkName(object, name)
        // Without a version the client wants its object stored whatever is there.
        let version = object.value(at: ["metadata", "resourceVersion"])?.string ?? ""
        var merged = object
        OwnerReferences.merge(in: &merged, warnings)
        return ObjectChange(retriesConflicts: version.isEmpty) { [merged] _ in merged }
    }

    private func patch(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let patch = try await existingFirst(view, context) { () throws(APIError) in try ObjectPatch(context, for: view) }
        let change = patch.kind == .apply ? try applied(view, context, patch) : try patched(view, context, patch)
        let outcome = try await view.engine.update(change, view: view, write: try writeContext(view, context))
        return try await render(outcome.stored, view, context, status: outcome.isCreated ? 201 : 200)
    }

    /// A change that applies a patch to whatever is there.
    func patched(_ view: ResourceView, _ context: RequestContext, _ patch: ObjectPatch) throws(APIError) -> ObjectChange {
        let validation = try context.fieldValidation()
        let decoding = ObjectDecoding(view)
        let schema = view.version.schema
        let warnings = context.warnings
        let name = context.info.name
        var change = ObjectChange { old throws(APIError) in
            var object = try patch.apply(to: old, schema: schema)
            guard object.object != nil else {
                throw .badRequest("the patched object is not an object")
            }
            try decoding.decode(patched: &object, by: patch, named: name, validation, warnings)
            try Self.checkName(object, name)
            OwnerReferences.merge(in: &object, warnings, isAfterAdmission: true)
            return object
        }
        change.isPatch = true
        change.retriesConflicts = !patch.namesVersion
        return change
    }

    // MARK: Deleting

    private func delete(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let request = try DeletionRequest(context)
        context.warnings.add(request.warning(view.descriptor))
        var write = try writeContext(view, context)
        write.isDryRun = request.isDryRun
        let outcome = try await view.engine.delete(request, view: view, write: write)
        let isWaiting = !outcome.isGone && request.orphanDependents == false
        let bytes = try await view.engine.answer(outcome, view: view, name: context.info.name)
        return render(bytes, view, context, status: isWaiting ? 202 : 200)
    }

    private func deleteCollection(_ view: ResourceView, _ context: RequestContext) async throws(APIError) -> HTTPResponse {
        let namespace = Self.namespace(view, context.info)
        let query = try ListQuery(try options(context), view: view, namespace: namespace)
        let request = try DeletionRequest(context)
        context.warnings.add(request.warning(view.descriptor))
        let (page, served) = try await view.page(query, namespace: namespace)
        var objects: [CachedObject] = []
        page.forEach { objects.append($0) }
        var write = try writeContext(view, context)
        write.isDryRun = request.isDryRun
        write.isOfCollection = true
        try await deleteAll(objects, request, view: view, write: write)
        let shown = ListPage(
            objects: .chosen(objects),
            revision: page.revision,
            continueToken: page.continueToken,
            remaining: page.remaining
        )
        return try ListResponse.make(shown, view: served, context: context)
    }
}

extension APIServer {
    /// So many deletions run at once, so that they share the store's commits.
    private static let deletionWidth = 32

    /// Deletes objects; those that are gone already do not matter. Reports the first failure after trying all.
    private func deleteAll(
        _ objects: [CachedObject],
        _ request: DeletionRequest,
        view: ResourceView,
        write: WriteContext
    ) async throws(APIError) {
        let failure = await withTaskGroup(of: APIError?.self) { group in
            var failure: APIError?
            for (index, object) in objects.enumerated() {
                if index >= Self.deletionWidth, let outcome = await group.next() { failure = failure ?? outcome }
                var write = write
                write.namespace = object.namespace
                write.name = object.name
                group.addTask { [write] in
                    do throws(APIError) {
                        _ = try await view.engine.delete(request, view: view, write: write)
                        return nil
                    } catch {
                        return error.isNotFound ? nil : error
                    }
                }
            }
            for await outcome in group { failure = failure ?? outcome }
            return failure
        }
        if let failure { throw failure }
    }
}

extension APIError {
    /// A path no route leads to; answered as plain text, as upstream does.
    static let unknownPath = APIError(code: 404, reason: APIReason.notFound, message: "404 page not found")

    /// An object without the name that it is written under.
    static func undeterminableName(_ name: String) -> APIError {
        .badRequest("the name of the object (\(name) based on URL) was undeterminable: name must be provided")
    }
}
