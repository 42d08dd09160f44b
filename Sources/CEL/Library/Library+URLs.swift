import Schema

/// A URL, read as Go's net/url reads it.
struct URLValue: CELObject {
    struct Failure: Error {
        let message: String
    }

    let scheme: String
    let host: String
    let escapedPath: String
    let rawQuery: String
    private let text: String

    var type: CELType { TypeNames.url }
    func isEqual(to other: any CELObject) -> Bool { (other as? URLValue)?.text == text }

    /// Reads an absolute URL or an absolute path.
    init(_ text: String) throws(Failure) {
        func failure(_ reason: String) -> Failure { Failure(message: "parse \(GoQuote.quote(text)): \(reason)") }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { throw failure("net/url: invalid control character in URL") }
        guard !text.isEmpty else { throw failure("empty url") }
        self.text = text
        var rest = text[...]
        (scheme, rest) = try Self.scheme(rest, failure)
        if let mark = rest.firstIndex(of: "?") {
            rawQuery = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        } else {
            rawQuery = ""
        }
        guard rest.hasPrefix("/") else {
            // A scheme without slashes is opaque.
            guard !scheme.isEmpty else { throw failure("invalid URI for request") }
            host = ""
            escapedPath = ""
            return
        }
        var authority = ""
        if rest.hasPrefix("//"), !scheme.isEmpty || !rest.hasPrefix("///") {
            let after = rest.dropFirst(2)
            let end = after.firstIndex(of: "/") ?? after.endIndex
            authority = String(after[..<end])
            rest = after[end...]
        }
        host = try Self.host(authority, failure)
        guard let path = Self.path(rest) else { throw failure("invalid URL escape \(GoQuote.quote(Self.badEscape(rest)))") }
        escapedPath = path
    }

    static func parse(_ text: String) throws(CELError) -> URLValue {
        do {
            return try URLValue(text)
        } catch { throw CELError("URL parse error during conversion from string: \(error.message)") }
    }

    private static func scheme(_ text: Substring, _ failure: (String) -> Failure) throws(Failure) -> (String, Substring) {
        for (index, byte) in zip(text.utf8.indices, text.utf8) {
            switch byte {
            case 65...90, 97...122: continue
            case 48...57, 43, 45, 46:
                if index == text.startIndex { return ("", text) }
            case 58:
                guard index != text.startIndex else { throw failure("missing protocol scheme") }
                return (text[..<index].lowercased(), text[text.utf8.index(after: index)...])
            default: return ("", text)
            }
        }
        return ("", text)
    }

