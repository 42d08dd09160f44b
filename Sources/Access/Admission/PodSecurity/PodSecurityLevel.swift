import APIModel
import Schema
import Units
import Values

/// How strict the pod security standards are, from the most open to the strictest.
public enum PodSecurityLevel: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Nothing is refused.
    case privileged
    /// What is known to give away the node is refused.
    case baseline
    /// Only what is hardened passes.
    case restricted

    /// Whether one level is more open than another.
    public static func < (one: PodSecurityLevel, other: PodSecurityLevel) -> Bool { one.rank < other.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Which release's rules are meant.
public enum PodSecurityVersion: Sendable, Hashable, CustomStringConvertible {
    /// The newest known.
    case latest
    /// Those of `v1.n`.
    case minor(Int)

    /// Reads `latest` or `v1.n`; nil for anything else.
    public init?(_ text: String) {
        if text == "latest" {
            self = .latest
            return
        }
        guard text.hasPrefix("v1.") else { return nil }
        let digits = text.utf8.dropFirst(3)
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }), digits.count == 1 || digits.first != 48,
            let number = Int(String(text.dropFirst(3)))
        else { return nil }
        self = .minor(number)
    }

    /// As in a label.
    public var description: String {
        switch self {
        case .latest: "latest"
        case .minor(let number): "v1.\(number)"
        }
    }

    /// The release, to be compared; the newest is beyond all.
    var number: Int {
        switch self {
        case .latest: .max
        case .minor(let number): number
        }
    }
}

/// A level of one release.
public struct PodSecurityStandard: Sendable, Hashable, CustomStringConvertible {
    /// How strict.
    public var level: PodSecurityLevel
    /// Of which release.
    public var version: PodSecurityVersion

    /// A level of one release.
    public init(_ level: PodSecurityLevel, _ version: PodSecurityVersion = .latest) {
        self.level = level
        self.version = version
    }

    /// As messages and annotations show it, e.g. `restricted:latest`.
    public var description: String { "\(level.rawValue):\(version)" }
}

/// What a namespace asks of its pods.
public struct PodSecurityPolicy: Sendable, Hashable {
    /// What is refused.
    public var enforce: PodSecurityStandard
    /// What the audit log tells.
    public var audit: PodSecurityStandard
    /// What clients are warned of.
    public var warn: PodSecurityStandard

    /// Three standards, all of them open by default, as upstream's are.
    public init(
        enforce: PodSecurityStandard = PodSecurityStandard(.privileged),
        audit: PodSecurityStandard = PodSecurityStandard(.privileged),
        warn: PodSecurityStandard = PodSecurityStandard(.privileged)
    ) {
        self.enforce = enforce
        self.audit = audit
        self.warn = warn
    }

    static let prefix = "pod-security.kubernetes.io/"

    /// Whether nothing is asked at all.
    var isPrivileged: Bool { enforce.level == .privileged && audit.level == .privileged && warn.level == .privileged }

    /// What a namespace with these labels asks, and what is wrong with the labels.
    static func read(_ labels: JSONValue?, defaults: PodSecurityPolicy) -> (policy: PodSecurityPolicy, issues: [FieldIssue]) {
        var policy = defaults
        // Most namespaces ask for nothing: every pod that is made comes by here.
        guard let labels = labels?.object, labels.contains(where: { $0.key.utf8.starts(with: prefix.utf8) }) else { return (policy, []) }
        var reader = LabelReader(labels: labels)
        let enforced = reader.standard("enforce", &policy.enforce, otherwise: .restricted)
        reader.standard("audit", &policy.audit, otherwise: .privileged)
        reader.standard("warn", &policy.warn, otherwise: .privileged)
        // Who is refused something wants to be told of it where it is not refused yet: in controllers.
        if labels[prefix + "warn"] == nil, enforced, policy.enforce.level > policy.warn.level {
            policy.warn.level = policy.enforce.level
            if labels[prefix + "warn-version"] == nil { policy.warn.version = policy.enforce.version }
        }
        return (policy, reader.issues)
    }

    private struct LabelReader {
        let labels: JSONObject
        var issues: [FieldIssue] = []

        /// Reads a mode's two labels; returns whether its level was there and sound.
        @discardableResult
        mutating func standard(_ mode: String, _ standard: inout PodSecurityStandard, otherwise: PodSecurityLevel) -> Bool {
            var isSound = false
            if let text = labels[prefix + mode]?.string {
                let level = PodSecurityLevel(rawValue: text)
                isSound = level != nil
                standard.level = level ?? otherwise
                let known = PodSecurityLevel.allCases.map(\.rawValue).joined(separator: ", ")
                if level == nil { issue(prefix + mode, text, "must be one of \(known)") }
            }
            if let text = labels[prefix + mode + "-version"]?.string {
                let version = PodSecurityVersion(text)
                standard.version = version ?? .latest
                if version == nil { issue(prefix + mode + "-version", text, "must be \"latest\" or \"v1.x\"") }
            }
            return isSound
        }

        private mutating func issue(_ label: String, _ value: String, _ words: String) {
            issues.append(.invalid(FieldPath("metadata").child("labels").key(label), .string(value), words))
        }
    }
}
