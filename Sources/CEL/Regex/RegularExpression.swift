/// A regular expression in RE2's syntax, with Go's leftmost-first matches. Matching takes time linear in the text.
final class RegularExpression: Sendable {
    /// Most instructions of a program; repetitions are copied.
    private static let mostInstructions = 100_000

    enum Instruction: Sendable {
        /// Reads a code point of set `set`.
        case read(set: Int32, next: Int32)
        /// Goes on at both, the first with priority.
        case split(Int32, Int32)
        case jump(Int32)
        case assert(RegexNode.Assertion, next: Int32)
        case accept
    }

    let instructions: [Instruction]
    let sets: [RegexSet]
    /// Whether every match begins where the text begins.
    let isAnchored: Bool

    /// Compiles `pattern`.
    init(_ pattern: String) throws(CELError) {
        let node = try RegexParser.parse(pattern)
        var builder = Builder()
        try builder.emit(node, pattern)
        builder.instructions.append(.accept)
        instructions = builder.instructions
        sets = builder.sets
        isAnchored = Self.beginsAtStart(node)
    }

    private static func beginsAtStart(_ node: RegexNode) -> Bool {
        switch node {
        case .assertion(.textStart): true
        case .sequence(let nodes): nodes.first.map(beginsAtStart) ?? false
        case .choice(let nodes): nodes.allSatisfy(beginsAtStart)
        default: false
        }
    }

    private struct Builder {
        var instructions: [Instruction] = []
        var sets: [RegexSet] = []

        private var next: Int32 { Int32(instructions.count) }

        mutating func emit(_ node: RegexNode, _ pattern: String) throws(CELError) {
            guard instructions.count < RegularExpression.mostInstructions else {
                throw CELError("error parsing regexp: expression too large")
            }
            switch node {
            case .empty: break
            case .set(let set):
                sets.append(set)
                instructions.append(.read(set: Int32(sets.count - 1), next: next + 1))
            case .assertion(let assertion): instructions.append(.assert(assertion, next: next + 1))
            case .sequence(let nodes):
                for node in nodes { try emit(node, pattern) }
            case .choice(let nodes): try choice(nodes, pattern)
            case .repetition(let inner, let least, let most, let isLazy):
                try repetition(inner, least, most, isLazy, pattern)
            }
        }

        private mutating func choice(_ nodes: [RegexNode], _ pattern: String) throws(CELError) {
            var exits: [Int] = []
            for (index, node) in nodes.enumerated() {
                guard index < nodes.count - 1 else {
                    try emit(node, pattern)
                    break
                }
                let split = instructions.count
                instructions.append(.jump(0))
                try emit(node, pattern)
                exits.append(instructions.count)
                instructions.append(.jump(0))
                instructions[split] = .split(Int32(split + 1), next)
            }
            for exit in exits { instructions[exit] = .jump(next) }
        }

        private mutating func repetition(_ inner: RegexNode, _ least: Int, _ most: Int?, _ isLazy: Bool, _ pattern: String) throws(CELError)
        {
            guard let most else {
                try unbounded(inner, least, isLazy, pattern)
                return
            }
            for _ in 0..<least { try emit(inner, pattern) }
            var splits: [Int] = []
            for _ in least..<max(most, least) {
                splits.append(instructions.count)
                instructions.append(.jump(0))
                try emit(inner, pattern)
            }
            for split in splits { instructions[split] = isLazy ? .split(next, Int32(split + 1)) : .split(Int32(split + 1), next) }
        }

        private func split(to body: Int, or exit: Int32, _ isLazy: Bool) -> Instruction {
            isLazy ? .split(exit, Int32(body)) : .split(Int32(body), exit)
        }

        private mutating func unbounded(_ inner: RegexNode, _ least: Int, _ isLazy: Bool, _ pattern: String) throws(CELError) {
            for _ in 1..<max(1, least) { try emit(inner, pattern) }
            var entry: Int?
            if least == 0 {
                entry = instructions.count
                instructions.append(.jump(0))
            }
            // The test stands after the body: so an empty turn ends the loop instead of hiding what comes after it.
            let body = instructions.count
            try emit(inner, pattern)
            instructions.append(split(to: body, or: next + 1, isLazy))
            if let entry { instructions[entry] = split(to: body, or: next, isLazy) }
        }
    }
}
