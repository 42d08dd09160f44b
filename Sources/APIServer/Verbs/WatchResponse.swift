import APIModel
import HTTPTransport
import Negotiation
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
            accepted: view.fieldLabels
        )
        let minimum = view.engine.environment.configuration.minWatchSeconds
        let drawn = minimum + Int(view.engine.environment.random.next() % UInt64(max(1, minimum)))
        let asked = options.timeoutSeconds ?? 0
        let watch = WatchResponse(
            view: view,
            context: context,
            namespace: namespace,
            selection: selection,
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
        let ticket = deadline.add(watch, seconds: seconds, clock: view.engine.environment.clock)
        let settle: @Sendable () -> Void = { [deadline] in
            deadline.remove(ticket)
            metrics.longRunningEnded(token)
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
            if !engine.cache.isReady || engine.cache.revision < revision {
                try await engine.cache.waitUntil(
                    revision,
                    within: ResourceEngine.catchUpLimit,
                    clock: engine.environment.clock
                )
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
        if let frame = farewell(error) { try await stream.write(frame) }
    }

    /// Tells the client why the watch ends, when that is more than its time being over.
    private func farewell(_ error: StoreError) -> [UInt8]? {
        let status: APIError
        switch error.code {
        case .compacted(let oldest):
            var asked = Revision.zero
            if case .from(let revision) = start { asked = revision }
            status = .expired("too old resource version: \(asked) (\(oldest))")
        case .futureRevision, .unavailable:
            guard case .from(let revision) = start else { return nil }
            status = .tooLargeResourceVersion(asked: revision.rawValue, current: view.engine.cache.revision.rawValue)
        default: return nil
        }
        return WatchFrames.frame("ERROR", status.status(), context.form.syntax)
    }

    // MARK: Frames

    /// Collects frames and writes them, the shared ones without copying.
    struct FrameWriter {
        private let watch: WatchResponse
        private let counter: WatchCounter
        private var pending: [UInt8] = []
        private var sentColumns = false
        /// Set when objects are sent as they are stored, in JSON: the frames that very many watchers share.
        private let plain: FrameEncoding?
        private static let blockBytes = 64 << 10

        init(_ watch: WatchResponse) {
            self.watch = watch
            counter = watch.view.engine.environment.metrics.watchCounter(watch.view.gvk)
            let form = watch.context.form
            let isStored = form.syntax == .json && form.shape == .object && watch.view.conversion == nil
            plain = isStored ? WatchFrames.encoding(form) : nil
        }

        mutating func append(_ event: CacheEvent, to stream: any ResponseStream) async throws {
            if let block = add(event) { try await stream.write(block) }
        }

        /// Takes one event; what it returns is to be sent now.
        mutating func add(_ event: CacheEvent, isOnly: Bool = false) -> [UInt8]? {
            if event.type == .bookmark {
                appendBookmark(event.revision, isEnd: false)
                return watch.isSocket ? takePending() : nil
            }
            guard let frame = frame(event) else { return nil }
            counter.add(bytes: frame.count)
            if isOnly || watch.isSocket, pending.isEmpty { return frame }
            pending += frame
            return pending.count >= Self.blockBytes ? takePending() : nil
        }

        /// What the client is told when the watch ends with an error.
        func farewell(_ error: StoreError) -> [UInt8]? { watch.farewell(error) }

        /// What has been gathered; nil when there is nothing.
        mutating func takePending() -> [UInt8]? {
            guard !pending.isEmpty else { return nil }
            defer { pending = [] }
            return pending
        }

        mutating func send(to stream: any ResponseStream) async throws {
            if let block = takePending() { try await stream.write(block) }
        }

        private mutating func frame(_ event: CacheEvent) -> [UInt8]? {
            guard let object = event.object else { return nil }
            if let plain {
                guard object.splice > 0 else { return nil }
                return event.frame(plain) { event in WatchResponse.objectLine(event.type, object) }
            }
            let view = watch.view
            let form = watch.context.form
            guard form.syntax == .json else { return encodedFrame(event, object, form) }
            switch form.shape {
            case .object:
                guard object.splice > 0 else { return nil }
                guard view.conversion == nil else {
                    return WatchResponse.line(event.type, view.served(object))
                }
                return event.frame(WatchFrames.encoding(form)) { event in
                    WatchResponse.objectLine(event.type, object)
                }
            case .partial(let version):
                return event.frame(WatchFrames.encoding(form)) { event in
                    WatchResponse.partialLine(event.type, object, version)
                }
            case .table(let version):
                let form = TableForm(view: view, version: version, context: watch.context)
                guard let table = form.event(object, withColumns: !sentColumns) else { return nil }
                sentColumns = true
                return WatchResponse.line(event.type, table.encoded())
            }
        }

        /// A frame in protobuf or CBOR, for which the object is decoded: once, whatever the number of watchers.
        private func encodedFrame(_ event: CacheEvent, _ object: CachedObject, _ form: ResponseForm) -> [UInt8]? {
            let view = watch.view
            guard view.conversion == nil else { return WatchFrames.frame(event.type.name, object, form, view: view) }
            let frame = event.frame(WatchFrames.encoding(form)) { event in
                WatchFrames.frame(event.type.name, object, form, view: view) ?? []
            }
            return frame.isEmpty ? nil : frame
        }

        mutating func appendBookmark(_ revision: Revision, isEnd: Bool) {
            var metadata: JSONValue = ["resourceVersion": .string(revision.description)]
            if isEnd { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
            let object: JSONValue
            switch watch.context.form.shape {
            case .table(let version):
                let form = TableForm(view: watch.view, version: version, context: watch.context)
                let row: JSONValue = [
                    "cells": [],
                    "object": ["kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata],
                ]
                object = form.table(isEnd ? [row] : [], metadata: ["resourceVersion": .string(revision.description)], withColumns: false)
            case .partial(let version):
                object = ["kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata]
            case .object:
                let gvk = watch.view.gvk
                object = ["kind": .string(gvk.kind), "apiVersion": .string(gvk.apiVersion), "metadata": metadata]
            }
            let schema = WatchFrames.schema(watch.view, watch.context.form.shape)
            pending += WatchFrames.frame("BOOKMARK", object, watch.context.form.syntax, schema: schema)
        }
    }

    private static func opening(_ type: CacheEventType) -> StaticString {
        switch type {
        case .added: "{\"type\":\"ADDED\",\"object\":"
        case .modified: "{\"type\":\"MODIFIED\",\"object\":"
        case .deleted: "{\"type\":\"DELETED\",\"object\":"
        case .bookmark: "{\"type\":\"BOOKMARK\",\"object\":"
        }
    }

    private static func begin(_ type: CacheEventType, room: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(room + 96)
        opening(type).withUTF8Buffer { out.append(contentsOf: $0) }
        return out
    }

    private static func objectLine(_ type: CacheEventType, _ object: CachedObject) -> [UInt8] {
        var out = begin(type, room: object.bytes.count)
        ObjectBytes.append(object.bytes, splice: object.splice, revision: object.revision, to: &out)
        out += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        return out
    }

    private static func partialLine(_ type: CacheEventType, _ object: CachedObject, _ version: String) -> [UInt8] {
        guard let range = ObjectBytes.metadata(of: object.bytes) else { return [] }
        var out = begin(type, room: range.count + 96)
        out += Array("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/\(version)\",\"metadata\":".utf8)
        ObjectBytes.append(Array(object.bytes[range]), splice: 1, revision: object.revision, to: &out)
        out += Array("}}\n".utf8)
        return out
    }

    private static func line(_ type: CacheEventType, _ object: [UInt8]) -> [UInt8] {
        var out = begin(type, room: object.count)
        out += object
        out += [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        return out
    }
}
