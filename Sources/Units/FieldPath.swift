/// Where in an object something stands, written as users know it: `spec.containers[0].image`.
///
/// Source: apimachinery util/validation/field.Path.
public struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    /// The path as text.
    public let description: String

    /// The object itself: an empty path.
    public static let root = FieldPath("")

    /// A path from its text.
    public init(_ text: String) {
        description = text
    }

    /// The member `name` of what this path names.
    public func child(_ name: String) -> FieldPath {
        FieldPath(description.isEmpty ? name : description + "." + name)
    }

    /// A member of a member.
    public func child(_ first: String, _ second: String, _ more: String...) -> FieldPath {
        more.reduce(child(first).child(second)) { $0.child($1) }
    }

    /// The element at `position` of the list that this path names.
    public func index(_ position: Int) -> FieldPath {
        FieldPath("\(description)[\(position)]")
    }

    /// The value under `name` of the map that this path names.
    public func key(_ name: String) -> FieldPath {
        FieldPath("\(description)[\(name)]")
    }
}
