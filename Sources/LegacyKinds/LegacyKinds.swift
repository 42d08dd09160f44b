import APIModel
import Schema
import Values

/// The versions that upstream has dropped, served as other words for the kinds of today.
///
/// Why and how they stay out of the way: `docs/decisions/0005-old-versions.md`.
public enum LegacyKinds {
    /// The groups that hold nothing but other names for kinds of other groups. Whoever walks all resources leaves them out.
    public static let aliasGroups: Set<String> = ["extensions"]

    /// The kinds given, followed by their old versions: each a descriptor of its own that names, as `storedAs`, the kind
    /// whose store it shares.
    ///
    /// Old versions of kinds that are not among `kinds` are left out. They have no short names and no categories, so that
    /// `kubectl get all` and `kubectl get deploy` see each object once.
    public static func extend(_ kinds: [KindDescriptor]) -> [KindDescriptor] {
        var current: [GroupResource: KindDescriptor] = [:]
        for kind in kinds where kind.stored { current[kind.groupResource] = kind }
        let old = LegacyTable.all.compactMap { entry in current[entry.current].flatMap(entry.descriptor) }
        return kinds + old
    }
}
