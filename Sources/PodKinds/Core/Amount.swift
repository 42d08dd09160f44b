import Schema
import Units
import Values

/// A number of things, or a percentage of all of them.
package struct Amount {
    private let value: JSONValue
    private let amount: IntOrString?

    package init(_ value: JSONValue?) {
        self.value = value ?? 0
        amount = value.flatMap { IntOrString(json: $0) }
    }

    /// The number, or the percentage's.
    package var number: Int64 {
        switch amount {
        case .int(let value)?: value
        case .string(let text)?: percent(text) ?? 0
        case nil: 0
        }
    }

    private func percent(_ text: String) -> Int64? {
        guard Names.percentIssues(text).isEmpty else { return nil }
        return Int64(text.dropLast())
    }

    /// Not negative, and well-formed.
    package func check(_ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        switch amount {
        case .int(let value)?: issues.nonNegative(value, path())
        case .string(let text)?: issues.add(Names.percentIssues(text), path(), text)
        case nil: break
        }
    }

    /// No more than all.
    package func checkWhole(_ path: @autoclosure () -> FieldPath, _ issues: inout [FieldIssue]) {
        guard case .string(let text)? = amount, let percent = percent(text), percent > 100 else { return }
        issues.invalid(path(), value, "must not be greater than 100%")
    }
}
