import Values

/// How the mutating phase comes to its second round: a plugin that is configured by objects (webhooks, policies) may change
/// what earlier plugins have looked at, so all built-in plugins run once more, and of the configured ones those that asked
/// for it.
///
/// Source: apiserver admission/reinvocation.go and admission/plugin/webhook/mutating/reinvocationcontext.go.
public struct Reinvocation: Sendable {
    /// What one plugin knows of the hooks it has run.
    public struct Plugin: Sendable {
        /// The object as the plugin left it.
        private var output: JSONValue?
        /// Hooks that ran and want to run again when something changes after them.
        private var waiting: Set<String> = []
        /// Hooks that have to run again.
        private var again: Set<String> = []

        /// Nothing has run.
        public init() {}

        /// A hook ran that wants to see later changes.
        public mutating func invoked(_ hook: String) { waiting.insert(hook) }

        /// The object changed: all that wait have to run again.
        public mutating func changed() {
            again.formUnion(waiting)
            waiting = []
        }

        /// Whether a hook has to run in the second round.
        public func runsAgain(_ hook: String) -> Bool { again.contains(hook) }

        /// The plugin begins its second round with an object that others may have changed since it was done.
        public mutating func begins(with object: JSONValue?) {
            if object != output { changed() }
        }

        /// The plugin is done for this round.
        public mutating func ended(with object: JSONValue?) { output = object }
    }

    /// Whether the plugins run for the second time. There is no third.
    public internal(set) var isSecondRound = false
    /// Whether a second round is asked for.
    public var isNeeded = false
    /// What the plugins know, by their names.
    public var plugins: [String: Plugin] = [:]

    /// The first round.
    public init() {}
}
