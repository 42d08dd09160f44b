import Units
import Values

/// Why a value does not decode into a type, in the words of Go's decoder.
public struct SchemaDecodeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The message, such as `json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type
    /// int32`.
    public var message: String
    /// Makes an error.
    public init(message: String) { self.message = message }
    /// The message.
    public var description: String { message }
}

extension SchemaNode {
    /// Makes of a value what Go's decoder and encoder together make of it: fields the type does not have go, zero
    /// values go where upstream omits them and come where it does not, quantities and times become canonical.
    ///
    /// Returns the unknown fields as upstream's strict decoder reports them. Throws the first mismatch of types; the
    /// value is then unspecified.
    ///
    /// - Parameter keepsNulls: Whether a custom resource keeps the nulls it must not have: what is applied is not decoded
    ///   upstream, and its nulls are refused later.
    /// - Parameter isMerged: Whether a strategic merge made the value: upstream converts that, and says otherwise what does
    ///   not fit.
    public func decode(
        _ value: inout JSONValue,
        keepsNulls: Bool = false,
        isMerged: Bool = false
    ) throws(SchemaDecodeError) -> [String] {
        if body.structural != nil { return try decodeStructural(&value, keepsNulls: keepsNulls) }
        var decoder = GoDecoder(root: self, isConverter: isMerged)
        decoder.decode(self, &value)
        if let message = decoder.failure { throw SchemaDecodeError(message: message) }
        return decoder.unknownFields
    }

    /// The same without complaints: what does not fit the type is left as it is.
    public func normalize(_ value: inout JSONValue) {
        if body.structural != nil {
            _ = pruneStructural(&value)
            return
        }
        var decoder = GoDecoder(root: self)
        decoder.decode(self, &value)
    }
}

/// One pass over a value, driven by its type.
struct GoDecoder {
    /// Whether what does not fit is worded as by upstream's converter.
    private let isConverter: Bool

    private enum Step {
        case field(SchemaField)
        case index(Int)
        case key(String)
    }

    /// As upstream's strict decoder words them.
    private(set) var unknownFields: [String] = []
    /// The first mismatch.
    private(set) var failure: String?
    private var path: [Step] = []
    private var structName = ""
    private let root: SchemaNode?
    private var isStopped = false

    init(root: SchemaNode? = nil, isConverter: Bool = false) {
        (self.root, self.isConverter) = (root, isConverter)
    }

    mutating func decode(_ node: SchemaNode, _ value: inout JSONValue) {
        switch node.shape {
        case .object: decodeObject(node, &value)
        case .list: decodeList(node, &value)
        case .map: decodeMap(node, &value)
        case .string, .boolean, .integer, .number: decodeScalar(node, &value)
        case .any: break
        case .anyObject:
            if case .null = value { break }
            if case .object = value { break }
            mismatch(value, node)
        case .schemaOrBool, .schemaOrList, .schemaOrStrings: decodeSchema(node, &value)
        default: decodeUnit(node, &value)
        }
    }

    private mutating func decodeObject(_ node: SchemaNode, _ value: inout JSONValue) {
        var object: JSONObject
        switch value {
        case .object(let given): object = given
        case .null: object = [:]
        default: return mismatch(value, node)
        }
        value = .null
        let outer = structName
        structName = node.name
        let body = node.body
        var dropped: [String] = []
        object.updateEach { key, item in
            guard let field = body.field(key) else {
                // As many as upstream reports at most.
                if unknownFields.count < JSONParser.maxReportedDuplicates {
                    unknownFields.append("unknown field \(GoQuote.quote(strictPath(key)))")
                }
                dropped.append(key)
                return
            }
            if decodeField(field, &item) == .omitted { dropped.append(key) }
        }
        if !dropped.isEmpty {
            for key in dropped { object[key] = nil }
        }
        for field in body.alwaysEncoded where !object.contains(field.name) {
            var zero = field.zero
            if case .object = zero {
                path.append(.field(field))
                decode(field.node, &zero)
                path.removeLast()
            }
            object[field.name] = zero
        }
        structName = outer
        value = .object(object)
    }

    private enum Outcome { case kept, omitted }

    private mutating func decodeField(_ field: SchemaField, _ value: inout JSONValue) -> Outcome {
        if case .null = value {
            // Go's nil: a pointer, or a slice (bytes are one) or a map.
            if field.isPointer || [.list, .map, .bytes].contains(field.node.shape) {
                return field.traits.contains(.omitEmpty) ? .omitted : .kept
            }
        }
        path.append(.field(field))
        decode(field.node, &value)
        path.removeLast()
        guard !field.isPointer, !field.traits.isDisjoint(with: [.omitEmpty, .omitZero]) else { return .kept }
        guard field.isOmitted(value) else { return .kept }
        if case .array = value, field.name == Self.telling.field, structName.hasSuffix(Self.telling.type) { return .kept }
        return .omitted
    }

    /// A list that is completed when it is missing, but refused when it is empty: it has to be seen.
    private static let telling = (type: ".HPAScalingRules", field: "policies")

