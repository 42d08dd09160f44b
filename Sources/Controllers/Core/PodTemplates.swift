import APIModel
import APITypes
import Units
import Values

/// Making pods from templates, and telling templates apart.
public enum PodTemplates {
    /// The label a Deployment adds to its replica sets and pods.
    public static let hashLabel = "pod-template-hash"

    /// The longest `generateName` prefix that leaves a legal name.
    static let longestPrefix = 253

    /// A pod as the template describes it, owned by `reference`.
    public static func pod(
        from template: PodTemplateSpec,
        ownerName: String,
        namespace: String,
        reference: OwnerReference
    ) -> Pod {
        var pod = Pod(fields: [:])
        pod.metadata.namespace = namespace
        pod.metadata.labels = template.metadata.labels
        pod.metadata.annotations = template.metadata.annotations
        pod.metadata.finalizers = template.metadata.finalizers
        pod.metadata.generateName = prefix(of: ownerName)
        pod.metadata.ownerReferences = [reference]
        pod.spec = template.spec
        return pod
    }

    /// `name-`, or `name` where the dash would make the prefix illegal.
    public static func prefix(of ownerName: String) -> String {
        let dashed = ownerName + "-"
        return dashed.utf8.count <= longestPrefix ? dashed : ownerName
    }

    /// Equal but for the hash label and for what an absent value and an empty one have in common.
    public static func equalIgnoringHash(_ one: PodTemplateSpec, _ other: PodTemplateSpec) -> Bool {
        if one.fields == other.fields { return true }
        return normal(one) == normal(other)
    }

    /// A name part that is the same for equal templates, whatever the order of their fields, and on every start.
    public static func hash(of template: PodTemplateSpec, collisionCount: Int?) -> String {
        var hasher = FNV1a32()
        hasher.combine(JSONValue.object(normal(template)).encoded())
        if let collisionCount {
            let count = UInt32(truncatingIfNeeded: collisionCount)
            hasher.combine((0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) })
        }
        return safeEncoded(String(hasher.value))
    }

    /// Replaces every byte by one of the characters that cannot form a word.
    public static func safeEncoded(_ text: String) -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String(text.utf8.map { alphabet[Int($0) % alphabet.count] })
    }

    private static func normal(_ template: PodTemplateSpec) -> JSONObject {
        var copy = template
        copy.metadata.labels[hashLabel] = nil
        return compact(copy.fields)
    }

    /// Without nulls, empty lists and `creationTimestamp: null`, which no reader tells from absence.
    private static func compact(_ object: JSONObject) -> JSONObject {
        var result = JSONObject()
        for (key, value) in object {
            guard let kept = compact(value) else { continue }
            result[key] = kept
        }
        return result
    }

    private static func compact(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .null: return nil
        case .array(let items): return items.isEmpty ? nil : .array(items.map { compact($0) ?? $0 })
        case .object(let fields): return .object(compact(fields))
        default: return value
        }
    }
}

/// The 32-bit FNV-1a hash.
public struct FNV1a32: Sendable {
    /// What has been hashed so far.
    public private(set) var value: UInt32 = 2_166_136_261

    /// A hash of nothing.
    public init() {}

    /// Takes in more bytes.
    public mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            value = (value ^ UInt32(byte)) &* 16_777_619
        }
    }
}
