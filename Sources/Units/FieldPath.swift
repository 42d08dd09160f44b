/// Where in an object something stands, written as users know it: `spec.containers[0].image`.
///
/// Validation makes very many paths and prints hardly any, so a path is its last step and the path before it; the text
/// is made when it is asked for.
///
/// Source: apimachinery util/validation/field.Path.
public struct FieldPath: Sendable, Hashable, CustomStringConvertible {
    private enum Step: Sendable {
        case text(String)
        case child(String)
        case index(Int)
        case key(String)
    }

    private final class Node: Sendable {
        let parent: Node?
        let step: Step

        init(_ parent: Node?, _ step: Step) {
            self.parent = parent
            self.step = step
        }
    }

    /// nil for the object itself.
    private let node: Node?

    /// The object itself: an empty path.
    public static let root = FieldPath(node: nil)

    /// A path from its text.
    public init(_ text: String) {
        node = text.isEmpty ? nil : Node(nil, .text(text))
    }

    private init(node: Node?) {
        self.node = node
    }

    /// Whether it is the object itself.
    public var isRoot: Bool { node == nil }

    /// The path as text.
    public var description: String {
        var steps: [Step] = []
        var current = node
        while let node = current {
            steps.append(node.step)
            current = node.parent
        }
        var text = ""
        for step in steps.reversed() {
            switch step {
            case .text(let part): text += part
            case .child(let name):
                if !text.isEmpty { text += "." }
                text += name
            case .index(let position): text += "[\(position)]"
            case .key(let name): text += "[\(name)]"
            }
        }
        return text
    }

    /// The member `name` of what this path names.
    public func child(_ name: String) -> FieldPath {
        FieldPath(node: Node(node, .child(name)))
    }

    /// A member of a member.
    public func child(_ first: String, _ second: String, _ more: String...) -> FieldPath {
        more.reduce(child(first).child(second)) { $0.child($1) }
    }

    /// The element at `position` of the list that this path names.
    public func index(_ position: Int) -> FieldPath {
        FieldPath(node: Node(node, .index(position)))
    }

    /// The value under `name` of the map that this path names.
    public func key(_ name: String) -> FieldPath {
        FieldPath(node: Node(node, .key(name)))
    }

    /// Paths are the same when they read the same.
    public static func == (left: FieldPath, right: FieldPath) -> Bool {
        left.node === right.node || left.description == right.description
    }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(description)
    }
}
