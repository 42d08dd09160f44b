import Synchronization

/// A reference that is set at most once, by whoever comes first, and then read by all. As `AtomicLazyReference`, whose reading
/// is not specialised and costs a look-up of metadata every time; types are asked for their contents for every field of every
/// object.
struct OnceReference<Value: AnyObject & Sendable>: ~Copyable, Sendable {
    /// The address of an object that this reference retains; zero while there is none.
    private let bits = Atomic<UInt>(0)

    deinit {
        guard let address = UnsafeRawPointer(bitPattern: bits.load(ordering: .acquiring)) else { return }
        Unmanaged<Value>.fromOpaque(address).release()
    }

    /// The reference, if it is set.
    @inline(__always)
    func load() -> Value? {
        guard let address = UnsafeRawPointer(bitPattern: bits.load(ordering: .acquiring)) else { return nil }
        // Sound: what was stored stays retained until this goes.
        return Unmanaged<Value>.fromOpaque(address).takeUnretainedValue()
    }

    /// Sets the reference unless it is set; returns the one that is.
    func storeIfNil(_ value: Value) -> Value {
        let retained = Unmanaged.passRetained(value)
        let wanted = UInt(bitPattern: retained.toOpaque())
        let (isFirst, present) = bits.compareExchange(expected: 0, desired: wanted, ordering: .acquiringAndReleasing)
        if isFirst { return value }
        retained.release()
        return UnsafeRawPointer(bitPattern: present).map { Unmanaged<Value>.fromOpaque($0).takeUnretainedValue() } ?? value
    }
}
