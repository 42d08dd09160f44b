extension IPAddress {
    /// An IPv4 address from its four numbers.
    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        self.init(v4: UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d))
    }

    /// Whether it is an IPv4 address.
    public var isIPv4: Bool { bytes.count == 4 }
    /// `IPv4` or `IPv6`, as `ipFamilies` spells it.
    public var family: String { isIPv4 ? "IPv4" : "IPv6" }
}
