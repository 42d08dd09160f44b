/// Why a patch cannot be applied.
public struct PatchError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of answer this deserves.
    public enum Code: Sendable, Hashable {
        /// The patch itself is malformed: HTTP 400.
        case malformed
        /// The patch does not fit the object: HTTP 422.
        case notApplicable
        /// The patch asks for too much work: HTTP 413.
        case tooLarge
    }

    /// The kind of error.
    public var code: Code
    /// The words for the user.
    public var message: String

    /// An error of a kind.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

/// JSON patch (RFC 6902). All operations succeed, or the value is unchanged.
public enum JSONPatch {
    /// As many operations as upstream allows in one patch.
    public static let maxOperations = 10_000
    /// The work `copy` operations may cause, in bytes of encoded values.
    public static let maxCopiedBytes = 3 * 1024 * 1024

    /// Applies every operation of `patch`, a list, in order.
    public static func apply(_ patch: JSONValue, to value: JSONValue) throws(PatchError) -> JSONValue {
        guard case .array(let operations) = patch else {
            throw PatchError(
                .malformed,
                "error decoding patch: json: cannot unmarshal \(patch.typeName) into Go value of type jsonpatch.Patch"
            )
        }
        guard operations.count <= maxOperations else {
            throw PatchError(
                .tooLarge,
                "The allowed maximum operations in a JSON patch is \(maxOperations), got \(operations.count)"
            )
        }
        var result = value
        var copied = 0
        for operation in operations { try apply(operation, to: &result, copied: &copied) }
        return result
    }

    private static func apply(
        _ operation: JSONValue,
        to result: inout JSONValue,
        copied: inout Int
    ) throws(PatchError) {
        let name = operation["op"]?.string ?? ""
        let path = try pointer(operation, "path", operation: name)
        switch name {
        case "add": try add(operation["value"] ?? .null, at: path, to: &result, operation: "add")
        case "remove": _ = try remove(path, from: &result, operation: "remove")
        case "replace": try replace(path, with: operation["value"] ?? .null, in: &result)
        case "move":
            let from = try pointer(operation, "from", operation: name)
            if path.count > from.count, path.starts(with: from) {
                throw PatchError(
                    .notApplicable,
                    "move operation cannot move \(spelled(from)) into itself: \(spelled(path))"
                )
            }
            let moved = try remove(from, from: &result, operation: "move")
            try add(moved, at: path, to: &result, operation: "move")
        case "copy":
            let from = try pointer(operation, "from", operation: name)
            let source = try member(from, of: result, operation: "copy")
            copied += source.encoded().count
            guard copied <= maxCopiedBytes else {
                throw PatchError(
                    .tooLarge,
                    "Unable to complete the copy, the accumulated size increase of copy is \(copied), "
                        + "exceeding the limit \(maxCopiedBytes)"
                )
            }
            try add(source, at: path, to: &result, operation: "copy")
        case "test": try test(path, operation["value"] ?? .null, in: result)
        default: throw PatchError(.notApplicable, "Unexpected kind: \(name.isEmpty ? "unknown" : name)")
        }
    }

    // MARK: pointers

    private static func pointer(
        _ operation: JSONValue,
        _ member: String,
        operation name: String
    ) throws(PatchError) -> [String] {
        guard case .string(let text) = operation[member] else {
            throw PatchError(
                .notApplicable,
                "\(name.isEmpty ? "patch" : name) operation does not apply: missing \(member)"
            )
        }
        if text.isEmpty { return [] }
        // What stands before the first slash means nothing, as upstream has it.
        let tokens = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard !tokens.isEmpty else {
            throw PatchError(.notApplicable, "\(name) operation does not apply: doc is missing path: \"\(text)\": missing value")
        }
        return tokens.map { unescape($0) }
    }

    private static func unescape(_ token: Substring) -> String {
        guard token.utf8.contains(UInt8(ascii: "~")) else { return String(token) }
        var out: [UInt8] = []
        var pendingTilde = false
        for byte in token.utf8 {
            if pendingTilde, byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1") {
                out.append(byte == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                pendingTilde = false
                continue
            }
            if pendingTilde { out.append(UInt8(ascii: "~")) }
            pendingTilde = byte == UInt8(ascii: "~")
            if !pendingTilde { out.append(byte) }
        }
        if pendingTilde { out.append(UInt8(ascii: "~")) }
        return String(decoding: out, as: UTF8.self)
    }

    private static func spelled(_ path: [String]) -> String {
        var text = ""
        for token in path {
            text += "/"
            for character in token {
                text += character == "~" ? "~0" : character == "/" ? "~1" : String(character)
            }
        }
        return text
    }

    private static func missing(_ path: [String], operation: String) -> PatchError {
        PatchError(
            .notApplicable,
            "\(operation) operation does not apply: doc is missing path: \"\(spelled(path))\": missing value"
        )
    }

    /// The position a token means in a list of `count` elements; negative numbers count from the end, as upstream.
    private static func index(_ token: String, count: Int) -> Int? {
        guard let number = Int(token), !token.hasPrefix("+") else { return nil }
        let index = number < 0 ? number + count : number
        return (0..<count).contains(index) ? index : nil
    }

