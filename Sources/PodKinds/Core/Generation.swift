import APIModel
import Values

/// How `metadata.generation` moves: 1 at creation, one more whenever what users ask for changes.
package enum Generation {
    /// Starts at 1.
    package static func start(_ object: inout JSONValue) {
        object.set(.integer(1), at: ["metadata", "generation"])
    }

    /// Rises when the spec is another, or when deletion begins.
    package static func advance(_ object: inout JSONValue, old: JSONValue) {
        guard object["spec"] != old["spec"] else { return }
        object.set(.integer((old.value(at: ["metadata", "generation"])?.int ?? 0) + 1), at: ["metadata", "generation"])
    }
}

/// A kind without behaviour of its own: a generation where there is a spec and a status.
package struct PlainHooks: KindHooks {
    package init() {}

    package func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        if object["spec"] != nil { Generation.start(&object) }
    }

    package func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        if object["spec"] != nil { Generation.advance(&object, old: old) }
    }
}
