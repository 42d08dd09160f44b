import HTTPTransport
import Negotiation

/// A document as a file server gives it: whole, in part, or not again to those that have it already.
struct ServedContent {
    /// What the document says of itself: its type, its tag if it has one, and what it varies by.
    var headers: HeaderFields
    /// Since when it is as it is, as headers write times.
    let modified: String
    /// Whether that time tells this content from others, so that who has the document of that time need not have it again.
    var isDated = true

    /// Answers a request. The bytes are made only if they are asked for.
    func response(_ request: HTTPRequest, _ bytes: () -> [UInt8]) -> HTTPResponse {
        var headers = headers
        if isKnown(request) {
            headers.remove("Content-Type")
            if !headers.contains("ETag") { headers.append("Last-Modified", modified) }
            return HTTPResponse(status: 304, headers: headers)
        }
        headers.append("Accept-Ranges", "bytes")
        headers.append("Last-Modified", modified)
        let whole = bytes()
        guard let asked = request.headers["range"], isSame(request.headers["if-range"]),
            let range = ByteRange(asked, of: whole.count)
        else { return HTTPResponse(status: 200, headers: headers, body: .bytes(whole)) }
        guard case .part(let part) = range else { return Self.unsatisfiable(whole.count) }
        headers.append("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(whole.count)")
        return HTTPResponse(status: 206, headers: headers, body: .bytes(Array(whole[part])))
    }

    private static func unsatisfiable(_ count: Int) -> HTTPResponse {
        var response = Responses.text("invalid range: failed to overlap\n", status: 416)
        response.headers.append("Content-Range", "bytes */\(count)")
        return response
    }

    /// Tags decide where the client names some; else the time does.
    private func isKnown(_ request: HTTPRequest) -> Bool {
        guard request.headers.contains("if-none-match") else { return isDated && request.headers["if-modified-since"] == modified }
        let tags = request.headers.elements("if-none-match")
        guard let tag = headers["etag"] else { return tags.contains("*") }
        return tags.contains { $0 == "*" || $0 == tag || $0 == "W/\(tag)" }
    }

    /// Whether what `If-Range` names is this document; without it, it is.
    private func isSame(_ validator: String?) -> Bool {
        validator.map { $0 == headers["etag"] || isDated && $0 == modified } ?? true
    }
}

/// The one part of a document that a `Range` header asks for.
enum ByteRange: Equatable {
    case part(Range<Int>)
    /// It begins behind the end.
    case behind

    /// Nil if the header asks for several parts or cannot be read, which gives the whole document.
    init?(_ header: String, of count: Int) {
        guard header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let bounds = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard bounds.count == 2 else { return nil }
        let (first, last) = (Self.number(bounds[0]), Self.number(bounds[1]))
        if bounds[0].isEmpty {
            guard let last else { return nil }
            self = last == 0 || count == 0 ? .behind : .part(max(0, count - last)..<count)
            return
        }
        guard let first, bounds[1].isEmpty || last != nil else { return nil }
        let end = min(last ?? count - 1, count - 1)
        if first >= count {
            self = .behind
        } else if first > end {
            return nil
        } else {
            self = .part(first..<end + 1)
        }
    }

    private static func number(_ text: Substring) -> Int? {
        text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
    }
}
