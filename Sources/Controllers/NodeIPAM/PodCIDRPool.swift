import Units

/// Hands out equal parts of the cluster's address range, one to each node.
/// A state machine owned by the controller; bounded by the number of parts.
public struct PodCIDRPool: Sendable {
    /// The whole range.
    public let cluster: CIDR
    /// The length of a node's prefix.
    public let nodePrefix: Int
    private let base: [UInt8]
    private let parts: Int
    private var used: [Bool]
    private var next = 0

    /// At most this many parts are kept track of.
    static let mostParts = 1 << 16

    /// A pool; nil when the node's part is larger than the whole.
    public init?(cluster: CIDR, nodePrefix: Int) {
        let bits = nodePrefix - cluster.prefixLength
        let base = cluster.network.bytes
        guard bits >= 0, nodePrefix <= base.count * 8 else { return nil }
        self.cluster = cluster
        self.nodePrefix = nodePrefix
        self.base = base
        parts = bits >= 16 ? Self.mostParts : 1 << bits
        used = Array(repeating: false, count: parts)
    }

    /// The next free part, in round-robin order so that addresses are not reused at once; nil when all are taken.
    public mutating func allocate() -> String? {
        for step in 0..<parts {
            let index = (next + step) % parts
            guard !used[index] else { continue }
            used[index] = true
            next = (index + 1) % parts
            return text(of: index)
        }
        return nil
    }

    /// Marks what a node has already; false when it is not a part of this range.
    @discardableResult
    public mutating func occupy(_ cidr: String) -> Bool {
        guard let index = index(of: cidr) else { return false }
        used[index] = true
        return true
    }

    /// Takes a part back.
    public mutating func release(_ cidr: String) {
        guard let index = index(of: cidr) else { return }
        used[index] = false
    }

    private func text(of index: Int) -> String {
        var bytes = base
        for bit in 0..<16 where index >> bit & 1 == 1 {
            let position = nodePrefix - 1 - bit
            guard position >= 0 else { continue }
            bytes[position / 8] |= 1 << UInt8(7 - position % 8)
        }
        return "\(IPAddress(bytes: bytes)?.description ?? "")/\(nodePrefix)"
    }

    private func index(of cidr: String) -> Int? {
        guard let parsed = CIDR(cidr), parsed.prefixLength == nodePrefix, cluster.contains(parsed.network) else { return nil }
        let bytes = parsed.network.bytes
        var index = 0
        for bit in 0..<min(16, nodePrefix - cluster.prefixLength) {
            let position = nodePrefix - 1 - bit
            if bytes[position / 8] >> UInt8(7 - position % 8) & 1 == 1 { index |= 1 << bit }
        }
        return index < parts ? index : nil
    }
}