    private mutating func decodeList(_ node: SchemaNode, _ value: inout JSONValue) {
        guard case .array(var list) = value else {
            if case .null = value { return }
            return mismatch(value, node)
        }
        guard let element = node.element else { return }
        value = .null
        for index in list.indices {
            path.append(.index(index))
            decode(element, &list[index])
            path.removeLast()
        }
        value = .array(list)
    }

    private mutating func decodeMap(_ node: SchemaNode, _ value: inout JSONValue) {
        guard case .object(var object) = value else {
            if case .null = value { return }
            return mismatch(value, node)
        }
        guard let element = node.element else { return }
        value = .null
        object.updateEach { key, item in
            path.append(.key(key))
            decode(element, &item)
            path.removeLast()
        }
        value = .object(object)
    }

    private mutating func decodeScalar(_ node: SchemaNode, _ value: inout JSONValue) {
        switch (node.shape, value) {
        case (.string, .string), (.boolean, .bool), (.number, .number), (.number, .integer): return
        case (.string, .null): value = ""
        case (.boolean, .null): value = false
        case (.integer, .null), (.number, .null): value = 0
        case (.integer, .integer(let number)):
            if node.body.format == "int32", Int32(exactly: number) == nil {
                mismatch(value, node, what: "number \(number)")
            }
        case (.integer, .number(let number)):
            if isConverter, let whole = Int64(exactly: number) {
                value = .integer(whole)
                return decodeScalar(node, &value)
            }
            mismatch(value, node, what: "number \(value.description)")
        default: mismatch(value, node)
        }
    }

    private mutating func decodeSchema(_ node: SchemaNode, _ value: inout JSONValue) {
        guard let element = node.element else { return }
        switch value {
        case .object: decode(element, &value)
        case .array(var list) where node.shape == .schemaOrList:
            for index in list.indices {
                path.append(.index(index))
                decode(element, &list[index])
                path.removeLast()
            }
            value = .array(list)
        default: break
        }
    }

    // MARK: Units

    private mutating func decodeUnit(_ node: SchemaNode, _ value: inout JSONValue) {
        switch node.shape {
        case .quantity: decodeQuantity(&value)
        case .intOrString: decodeIntOrString(node, &value)
        case .time, .microTime: decodeTime(node, &value)
        case .bytes: decodeBytes(node, &value)
        case .duration: decodeDuration(node, &value)
        default: break
        }
    }

