import APIModel
import HTTPTransport
import Negotiation
import Store
import Values

/// Writes lists. Objects are copied from their stored bytes into blocks; nothing is decoded.
enum ListResponse {
    /// Lists are sent in blocks of about so many bytes.
    private static let blockBytes = 64 << 10
    private static let comma = UInt8(ascii: ",")

    /// The response for a page in the form asked for.
    static func make(_ page: ListPage, view: ResourceView, context: RequestContext) throws(APIError) -> HTTPResponse {
        try ShapeCheck.list(view, context)
        if EncodedList.writes(context.form) { return EncodedList(page, view: view, form: context.form).response(to: context.request) }
        switch context.form.shape {
        case .table(let version):
            let table = TableForm(view: view, version: version, context: context)
            return Responses.value(table.list(page), form: context.form)
        case .partial(let version):
            let head = opening("PartialObjectMetadataList", "meta.k8s.io/\(version)", page)
            let prefix = Array("{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/\(version)\",\"metadata\":".utf8)
            return plain(page, head, context) { object, out in
                guard let range = ObjectBytes.metadata(of: object.bytes) else { return false }
                out += prefix
                let metadata = Array(object.bytes[range])
                ObjectBytes.append(metadata, splice: 1, revision: object.revision, to: &out)
                out.append(UInt8(ascii: "}"))
                return true
            }
        case .object:
            let isTyped = !view.descriptor.isCustom
            let head = opening(view.descriptor.listKind, view.gvk.apiVersion, page, isTyped: isTyped)
            let item = ListItem(apiVersion: view.gvk.apiVersion, kind: view.gvk.kind)
            if view.conversion == nil {
                return plain(page, head, context) { object, out in
                    guard object.splice > 0 else { return false }
                    if isTyped {
                        item.append(object.bytes, splice: object.splice, revision: object.revision, to: &out)
                        return true
                    }
                    ObjectBytes.append(object.bytes, splice: object.splice, revision: object.revision, to: &out)
                    return true
                }
            }
            return plain(page, head, context) { object, out in
                guard object.splice > 0 else { return false }
                let bytes = view.served(object)
                guard isTyped, let splice = ObjectBytes.splicePoint(of: bytes) else {
                    out += bytes
                    return true
                }
                item.append(bytes, splice: splice, revision: .zero, to: &out)
                return true
            }
        }
    }

    /// A list's head. Lists of custom resources say that nothing is to be continued, too.
    private static func opening(_ kind: String, _ apiVersion: String, _ page: ListPage, isTyped: Bool = true) -> [UInt8] {
        var head = Array("{\"kind\":\"\(kind)\",\"apiVersion\":\"\(apiVersion)\",\"metadata\":".utf8)
        var metadata = page.metadata
        if !isTyped, metadata["continue"] == nil { metadata["continue"] = "" }
        metadata.encode(into: &head)
        head += Array(",\"items\":[".utf8)
        return head
    }

    /// Appends one object; false leaves it out because it cannot be read.
    private typealias Append = @Sendable (CachedObject, inout [UInt8]) -> Bool

    private static func plain(
        _ page: ListPage,
        _ head: [UInt8],
        _ context: RequestContext,
        _ append: @escaping Append
    ) -> HTTPResponse {
        let isPartial = if case .partial = context.form.shape { true } else { false }
        if context.form.isCopied, page.isMuch {
            let isCompressed = BodyCompression.isAccepted(context.request) && page.holds(moreThan: BodyCompression.threshold)
            let body: HTTPResponse.Body = .stream { stream in
                let frame = Frame(head: head, isPartial: isPartial, isCompressed: isCompressed)
                switch page.objects {
                case .snapshot(let snapshot, let selection): try await write(snapshot, selection, frame, append, to: stream)
                case .chosen(let objects): try await write(objects, nil, frame, append, to: stream)
                }
            }
            var headers = Responses.headers(context.form)
            if isCompressed { BodyCompression.mark(&headers) }
            return HTTPResponse(status: 200, headers: headers, body: body)
        }
        var out = head
        var isFirst = true
        page.forEach { object in add(object, append, &isFirst, &out) }
        end(&out, isEmpty: isFirst, isPartial: isPartial)
        return Responses.object(out, form: context.form)
    }

    private static func add(_ object: CachedObject, _ append: Append, _ isFirst: inout Bool, _ out: inout [UInt8]) {
        let mark = out.count
        if !isFirst { out.append(comma) }
        if append(object, &out) { isFirst = false } else { out.removeLast(out.count - mark) }
    }

    /// Upstream's list of metadata has no items where there are none.
    private static func end(_ out: inout [UInt8], isEmpty: Bool, isPartial: Bool) {
        if isEmpty, isPartial, out.last == UInt8(ascii: "[") {
            out.removeLast()
            out += Array("null}".utf8)
        } else {
            out += Array("]}".utf8)
        }
    }

    /// What a streamed list has around its items.
    private struct Frame: Sendable {
        let head: [UInt8]
        let isPartial: Bool
        let isCompressed: Bool
    }

    private static func write(
        _ objects: some Sequence<CachedObject>,
        _ selection: FieldSelection?,
        _ frame: Frame,
        _ append: Append,
        to stream: any ResponseStream
    ) async throws {
        let encoder = frame.isCompressed ? GzipEncoder() : nil
        var block: [UInt8] = []
        block.reserveCapacity(blockBytes + (16 << 10))
        block += frame.head
        var isFirst = true
        for object in objects where selection?.matches(object) ?? true {
            add(object, append, &isFirst, &block)
            guard block.count >= blockBytes else { continue }
            let ready = encoder?.add(block) ?? block
            if !ready.isEmpty { try await stream.write(ready) }
            // The same memory again, unless the connection still holds it.
            block.removeAll(keepingCapacity: true)
        }
        end(&block, isEmpty: isFirst, isPartial: frame.isPartial)
        block.append(UInt8(ascii: "\n"))
        guard let encoder else { return try await stream.write(block) }
        try await stream.write(encoder.add(block) + encoder.finish())
    }
}
