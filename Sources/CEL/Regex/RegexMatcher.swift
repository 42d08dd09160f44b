/// Runs an expression over a text: all possibilities side by side, one code point at a time.
struct RegexMatcher {
    /// Steps between looks at the clock.
    private static let stepsBetweenChecks = 4096
    /// Most steps of one search: a few seconds. A search of the largest object by the largest pattern would take minutes.
    private static let mostSteps = 80_000_000

    private let instructions: [RegularExpression.Instruction]
    private let sets: [RegexSet]
    private let isAnchored: Bool
    private let text: [UInt8]
    private let evaluation: Evaluation?
    private var current: Threads
    private var upcoming: Threads
    private var stack: [Int32] = []
    private var steps = 0

    /// The instructions that are reached, by priority, with where each began.
    private struct Threads {
        var list: [(instruction: Int32, start: Int)] = []
        private var mark: [UInt32]
        private var generation: UInt32 = 0

        init(_ count: Int) {
            mark = Array(repeating: 0, count: count)
            list.reserveCapacity(min(count, 64))
        }

        mutating func clear() {
            list.removeAll(keepingCapacity: true)
            generation += 1
        }

        mutating func visit(_ instruction: Int32) -> Bool {
            guard mark[Int(instruction)] != generation else { return false }
            mark[Int(instruction)] = generation
            return true
        }
    }

    init(_ expression: RegularExpression, _ text: String, _ evaluation: Evaluation?) {
        instructions = expression.instructions
        sets = expression.sets
        isAnchored = expression.isAnchored
        self.text = Array(text.utf8)
        self.evaluation = evaluation
        current = Threads(expression.instructions.count)
        upcoming = Threads(expression.instructions.count)
    }

    /// Whether there is a match anywhere.
    mutating func matches() throws(CELError) -> Bool { try search(from: 0, isAnyEnough: true) != nil }

    /// The first match at or after a byte.
    mutating func first(from start: Int) throws(CELError) -> Range<Int>? { try search(from: start, isAnyEnough: false) }

    func string(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }

    /// All matches that do not overlap, at most `limit`.
    mutating func all(limit: Int) throws(CELError) -> [String] {
        var found: [String] = []
        var position = 0
        var previousEnd = -1
        while found.count < limit, position <= text.count {
            guard let range = try first(from: position) else { break }
            let isRepeatedEmpty = range.isEmpty && range.lowerBound == previousEnd
            if !isRepeatedEmpty { found.append(string(range)) }
            previousEnd = range.upperBound
            position = range.isEmpty ? range.upperBound + max(1, decode(range.upperBound).length) : range.upperBound
        }
        return found
    }

    private mutating func search(from start: Int, isAnyEnough: Bool) throws(CELError) -> Range<Int>? {
        current.clear()
        var found: Range<Int>?
        var position = start
        while true {
            let (code, length) = decode(position)
            if found == nil, !(isAnchored && position > 0) { try add(0, position, position, isCurrent: true) }
            if current.list.isEmpty, found != nil || isAnchored { break }
            upcoming.clear()
            for (instruction, begin) in current.list {
                try count()
                switch instructions[Int(instruction)] {
                case .accept:
                    found = begin..<position
                    if isAnyEnough { return found }
                case .read(let set, let next):
                    if length > 0, sets[Int(set)].contains(code) {
                        try add(next, position + length, begin, isCurrent: false)
                    }
                    continue
                default: continue
                }
                // What has less priority than a match cannot be the match.
                break
            }
            swap(&current, &upcoming)
            if length == 0 { break }
            position += length
        }
        return found
    }

    private mutating func count() throws(CELError) {
        steps += 1
        guard steps.isMultiple(of: Self.stepsBetweenChecks) else { return }
        try evaluation?.step()
        if steps > Self.mostSteps { throw .interrupted }
    }

    /// Adds an instruction and all that follow it without reading.
    private mutating func add(_ instruction: Int32, _ position: Int, _ begin: Int, isCurrent: Bool) throws(CELError) {
        stack.removeAll(keepingCapacity: true)
        stack.append(instruction)
        while let next = stack.popLast() {
            try count()
            guard isCurrent ? current.visit(next) : upcoming.visit(next) else { continue }
            switch instructions[Int(next)] {
            case .jump(let target): stack.append(target)
            case .split(let preferred, let other):
                stack.append(other)
                stack.append(preferred)
            case .assert(let assertion, let target):
                if holds(assertion, position) { stack.append(target) }
            case .read, .accept:
                if isCurrent { current.list.append((next, begin)) } else { upcoming.list.append((next, begin)) }
            }
        }
    }

    private func holds(_ assertion: RegexNode.Assertion, _ position: Int) -> Bool {
        switch assertion {
        case .textStart: position == 0
        case .textEnd: position == text.count
        case .lineStart: position == 0 || text[position - 1] == 10
        case .lineEnd: position == text.count || text[position] == 10
        case .wordBoundary: isWord(position - 1) != isWord(position)
        case .notWordBoundary: isWord(position - 1) == isWord(position)
        }
    }

    private func isWord(_ index: Int) -> Bool {
        guard text.indices.contains(index) else { return false }
        let byte = text[index]
        return (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
    }

    /// The code point at a byte; its length is zero at the end.
    private func decode(_ index: Int) -> (code: UInt32, length: Int) {
        guard index < text.count else { return (0, 0) }
        let first = UInt32(text[index])
        if first < 0x80 { return (first, 1) }
        let length = first >= 0xf0 ? 4 : (first >= 0xe0 ? 3 : 2)
        guard index + length <= text.count else { return (0xfffd, 1) }
        var code = first & (0x7f >> UInt32(length))
        for offset in 1..<length { code = code << 6 | UInt32(text[index + offset] & 0x3f) }
        return (code, length)
    }
}
