/// The number of one write in the store's single, gapless-per-store order.
///
/// Every successful write has exactly one revision, and revisions only grow. A fresh store is at revision 1.
public struct Revision: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number as it appears in `metadata.resourceVersion`.
    public var rawValue: UInt64

    /// Wraps a number read from a resourceVersion or from disk.
    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Below every write: a watch from here sees everything that was never compacted.
    public static let zero = Revision(0)

    /// The revision of a store nobody has written to.
    public static let initial = Revision(1)

    /// The revision the next write gets.
    @inlinable public var next: Revision { Revision(rawValue + 1) }

    /// By number.
    @inlinable
    public static func < (left: Revision, right: Revision) -> Bool {
        left.rawValue < right.rawValue
    }

    /// For people.
    public var description: String { String(rawValue) }
}

/// A number of bytes.
public struct ByteCount: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number of bytes.
    public var bytes: Int64

    /// So many bytes.
    public init(_ bytes: Int64) {
        self.bytes = bytes
    }

    /// So many mebibytes.
    public static func mebibytes(_ count: Int64) -> ByteCount {
        ByteCount(count << 20)
    }

    /// By number.
    public static func < (left: ByteCount, right: ByteCount) -> Bool {
        left.bytes < right.bytes
    }

    /// For people.
    public var description: String { "\(bytes) bytes" }
}
