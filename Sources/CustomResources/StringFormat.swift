import Units
import Values

/// The formats of strings that upstream checks. Unknown formats are no promise and are not checked.
///
/// Source: apiextensions-apiserver apiserver/validation/formats.go, kube-openapi validation/strfmt.
enum StringFormat: String, CaseIterable {
    case bsonobjectid, uri, email, hostname, ipv4, ipv6, cidr, mac, uuid, uuid3, uuid4, uuid5, isbn, isbn10, isbn13, creditcard
    case ssn, hexcolor, rgbcolor, byte, password, date, duration, datetime
    case shortName = "k8sshortname"
    case longName = "k8slongname"

    /// The format of a string by the name in a schema, dashes or not; nil when nothing is checked.
    static func known(_ name: String, type: String) -> StringFormat? {
        guard !name.isEmpty, type.isEmpty || type == "string" else { return nil }
        return StringFormat(rawValue: name.filter { $0 != "-" })
    }

    /// The name of the format when it means something for the type, else empty.
    static func kept(_ name: String, type: String) -> String { isRecognized(name, type: type) ? name : "" }

    /// Whether the format means something for the type.
    static func isRecognized(_ name: String, type: String) -> Bool {
        switch type {
        case "", "string": known(name, type: type) != nil
        case "integer": name == "int32" || name == "int64"
        case "number": name == "float" || name == "double"
        default: false
        }
    }

    /// Whether a text has the format.
    func accepts(_ text: String) -> Bool {
        switch self {
        case .password: true
        case .bsonobjectid: text.utf8.count == 24 && text.utf8.allSatisfy(Self.isHex)
        case .uri: Self.isURI(text)
        case .email: Self.isEmail(text)
        case .hostname: Self.isHostname(text)
        case .ipv4: text.contains(".") && (IPAddress(text) != nil || Self.isSloppyIPv4(text))
        case .ipv6: text.contains(":") && IPAddress(text) != nil
        case .cidr: CIDR(text) != nil || Self.isSloppyCIDR(text)
        case .mac: Self.isMAC(text)
        case .uuid: Self.isUUID(text, version: nil)
        case .uuid3: Self.isUUID(text, version: "3")
        case .uuid4: Self.isUUID(text, version: "4")
        case .uuid5: Self.isUUID(text, version: "5")
        case .isbn: Self.isISBN10(text) || Self.isISBN13(text)
        case .isbn10: Self.isISBN10(text)
        case .isbn13: Self.isISBN13(text)
        case .creditcard: Self.isCreditCard(text)
        case .ssn: Self.isSSN(text)
        case .hexcolor: Self.isHexColor(text)
        case .rgbcolor: Self.isRGBColor(text)
        case .byte: Self.isBase64(text)
        case .date: Self.isDate(text)
        case .duration: Self.isDuration(text)
        case .datetime: Self.isDateTime(text)
        case .shortName: text.utf8.count <= 63 && Self.isName(text)
        case .longName:
            text.utf8.count <= 253
                && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { Self.isName(String($0)) }
        }
    }

    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (97...102).contains(byte | 0x20) }
    static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        func isWord(_ byte: UInt8) -> Bool { isDigit(byte) || (97...122).contains(byte) }
        return isWord(first) && isWord(last) && text.utf8.allSatisfy { isWord($0) || $0 == 0x2d }
    }

    private static func isSloppyIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isDigit) && Int($0).map { $0 <= 255 } == true }
    }

    private static func isSloppyCIDR(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[1].isEmpty, parts[1].utf8.allSatisfy(isDigit), let length = Int(parts[1]) else { return false }
        return isSloppyIPv4(parts[0]) ? length <= 32 : IPAddress(parts[0]).map { length <= ($0.isV4 ? 32 : 128) } == true
    }

    /// An absolute path or a URI with a scheme.
    private static func isURI(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return false }
        if text.hasPrefix("/") { return true }
        guard let colon = text.utf8.firstIndex(of: 0x3a), let first = text.utf8.first, isLetter(first) else { return false }
        let scheme = text.utf8[..<colon]
        return scheme.allSatisfy { isLetter($0) || isDigit($0) || [0x2b, 0x2d, 0x2e].contains($0) }
            && hasWholeEscapes(text)
    }

    private static func hasWholeEscapes(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() where byte == 0x25 {
            guard index + 2 < bytes.count, isHex(bytes[index + 1]), isHex(bytes[index + 2]) else { return false }
        }
        return true
    }

    /// An address, alone or as `Name <address>`.
    private static func isEmail(_ text: String) -> Bool {
        var address = Substring(text)
        if let open = text.lastIndex(of: "<") {
            guard text.hasSuffix(">") else { return false }
            address = text[text.index(after: open)...].dropLast()
        }
        guard let at = address.lastIndex(of: "@") else { return false }
        let local = address[..<at]
        let domain = address[address.index(after: at)...]
        func isAtom(_ byte: UInt8) -> Bool {
            isLetter(byte) || isDigit(byte) || byte > 0x7f || "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
        }
        func isDotAtom(_ part: Substring) -> Bool {
            part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(isAtom) }
        }
        let isQuoted = local.count >= 2 && local.hasPrefix("\"") && local.hasSuffix("\"")
        return (isQuoted || isDotAtom(local)) && isDotAtom(domain)
    }

    private static func isHostname(_ text: String) -> Bool {
        guard text.utf8.count <= 255 else { return false }
        func isWord(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.isAlphabetic || (48...57).contains(scalar.value)
                || [.mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol].contains(scalar.properties.generalCategory)
        }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            let scalars = Array(label.unicodeScalars)
            guard let first = scalars.first, let last = scalars.last, label.utf8.count <= 63, isWord(first), isWord(last),
                scalars.allSatisfy({ isWord($0) || $0 == "-" })
            else { return false }
        }
        guard labels.count > 1, let top = labels.last else { return true }
        return top.unicodeScalars.count >= 2 && top.unicodeScalars.allSatisfy { $0.properties.isAlphabetic }
    }

    private static func isMAC(_ text: String) -> Bool {
        for (separator, width) in [(Character(":"), 2), ("-", 2), (".", 4)] where text.contains(separator) {
            let groups = text.split(separator: separator, omittingEmptySubsequences: false)
            guard groups.allSatisfy({ $0.utf8.count == width && $0.utf8.allSatisfy(isHex) }) else { return false }
            return [6, 8, 20].contains(groups.count * width / 2)
        }
        return false
    }

    private static func isUUID(_ text: String, version: Character?) -> Bool {
        var groups = [8, 4, 4, 4, 12][...]
        var digits: [UInt8] = []
        var inGroup = 0
        for byte in text.utf8 {
            if byte == 0x2d {
                // Each dash may be missing, but not stand elsewhere.
                guard inGroup == 0, !digits.isEmpty, digits.count < 32 else { return false }
                inGroup = -1
                continue
            }
            guard isHex(byte) else { return false }
            inGroup = max(inGroup, 0)
            digits.append(byte)
            inGroup += 1
            if inGroup == groups.first {
                groups = groups.dropFirst()
                inGroup = 0
            }
        }
        guard digits.count == 32, inGroup == 0 else { return false }
        guard let version else { return true }
        let isVariant = version == "3" || [0x38, 0x39, 0x61, 0x62].contains(digits[16] | (isDigit(digits[16]) ? 0 : 0x20))
        return digits[12] == version.asciiValue && isVariant
    }
}
