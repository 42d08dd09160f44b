import NIOHPACK

/// A request's head out of a header block, checked by the rules of RFC 9113, section 8: what does not hold to them could mean
/// something else to the next reader.
struct RequestFields {
    var method = ""
    var target = ""
    var headers = HeaderFields()
    /// What `content-length` says.
    var length: Int?

    /// Nil for a malformed request.
    init?(_ fields: HPACKHeaders) {
        headers.reserve(fields.count)
        var hasScheme = false
        var isRegular = false
        for (name, value, _) in fields {
            guard Self.isValid(value) else { return nil }
            if name.utf8.first == UInt8(ascii: ":") {
                guard !isRegular else { return nil }
                guard takePseudo(name, value, &hasScheme) else { return nil }
                continue
            }
            isRegular = true
            guard Self.isName(name), take(name, value) else { return nil }
        }
        guard !method.isEmpty, !target.isEmpty, hasScheme else { return nil }
    }

    /// Whether a block may stand behind a body: nothing of ours reads trailers, but they must be well formed.
    static func areTrailers(_ fields: HPACKHeaders) -> Bool {
        fields.allSatisfy { isName($0.name) && isValid($0.value) }
    }

    private mutating func takePseudo(_ name: String, _ value: String, _ hasScheme: inout Bool) -> Bool {
        switch name {
        case ":method":
            guard method.isEmpty else { return false }
            method = value
        case ":path":
            guard target.isEmpty else { return false }
            target = value
        case ":authority":
            guard !headers.contains("host") else { return false }
            headers.append("host", value)
        case ":scheme":
            guard !hasScheme else { return false }
            hasScheme = true
        default: return false
        }
        return true
    }

    private mutating func take(_ name: String, _ value: String) -> Bool {
        switch name {
        case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": return false
        case "te" where value != "trailers": return false
        case "content-length":
            guard let number = Int(value), value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), length == nil || length == number else {
                return false
            }
            length = number
        default: break
        }
        headers.append(name, value)
        return true
    }

    /// No control character that ends a line or a string somewhere else.
    private static func isValid(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 != 0 && $0 != 0x0a && $0 != 0x0d }
    }

    /// A token in lower case.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x61...0x7a, 0x30...0x39, 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
                default: false
                }
            }
    }
}
