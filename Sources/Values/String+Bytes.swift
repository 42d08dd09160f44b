#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension String {
    /// True when both strings have the same UTF-8 bytes. (`==` also equates canonically equivalent spellings.)
    public func hasSameBytes(as other: String) -> Bool {
        if let order = ShortText.compare(self, other) { return order == 0 }
        guard utf8.count == other.utf8.count else { return false }
        return self == other && compareBytes(with: other) == 0
    }

    /// Less than, equal to or greater than zero, in the order of the UTF-8 bytes.
    public func compareBytes(with other: String) -> Int {
        if let order = ShortText.compare(self, other) { return order }
        if let order = utf8.withContiguousStorageIfAvailable({ a in
            other.utf8.withContiguousStorageIfAvailable { b in compareBuffers(a, b) }
        }), let order {
            return order
        }
        if utf8.elementsEqual(other.utf8) { return 0 }
        return utf8.lexicographicallyPrecedes(other.utf8) ? -1 : 1
    }
}

/// `memcmp` with the shorter buffer first among equals.
func compareBuffers(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
    let shared = min(a.count, b.count)
    if shared > 0, let x = a.baseAddress, let y = b.baseAddress {
        let order = memcmp(x, y, shared)
        if order != 0 { return Int(order) }
    }
    return a.count - b.count
}
