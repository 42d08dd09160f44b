/// The members of a JSON object, always sorted by the UTF-8 bytes of their keys, one contiguous array.
///
/// Canonical by construction: two objects with the same members are equal and encode to the same bytes.
public struct JSONObject: Sendable {
    /// One member.
    public typealias Element = (key: String, value: JSONValue)

    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSONValue

        package init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }

        package static func == (a: Member, b: Member) -> Bool { a.key.hasSameBytes(as: b.key) && a.value == b.value }
    }

    /// In order. For walks by position outside of this module, which is why they cannot be written there.
    package internal(set) var members: ContiguousArray<Member>

    /// No members.
    public init() { members = [] }

    /// Members that are in strictly ascending order of their keys.
    package init(sorted members: ContiguousArray<Member>) { self.members = members }

    /// Of equal keys the last wins.
    public init(_ elements: some Sequence<(String, JSONValue)>) {
        self.init(unsorted: ContiguousArray(elements.lazy.map { Member(key: $0.0, value: $0.1) }))
    }

    /// The members of a dictionary.
    public init(_ dictionary: [String: JSONValue]) {
        self.init(dictionary.lazy.map { ($0.key, $0.value) })
    }

    init(unsorted: ContiguousArray<Member>) {
        var hadDuplicates = false
        members = Self.canonical(unsorted, hadDuplicates: &hadDuplicates)
    }

    /// Sorts, and drops all but the last of equal keys.
    static func canonical(_ unsorted: ContiguousArray<Member>, hadDuplicates: inout Bool) -> ContiguousArray<Member> {
        guard unsorted.count > 1 else { return unsorted }
        var order = ContiguousArray<(prefix: UInt64, index: Int)>()
        order.reserveCapacity(unsorted.count)
        for (index, member) in unsorted.enumerated() { order.append((member.key.sortPrefix, index)) }
        order.sort { a, b in
            if a.prefix != b.prefix { return a.prefix < b.prefix }
            let compared = unsorted[a.index].key.compareBytes(with: unsorted[b.index].key)
            return compared != 0 ? compared < 0 : a.index < b.index
        }
        var result = ContiguousArray<Member>()
        result.reserveCapacity(unsorted.count)
        var lastPrefix: UInt64 = 0
        for (prefix, index) in order {
            if let last = result.last, lastPrefix == prefix, last.key.hasSameBytes(as: unsorted[index].key) {
                hadDuplicates = true
                result[result.count - 1] = unsorted[index]
            } else {
                result.append(unsorted[index])
            }
            lastPrefix = prefix
        }
        return result
    }

    /// How many members there are.
    public var count: Int { members.count }
    /// True without members.
    public var isEmpty: Bool { members.isEmpty }
    /// The keys in order.
    public var keys: [String] { members.map(\.key) }
    /// The values in the order of their keys.
    public var values: [JSONValue] { members.map(\.value) }
    /// The member at a position in key order.
    public subscript(position position: Int) -> Element { (members[position].key, members[position].value) }

    /// Binary search: the position of `key`, or where it would be inserted.
    func locate(_ key: String) -> (index: Int, found: Bool) {
        if members.isEmpty { return (0, false) }
        let wanted = ShortText.Order(key)
        return members.withUnsafeBufferPointer { members in
            var low = 0
            var high = members.count
            while low < high {
                let middle = (low &+ high) / 2
                let order = wanted.flatMap { ShortText.compare(members[middle].key, $0) } ?? members[middle].key.compareBytes(with: key)
                if order == 0 { return (middle, true) }
                if order < 0 { low = middle &+ 1 } else { high = middle }
            }
            return (low, false)
        }
    }

    /// The value of `key`; assigning nil removes the member. Updates in place.
    public subscript(_ key: String) -> JSONValue? {
        get {
            let place = locate(key)
            // Not `found ? value : nil`: there the literal would become a JSON null.
            guard place.found else { return nil }
            return members[place.index].value
        }
        set {
            let place = locate(key)
            switch (place.found, newValue) {
            case (true, .some(let value)): members[place.index].value = value
            case (true, .none): members.remove(at: place.index)
            case (false, .some(let value)): members.insert(Member(key: key, value: value), at: place.index)
            case (false, .none): break
            }
        }
        _modify {
            let place = locate(key)
            var value: JSONValue? = nil
            if place.found {
                value = members[place.index].value
                members[place.index].value = .null
            }
            defer {
                switch (place.found, value) {
                case (true, .some(let new)): members[place.index].value = new
                case (true, .none): members.remove(at: place.index)
                case (false, .some(let new)): members.insert(Member(key: key, value: new), at: place.index)
                case (false, .none): break
                }
            }
            yield &value
        }
    }

    /// True when there is a member `key`.
    public func contains(_ key: String) -> Bool { locate(key).found }

    /// Removes a member and returns its value.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        let place = locate(key)
        guard place.found else { return nil }
        return members.remove(at: place.index).value
    }

    /// Changes the value of an existing member in place; returns nil when there is none.
    @discardableResult
    public mutating func update<Result>(_ key: String, _ body: (inout JSONValue) throws -> Result) rethrows -> Result? {
        let place = locate(key)
        guard place.found else { return nil }
        return try body(&members[place.index].value)
    }

    /// Changes every value in place, in key order.
    public mutating func updateEach(_ body: (String, inout JSONValue) throws -> Void) rethrows {
        for index in members.indices {
            try body(members[index].key, &members[index].value)
        }
    }

    /// Removes the members for which `predicate` is true.
    public mutating func removeAll(where predicate: (Element) throws -> Bool) rethrows {
        try members.removeAll { try predicate(($0.key, $0.value)) }
    }

    /// The same keys with other values.
    public func mapValues(_ transform: (JSONValue) throws -> JSONValue) rethrows -> JSONObject {
        JSONObject(sorted: ContiguousArray(try members.map { Member(key: $0.key, value: try transform($0.value)) }))
    }

    /// Only the members for which `predicate` is true.
    public func filter(_ predicate: (Element) throws -> Bool) rethrows -> JSONObject {
        JSONObject(sorted: ContiguousArray(try members.filter { try predicate(($0.key, $0.value)) }))
    }
}

extension JSONObject: Hashable {}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Of equal keys the last wins.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        if elements.isEmpty { self.init() } else { self.init(elements) }
    }
}

extension JSONObject: Sequence {
    /// Walks the members in key order.
    public struct Iterator: IteratorProtocol {
        var base: ContiguousArray<Member>.Iterator

        /// The next member.
        public mutating func next() -> Element? {
            guard let member = base.next() else { return nil }
            return (member.key, member.value)
        }
    }

    /// Walks the members in key order.
    public func makeIterator() -> Iterator { Iterator(base: members.makeIterator()) }
    /// The exact count.
    public var underestimatedCount: Int { members.count }
}

extension JSONObject: CustomStringConvertible {
    /// The compact canonical encoding as text.
    public var description: String { JSONValue.object(self).description }
}

extension String {
    /// The first eight UTF-8 bytes, big endian, zero padded: orders most keys with one integer comparison.
    var sortPrefix: UInt64 {
        if let words = ShortText.words(self) { return words.low.byteSwapped }
        let long = utf8.withContiguousStorageIfAvailable { bytes -> UInt64? in
            guard bytes.count >= 8 else { return nil }
            return UInt64(bigEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(as: UInt64.self))
        }
        if case .some(.some(let prefix)) = long { return prefix }
        var prefix: UInt64 = 0
        var shift: UInt64 = 56
        for byte in utf8.prefix(8) {
            prefix |= UInt64(byte) << shift
            shift &-= 8
        }
        return prefix
    }
}
