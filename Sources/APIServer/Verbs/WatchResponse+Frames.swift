import APIModel
import HTTPTransport
import Negotiation
import Store
import Units
import Values

extension WatchResponse {
    /// Collects frames and writes them, the shared ones without copying. Very many live at once: one that sends objects as they
    /// are stored holds nothing of the request it serves.
    struct FrameWriter {
        private enum Objects {
            /// As they are stored, in JSON: the frames that very many watchers share.
            case stored(FrameEncoding)
            /// By a form or a conversion.
            case shaped(Shaping)
        }

        /// What objects are shaped by.
        private final class Shaping: Sendable {
            let view: ResourceView
            let context: RequestContext

            init(_ watch: WatchResponse) {
                view = watch.view
                context = watch.context
            }
        }

        private let objects: Objects
        private let engine: ResourceEngine
        private let gvk: GroupVersionKind
        private let syntax: ResponseForm.Syntax
        private let start: Start
        /// Each event is a message of its own, never joined with others.
        private let isSocket: Bool
        private let counter: WatchCounter
        private var pending: [UInt8] = []
        private var sentColumns = false
        private static let blockBytes = 64 << 10

        init(_ watch: WatchResponse) {
            engine = watch.view.engine
            gvk = watch.view.gvk
            syntax = watch.context.form.syntax
            start = watch.start
            isSocket = watch.isSocket
            counter = engine.environment.metrics.watchCounter(gvk)
            let form = watch.context.form
            let isStored = form.syntax == .json && form.shape == .object && watch.view.conversion == nil
            objects = isStored ? .stored(WatchFrames.encoding(form)) : .shaped(Shaping(watch))
        }

        mutating func append(_ event: CacheEvent, to stream: any ResponseStream) async throws {
            if let block = add(event) { try await stream.write(block) }
        }

        /// Takes one event; what it returns is to be sent now.
        mutating func add(_ event: CacheEvent, isOnly: Bool = false) -> [UInt8]? {
            if event.type == .bookmark {
                appendBookmark(event.revision, isEnd: false)
                return isSocket ? takePending() : nil
            }
            guard let frame = frame(event) else { return nil }
            counter.add(bytes: frame.count)
            if isOnly || isSocket, pending.isEmpty { return frame }
            pending += frame
            return pending.count >= Self.blockBytes ? takePending() : nil
        }

        /// What has been gathered; nil when there is nothing.
        mutating func takePending() -> [UInt8]? {
            guard !pending.isEmpty else { return nil }
            defer { pending = [] }
            return pending
        }

        mutating func send(to stream: any ResponseStream) async throws {
            if let block = takePending() { try await stream.write(block) }
        }

        /// Tells the client why the watch ends, when that is more than its time being over.
        func farewell(_ error: StoreError) -> [UInt8]? {
            let status: APIError
            switch error.code {
            case .compacted(let oldest):
                var asked = Revision.zero
                if case .from(let revision) = start { asked = revision }
                status = .expired("too old resource version: \(asked) (\(oldest))")
            case .futureRevision, .unavailable:
                var asked: Revision?
                switch start {
                case .from(let revision): asked = revision
                case .initial(_, let revision): asked = revision
                }
                guard let revision = asked else { return nil }
                status = .tooLargeResourceVersion(asked: revision.rawValue, current: engine.cache.revision.rawValue)
            default: return nil
            }
            return WatchFrames.frame("ERROR", status.status(), syntax)
        }

        private mutating func frame(_ event: CacheEvent) -> [UInt8]? {
            switch objects {
            case .stored(let encoding):
                // The object itself is asked for once, by the first of all that send it.
                let frame = event.frame(encoding) { event in
                    guard let object = event.object, object.splice > 0 else { return [] }
                    return WatchResponse.objectLine(event.type, object)
                }
                return frame.isEmpty ? nil : frame
            case .shaped(let shaping):
                guard let object = event.object else { return nil }
                return shaped(event, object, shaping)
            }
        }

        private mutating func shaped(_ event: CacheEvent, _ object: CachedObject, _ shaping: Shaping) -> [UInt8]? {
            let view = shaping.view
            let form = shaping.context.form
            guard form.syntax == .json else { return encodedFrame(event, object, form, view) }
            switch form.shape {
            case .object:
                guard object.splice > 0 else { return nil }
                return WatchResponse.line(event.type, view.served(object))
            case .partial(let version):
                return event.frame(WatchFrames.encoding(form)) { event in
                    WatchResponse.partialLine(event.type, object, version)
                }
            case .table(let version):
                let now = view.engine.environment.clock.now
                let form = TableForm(view: view, version: version, context: shaping.context, now: now)
                guard let table = form.event(object, withColumns: !sentColumns) else { return nil }
                sentColumns = true
                return WatchResponse.line(event.type, table.encoded())
            }
        }

        /// A frame in protobuf or CBOR, for which the object is decoded: once, whatever the number of watchers.
        private func encodedFrame(_ event: CacheEvent, _ object: CachedObject, _ form: ResponseForm, _ view: ResourceView) -> [UInt8]? {
            guard view.conversion == nil else { return WatchFrames.frame(event.type.name, object, form, view: view) }
            let frame = event.frame(WatchFrames.encoding(form)) { event in
                WatchFrames.frame(event.type.name, object, form, view: view) ?? []
            }
            return frame.isEmpty ? nil : frame
        }

        mutating func appendBookmark(_ revision: Revision, isEnd: Bool) {
            var metadata: JSONValue = ["resourceVersion": .string(revision.description)]
            if isEnd { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
            var object: JSONValue = ["kind": .string(gvk.kind), "apiVersion": .string(gvk.apiVersion), "metadata": metadata]
            guard case .shaped(let shaping) = objects else {
                pending += WatchFrames.frame("BOOKMARK", object, syntax)
                return
            }
            switch shaping.context.form.shape {
            case .table(let version):
                let form = TableForm(view: shaping.view, version: version, context: shaping.context)
                object = form.bookmark(object, isEnd: isEnd, withColumns: !sentColumns)
                sentColumns = true
            case .partial(let version):
                object = ["kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata]
            case .object: break
            }
            let schema = WatchFrames.schema(shaping.view, shaping.context.form.shape)
            pending += WatchFrames.frame("BOOKMARK", object, syntax, schema: schema)
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