    private mutating func decodeQuantity(_ value: inout JSONValue) {
        let text: String
        switch value {
        case .string(let given): text = given
        case .null: text = "0"
        case .integer, .number: text = value.description
        default: text = ""
        }
        guard let quantity = Quantity(text) else {
            return stop(
                "quantities must match the regular expression "
                    + "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            )
        }
        let canonical = quantity.description
        if case .string(canonical) = value { return }
        value = .string(canonical)
    }

    private mutating func decodeIntOrString(_ node: SchemaNode, _ value: inout JSONValue) {
        switch value {
        case .string: break
        case .null: value = 0
        case .integer(let number):
            if Int32(exactly: number) == nil {
                stop(words("number \(number)", node, type: "int32"))
            }
        case .number: stop(words("number \(value.description)", node, type: "int32"))
        default: stop(words(value.typeName, node, type: "int32"))
        }
    }

    private mutating func decodeTime(_ node: SchemaNode, _ value: inout JSONValue) {
        switch value {
        case .null: break
        case .string(let text):
            guard let time = Timestamp(text) else {
                let layout = node.shape == .time ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00"
                let quoted = GoQuote.quote(text)
                return stop("parsing time \(quoted) as \"\(layout)\": cannot parse \(quoted) as \"2006\"")
            }
            if node.shape == .microTime, let (found, wanted) = Self.microProblem(text) {
                let words = "parsing time \(GoQuote.quote(text)) as \"2006-01-02T15:04:05.000000Z07:00\": "
                return stop(words + "cannot parse \(GoQuote.quote(found)) as \"\(wanted)\"")
            }
            let canonical = node.shape == .time ? time.rfc3339 : time.rfc3339Micro
            if text != canonical { value = .string(canonical) }
        default: stop(words(value.typeName, node, type: "string"))
        }
    }

    /// Where a time has not just the six digits of a second that upstream's layout wants, and what belongs there.
    private static func microProblem(_ text: String) -> (found: String, wanted: String)? {
        let digits = 6
        let fraction = text.dropFirst("2006-01-02T15:04:05".count)
        guard fraction.first == ".", fraction.count > digits, fraction.dropFirst().prefix(digits).allSatisfy(\.isWholeNumber) else {
            return (String(fraction), ".000000")
        }
        let zone = fraction.dropFirst(digits + 1)
        return zone.first?.isWholeNumber == true ? (String(zone), "Z07:00") : nil
    }

    private mutating func decodeBytes(_ node: SchemaNode, _ value: inout JSONValue) {
        switch value {
        case .null: value = ""
        case .string(let text):
            guard let bytes = Base64.decode(text) else {
                let why = "illegal base64 data at input byte \(Self.illegalBase64Position(text))"
                return fail(isConverter ? "error decoding from json: \(why)" : why)
            }
            // The decoder skips line breaks, so the encoder may print less than was given.
            if text.utf8.contains(10) || text.utf8.contains(13) { value = .string(Base64.encode(bytes)) }
        default: mismatch(value, node)
        }
    }

    private mutating func decodeDuration(_ node: SchemaNode, _ value: inout JSONValue) {
        switch value {
        case .null: value = "0s"
        case .string(let text):
            guard let duration = DurationText.parse(text) else {
                return stop("time: invalid duration \(GoQuote.quote(text))")
            }
            value = .string(DurationText.format(duration))
        default: stop(words(value.typeName, node, type: "string"))
        }
    }

    /// Where Go's decoder gives up: at the first byte outside the alphabet, or at the broken end.
    private static func illegalBase64Position(_ text: String) -> Int {
        var digits = 0
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                digits += 1
            case 10, 13: continue
            case UInt8(ascii: "=") where digits % 4 >= 2: continue
            default: return index
            }
        }
        return text.utf8.count - text.utf8.count % 4
    }

    // MARK: Complaints

    private mutating func mismatch(_ value: JSONValue, _ node: SchemaNode, what: String? = nil) {
        if isConverter, let message = GoConversion.mismatch(value, node, type: place(node).type) { return fail(message) }
        fail(words(what ?? value.typeName, node))
    }

    /// Where the decoder is: the field, with the embedded structs that Go names on the way, and what it calls the type there.
    private func place(_ node: SchemaNode) -> (field: String, type: String) {
        var names: [String] = []
        var type: Substring?
        var depth = 0
        var place = root
        for step in path {
            guard case .field(let field) = step else {
                depth += 1
                place = place?.element
                continue
            }
            let entry = GoTypeNames.entry(field.name, of: place?.name ?? structName)
            names += [entry.embedded.map(String.init), field.name].compactMap { $0 }
            (type, depth, place) = (entry.type, 0, field.node)
        }
        return (names.joined(separator: "."), type.flatMap { GoTypeNames.inner($0, depth: depth) } ?? node.goType)
    }

    /// Go's words for a value of another type; a converter decodes what has a way of its own without its place.
    private func words(_ found: String, _ node: SchemaNode, type wanted: String? = nil) -> String {
        let place = place(node)
        guard !path.isEmpty, !isConverter || wanted == nil else {
            return "json: cannot unmarshal \(found) into Go value of type \(wanted ?? place.type)"
        }
        let owner = structName.split(separator: ".").last.map(String.init) ?? ""
        return "json: cannot unmarshal \(found) into Go struct field \(owner).\(place.field) of type \(wanted ?? place.type)"
    }

    /// The first value that a type which decodes itself does not take ends all decoding; others are only noted until then.
    private mutating func stop(_ message: String) {
        if isConverter { return fail(message) }
        if !isStopped { failure = message }
        isStopped = true
    }

    private mutating func fail(_ message: String) {
        if failure == nil { failure = message }
    }

    private func strictPath(_ last: String) -> String {
        var text = ""
        for step in path {
            switch step {
            case .field(let field): text += text.isEmpty ? field.name : ".\(field.name)"
            case .key(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text.isEmpty ? last : "\(text).\(last)"
    }
}

extension SchemaNode {
    /// What Go calls the type in its messages.
    var goType: String {
        switch shape {
        case .string: "string"
        case .boolean: "bool"
        case .integer: body.format.isEmpty ? "int" : body.format
        case .number: body.format == "float" ? "float32" : "float64"
        case .bytes: "[]uint8"
        case .list: "[]\(element?.goType ?? "interface {}")"
        case .map: "map[string]\(element?.goType ?? "interface {}")"
        case .any: "interface {}"
        default: name.split(separator: ".").suffix(2).joined(separator: ".")
        }
    }
}

extension SchemaField {
    /// The value of a field that is not given but encoded all the same.
    var zero: JSONValue {
        guard !isPointer else { return .null }
        return switch node.shape {
        case .object: .object([:])
        case .string: ""
        case .boolean: false
        case .integer, .number, .intOrString: 0
        case .quantity: "0"
        case .duration: "0s"
        default: .null
        }
    }

    /// Whether Go's encoder prints the field even when nothing was given: a struct, or anything not `omitempty`.
    var isAlwaysEncoded: Bool {
        if traits.contains(.omitZero) { return false }
        if !traits.contains(.omitEmpty) { return true }
        if isPointer { return false }
        switch node.shape {
        case .object, .quantity, .intOrString, .time, .microTime, .duration, .anyObject, .any, .schemaOrBool,
            .schemaOrList, .schemaOrStrings:
            return true
        default: return false
        }
    }

    /// Whether Go's encoder leaves out this value of a field that is not a pointer.
    func isOmitted(_ value: JSONValue) -> Bool {
        switch value {
        case .null: traits.contains(.omitZero) || !isAlwaysEncoded
        case .string(let text): text.isEmpty && !isAlwaysEncoded
        case .bool(let flag): !flag
        case .integer(let number): number == 0 && node.shape != .intOrString
        case .number(let number): number == 0
        case .array(let list): list.isEmpty
        case .object(let object): object.isEmpty && !isAlwaysEncoded
        }
    }
}