    private static func host(_ authority: String, _ failure: (String) -> Failure) throws(Failure) -> String {
        var host = authority[...]
        if let at = host.lastIndex(of: "@") {
            let user = host[..<at]
            let isValid = user.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "-._:~!$&'()*+,;=%@".utf8.contains(byte)
            }
            guard isValid else { throw failure("net/url: invalid userinfo") }
            host = host[host.index(after: at)...]
        }
        if host.hasPrefix("[") {
            guard let close = host.lastIndex(of: "]") else { throw failure("missing ']' in host") }
            let port = host[host.index(after: close)...]
            guard isPort(port) else { throw failure("invalid port \(GoQuote.quote(String(port))) after host") }
            return String(host)
        }
        if let colon = host.lastIndex(of: ":") {
            let port = host[colon...]
            guard isPort(port) else { throw failure("invalid port \(GoQuote.quote(String(port))) after host") }
        }
        for byte in host.utf8 where byte <= 0x20 || "\"<>\\^`{|}".utf8.contains(byte) {
            let found = String(decoding: [byte], as: UTF8.self)
            throw failure("invalid character \(GoQuote.quote(found)) in host name")
        }
        if host.utf8.contains(37) {
            guard let plain = unescape(host, plus: false), !plain.utf8.contains(where: { $0 <= 0x20 }) else {
                throw failure("invalid URL escape \(GoQuote.quote(badEscape(host)))")
            }
            return plain
        }
        return String(host)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || (text.hasPrefix(":") && text.dropFirst().utf8.allSatisfy { (48...57).contains($0) })
    }

    /// The path with everything escaped that must be; nil when it has a broken escape.
    private static func path(_ text: Substring) -> String? {
        guard unescape(text, plus: false) != nil else { return nil }
        var out: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            let isPlain =
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-_.~$&+,/:;=@%!'()*[]".utf8.contains(byte)
            if isPlain { out.append(byte) } else { out += [37, digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    private static func unescape(_ text: Substring, plus: Bool) -> String? {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 37 {
                guard index + 2 < bytes.count, let high = hex(bytes[index + 1]), let low = hex(bytes[index + 2]) else { return nil }
                out.append(high << 4 | low)
                index += 3
                continue
            }
            out.append(plus && bytes[index] == 43 ? 32 : bytes[index])
            index += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func badEscape(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where byte == 37 {
            let end = min(index + 3, bytes.count)
            let isWhole = index + 2 < bytes.count && hex(bytes[index + 1]) != nil && hex(bytes[index + 2]) != nil
            if !isWhole { return String(decoding: bytes[index..<end], as: UTF8.self) }
        }
        return ""
    }

    /// The host without its port and brackets.
    var hostname: String {
        if host.hasPrefix("["), let close = host.firstIndex(of: "]") { return String(host[host.index(after: host.startIndex)..<close]) }
        guard let colon = host.lastIndex(of: ":") else { return host }
        return String(host[..<colon])
    }

    /// The port, without the colon.
    var port: String {
        if host.hasPrefix("["), let close = host.firstIndex(of: "]") {
            return String(host[host.index(after: close)...].drop { $0 == ":" })
        }
        guard let colon = host.lastIndex(of: ":") else { return "" }
        return String(host[host.index(after: colon)...])
    }

    /// The values of the query by their names.
    var query: [(String, [String])] {
        var found: [(String, [String])] = []
        var places: [String: Int] = [:]
        for part in rawQuery.split(separator: "&") where !part.contains(";") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = Self.unescape(pair[0], plus: true), let value = pair.count > 1 ? Self.unescape(pair[1], plus: true) : ""
            else { continue }
            if let place = places[key] {
                found[place].1.append(value)
            } else {
                places[key] = found.count
                found.append((key, [value]))
            }
        }
        return found
    }
}

/// Source: apiserver/pkg/cel/library/urls.go.
extension FunctionTable {
    mutating func addURLs() {
        global("url", "string_to_url", [.string], TypeNames.url) { arguments, _ throws(CELError) in
            .object(try URLValue.parse(arguments[0].string ?? ""))
        }
        global("isURL", "is_url_string", [.string], .bool) { arguments, _ throws(CELError) in
            .bool((try? URLValue(arguments[0].string ?? "")) != nil)
        }
        part("getScheme", "url_get_scheme") { $0.scheme }
        part("getHost", "url_get_host") { $0.host }
        part("getHostname", "url_get_hostname") { $0.hostname }
        part("getPort", "url_get_port") { $0.port }
        part("getEscapedPath", "url_get_escaped_path") { $0.escapedPath }
        member("getQuery", "url_get_query", [TypeNames.url], .map(.string, .list(.string))) { arguments, _ throws(CELError) in
            guard case .object(let object) = arguments[0], let url = object as? URLValue else { throw .noSuchOverload }
            return .map(CELMap(url.query.map { ($0.0, .list(CELList($0.1.map { .string($0) }))) }))
        }
    }

    private mutating func part(_ name: String, _ id: String, _ body: @escaping @Sendable (URLValue) -> String) {
        member(name, id, [TypeNames.url], .string) { arguments, _ throws(CELError) in
            guard case .object(let object) = arguments[0], let url = object as? URLValue else { throw .noSuchOverload }
            return .string(body(url))
        }
    }
}
