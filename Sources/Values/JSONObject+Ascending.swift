extension JSONObject {
    /// Adds a member behind all others when its key is greater than theirs, else where it belongs. Building an object in
    /// order this way costs one comparison a member.
    public mutating func append(_ key: String, _ value: JSONValue) {
        if let last = members.last, last.key.compareBytes(with: key) >= 0 {
            self[key] = value
            return
        }
        members.append(Member(key: key, value: value))
    }

    /// Adds a member whose key the caller knows to be greater than all others: it comes from an object in order.
    public mutating func appendInOrder(_ key: String, _ value: JSONValue) {
        assert(members.last.map { $0.key.compareBytes(with: key) < 0 } ?? true, "the keys come out of order")
        members.append(Member(key: key, value: value))
    }

    /// Room for so many members.
    public mutating func reserveCapacity(_ count: Int) { members.reserveCapacity(count) }
}
