import APITypes

/// One alternative of a node affinity: all its requirements hold.
package struct NodeTerm: Sendable, Hashable {
    /// One requirement on a label or on the node's name.
    package struct Requirement: Sendable, Hashable {
        package let key: String
        package let op: String
        package let values: [String]

        /// A requirement as a node selector spells it.
        package init(key: String, op: String, values: [String]) {
            self.key = key
            self.op = op
            self.values = values
        }

        /// Whether a label value (nil when the label is absent) satisfies it.
        func holds(_ value: String?) -> Bool {
            switch op {
            case "In": value.map(values.contains) ?? false
            case "NotIn": value.map { !values.contains($0) } ?? true
            case "Exists": value != nil
            case "DoesNotExist": value == nil
            case "Gt": compare(value) { $0 > $1 }
            case "Lt": compare(value) { $0 < $1 }
            default: false
            }
        }

        private func compare(_ value: String?, _ order: (Int64, Int64) -> Bool) -> Bool {
            guard values.count == 1, let left = value.flatMap({ Int64($0) }), let right = Int64(values[0]) else { return false }
            return order(left, right)
        }
    }

    package let labels: [Requirement]
    package let fields: [Requirement]

    /// A term. One without requirements matches nothing.
    package init(labels: [Requirement], fields: [Requirement] = []) {
        self.labels = labels
        self.fields = fields
    }

    init(_ term: NodeSelectorTerm) {
        func read(_ list: [NodeSelectorRequirement]) -> [Requirement] {
            list.map { Requirement(key: $0.key, op: $0.operator, values: $0.values) }
        }
        self.init(labels: read(term.matchExpressions), fields: read(term.matchFields))
    }

    func matches(_ node: NodeFacts) -> Bool {
        if labels.isEmpty && fields.isEmpty { return false }
        for requirement in fields where requirement.key != "metadata.name" || !requirement.holds(node.name) { return false }
        return labels.allSatisfy { $0.holds(node.labels[$0.key]) }
    }

    /// The node names the term is restricted to; nil when it is not.
    var names: Set<String>? {
        var names: Set<String>?
        for field in fields where field.key == "metadata.name" && field.op == "In" {
            names = names.map { $0.intersection(field.values) } ?? Set(field.values)
        }
        return names
    }
}

/// A preferred alternative with what it is worth.
package struct WeightedNodeTerm: Sendable, Hashable {
    package let weight: Int64
    package let term: NodeTerm

    /// A preference.
    package init(weight: Int64, term: NodeTerm) {
        self.weight = weight
        self.term = term
    }
}
