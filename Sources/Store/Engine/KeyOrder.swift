#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Keys are ordered by their UTF-8 bytes, whatever Unicode thinks of them: the same order as on disk and in etcd.
package enum KeyOrder {
    /// Negative, zero or positive as `left` sorts before, with or after `right`.
    @inline(__always)
    package static func compare(_ left: String, _ right: String) -> Int {
        let fast = left.utf8.withContiguousStorageIfAvailable { a in
            right.utf8.withContiguousStorageIfAvailable { b in compare(a, b) }
        }
        if let answer = fast, let answer { return answer }
        return left.utf8.elementsEqual(right.utf8) ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
    }

    @inline(__always)
    private static func compare(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
        let shared = min(a.count, b.count)
        if shared > 0, let x = a.baseAddress, let y = b.baseAddress {
            let order = memcmp(x, y, shared)
            if order != 0 { return Int(order) }
        }
        return a.count - b.count
    }

    /// Whether the bytes of `key` begin with the bytes of `prefix`.
    package static func hasPrefix(_ key: String, _ prefix: String) -> Bool {
        let fast = key.utf8.withContiguousStorageIfAvailable { a in
            prefix.utf8.withContiguousStorageIfAvailable { b in
                guard a.count >= b.count else { return false }
                guard b.count > 0, let x = a.baseAddress, let y = b.baseAddress else { return true }
                return memcmp(x, y, b.count) == 0
            }
        }
        if let answer = fast, let answer { return answer }
        return key.utf8.starts(with: prefix.utf8)
    }
}
