/// A version by the rules of semver.org 2.0.
struct SemanticVersion: CELObject, Equatable {
    struct Failure: Error {
        let message: String
    }

    private enum Identifier: Equatable {
        case number(UInt64)
        case text(String)
    }

    let major: UInt64
    let minor: UInt64
    let patch: UInt64
    private let release: [Identifier]
    private let build: [String]

    var type: CELType { TypeNames.semver }

    func isEqual(to other: any CELObject) -> Bool { (other as? SemanticVersion).map { compare($0) == 0 } ?? false }

    /// Reads a version, worded as blang/semver words its errors.
    init(_ text: String) throws(Failure) {
        guard !text.isEmpty else { throw Failure(message: "Version string empty") }
        let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw Failure(message: "No Major.Minor.Patch elements found") }
        major = try Self.number(parts[0], "Major", "major")
        minor = try Self.number(parts[1], "Minor", "minor")
        let afterBuild = parts[2].split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        let afterRelease = afterBuild[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        patch = try Self.number(afterRelease[0], "Patch", "patch")
        release = afterRelease.count > 1 ? try Self.identifiers(afterRelease[1]) : []
        build = afterBuild.count > 1 ? try Self.builds(afterBuild[1]) : []
    }

    private static func number(_ text: Substring, _ name: String, _ lower: String) throws(Failure) -> UInt64 {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let value = UInt64(text) else {
            throw Failure(message: "Invalid character(s) found in \(lower) number \"\(text)\"")
        }
        guard text.utf8.count == 1 || text.utf8.first != 48 else {
            throw Failure(message: "\(name) number must not contain leading zeroes \"\(text)\"")
        }
        return value
    }

    private static func isWord(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 }
    }

    private static func identifiers(_ text: Substring) throws(Failure) -> [Identifier] {
        var found: [Identifier] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            guard !part.isEmpty else { throw Failure(message: "Prerelease is empty") }
            guard isWord(part) else { throw Failure(message: "Invalid character(s) found in prerelease \"\(part)\"") }
            guard part.utf8.allSatisfy({ (48...57).contains($0) }) else {
                found.append(.text(String(part)))
                continue
            }
            guard part.utf8.count == 1 || part.utf8.first != 48, let number = UInt64(part) else {
                throw Failure(message: "Numeric PreRelease version must not contain leading zeroes \"\(part)\"")
            }
            found.append(.number(number))
        }
        return found
    }

    private static func builds(_ text: Substring) throws(Failure) -> [String] {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        for part in parts {
            guard !part.isEmpty else { throw Failure(message: "Build meta data is empty") }
            guard isWord(part) else { throw Failure(message: "Invalid character(s) found in build meta data \"\(part)\"") }
        }
        return parts.map { String($0) }
    }

    /// Reads what people write for a version: `v1.2`, `01.2.3`.
    static func normalized(_ text: String) throws(Failure) -> SemanticVersion {
        let bare = text.hasPrefix("v") ? text.dropFirst() : text[...]
        var parts = bare.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).map { part -> String in
            guard part.utf8.count > 1 else { return String(part) }
            let trimmed = part.drop { $0 == "0" }
            let isNumber = trimmed.utf8.first.map { (48...57).contains($0) } ?? false
            return isNumber ? String(trimmed) : "0\(trimmed)"
        }
        if parts.count < 3 {
            if let last = parts.last, last.contains("+") || last.contains("-") {
                throw Failure(message: "short version cannot contain PreRelease/Build meta data")
            }
            while parts.count < 3 { parts.append("0") }
        }
        return try SemanticVersion(parts.joined(separator: "."))
    }

    /// Negative, zero or positive; build data does not count.
    func compare(_ other: SemanticVersion) -> Int64 {
        for (a, b) in [(major, other.major), (minor, other.minor), (patch, other.patch)] where a != b { return a < b ? -1 : 1 }
        if release.isEmpty || other.release.isEmpty {
            return release.isEmpty == other.release.isEmpty ? 0 : (release.isEmpty ? 1 : -1)
        }
        for (a, b) in zip(release, other.release) where a != b {
            switch (a, b) {
            case (.number(let x), .number(let y)): return x < y ? -1 : 1
            case (.number, .text): return -1
            case (.text, .number): return 1
            case (.text(let x), .text(let y)): return x.utf8.lexicographicallyPrecedes(y.utf8) ? -1 : 1
            }
        }
        return release.count == other.release.count ? 0 : (release.count < other.release.count ? -1 : 1)
    }

    static func from(_ value: CELValue) throws(CELError) -> SemanticVersion {
        guard case .object(let object) = value, let version = object as? SemanticVersion else { throw .noSuchOverload }
        return version
    }
}

/// Source: apiserver/pkg/cel/library/semverlib.go, version 1.
extension FunctionTable {
    mutating func addVersions() {
        let type = TypeNames.semver
        @Sendable func parse(_ arguments: [CELValue]) throws(CELError) -> SemanticVersion {
            guard case .string(let text) = arguments[0] else { throw .noSuchOverload }
            let isLoose = arguments.count > 1 && arguments[1].bool == true
            do {
                return isLoose ? try SemanticVersion.normalized(text) : try SemanticVersion(text)
            } catch { throw CELError(error.message) }
        }
        let make: FunctionBody = { arguments, _ throws(CELError) in .object(try parse(arguments)) }
        let test: FunctionBody = { arguments, _ throws(CELError) in .bool((try? parse(arguments)) != nil) }
        global("semver", "string_to_semver", [.string], type, make)
        global("semver", "string_bool_to_semver", [.string, .bool], type, make)
        global("isSemver", "is_semver_string", [.string], .bool, test)
        global("isSemver", "is_semver_string_bool", [.string, .bool], .bool, test)
        let comparisons: [(String, String, CELType, @Sendable (Int64) -> CELValue)] = [
            ("isGreaterThan", "semver_is_greater_than", .bool, { .bool($0 > 0) }),
            ("isLessThan", "semver_is_less_than", .bool, { .bool($0 < 0) }), ("compareTo", "semver_compare_to", .int, { .int($0) }),
        ]
        for (name, id, result, body) in comparisons {
            member(name, id, [type, type], result) { arguments, _ throws(CELError) in
                body(try SemanticVersion.from(arguments[0]).compare(try SemanticVersion.from(arguments[1])))
            }
        }
        let parts: [(String, @Sendable (SemanticVersion) -> UInt64)] = [
            ("major", { $0.major }), ("minor", { $0.minor }), ("patch", { $0.patch }),
        ]
        for (name, part) in parts {
            member(name, "semver_\(name)", [type], .int) { arguments, _ throws(CELError) in
                .int(Int64(clamping: part(try SemanticVersion.from(arguments[0]))))
            }
        }
    }
}
