import APIModel
import HTTPTransport
import Schema
import Store
import Units
import Values

/// Serves a watch: an endless response of one JSON line per event.
struct WatchResponse: Sendable {
    /// Where the watch begins.
    enum Start: Sendable {
        /// With the objects that exist; then, if asked for, a bookmark that marks their end.
        case initial(markEnd: Bool, notOlderThan: Revision?)
        case from(Revision)
    }

    let view: ResourceView
    let context: RequestContext
    let namespace: String
    let selection: FieldSelection
    /// What is asked of objects once they are converted.
    let afterwards: FieldSelection?
    let start: Start
    let wantsBookmarks: Bool
    let deadline: WatchDeadlines
    let seconds: Int
    /// Each event is a message of its own, never joined with others.
    let isSocket: Bool

    /// Checks the options and answers with the stream.
    static func make(
        _ view: ResourceView,
        _ options: ListOptions,
        context: RequestContext,
        namespace: String,
        deadlines: WatchDeadlines
    ) throws(APIError) -> HTTPResponse {
        try check(options)
        let selection = try FieldSelection(
            label: options.labelSelector,
            field: options.fieldSelector,
            accepted: view.fieldLabels,
            absent: view.absentFields,
            kind: view.gvk
        )
        let afterwards = view.afterwards(selection)
        if case .table = context.form.shape { _ = try TableForm.IncludeObject(context) }
        let minimum = view.engine.environment.configuration.minWatchSeconds
        let drawn = minimum + Int(view.engine.environment.random.next() % UInt64(max(1, minimum)))
        let asked = options.timeoutSeconds ?? 0
        let watch = WatchResponse(
            view: view,
            context: context,
            namespace: namespace,
            selection: afterwards == nil ? selection : selection.ofMetadata,
            afterwards: afterwards,
            start: try start(options),
            wantsBookmarks: options.allowWatchBookmarks,
            deadline: deadlines,
            seconds: asked > 0 ? asked : drawn,
            isSocket: WebSocketHandshake.isRequested(context.request)
        )
        if watch.isSocket {
            return WatchSocket.response(to: context.request, syntax: context.form.syntax) { try await watch.run($0) }
        }
        return HTTPResponse(status: 200, headers: WatchFrames.headers(context.form), body: .stream { try await watch.run($0) })
    }

    private static func start(_ options: ListOptions) throws(APIError) -> Start {
        var revision: Revision?
        if !options.resourceVersion.isEmpty {
            guard let number = UInt64(options.resourceVersion) else {
                throw APIError(code: 500, reason: "", message: ListQuery.revisionIssue(options.resourceVersion).message)
            }
            revision = Revision(number)
        }
        if options.sendInitialEvents == true {
            return .initial(markEnd: options.allowWatchBookmarks, notOlderThan: revision?.rawValue == 0 ? nil : revision)
        }
        guard let revision, revision.rawValue > 0 else {
            if options.sendInitialEvents == false { return .from(.zero) }
            // Who gives no revision wants the objects that exist, and learns where they end if bookmarks mean anything to it.
            return .initial(markEnd: options.allowWatchBookmarks, notOlderThan: nil)
        }
        return .from(revision)
    }

