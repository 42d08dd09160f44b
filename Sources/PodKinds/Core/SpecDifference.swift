import Values

/// What a refused update would have changed, so that its sender need not guess.
package enum SpecDifference {
    /// The changed lines of the two values in the form of a Go type, after a line break.
    package static func text(_ old: JSONValue, _ new: JSONValue, as type: String) -> String {
        "\n" + LineDifference.unified(InternalForm.value(old, as: type).lines, InternalForm.value(new, as: type).lines)
    }
}
