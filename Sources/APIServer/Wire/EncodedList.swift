import APIModel
import HTTPTransport
import Negotiation
import Schema
import Store
import Values

/// A list in protobuf or CBOR. Protobuf says at its beginning how many bytes follow, so the items are encoded twice when there are
/// many: once to be measured, once to be sent, block by block. CBOR says only how many items follow. Nothing grows with the list
/// but its references.
struct EncodedList: Sendable {
    private let view: ResourceView
    private let form: ResponseForm
    private let page: ListPage
    private let objects: [CachedObject]

    /// What the first pass encoded is kept up to so many bytes and not encoded again.
    private static let keptBytes = 2 << 20
    /// The rest is sent in blocks of about so many bytes.
    private static let blockBytes = 256 << 10

    /// Whether lists in this form are written here.
    static func writes(_ form: ResponseForm) -> Bool {
        form.syntax == .protobuf || form.syntax == .cbor
    }

    init(_ page: ListPage, view: ResourceView, form: ResponseForm) {
        self.view = view
        self.form = form
        self.page = page
        var objects: [CachedObject] = []
        page.forEach { if $0.splice > 0, $0.index.damage == nil { objects.append($0) } }
        self.objects = objects
    }

    /// What the first pass found out.
    private struct Measured {
        var count = 0
        var bytes = 0
        /// The items before `next`, encoded.
        var kept: [UInt8] = []
        var next = 0
    }

    /// The answer; one whose bytes are not all at hand is compressed on its way.
    func response(to request: HTTPRequest) -> HTTPResponse {
        let measured = measure()
        let head = opening(measured) + measured.kept
        guard measured.next < objects.count else {
            return HTTPResponse(status: 200, headers: Responses.headers(form), body: .bytes(head + ending))
        }
        let next = measured.next
        let isCompressed = BodyCompression.isAccepted(request)
        let body: HTTPResponse.Body = .stream { stream in
            let encoder = isCompressed ? GzipEncoder() : nil
            try await stream.write(encoder?.add(head) ?? head)
            try await write(from: next, encoder, to: stream)
        }
        var headers = Responses.headers(form)
        if isCompressed { BodyCompression.mark(&headers) }
        return HTTPResponse(status: 200, headers: headers, body: body)
    }

    private func measure() -> Measured {
        var measured = Measured()
        let isCounted = form.syntax == .cbor
        if isCounted { measured.count = objects.count }
        for (index, object) in objects.enumerated() {
            if isCounted, measured.kept.count >= Self.keptBytes { break }
            guard let item = item(object) else {
                if measured.next == index { measured.next = index + 1 }
                continue
            }
            measured.bytes += item.count
            if measured.next == index, measured.kept.count < Self.keptBytes {
                measured.kept += item
                measured.next = index + 1
            }
        }
        return measured
    }

    private func write(from first: Int, _ encoder: GzipEncoder?, to stream: any ResponseStream) async throws {
        var next = first
        while next < objects.count {
            let start = next
            // Encoding takes long: not on the thread that serves connections.
            let (block, end) = await offEventLoop { self.block(from: start) }
            next = end
            let piece = next < objects.count ? block : block + ending
            try await stream.write(encoder?.add(piece) ?? piece)
        }
        if let encoder { try await stream.write(encoder.finish()) }
    }

    private func block(from start: Int) -> (bytes: [UInt8], end: Int) {
        var block: [UInt8] = []
        block.reserveCapacity(Self.blockBytes + (16 << 10))
        var next = start
        while next < objects.count, block.count < Self.blockBytes {
            if let item = item(objects[next]) { block += item }
            next += 1
        }
        return (block, next)
    }

    // MARK: Parts

    /// One item as it stands in the list; nil for an object that cannot be read.
    private func item(_ object: CachedObject) -> [UInt8]? {
        let tree = WatchFrames.tree(object, view: view, shape: form.shape)
        if form.syntax == .protobuf {
            guard let tree else { return nil }
            return ProtobufObject.listItem(tree, schema: WatchFrames.schema(view, form.shape))
        }
        var out: [UInt8] = []
        // It was counted, so something has to stand in its place.
        var item = tree ?? [:]
        if form.shape == .object, !view.descriptor.isCustom {
            item["kind"] = nil
            item["apiVersion"] = nil
        }
        CBOR.encode(item, into: &out)
        return out
    }

    private var kind: (apiVersion: String, kind: String) {
        if case .partial(let version) = form.shape { return ("meta.k8s.io/\(version)", "PartialObjectMetadataList") }
        return (view.gvk.apiVersion, view.descriptor.listKind)
    }

    private func opening(_ measured: Measured) -> [UInt8] {
        if form.syntax == .protobuf {
            return ProtobufObject.listOpening(
                apiVersion: kind.apiVersion,
                kind: kind.kind,
                metadata: page.metadata,
                metadataSchema: WireTypes.listMeta,
                itemBytes: measured.bytes
            )
        }
        // Members stand in the order of the lengths of their names.
        var out = CBOR.selfDescribed
        CBOR.openMap(4, into: &out)
        CBOR.encode(string: "kind", into: &out)
        CBOR.encode(string: kind.kind, into: &out)
        CBOR.encode(string: "items", into: &out)
        CBOR.openList(measured.count, into: &out)
        return out
    }

    private var ending: [UInt8] {
        if form.syntax == .protobuf { return ProtobufObject.closing }
        var out: [UInt8] = []
        CBOR.encode(string: "metadata", into: &out)
        CBOR.encode(page.metadata, into: &out)
        CBOR.encode(string: "apiVersion", into: &out)
        CBOR.encode(string: kind.apiVersion, into: &out)
        return out
    }
}
