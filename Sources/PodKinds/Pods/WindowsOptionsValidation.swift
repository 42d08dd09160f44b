import Schema
import Units
import Values

/// What is wrong with the security options of Windows.
///
/// Source: core validation, `validateWindowsSecurityContextOptions`.
enum WindowsOptionsValidation {
    private static let mostKilobytes = 64
    private static let longestDomain = 256
    private static let longestUser = 104
    private static let longestNetBIOS = 15
    private static let longestLabel = 63

    static func check(_ options: JSONValue?, _ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        guard let options else { return }
        if let name = options["gmsaCredentialSpecName"]?.string { issues.subdomain(name, path().child("gmsaCredentialSpecName")) }
        if let text = options["gmsaCredentialSpec"]?.string {
            let place = path().child("gmsaCredentialSpec")
            if text.isEmpty {
                issues.invalid(place, "", "gmsaCredentialSpec cannot be an empty string")
            } else if text.utf8.count > mostKilobytes << 10 {
                issues.invalid(place, .string(text), "gmsaCredentialSpec size must be under \(mostKilobytes) KiB")
            }
        }
        guard let name = options["runAsUserName"]?.string else { return }
        for words in problems(name) { issues.invalid(path().child("runAsUserName"), .string(name), words) }
    }

    /// What is wrong with a user, which a domain and a backslash may precede.
    private static func problems(_ name: String) -> [String] {
        if name.isEmpty { return ["runAsUserName cannot be an empty string"] }
        if name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { return ["runAsUserName cannot contain control characters"] }
        let parts = name.split(separator: "\\", omittingEmptySubsequences: false)
        guard parts.count <= 2, let user = parts.last else { return ["runAsUserName cannot contain more than one backslash"] }
        var problems: [String] = []
        if parts.count == 2 {
            let domain = parts[0]
            if domain.utf8.count >= longestDomain {
                problems.append("runAsUserName's Domain length must be under \(longestDomain) characters")
            }
            if !isNetBIOS(domain), !isDNS(domain) {
                problems.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
            }
        }
        if user.isEmpty {
            problems.append("runAsUserName's User cannot be empty")
        } else if user.utf8.count > longestUser {
            problems.append("runAsUserName's User length must not be longer than \(longestUser) characters")
        }
        if !user.isEmpty, user.allSatisfy({ $0 == "." || $0 == " " }) {
            problems.append("runAsUserName's User cannot contain only periods or spaces")
        }
        let refused = #""/\:;|=,+*?<>@[]"#
        if user.contains(where: refused.contains) {
            problems.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
        }
        return problems
    }

    private static func isNetBIOS(_ domain: Substring) -> Bool {
        let refused = #"\/:*?"<>|"#
        guard let first = domain.first, first != ".", domain.unicodeScalars.count <= longestNetBIOS else { return false }
        return !domain.contains(where: refused.contains)
    }

    private static func isDNS(_ domain: Substring) -> Bool {
        domain.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard let first = label.utf8.first, let last = label.utf8.last, label.utf8.count <= longestLabel else { return false }
            return isWord(first) && isWord(last) && label.utf8.allSatisfy { isWord($0) || $0 == UInt8(ascii: "-") }
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
