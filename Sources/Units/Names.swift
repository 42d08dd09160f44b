/// Which names Kubernetes accepts, with upstream's words for what is wrong. An empty list means valid.
///
/// Source: apimachinery util/validation and api/validate/content.
public enum Names {
    private static let label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    private static let labelKey = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

    /// A label of RFC 1123: lower case, digits, dashes; at most 63 characters.
    public static func dns1123LabelIssues(_ value: String) -> [String] {
        var issues = tooLong(value, 63, unit: "characters")
        if !isDNS1123Label(value) {
            issues.append(
                isDNS1123Subdomain(value)
                    ? "must not contain dots"
                    : pattern(
                        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                            + "and must start and end with an alphanumeric character",
                        label,
                        "my-name",
                        "123-abc"
                    )
            )
        }
        return issues
    }

    /// Labels joined by dots; at most 253 characters.
    public static func dns1123SubdomainIssues(_ value: String) -> [String] {
        subdomainIssues(value, unit: "characters")
    }

    private static func subdomainIssues(_ value: String, unit: String) -> [String] {
        var issues = tooLong(value, 253, unit: unit)
        if !isDNS1123Subdomain(value) {
            issues.append(
                pattern(
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
                        + "and must start and end with an alphanumeric character",
                    "\(label)(\\.\(label))*",
                    "example.com"
                )
            )
        }
        return issues
    }

    /// A subdomain that may have a leading wildcard label.
    public static func wildcardDNS1123SubdomainIssues(_ value: String) -> [String] {
        var issues = tooLong(value, 253, unit: "characters")
        if !(value.hasPrefix("*.") && isDNS1123Subdomain(String(value.dropFirst(2)))) {
            issues.append(
                pattern(
                    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
                        + "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
                    "\\*\\.\(label)(\\.\(label))*",
                    "*.example.com"
                )
            )
        }
        return issues
    }

    /// A label of RFC 1035: begins with a letter; at most 63 characters.
    public static func dns1035LabelIssues(_ value: String) -> [String] {
        var issues = tooLong(value, 63, unit: "characters")
        let startsWithLetter = value.utf8.first.map(isLower) ?? false
        if !(startsWithLetter && isDNS1123Label(value)) {
            issues.append(
                pattern(
                    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
                        + "alphabetic character, and end with an alphanumeric character",
                    "[a-z]([-a-z0-9]*[a-z0-9])?",
                    "my-name",
                    "abc-123"
                )
            )
        }
        return issues
    }

