/// HTTP header fields: ordered, names compared without regard to ASCII case.
public struct HeaderFields: Sendable, Hashable {
    /// One field line.
    public struct Field: Sendable, Hashable {
        /// The name as it was written.
        public var name: String
        /// The value without surrounding blanks.
        public var value: String

        /// A field line.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The field lines in their order.
    public private(set) var fields: [Field]

    /// No fields.
    public init() {
        fields = []
    }

    /// Fields in the order given.
    public init(_ fields: [Field]) {
        self.fields = fields
    }

    /// The number of field lines.
    public var count: Int { fields.count }

    /// Whether there is no field line.
    public var isEmpty: Bool { fields.isEmpty }

    /// The first value of `name`. Setting replaces every line of that name; nil removes them.
    public subscript(_ name: String) -> String? {
        get {
            for field in fields where HeaderFields.same(field.name, name) {
                return field.value
            }
            return nil
        }
        set {
            guard let newValue else {
                remove(name)
                return
            }
            guard let index = fields.firstIndex(where: { HeaderFields.same($0.name, name) }) else {
                fields.append(Field(name: name, value: newValue))
                return
            }
            fields[index].value = newValue
            let rest = index + 1
            if rest < fields.count {
                fields[rest...].removeAll { HeaderFields.same($0.name, name) }
            }
        }
    }

    /// Every value of `name`, in order.
    public func all(_ name: String) -> [String] {
        fields.compactMap { HeaderFields.same($0.name, name) ? $0.value : nil }
    }

    /// Whether a line of that name exists.
    public func contains(_ name: String) -> Bool {
        self[name] != nil
    }

    /// Adds a line and keeps those that exist.
    public mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// Removes every line of that name.
    public mutating func remove(_ name: String) {
        fields.removeAll { HeaderFields.same($0.name, name) }
    }

    /// Makes room for `capacity` lines.
    public mutating func reserve(_ capacity: Int) {
        fields.reserveCapacity(capacity)
    }

    /// The comma-separated elements of every line of `name`, without blanks, in order.
    public func elements(_ name: String) -> [String] {
        var result: [String] = []
        for value in all(name) {
            for part in value.split(separator: ",") {
                let text = HeaderFields.trimmed(part)
                if !text.isEmpty { result.append(String(text)) }
            }
        }
        return result
    }

    /// Whether a comma-separated list field holds `token`, compared without regard to ASCII case.
    public func hasToken(_ token: String, in name: String) -> Bool {
        for field in fields where HeaderFields.same(field.name, name) {
            for part in field.value.split(separator: ",") where HeaderFields.same(HeaderFields.trimmed(part), token) {
                return true
            }
        }
        return false
    }

    /// Compares two strings, ASCII letters without regard to case.
    public static func same(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
        let a = left.utf8
        let b = right.utf8
        guard a.count == b.count else { return false }
        var i = a.makeIterator()
        var j = b.makeIterator()
        while let x = i.next(), let y = j.next() {
            if x == y { continue }
            guard x | 0x20 == y | 0x20, (0x61...0x7a).contains(x | 0x20) else { return false }
        }
        return true
    }

    static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}

extension HeaderFields: ExpressibleByDictionaryLiteral {
    /// Fields in the order written.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }
}

extension HeaderFields: Sequence {
    /// Iterates the field lines.
    public func makeIterator() -> IndexingIterator<[Field]> {
        fields.makeIterator()
    }
}
