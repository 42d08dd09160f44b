/// Why a text is not JSON, in the words of Go's `encoding/json`.
public struct JSONParseError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Bytes read before the error was seen.
    public var offset: Int
    /// For example `invalid character 'x' looking for beginning of value`.
    public var message: String

    /// An error at a byte offset.
    public init(offset: Int, message: String) {
        self.offset = offset
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

/// Reads JSON text (RFC 8259, strictly) into a tree. Stateless; every call is independent.
public struct JSONParser {
    /// What a caller may bound.
    public struct Options: Sendable {
        /// How deep lists and objects may nest.
        public var maxDepth: Int

        /// A member of the members of the outermost object that is read and checked but not kept: what is long and of
        /// no use to the reader, such as `managedFields` in `metadata`.
        public var omitting: String?

        /// Of the members of the members of the outermost object only these are kept, and those that begin with the same
        /// eight bytes; the others are read and checked. Nil keeps all.
        public var keeping: [String]? {
            didSet { keptPrefixes = keeping.map { ContiguousArray($0.map(\.sortPrefix)) } }
        }
        private(set) var keptPrefixes: ContiguousArray<UInt64>?

        /// The default depth is safe on the smallest thread stack in use.
        public init(maxDepth: Int = JSONParser.defaultMaxDepth, omitting: String? = nil) {
            self.maxDepth = maxDepth
            self.omitting = omitting
        }
    }

    /// Deep enough for any real object, shallow enough for recursion on a 512 KiB stack.
    public static let defaultMaxDepth = 512

    /// How many duplicate fields are reported at most, as upstream does.
    public static let maxReportedDuplicates = 100

    /// Parses one JSON value with nothing but white space around it. Of duplicate keys the last wins.
    public static func parse(_ bytes: [UInt8], options: Options = .init()) throws(JSONParseError) -> JSONValue {
        try read(bytes, options: options).value
    }

    /// Parses the UTF-8 bytes of `string`.
    public static func parse(_ string: String, options: Options = .init()) throws(JSONParseError) -> JSONValue {
        try read(Array(string.utf8), options: options).value
    }

    /// Parses a part of a buffer.
    public static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>,
        options: Options = .init()
    ) throws(JSONParseError) -> JSONValue {
        var reader = TreeReader(bytes, options)
        return try reader.document()
    }

    /// Parses, and lists the paths of the members given more than once, such as `spec.replicas`.
    public static func parseReportingDuplicates(
        _ bytes: [UInt8],
        options: Options = .init()
    ) throws(JSONParseError) -> (value: JSONValue, duplicates: [String]) {
        let (value, sawDuplicates) = try read(bytes, options: options)
        guard sawDuplicates else { return (value, []) }
        var finder = DuplicateFinder(bytes)
        return (value, finder.paths())
    }

    private static func read(
        _ bytes: [UInt8],
        options: Options
    ) throws(JSONParseError) -> (value: JSONValue, sawDuplicates: Bool) {
        let result: Result<(JSONValue, Bool), JSONParseError> = bytes.withUnsafeBufferPointer { buffer in
            var reader = TreeReader(buffer, options)
            do throws(JSONParseError) {
                let value = try reader.document()
                return .success((value, reader.sawDuplicates))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
