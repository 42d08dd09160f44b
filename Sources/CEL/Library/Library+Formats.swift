import Units
import Values

/// A format that text may have, such as a DNS label.
struct NamedFormat: CELObject {
    /// The longest pattern that any format is checked by; what estimates assume.
    static let longestPattern: UInt64 = 128

    let name: String
    /// How long the pattern is that costs count with.
    let patternSize: UInt64
    /// What is wrong with a text; empty when nothing is.
    let issues: @Sendable (String) -> [String]

    var type: CELType { TypeNames.format }
    func isEqual(to other: any CELObject) -> Bool { (other as? NamedFormat)?.name == name }

    /// The formats by the names that expressions use. Source: apiserver/pkg/cel/library/format.go.
    static let byName: [String: NamedFormat] = {
        func prefix(_ check: @escaping @Sendable (String) -> [String]) -> @Sendable (String) -> [String] {
            { text in check(text.hasSuffix("-") ? text.dropLast() + "a" : text) }
        }
        func test(_ message: String, _ holds: @escaping @Sendable (String) -> Bool) -> @Sendable (String) -> [String] {
            { holds($0) ? [] : [message] }
        }
        let formats: [(String, String, UInt64, @Sendable (String) -> [String])] = [
            ("dns1123Label", "DNS1123Label", 30, { Names.dns1123LabelIssues($0) }),
            ("dns1123Subdomain", "DNS1123Subdomain", 60, { Names.dns1123SubdomainIssues($0) }),
            ("dns1035Label", "DNS1035Label", 30, { Names.dns1035LabelIssues($0) }),
            ("qualifiedName", "QualifiedName", 60, { Names.qualifiedNameIssues($0) }),
            ("dns1123LabelPrefix", "DNS1123LabelPrefix", 30, prefix { Names.dns1123LabelIssues($0) }),
            ("dns1123SubdomainPrefix", "DNS1123SubdomainPrefix", 60, prefix { Names.dns1123SubdomainIssues($0) }),
            ("dns1035LabelPrefix", "DNS1035LabelPrefix", 30, prefix { Names.dns1035LabelIssues($0) }),
            ("labelValue", "LabelValue", 40, { Names.labelValueIssues($0) }),
            ("uri", "URI", 1103, { uriIssues($0) }),
            ("uuid", "uuid", 70, test("does not match the UUID format") { isUUID($0) }),
            ("byte", "byte", 84, test("invalid base64") { !$0.isEmpty && Base64.decode($0) != nil }),
            ("date", "date", 71, test("invalid date") { CalendarTime.parseDate($0) != nil }),
            ("datetime", "datetime", 71, test("invalid datetime") { CalendarTime.parseRFC3339($0) != nil }),
        ]
        return Dictionary(
            formats.map { ($0.0, NamedFormat(name: $0.1, patternSize: $0.2, issues: $0.3)) },
            uniquingKeysWith: { first, _ in first }
        )
    }()

    private static func uriIssues(_ text: String) -> [String] {
        do {
            _ = try URLValue(text)
            return []
        } catch { return [error.message] }
    }

    private static func isUUID(_ text: String) -> Bool {
        let bytes = text.utf8.filter { $0 != 45 }
        let isHex = bytes.allSatisfy { (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0) }
        guard isHex, bytes.count == 32 else { return false }
        let groups = text.split(separator: "-", omittingEmptySubsequences: false).map(\.utf8.count)
        return groups == [32] || groups == [8, 4, 4, 4, 12]
    }
}

extension FunctionTable {
    mutating func addFormats() {
        let type = TypeNames.format
        member("validate", "format-validate", [type, .string], .optional(.list(.string))) { arguments, _ throws(CELError) in
            guard case .object(let object) = arguments[0], let format = object as? NamedFormat, case .string(let text) = arguments[1]
            else { throw .noSuchOverload }
            let issues = format.issues(text)
            return .optional(issues.isEmpty ? .none : CELOptional(.list(CELList(issues.map { .string($0) }))))
        }
        global("format.named", "format-named", [.string], .optional(type)) { arguments, _ throws(CELError) in
            .optional(CELOptional(NamedFormat.byName[arguments[0].string ?? ""].map { .object($0) }))
        }
        for (name, format) in NamedFormat.byName {
            global("format.\(name)", "format.\(name)", [], type) { _, _ throws(CELError) in .object(format) }
        }
    }
}
