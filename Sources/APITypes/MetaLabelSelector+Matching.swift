import Units

extension MetaLabelSelector {
    /// The selector in the form that matches labels. Throws when a key, a value or an operator is malformed.
    public func parsed() throws(SelectorError) -> LabelSelector { try LabelSelector(json: value) }

    /// Whether the labels match; a malformed selector matches nothing.
    public func matches(_ labels: [String: String]) -> Bool {
        do {
            return try parsed().matches(labels)
        } catch {
            return false
        }
    }
}
