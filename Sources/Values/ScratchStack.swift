/// A stack of values in raw memory whose top is moved out in one piece. Owned by one `TreeReader`.
struct ScratchStack<Element>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 32) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    @inline(__always)
    mutating func push(_ element: consuming Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }

    /// Where the topmost `number` elements stand, until the next push.
    func top(_ number: Int) -> UnsafeMutablePointer<Element> { base + (count - number) }

    /// Drops the topmost `number` elements.
    mutating func drop(_ number: Int) {
        count -= number
        (base + count).deinitialize(count: number)
    }

    /// Moves the topmost `number` elements out, the lowest first.
    @inline(__always)
    mutating func popTop(_ number: Int, _ body: (consuming Element) -> Void) {
        count -= number
        for index in count..<count + number { body((base + index).move()) }
    }
}
