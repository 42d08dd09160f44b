/// A range of addresses with a common prefix, such as `10.244.0.0/16`.
public struct CIDR: Sendable, Hashable, CustomStringConvertible {
    /// The first address: all bits behind the prefix are zero.
    public let network: IPAddress
    /// How many leading bits the addresses share.
    public let prefixLength: Int

    /// The range that `address` lies in; nil when the prefix is longer than the address.
    public init?(_ address: IPAddress, prefixLength: Int) {
        guard (0...address.bytes.count * 8).contains(prefixLength), let mask = Self.mask(address.bytes.count, prefixLength),
            let network = IPAddress(bytes: zip(address.bytes, mask.bytes).map { $0 & $1 })
        else { return nil }
        self.network = network
        self.prefixLength = prefixLength
    }

    /// Reads `address/length`; bits behind the prefix are dropped.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = Int(parts[1]),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), parts[1] == "0" || parts[1].first != "0"
        else { return nil }
        self.init(address, prefixLength: length)
    }

    private static func mask(_ count: Int, _ prefixLength: Int) -> IPAddress? {
        IPAddress(
            bytes: (0..<count).map { index in
                let kept = max(0, min(8, prefixLength - index * 8))
                return kept == 0 ? 0 : 0xFF << UInt8(8 - kept)
            }
        )
    }

    /// The mask: ones for the shared bits.
    public var mask: IPAddress? { Self.mask(network.bytes.count, prefixLength) }

    /// True for an IPv6 range.
    public var isIPv6: Bool { network.isIPv6 }

    /// How many addresses there are, at most `Int.max`.
    public var hostCount: Int {
        let bits = network.bytes.count * 8 - prefixLength
        return bits >= 63 ? Int.max : 1 << bits
    }

    /// As `hostCount`.
    public var count: Int { hostCount }

    /// True when the address is in the range (and of its family).
    public func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == network.bytes.count && CIDR(address, prefixLength: prefixLength)?.network == network
    }

    /// True when every address of `other` is in this range.
    public func contains(_ other: CIDR) -> Bool { other.prefixLength >= prefixLength && contains(other.network) }

    /// True when the ranges share an address.
    public func overlaps(_ other: CIDR) -> Bool { contains(other.network) || other.contains(network) }

    /// The address at a distance from the first; nil outside the range.
    public func address(at offset: Int) -> IPAddress? {
        guard offset >= 0, let address = network.advanced(by: .init(offset)), contains(address) else { return nil }
        return address
    }

    /// The distance of an address from the first; nil outside the range, or beyond `Int`.
    public func position(of address: IPAddress) -> Int? {
        guard contains(address) else { return nil }
        var result = 0
        for (byte, base) in zip(address.bytes, network.bytes) {
            guard result < 1 << 54 else { return nil }
            result = (result << 8) + Int(byte) - Int(base)
        }
        return result
    }

    /// The range as `network/length`.
    public var description: String { "\(network)/\(prefixLength)" }
}