    /// The key of a label or annotation: an optional DNS prefix and a name.
    public static func qualifiedNameIssues(_ value: String) -> [String] {
        if isPlainQualifiedName(value) { return [] }
        let words = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
        let regex = pattern(words, labelKey, "MyName", "my.name", "123-abc")
        var issues: [String] = []
        let parts = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, let name = parts.last else {
            return ["a valid label key \(regex) with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
        }
        if parts.count == 2 {
            if parts[0].isEmpty {
                issues.append("prefix part must be non-empty")
            } else {
                issues += subdomainIssues(parts[0], unit: "bytes").map { "prefix part \($0)" }
            }
        }
        if name.isEmpty {
            issues.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            issues.append("name part must be no more than 63 bytes")
        }
        if !isLabelName(name.utf8) { issues.append("name part \(regex)") }
        return issues
    }

    /// Whether nothing is wrong with a key, in one pass: the words are only worth making for what they complain about.
    private static func isPlainQualifiedName(_ value: String) -> Bool {
        let bytes = value.utf8
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")) else { return bytes.count <= 63 && isLabelName(bytes) }
        let (prefix, name) = (bytes[..<slash], bytes[bytes.index(after: slash)...])
        return prefix.count <= 253 && isSubdomain(prefix) && name.count <= 63 && isLabelName(name)
    }

    /// The value of a label; may be empty.
    public static func labelValueIssues(_ value: String) -> [String] {
        var issues = tooLong(value, 63, unit: "bytes")
        if !value.isEmpty, !isLabelName(value.utf8) {
            issues.append(
                pattern(
                    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
                        + "and must start and end with an alphanumeric character",
                    "(\(labelKey))?",
                    "MyValue",
                    "my_value",
                    "12345"
                )
            )
        }
        return issues
    }

    /// The name of an environment variable as the API accepts it now: printable ASCII without `=`.
    public static func envVarNameIssues(_ value: String) -> [String] {
        var issues = value.isEmpty ? ["environment variable name must be non-empty"] : []
        if !value.unicodeScalars.allSatisfy({ (0x20...0x7E).contains($0.value) && $0 != "=" }) {
            issues.append("a valid environment variable name must consist only of printable ASCII characters other than '='")
        }
        return issues
    }

    /// The older, narrower rule for environment variables.
    public static func strictEnvVarNameIssues(_ value: String) -> [String] {
        var issues: [String] = []
        let first = value.utf8.first
        let fits = first.map { !isDigit($0) } ?? false
        if !(fits && value.utf8.allSatisfy { isAlphanumeric($0) || "-._".utf8.contains($0) }) {
            issues.append(
                pattern(
                    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', "
                        + "and must not start with a digit",
                    "[-._a-zA-Z][-._a-zA-Z0-9]*",
                    "my.env-name",
                    "MY_ENV.NAME",
                    "MyEnvName1"
                )
            )
        }
        return issues + directoryIssues(value)
    }

    /// A key of a ConfigMap or Secret.
    public static func configMapKeyIssues(_ value: String) -> [String] {
        var issues = tooLong(value, 253, unit: "characters")
        if value.isEmpty || !value.utf8.allSatisfy({ isAlphanumeric($0) || "-._".utf8.contains($0) }) {
            issues.append(
                pattern(
                    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
                    "[-._a-zA-Z0-9]+",
                    "key.name",
                    "KEY_NAME",
                    "key-name"
                )
            )
        }
        return issues + directoryIssues(value)
    }

    /// The name of an HTTP header in a probe.
    public static func httpHeaderNameIssues(_ value: String) -> [String] {
        if !value.isEmpty, value.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") }) { return [] }
        return [pattern("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "X-Header-Name")]
    }

    /// The name of a port.
    public static func portNameIssues(_ value: String) -> [String] {
        var issues = tooLong(value, 15, unit: "characters")
        if value.isEmpty || !value.utf8.allSatisfy({ isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }) {
            issues.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !value.utf8.contains(where: isLower) { issues.append("must contain at least one letter (a-z)") }
        if zip(value.utf8, value.utf8.dropFirst()).contains(where: { $0 == UInt8(ascii: "-") && $1 == $0 }) {
            issues.append("must not contain consecutive hyphens")
        }
        if value.hasPrefix("-") || value.hasSuffix("-") { issues.append("must not begin or end with a hyphen") }
        return issues
    }

    /// The number of a port.
    public static func portNumberIssues(_ value: Int64) -> [String] { rangeIssues(value, 1, 65535) }

    /// A number between bounds.
    public static func rangeIssues(_ value: Int64, _ low: Int64, _ high: Int64) -> [String] {
        (low...high).contains(value) ? [] : ["must be between \(low) and \(high), inclusive"]
    }

    /// A whole percentage such as `25%`.
    public static func percentIssues(_ value: String) -> [String] {
        let digits = value.dropLast()
        if value.hasSuffix("%"), !digits.isEmpty, digits.utf8.allSatisfy(isDigit) { return [] }
        return [pattern("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%")]
    }

    /// A name in C.
    public static func cIdentifierIssues(_ value: String) -> [String] {
        let first = value.utf8.first.map { !isDigit($0) } ?? false
        if first, value.utf8.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "_") }) { return [] }
        return [
            pattern(
                "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
                    + "characters or '_'",
                "[A-Za-z_][A-Za-z0-9_]*",
                "my_name",
                "MY_NAME",
                "MyName"
            )
        ]
    }

    /// A name that can stand in a URL path.
    public static func pathSegmentIssues(_ value: String) -> [String] {
        if value == "." || value == ".." { return ["may not be '\(value)'"] }
        let (slash, percent) = (value.utf8.contains(UInt8(ascii: "/")), value.utf8.contains(UInt8(ascii: "%")))
        return (slash ? ["may not contain '/'"] : []) + (percent ? ["may not contain '%'"] : [])
    }

    /// An IP address in canonical form.
    public static func ipIssues(_ value: String) -> [String] {
        guard let address = IPAddress(value) else {
            return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
        }
        return address.description == value ? [] : ["must be in canonical form (\"\(address)\")"]
    }

    /// The words for a text that is too long; empty when it is not.
    public static func tooLong(_ value: String, _ limit: Int, unit: String) -> [String] {
        value.utf8.count > limit ? ["must be no more than \(limit) \(unit)"] : []
    }

    private static func directoryIssues(_ value: String) -> [String] {
        if value == "." || value == ".." { return ["must not be '\(value)'"] }
        return value.hasPrefix("..") ? ["must not start with '..'"] : []
    }

    private static func pattern(_ words: String, _ regex: String, _ examples: String...) -> String {
        "\(words) (e.g. \(examples.map { "'\($0)', " }.joined(separator: " or "))regex used for validation is '\(regex)')"
    }

    // MARK: character classes

    static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte | 0x20) || isDigit(byte) }

    /// True for the characters of a DNS label, of any length.
    public static func isDNS1123Label(_ value: some StringProtocol) -> Bool {
        isSubdomain(value.utf8, dots: false)
    }

    /// True for DNS labels joined by dots, of any length.
    public static func isDNS1123Subdomain(_ value: String) -> Bool {
        isSubdomain(value.utf8)
    }

    /// Labels that neither begin nor end with a dash, with dots between them where they are allowed.
    private static func isSubdomain(_ bytes: some Sequence<UInt8>, dots: Bool = true) -> Bool {
        let (dash, dot) = (UInt8(ascii: "-"), UInt8(ascii: "."))
        // As after a dot: what comes next begins a label.
        var last = dot
        for byte in bytes {
            switch byte {
            case dash: if last == dot { return false }
            case dot: if !dots || last == dot || last == dash { return false }
            default: if !isLower(byte), !isDigit(byte) { return false }
            }
            last = byte
        }
        return last != dot && last != dash
    }

    private static func isLabelName(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
    }
}
