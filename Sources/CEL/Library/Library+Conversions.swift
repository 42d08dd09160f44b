import Units
import Values

/// Conversions between types, and sizes. Source: cel-go common/types.
extension FunctionTable {
    mutating func addConversions() {
        let a = CELType.parameter("A")
        let identities: [(String, CELType, String)] = [
            ("bool", .bool, "bool_to_bool"), ("bytes", .bytes, "bytes_to_bytes"), ("double", .double, "double_to_double"),
            ("duration", .duration, "duration_to_duration"), ("int", .int, "int64_to_int64"),
            ("string", .string, "string_to_string"), ("timestamp", .timestamp, "timestamp_to_timestamp"),
            ("uint", .uint, "uint64_to_uint64"), ("dyn", a, "to_dyn"),
        ]
        for (name, type, id) in identities {
            global(name, id, [type], name == "dyn" ? .dyn : type) { arguments, _ throws(CELError) in arguments[0] }
        }
        global("type", "type", [a], .type(a)) { arguments, _ throws(CELError) in .type(arguments[0].type) }
        let conversions: [(String, CELType, CELType, String)] = [
            ("bool", .string, .bool, "string_to_bool"), ("bytes", .string, .bytes, "string_to_bytes"),
            ("double", .int, .double, "int64_to_double"), ("double", .string, .double, "string_to_double"),
            ("double", .uint, .double, "uint64_to_double"), ("duration", .int, .duration, "int64_to_duration"),
            ("duration", .string, .duration, "string_to_duration"), ("int", .double, .int, "double_to_int64"),
            ("int", .duration, .int, "duration_to_int64"), ("int", .string, .int, "string_to_int64"),
            ("int", .timestamp, .int, "timestamp_to_int64"), ("int", .uint, .int, "uint64_to_int64"),
            ("string", .bool, .string, "bool_to_string"), ("string", .bytes, .string, "bytes_to_string"),
            ("string", .double, .string, "double_to_string"), ("string", .duration, .string, "duration_to_string"),
            ("string", .int, .string, "int64_to_string"), ("string", .timestamp, .string, "timestamp_to_string"),
            ("string", .uint, .string, "uint64_to_string"), ("timestamp", .int, .timestamp, "int64_to_timestamp"),
            ("timestamp", .string, .timestamp, "string_to_timestamp"), ("uint", .double, .uint, "double_to_uint64"),
            ("uint", .int, .uint, "int64_to_uint64"), ("uint", .string, .uint, "string_to_uint64"),
        ]
        for (name, source, result, id) in conversions {
            global(name, id, [source], result) { arguments, _ throws(CELError) in try Conversion.convert(arguments[0], to: name) }
        }
        addSizes()
    }

    private mutating func addSizes() {
        let sized: [(String, CELType)] = [
            ("bytes", .bytes), ("list", .list(.parameter("A"))), ("map", .map(.parameter("A"), .parameter("B"))),
            ("string", .string),
        ]
        for (suffix, type) in sized {
            global("size", "size_\(suffix)", [type], .int) { arguments, _ throws(CELError) in
                .int(Int64(arguments[0].costSize))
            }
            member("size", "\(suffix)_size", [type], .int) { arguments, _ throws(CELError) in
                .int(Int64(arguments[0].costSize))
            }
        }
    }
}

/// Conversions of values.
enum Conversion {
    static func convert(_ value: CELValue, to name: String) throws(CELError) -> CELValue {
        switch name {
        case "bool": return try toBool(value)
        case "bytes": if case .string(let text) = value { return .bytes(Array(text.utf8)) }
        case "double": return try toDouble(value)
        case "duration":
            // Upstream declares `duration(int)`, but cannot convert.
            if case .string(let text) = value, let span = GoDuration.parse(text) { return .duration(span) }
        case "int": return try toInt(value)
        case "string": return .string(try toString(value))
        case "timestamp": return try toTimestamp(value)
        case "uint": return try toUint(value)
        default: break
        }
        throw failure(value, name)
    }

    private static func failure(_ value: CELValue, _ name: String) -> CELError {
        let target =
            switch name {
            case "duration": "google.protobuf.Duration"
            case "timestamp": "google.protobuf.Timestamp"
            default: name
            }
        return .conversion(from: value.type, to: target)
    }

    private static func toBool(_ value: CELValue) throws(CELError) -> CELValue {
        guard case .string(let text) = value else { throw failure(value, "bool") }
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": return .bool(true)
        case "0", "f", "F", "FALSE", "false", "False": return .bool(false)
        default: throw failure(value, "bool")
        }
    }

    private static func toDouble(_ value: CELValue) throws(CELError) -> CELValue {
        switch value {
        case .int(let number): return .double(Double(number))
        case .uint(let number): return .double(Double(number))
        case .string(let text):
            if let number = double(text) { return .double(number) }
        default: break
        }
        throw failure(value, "double")
    }

    /// What `strconv.ParseFloat` reads.
    private static func double(_ text: String) -> Double? {
        switch text.lowercased() {
        case "nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default:
            guard let number = Double(text), number.isFinite, !text.utf8.contains(where: { $0 <= 0x20 }) else { return nil }
            return number
        }
    }

    private static func isDecimal(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { (43...57).contains($0) } }

    private static func toInt(_ value: CELValue) throws(CELError) -> CELValue {
        switch value {
        case .uint(let number):
            guard let whole = Int64(exactly: number) else { throw .integerOverflow }
            return .int(whole)
        case .double(let number):
            guard number.isFinite, number > -9_223_372_036_854_775_808, number < 9_223_372_036_854_775_808 else {
                throw .integerOverflow
            }
            return .int(Int64(number))
        case .duration(let span): return .int(span)
        case .timestamp(let moment): return .int(moment.unixSeconds)
        case .string(let text): if isDecimal(text), let number = Int64(text) { return .int(number) }
        default: break
        }
        throw failure(value, "int")
    }

    private static func toUint(_ value: CELValue) throws(CELError) -> CELValue {
        switch value {
        case .int(let number):
            guard let whole = UInt64(exactly: number) else { throw .unsignedOverflow }
            return .uint(whole)
        case .double(let number):
            guard number.isFinite, number >= 0, number < 18_446_744_073_709_551_616 else { throw .unsignedOverflow }
            return .uint(UInt64(number))
        case .string(let text): if isDecimal(text), !text.hasPrefix("+"), let number = UInt64(text) { return .uint(number) }
        default: break
        }
        throw failure(value, "uint")
    }

    private static func toTimestamp(_ value: CELValue) throws(CELError) -> CELValue {
        switch value {
        case .int(let seconds):
            guard CalendarTime.isInRange(seconds) else { throw .timestampOverflow }
            return .timestamp(Timestamp(unixSeconds: seconds))
        case .string(let text):
            if let moment = CalendarTime.parseRFC3339(text) { return .timestamp(moment) }
            if text.utf8.count <= 64, Timestamp(text) != nil { throw .timestampOverflow }
        default: break
        }
        throw failure(value, "timestamp")
    }

    static func toString(_ value: CELValue) throws(CELError) -> String {
        switch value {
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw CELError("invalid UTF-8 in bytes, cannot convert to string")
            }
            return text
        case .bool, .int, .uint, .double, .string, .timestamp, .duration, .type: return ValueText.plain(value)
        default: throw failure(value, "string")
        }
    }
}
