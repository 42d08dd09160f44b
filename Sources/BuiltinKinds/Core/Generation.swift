import APIModel
import Values

/// How `metadata.generation` moves: 1 at creation, one more whenever what users ask for changes.
enum Generation {
    /// Starts at 1.
    static func start(_ object: inout JSONValue) {
        object.set(.integer(1), at: ["metadata", "generation"])
    }

    /// Rises when the spec is another, or when deletion begins.
    static func advance(_ object: inout JSONValue, old: JSONValue) {
        guard object["spec"] != old["spec"] else { return }
        object.set(.integer((old.value(at: ["metadata", "generation"])?.int ?? 0) + 1), at: ["metadata", "generation"])
    }
}

/// A kind without behaviour of its own: a generation where there is a spec and a status.
struct PlainHooks: KindHooks {
    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        if object["spec"] != nil { Generation.start(&object) }
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        if object["spec"] != nil { Generation.advance(&object, old: old) }
    }
}