    private static func lookUp(_ path: [String], in value: JSONValue) -> JSONValue? {
        var current = value
        for token in path {
            switch current {
            case .object(let members):
                guard let next = members[token] else { return nil }
                current = next
            case .array(let elements):
                guard let index = index(token, count: elements.count) else { return nil }
                current = elements[index]
            default: return nil
            }
        }
        return current
    }

    /// What stands at a place. A member that an object does not have is null, as upstream's library has it.
    private static func member(_ path: [String], of value: JSONValue, operation: String) throws(PatchError) -> JSONValue {
        if let found = lookUp(path, in: value) { return found }
        guard case .object? = lookUp(path.dropLast(), in: value) else { throw missing(path, operation: operation) }
        return .null
    }

    // MARK: operations

    /// Runs `body` on the container that holds the last token of `path`, in place.
    private static func withParent(
        _ path: ArraySlice<String>,
        in value: inout JSONValue,
        whole: [String],
        operation: String,
        _ body: (inout JSONValue) throws(PatchError) -> Void
    ) throws(PatchError) {
        guard path.count > 1, let token = path.first else { return try body(&value) }
        switch value {
        case .object(var members):
            guard var child = members[token] else { throw missing(whole, operation: operation) }
            members[token] = .null
            value = .null
            try withParent(path.dropFirst(), in: &child, whole: whole, operation: operation, body)
            members[token] = child
            value = .object(members)
        case .array(var elements):
            guard let index = index(token, count: elements.count) else { throw missing(whole, operation: operation) }
            value = .null
            try withParent(path.dropFirst(), in: &elements[index], whole: whole, operation: operation, body)
            value = .array(elements)
        default: throw missing(whole, operation: operation)
        }
    }

    private static func add(
        _ new: JSONValue,
        at path: [String],
        to value: inout JSONValue,
        operation: String
    ) throws(PatchError) {
        guard let last = path.last else {
            value = new
            return
        }
        try withParent(path[...], in: &value, whole: path, operation: operation) { (parent) throws(PatchError) in
            switch parent {
            case .object(var members):
                parent = .null
                members[last] = new
                parent = .object(members)
            case .array(var elements):
                let position = last == "-" ? elements.count : Int(last).map { $0 < 0 ? $0 + elements.count + 1 : $0 }
                guard let position, (0...elements.count).contains(position) else {
                    throw PatchError(
                        .notApplicable,
                        "error in \(operation) for path: '\(spelled(path))': Unable to access invalid index: \(last): "
                            + "invalid index referenced"
                    )
                }
                parent = .null
                elements.insert(new, at: position)
                parent = .array(elements)
            default: throw missing(path, operation: operation)
            }
        }
    }

    private static func remove(
        _ path: [String],
        from value: inout JSONValue,
        operation: String
    ) throws(PatchError) -> JSONValue {
        guard let last = path.last else {
            let whole = value
            value = .null
            return whole
        }
        var removed = JSONValue.null
        try withParent(path[...], in: &value, whole: path, operation: operation) { (parent) throws(PatchError) in
            switch parent {
            case .object(var members):
                guard let old = members.removeValue(forKey: last) else {
                    let place = operation == "move" ? last : spelled(path)
                    throw PatchError(
                        .notApplicable,
                        "error in \(operation) for path: '\(place)': Unable to remove nonexistent key: \(last): missing value"
                    )
                }
                removed = old
                parent = .object(members)
            case .array(var elements):
                guard let index = index(last, count: elements.count) else {
                    throw PatchError(
                        .notApplicable,
                        "error in \(operation) for path: '\(spelled(path))': Unable to access invalid index: \(last): "
                            + "invalid index referenced"
                    )
                }
                removed = elements.remove(at: index)
                parent = .array(elements)
            default: throw missing(path, operation: operation)
            }
        }
        return removed
    }

    private static func replace(_ path: [String], with new: JSONValue, in value: inout JSONValue) throws(PatchError) {
        guard let last = path.last else {
            value = new
            return
        }
        try withParent(path[...], in: &value, whole: path, operation: "replace") { (parent) throws(PatchError) in
            switch parent {
            case .object(var members):
                // Like upstream's library, which misses only elements of lists.
                members[last] = new
                parent = .object(members)
            case .array(var elements):
                guard let index = index(last, count: elements.count) else { throw missing(path, operation: "replace") }
                elements[index] = new
                parent = .array(elements)
            default: throw missing(path, operation: "replace")
            }
        }
    }

    private static func test(_ path: [String], _ expected: JSONValue, in value: JSONValue) throws(PatchError) {
        if try member(path, of: value, operation: "test").equalsNumerically(expected) { return }
        throw PatchError(.notApplicable, "testing value \(spelled(path)) failed: test failed")
    }
}

extension JSONValue {
    /// Equality in which `1` and `1.0` are the same number.
    func equalsNumerically(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.integer(let a), .number(let b)): Double(a) == b
        case (.number(let a), .integer(let b)): a == Double(b)
        case (.array(let a), .array(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.equalsNumerically($1) }
        case (.object(let a), .object(let b)):
            a.count == b.count
                && zip(a, b).allSatisfy { $0.key.hasSameBytes(as: $1.key) && $0.value.equalsNumerically($1.value) }
        default: self == other
        }
    }
}
