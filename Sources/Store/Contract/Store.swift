/// A multi-version key-value store: what the whole cluster keeps.
///
/// Every implementation passes the same suite (`Tests/StoreTests/StoreConformance.swift`):
/// - every successful write has one revision, greater than all before it;
/// - a write is durable before it is acknowledged, and an acknowledged write is seen by every later read;
/// - a list shows one revision, never a mixture;
/// - a watch from revision R delivers every later change under its prefix exactly once and in order, or ends in error.
///
/// Keys are ordered by their UTF-8 bytes.
public protocol Store: Sendable {
    /// The newest value of a key (nil when there is none), and the store's revision at that moment.
    func get(_ key: String) async throws(StoreError) -> (entry: StoredEntry?, revision: Revision)

    /// The entries under a prefix, ordered by key, as of one revision.
    ///
    /// - Parameters:
    ///   - revision: The past revision to show; nil for the newest.
    ///   - after: Only keys greater than this one (the last key of the page before).
    ///   - limit: At most so many entries; 0 for all.
    /// - Returns: The entries, whether more follow, and the revision shown.
    func list(
        prefix: String,
        at revision: Revision?,
        after: String?,
        limit: Int
    ) async throws(StoreError) -> (entries: [StoredEntry], more: Bool, revision: Revision)

    /// Writes a value when the precondition holds, else fails with `.conflict`.
    func put(_ key: String, _ value: [UInt8], if precondition: Precondition) async throws(StoreError) -> Revision

    /// Removes a key when the precondition holds, else fails with `.conflict`.
    ///
    /// Removing what does not exist with precondition `.none` or `.absent` changes nothing and returns no entry.
    func delete(
        _ key: String,
        if precondition: Precondition
    ) async throws(StoreError) -> (previous: StoredEntry?, revision: Revision)

    /// Every change under the prefix after `revision`.
    func watch(prefix: String, from revision: Revision) async throws(StoreError) -> StoreWatch

    /// The newest revision; a list or watch of it sees all that was acknowledged before the call.
    func currentRevision() async throws(StoreError) -> Revision

    /// Forgets history up to and including `revision`: reads and watches of older revisions then fail with `.compacted`.
    ///
    /// Current values stay. Compacting what is compacted already does nothing.
    func compact(to revision: Revision) async throws(StoreError)

    /// How much the store occupies.
    func size() async throws(StoreError) -> ByteCount

    /// Finishes what was begun, releases files and ends every watch. Later calls fail with `.closed`.
    func close() async
}
