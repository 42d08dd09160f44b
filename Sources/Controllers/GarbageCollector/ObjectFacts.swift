import Values

/// What the garbage collector knows of an object: its metadata, no more.
public struct ObjectFacts: Sendable, Hashable {
    /// A reference to an owner.
    public struct Owner: Sendable, Hashable {
        /// The owner's uid, packed.
        public var id: ObjectUID
        /// As written.
        public var apiVersion: String
        /// As written.
        public var kind: String
        /// As written.
        public var name: String
        /// As written.
        public var uid: String
        /// Whether the owner's foreground deletion waits for the dependent.
        public var blocking: Bool
    }

    /// The namespace; empty for cluster-scoped kinds.
    public var namespace: String
    /// The name.
    public var name: String
    /// The uid as written.
    public var uid: String
    /// The newest resource version seen.
    public var resourceVersion: String
    /// Whom it belongs to.
    public var owners: [Owner]
    /// Deletion was asked for.
    public var isBeingDeleted: Bool
    /// Waits until its dependents are released (finalizer `orphan`).
    public var hasOrphanFinalizer: Bool
    /// Waits until its blocking dependents are gone (finalizer `foregroundDeletion`).
    public var hasForegroundFinalizer: Bool

    /// Reads an object's `metadata`; nil where uid or name is missing.
    public init?(metadata: JSONValue) {
        guard let name = metadata["name"]?.string, let uid = metadata["uid"]?.string else { return nil }
        self.name = name
        self.uid = uid
        namespace = metadata["namespace"]?.string ?? ""
        resourceVersion = metadata["resourceVersion"]?.string ?? ""
        owners = (metadata["ownerReferences"]?.array ?? []).compactMap { reference in
            guard let uid = reference["uid"]?.string else { return nil }
            return Owner(
                id: ObjectUID(uid),
                apiVersion: reference["apiVersion"]?.string ?? "",
                kind: reference["kind"]?.string ?? "",
                name: reference["name"]?.string ?? "",
                uid: uid,
                blocking: reference["blockOwnerDeletion"]?.bool ?? false
            )
        }
        isBeingDeleted = metadata["deletionTimestamp"]?.string != nil
        let finalizers = (metadata["finalizers"]?.array ?? []).compactMap(\.string)
        hasOrphanFinalizer = finalizers.contains("orphan")
        hasForegroundFinalizer = finalizers.contains("foregroundDeletion")
    }

    /// Its uid, packed.
    public var id: ObjectUID { ObjectUID(uid) }
}

/// Finds the value of one top-level field of an encoded object without decoding the rest.
public enum TopLevelField {
    /// The bytes of the value of `name`; nil when there is none, or the text is not an object.
    public static func find(_ name: String, in bytes: [UInt8]) -> [UInt8]? {
        let wanted = Array(name.utf8)
        return bytes.withUnsafeBufferPointer { text in
            var cursor = Cursor(text: text)
            guard cursor.take(UInt8(ascii: "{")) else { return nil }
            while let key = cursor.string() {
                guard cursor.take(UInt8(ascii: ":")) else { return nil }
                cursor.skipSpace()
                let start = cursor.position
                guard cursor.skipValue() else { return nil }
                if text[key].elementsEqual(wanted) { return Array(text[start..<cursor.position]) }
                guard cursor.take(UInt8(ascii: ",")) else { return nil }
            }
            return nil
        }
    }

    private struct Cursor {
        let text: UnsafeBufferPointer<UInt8>
        var position = 0

        mutating func skipSpace() {
            while position < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[position]) { position += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            skipSpace()
            guard position < text.count, text[position] == byte else { return false }
            position += 1
            return true
        }

        /// The range inside the quotes.
        mutating func string() -> Range<Int>? {
            guard take(UInt8(ascii: "\"")) else { return nil }
            let start = position
            while position < text.count, text[position] != UInt8(ascii: "\"") {
                position += text[position] == UInt8(ascii: "\\") ? 2 : 1
            }
            guard position < text.count else { return nil }
            position += 1
            return start..<(position - 1)
        }

        /// Passes over one value by counting brackets outside strings.
        mutating func skipValue() -> Bool {
            var depth = 0
            while position < text.count {
                switch text[position] {
                case UInt8(ascii: "\""):
                    guard string() != nil else { return false }
                    if depth == 0 { return true }
                case UInt8(ascii: "{"), UInt8(ascii: "["):
                    depth += 1
                    position += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    if depth == 0 { return true }
                    depth -= 1
                    position += 1
                    if depth == 0 { return true }
                case UInt8(ascii: ",") where depth == 0:
                    return true
                default:
                    position += 1
                }
            }
            return depth == 0
        }
    }
}
