/// A node of a parsed expression. Owned by the compilation; the checker renames in place.
final class Expression {
    struct Entry {
        let id: Int
        let key: Expression
        let value: Expression
        let isOptional: Bool
    }

    struct Field {
        let id: Int
        let name: String
        let value: Expression
        let isOptional: Bool
    }

    struct Comprehension {
        let range: Expression
        let variable: String
        /// The second variable of the forms that have two.
        let second: String?
        let accumulator: String
        let start: Expression
        let condition: Expression
        let step: Expression
        let result: Expression
    }

    indirect enum Kind {
        /// Stands where a mistake was.
        case nothing
        case literal(CELValue)
        case identifier(String)
        case select(Expression, String, isTest: Bool)
        case call(target: Expression?, function: String, arguments: [Expression])
        case list([Expression], optionals: Set<Int>)
        case map([Entry])
        case message(String, [Field])
        case comprehension(Comprehension)
    }

    let id: Int
    var kind: Kind

    init(id: Int, kind: Kind) {
        self.id = id
        self.kind = kind
    }

    /// The name `a.b.c` that this may be.
    var qualifiedName: String? {
        switch kind {
        case .identifier(let name): name
        case .select(let operand, let field, isTest: false): operand.qualifiedName.map { "\($0).\(field)" }
        default: nil
        }
    }

    var isLiteral: Bool { if case .literal = kind { true } else { false } }
}

/// A parsed expression with the places of its nodes.
struct ParsedExpression {
    let root: Expression
    /// The place of each node by its id, in code points.
    let places: [Int32]
    /// How deep it nests, as the parser counts it.
    let depth: Int
}

/// The names that the parser gives to operators, as cel-go does: checker messages show them.
enum OperatorName {
    static let conditional = "_?_:_"
    static let and = "_&&_"
    static let or = "_||_"
    static let not = "!_"
    static let equals = "_==_"
    static let notEquals = "_!=_"
    static let less = "_<_"
    static let lessEquals = "_<=_"
    static let greater = "_>_"
    static let greaterEquals = "_>=_"
    static let add = "_+_"
    static let subtract = "_-_"
    static let multiply = "_*_"
    static let divide = "_/_"
    static let modulo = "_%_"
    static let negate = "-_"
    static let index = "_[_]"
    static let optionalIndex = "_[?_]"
    static let optionalSelect = "_?._"
    static let `in` = "@in"
    static let notStrictlyFalse = "@not_strictly_false"
}
