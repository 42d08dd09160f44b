/// The changed lines of a text with a little of what is around them, in the unified format.
///
/// The lines that count as kept are found as Python's difflib finds them: the longest common block first, then what is
/// left and right of it. Source: the matcher upstream's refusals are made with.
package struct LineDifference {
    private let old: [Int]
    private let new: [Int]
    private let words: [String]
    /// Where each line stands in the new text, but for lines so frequent that they say nothing.
    private let places: [Int: [Int]]

    /// Texts beyond this are not compared: the comparison is quadratic in the worst case.
    private static let limit = 20_000
    private static let frequentFrom = 200
    private static let context = 3

    /// The difference of two texts given by their lines; empty when they are equal or too long.
    package static func unified(_ old: [String], _ new: [String]) -> String {
        if old == new || old.count > limit || new.count > limit { return "" }
        return LineDifference(old, new).text
    }

    private init(_ old: [String], _ new: [String]) {
        var numbers: [String: Int] = [:]
        var words: [String] = []
        func number(_ line: String) -> Int {
            if let known = numbers[line] { return known }
            numbers[line] = words.count
            words.append(line)
            return words.count - 1
        }
        self.old = old.map(number)
        self.new = new.map(number)
        self.words = words
        var places: [Int: [Int]] = [:]
        for (index, line) in self.new.enumerated() { places[line, default: []].append(index) }
        if new.count >= Self.frequentFrom {
            let most = new.count / 100 + 1
            places = places.filter { $0.value.count <= most }
        }
        self.places = places
    }

    private struct Block {
        var start: Int
        var other: Int
        var count: Int
    }

    /// The longest block of equal lines within two ranges.
    private func longest(_ range: Range<Int>, _ others: Range<Int>) -> Block {
        var best = Block(start: range.lowerBound, other: others.lowerBound, count: 0)
        var lengths: [Int: Int] = [:]
        for index in range {
            var next: [Int: Int] = [:]
            for place in places[old[index]] ?? [] where place >= others.lowerBound {
                if place >= others.upperBound { break }
                let length = (lengths[place - 1] ?? 0) + 1
                next[place] = length
                if length > best.count { best = Block(start: index - length + 1, other: place - length + 1, count: length) }
            }
            lengths = next
        }
        while best.start > range.lowerBound, best.other > others.lowerBound, old[best.start - 1] == new[best.other - 1] {
            best = Block(start: best.start - 1, other: best.other - 1, count: best.count + 1)
        }
        while best.start + best.count < range.upperBound, best.other + best.count < others.upperBound,
            old[best.start + best.count] == new[best.other + best.count]
        {
            best.count += 1
        }
        return best
    }

    /// All blocks of kept lines, adjacent ones joined.
    private var blocks: [Block] {
        var found: [Block] = []
        var pending = [(0..<old.count, 0..<new.count)]
        while let (range, others) = pending.popLast() {
            let block = longest(range, others)
            if block.count == 0 { continue }
            found.append(block)
            if range.lowerBound < block.start, others.lowerBound < block.other {
                pending.append((range.lowerBound..<block.start, others.lowerBound..<block.other))
            }
            let (end, otherEnd) = (block.start + block.count, block.other + block.count)
            if end < range.upperBound, otherEnd < others.upperBound {
                pending.append((end..<range.upperBound, otherEnd..<others.upperBound))
            }
        }
        found.sort { $0.start < $1.start }
        var joined: [Block] = []
        for block in found {
            if let last = joined.last, last.start + last.count == block.start, last.other + last.count == block.other {
                joined[joined.count - 1].count += block.count
            } else {
                joined.append(block)
            }
        }
        return joined
    }

    private struct Step {
        let isKept: Bool
        var range: Range<Int>
        var others: Range<Int>
    }

    private var steps: [Step] {
        var steps: [Step] = []
        var (at, other) = (0, 0)
        for block in blocks + [Block(start: old.count, other: new.count, count: 0)] {
            if at < block.start || other < block.other {
                steps.append(Step(isKept: false, range: at..<block.start, others: other..<block.other))
            }
            (at, other) = (block.start + block.count, block.other + block.count)
            if block.count > 0 { steps.append(Step(isKept: true, range: block.start..<at, others: block.other..<other)) }
        }
        return steps
    }

    /// The steps in groups, each with at most `context` kept lines at its ends.
    private var groups: [[Step]] {
        let context = Self.context
        var steps = steps
        if let first = steps.first, first.isKept {
            steps[0].range = max(first.range.lowerBound, first.range.upperBound - context)..<first.range.upperBound
            steps[0].others = max(first.others.lowerBound, first.others.upperBound - context)..<first.others.upperBound
        }
        if let last = steps.last, last.isKept {
            let end = steps.count - 1
            steps[end].range = last.range.lowerBound..<min(last.range.upperBound, last.range.lowerBound + context)
            steps[end].others = last.others.lowerBound..<min(last.others.upperBound, last.others.lowerBound + context)
        }
        var groups: [[Step]] = []
        var group: [Step] = []
        for step in steps {
            guard step.isKept, step.range.count > 2 * context else {
                group.append(step)
                continue
            }
            let (range, others) = (step.range, step.others)
            let head = Step(
                isKept: true,
                range: range.lowerBound..<range.lowerBound + context,
                others: others.lowerBound..<others.lowerBound + context
            )
            groups.append(group + [head])
            group = [
                Step(
                    isKept: true,
                    range: range.upperBound - context..<range.upperBound,
                    others: others.upperBound - context..<others.upperBound
                )
            ]
        }
        if !group.isEmpty, !(group.count == 1 && group[0].isKept) { groups.append(group) }
        return groups
    }

    private var text: String {
        var text = ""
        for group in groups {
            guard let first = group.first, let last = group.last else { continue }
            let range = Self.words(first.range.lowerBound..<last.range.upperBound)
            let others = Self.words(first.others.lowerBound..<last.others.upperBound)
            text += "@@ -\(range) +\(others) @@\n"
            for step in group {
                if step.isKept {
                    for line in step.range { text += " \(words[old[line]])\n" }
                } else {
                    for line in step.range { text += "-\(words[old[line]])\n" }
                    for line in step.others { text += "+\(words[new[line]])\n" }
                }
            }
        }
        return text
    }

    private static func words(_ range: Range<Int>) -> String {
        if range.count == 1 { return "\(range.lowerBound + 1)" }
        return "\(range.isEmpty ? range.lowerBound : range.lowerBound + 1),\(range.count)"
    }
}
