import APIModel
import Schema
import Values

extension ResourceEngine {
    /// Gives a custom resource the defaults of the version it is stored in: upstream adds them when it reads what it wrote.
    /// So a status that nobody may give on creation comes back with its defaults, and a field that only the stored version
    /// has.
    func settle(_ object: inout JSONValue) {
        guard descriptor.isCustom else { return }
        descriptor.storageSchema?.applyDefaults(&object)
    }
}