    private static func check(_ options: ListOptions) throws(APIError) {
        var issues: [FieldIssue] = []
        let match = options.resourceVersionMatch
        let field = FieldPath("resourceVersionMatch")
        if options.sendInitialEvents != nil, match != "NotOlderThan" {
            issues.append(.forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
        }
        if !match.isEmpty {
            if options.sendInitialEvents == nil {
                issues.append(.forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
            }
            if match != "NotOlderThan" { issues.append(.notSupported(field, .string(match), ["NotOlderThan"])) }
            if !options.continue.isEmpty {
                issues.append(.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"))
            }
        }
        guard issues.isEmpty else { throw .invalid(GroupKind(group: "meta.k8s.io", kind: "ListOptions"), "", issues) }
    }

    // MARK: The stream

    private func run(_ stream: any ResponseStream) async throws {
        let metrics = view.engine.environment.metrics
        let token = metrics.longRunningBegan(context.info)
        // The client learns at once that it is watching.
        stream.flush()
        let snapshot: CacheSnapshot?
        let watch: CacheWatch
        do throws(StoreError) {
            (snapshot, watch) = try await open()
        } catch {
            metrics.longRunningEnded(token)
            return try await end(error, stream)
        }
        let engine = view.engine
        let clock = engine.environment.clock
        let ticket = deadline.add(watch, of: engine.cache, bookmark: wantsBookmarks, seconds: seconds, clock: clock)
        let settle: @Sendable () -> Void = { [deadline] in
            deadline.remove(ticket)
            metrics.longRunningEnded(token)
        }
        if context.form.namesList {
            await endAtFirst(snapshot, watch)
            return settle()
        }
        if view.remote != nil {
            do throws(StoreError) {
                try await deliverConverted(snapshot, watch, stream)
            } catch {
                settle()
                return try await end(error, stream)
            }
            return settle()
        }
        guard let writer = await begin(snapshot, watch, stream) else { return settle() }
        // From here on no task waits: its stack would be most of what a watcher takes.
        stream.handOver(WatchFeed(watch, writer, whenOver: settle))
    }

    private func open() async throws(StoreError) -> (CacheSnapshot?, CacheWatch) {
        let engine = view.engine
        let filter = self.filter
        switch start {
        case .initial(_, let revision):
            let newest = try await engine.environment.store.currentRevision()
            try await engine.cache.waitUntil(
                max(revision ?? newest, newest),
                within: ResourceEngine.catchUpLimit,
                clock: engine.environment.clock
            )
            let both = try engine.cache.snapshotAndWatch(
                namespace: namespace.isEmpty ? nil : namespace,
                scope: scope,
                wantsBookmarks: wantsBookmarks,
                capacity: capacity,
                filter: filter
            )
            return (both.snapshot, both.watch)
        case .from(let revision):
            // A revision of the future is no mistake: what happens up to it is passed over in silence.
            if !engine.cache.isReady {
                try await engine.cache.waitUntil(.zero, within: ResourceEngine.catchUpLimit, clock: engine.environment.clock)
            }
            let from = revision.rawValue == 0 ? engine.cache.revision : revision
            return (
                nil,
                try await engine.cache.resume(
                    from: from,
                    scope: scope,
                    wantsBookmarks: wantsBookmarks,
                    capacity: capacity,
                    filter: filter
                )
            )
        }
    }

    /// No event can be given the shape of a list, so the stream ends where the first would have come.
    private func endAtFirst(_ snapshot: CacheSnapshot?, _ watch: CacheWatch) async {
        defer { watch.cancel() }
        if case .initial(markEnd: true, _) = start { return }
        if let snapshot, snapshot.contains(where: selection.matches) { return }
        _ = try? await watch.next()
    }

    private var capacity: Int { view.engine.environment.configuration.watchCapacity }

    private var scope: WatchScope {
        if let name = selection.required("metadata.name") {
            let space = namespace.isEmpty ? selection.required("metadata.namespace") ?? "" : namespace
            if !view.descriptor.namespaced || !space.isEmpty { return .object(namespace: space, name: name) }
            return .name(name)
        }
        if let field = selection.indexedField { return .field(field.label, field.value) }
        return namespace.isEmpty ? .all : .namespace(namespace)
    }

    private var filter: (@Sendable (CachedObject) -> Bool)? {
        if selection.isEverything { return nil }
        let (selection, namespace) = (selection, namespace)
        return { object in
            (namespace.isEmpty || object.namespace == namespace) && selection.matches(object)
        }
    }

    /// Sends what there is at the start; nil when the client has gone meanwhile.
    private func begin(_ snapshot: CacheSnapshot?, _ watch: CacheWatch, _ stream: any ResponseStream) async -> FrameWriter? {
        var writer = FrameWriter(self)
        guard let snapshot else { return writer }
        do {
            for object in snapshot where selection.matches(object) {
                let event = CacheEvent(.added, object: object, revision: object.revision)
                try await writer.append(event, to: stream)
            }
            if case .initial(markEnd: true, _) = start { writer.appendBookmark(snapshot.revision, isEnd: true) }
            try await writer.send(to: stream)
            return writer
        } catch {
            watch.cancel()
            return nil
        }
    }

    private func end(_ error: StoreError, _ stream: any ResponseStream) async throws {
        if let frame = FrameWriter(self).farewell(error) { try await stream.write(frame) }
    }
}
