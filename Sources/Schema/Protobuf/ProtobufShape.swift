/// Which field a number means in a type's message. Made once per type, on first use; immutable.
final class ProtobufShape: Sendable {
    /// One member of a message. A class, so that looking at one costs one reference count.
    final class Member: Sendable {
        let number: Int
        let content: Content
        /// Its place among the names of the message's fields in order; -1 for what is no field of its own.
        let rank: Int
        /// Whether it is written even when JSON has nothing: plain scalars and structs are, pointers, lists and bytes not.
        let isWrittenWhenAbsent: Bool

        init(number: Int, content: Content, rank: Int = -1) {
            self.number = number
            self.rank = rank
            self.content = content
            switch content {
            case .inline: isWrittenWhenAbsent = true
            case .field(let field, .single): isWrittenWhenAbsent = !field.isPointer && ![.bytes, .list, .map].contains(field.node.shape)
            case .field: isWrittenWhenAbsent = false
            }
        }
    }

    /// What a member holds.
    enum Content: Sendable {
        case field(SchemaField, Form)
        /// A nested message whose fields JSON has in the outer object.
        case inline(ProtobufShape)
    }

    /// How a field's values are laid out.
    enum Form: Sendable {
        case single
        case repeated(SchemaNode)
        case map(SchemaNode)
    }

    /// In ascending order of their numbers, as upstream writes them.
    let members: [Member]
    /// The names of the fields among the members, in order, with their positions in `members`: for walks beside an object.
    let names: [(name: String, position: Int)]
    /// Positions in `members` by number; -1 where there is none.
    private let positions: [Int16]

    /// Upstream's numbers are small; a larger one is taken for unknown.
    private static let maxNumber = 1024

    init(_ node: SchemaNode, via path: String = "") {
        var members: [Member] = []
        for field in node.fields {
            guard let rare = field.rare, rare.protoNumber > 0, rare.inlineVia == path else { continue }
            members.append(Member(number: rare.protoNumber, content: .field(field, Self.form(of: field.node, rare.protoType))))
        }
        for inline in node.body.wire?.inlines ?? [] where Self.parent(of: inline.path) == path {
            members.append(Member(number: inline.number, content: .inline(ProtobufShape(node, via: inline.path))))
        }
        members.removeAll { $0.number > Self.maxNumber }
        members.sort { $0.number < $1.number }
        var names: [(name: String, position: Int)] = []
        for (position, member) in members.enumerated() {
            if case .field(let field, _) = member.content { names.append((field.name, position)) }
        }
        names.sort { $0.name.compareBytes(with: $1.name) < 0 }
        for (rank, named) in names.enumerated() {
            let member = members[named.position]
            members[named.position] = Member(number: member.number, content: member.content, rank: rank)
        }
        self.members = members
        self.names = names
        var positions = [Int16](repeating: -1, count: (members.last?.number ?? 0) + 1)
        for (position, member) in members.enumerated() { positions[member.number] = Int16(position) }
        self.positions = positions
    }

    /// The position of the member with a number.
    func position(of number: Int) -> Int? {
        guard number < positions.count, number > 0 else { return nil }
        let position = positions[number]
        return position < 0 ? nil : Int(position)
    }

    /// A list repeats the field, unless it is a message of its own (`Verbs`, `ExtraValue`).
    private static func form(of node: SchemaNode, _ protoType: String) -> Form {
        guard node.name.isEmpty, let element = node.element else { return .single }
        switch node.shape {
        case .list: return protoType.hasPrefix("repeated ") ? .repeated(element) : .single
        case .map: return .map(element)
        default: return .single
        }
    }

    private static func parent(of path: String) -> String {
        guard let end = path.lastIndex(where: { $0 == "." || $0 == "/" }) else { return "" }
        return String(path[..<end])
    }
}

extension SchemaNode {
    /// The number under which the message of a type without fields of its own holds JSON text.
    var protobufRawNumber: Int {
        body.wire?.wireOnly.first { $0.name == "raw" || $0.name == "Raw" }?.number ?? 1
    }
}
