import Synchronization

/// Small maps of text that many objects have alike: the labels of replicas, the field values of pods on one node. Equal ones
/// become one. Guarded by its mutex; bounded: a map that meets another in its place takes the place over.
public final class SharedMaps: Sendable {
    /// Those of this process.
    public static let process = SharedMaps()

    private static let places = 4_096
    /// What is larger is hardly had twice, and is not worth the comparison.
    private static let largest = 32
    private let maps = Mutex<[[String: String]]>([])

    /// Nothing shared yet.
    public init() {}

    /// A map equal to this one, the same for all who ask as long as it is remembered.
    public func shared(_ map: [String: String]) -> [String: String] {
        if map.isEmpty { return [:] }
        guard map.count <= Self.largest else { return map }
        // Independent of the order, as equal maps may be laid out differently.
        var place = map.count
        for (key, value) in map {
            var hasher = Hasher()
            hasher.combine(key)
            hasher.combine(value)
            place ^= hasher.finalize()
        }
        let slot = Int(UInt(bitPattern: place) % UInt(Self.places))
        return maps.withLock { maps in
            if maps.isEmpty { maps = [[String: String]](repeating: [:], count: Self.places) }
            if maps[slot] == map { return maps[slot] }
            maps[slot] = map
            return map
        }
    }
}
