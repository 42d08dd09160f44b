import Schema
import Units
import Values

/// Checks a number against the bounds of its schema. A whole number is compared as one: bounds lose their fraction.
enum NumberCheck {
    static func run(_ value: JSONValue, _ facts: StructuralFacts, _ format: String, _ path: String) -> StructuralValidator.Outcome {
        var outcome = StructuralValidator.Outcome()
        if let problem = range(value, facts.type, format, path) { outcome.add(problem) }
        if let bounds = facts.bounds {
            if let factor = bounds.multipleOf, let problem = multiple(value, factor, path) { outcome.add(problem) }
            if let least = bounds.minimum, let problem = minimum(value, least, bounds.excludesMinimum, path) { outcome.add(problem) }
            if let most = bounds.maximum, let problem = maximum(value, most, bounds.excludesMaximum, path) { outcome.add(problem) }
        }
        outcome.matches += 1
        return outcome
    }

    private static func range(_ value: JSONValue, _ type: String, _ format: String, _ path: String) -> StructuralValidator.Problem? {
        let fits: Bool
        switch (type, format, value) {
        case ("integer", "int32", .integer(let number)): fits = Int32(exactly: number) != nil
        case ("integer", "int32", .number(let number)): fits = Int32(exactly: number) != nil
        case ("integer", _, .number(let number)): fits = Int64(exactly: number) != nil
        case ("number", "float", _): fits = abs(value.double ?? 0) <= Double(Float.greatestFiniteMagnitude)
        default: fits = true
        }
        guard !fits else { return nil }
        let known = ["int32", "int64", "float", "double"].contains(format)
        let words = known ? "with format \(format)" : "(default format)"
        return .whole("Checked value must be of type \(type) \(words) in \(path)")
    }

    private static func multiple(_ value: JSONValue, _ factor: Double, _ path: String) -> StructuralValidator.Problem? {
        let isWhole: Bool
        let shown: String
        if case .integer(let number) = value, let whole = Int64(exactly: factor.rounded(.towardZero)) {
            guard whole > 0 else { return mustBePositive(path, "\(whole)") }
            isWhole = number % whole == 0
            shown = "\(whole)"
        } else {
            guard factor > 0 else { return mustBePositive(path, GoNumber.general(factor)) }
            let number = value.double ?? 0
            let quotient = factor < 1 ? 1 / factor * number : number / factor
            isWhole = abs(quotient - quotient.rounded()) < 1e-9
            shown = GoNumber.general(factor)
        }
        return isWhole ? nil : .invalid(path, value, "should be a multiple of \(shown)")
    }

    private static func mustBePositive(_ path: String, _ factor: String) -> StructuralValidator.Problem {
        let text = "factor MultipleOf declared for \(path) must be positive: \(factor)"
        return StructuralValidator.Problem(path: path, issue: { .invalid($0, "", text) }, text: text)
    }

    private static func minimum(_ value: JSONValue, _ bound: Double, _ excludes: Bool, _ path: String) -> StructuralValidator.Problem? {
        let (order, shown) = compare(value, bound)
        guard order < 0 || (excludes && order == 0) else { return nil }
        let words = excludes ? "greater than" : "greater than or equal to"
        return .invalid(path, value, "should be \(words) \(shown)")
    }

    private static func maximum(_ value: JSONValue, _ bound: Double, _ excludes: Bool, _ path: String) -> StructuralValidator.Problem? {
        let (order, shown) = compare(value, bound)
        guard order > 0 || (excludes && order == 0) else { return nil }
        let words = excludes ? "less than" : "less than or equal to"
        return .invalid(path, value, "should be \(words) \(shown)")
    }

    private static func compare(_ value: JSONValue, _ bound: Double) -> (order: Int, shown: String) {
        if case .integer(let number) = value {
            let whole = Int64(exactly: bound.rounded(.towardZero)) ?? (bound < 0 ? Int64.min : Int64.max)
            return (number < whole ? -1 : number > whole ? 1 : 0, "\(whole)")
        }
        let number = value.double ?? 0
        return (number < bound ? -1 : number > bound ? 1 : 0, GoNumber.general(bound))
    }
}
