import Values

/// `string.format`. Source: cel-go ext/formatting.go.
struct TextFormat {
    private static let defaultDigits = 6
    static let textOnly =
        "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"

    private let arguments: CELList
    private let evaluation: Evaluation
    private var length = 0

    init(_ arguments: CELList, _ evaluation: Evaluation) {
        self.arguments = arguments
        self.evaluation = evaluation
    }

    mutating func format(_ text: String) throws(CELError) -> String {
        var reader = Array(text.utf8)[...]
        var out: [UInt8] = []
        var next = 0
        while let byte = reader.popFirst() {
            guard byte == 0x25 else {
                out.append(byte)
                continue
            }
            if reader.first == 0x25 {
                reader.removeFirst()
                out.append(0x25)
                continue
            }
            guard !reader.isEmpty else { throw CELError("unexpected end of string") }
            guard next < arguments.count else { throw CELError("index \(next) out of range") }
            out += try clause(&reader, try arguments.element(next)).utf8
            try evaluation.allocateText(out.count)
            next += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// The digits after the point that a clause asks for. `reader` stands at the point.
    static func precision(_ reader: inout ArraySlice<UInt8>) throws(CELError) -> Int {
        let head = "could not parse formatting clause: error while parsing precision: "
        reader.removeFirst()
        let number = reader.prefix { (48...57).contains($0) }
        reader = reader.dropFirst(number.count)
        guard !reader.isEmpty else { throw CELError("\(head)could not find end of precision specifier") }
        let text = String(decoding: number, as: UTF8.self)
        guard !number.isEmpty else {
            throw CELError("\(head)error while converting precision to integer: strconv.Atoi: parsing \"\": invalid syntax")
        }
        guard number.count <= 18, let count = Int(text) else {
            throw CELError("\(head)error while converting precision to integer: strconv.Atoi: parsing \"\(text)\": value out of range")
        }
        guard count <= NumberText.mostDigits else { throw CELError("\(head)precision of \(count) is too great", kind: .resources) }
        return count
    }

    private mutating func clause(_ reader: inout ArraySlice<UInt8>, _ value: CELValue) throws(CELError) -> String {
        func malformed(_ message: String) -> CELError { CELError("could not parse formatting clause: \(message)") }
        let digits = reader.first == 0x2e ? try Self.precision(&reader) : Self.defaultDigits
        let verb = reader.removeFirst()
        guard "sdfebxXo".utf8.contains(verb) else {
            throw malformed("unrecognized formatting clause \"\(String(decoding: [verb], as: UTF8.self))\"")
        }
        do {
            return try formatted(value, verb, digits)
        } catch {
            if error.isFatal { throw error }
            throw CELError("error during formatting: \(error.message)")
        }
    }

    private mutating func formatted(_ value: CELValue, _ verb: UInt8, _ digits: Int) throws(CELError) -> String {
        let name = value.type.name
        switch (verb, value) {
        case (0x73, _): return try string(value, 0)
        case (0x64, .int(let number)): return String(number)
        case (0x64, .uint(let number)): return String(number)
        case (0x64, _): throw CELError("decimal clause can only be used on integers, was given \(name)")
        case (0x66, _): return try fixed(value, digits)
        case (0x65, _): return try scientific(value, digits)
        case (0x62, .int(let number)): return String(number, radix: 2)
        case (0x62, .uint(let number)): return String(number, radix: 2)
        case (0x62, .bool(let isTrue)): return isTrue ? "1" : "0"
        case (0x62, _): throw CELError("only integers and bools can be formatted as binary, was given \(name)")
        case (0x6f, .int(let number)): return String(number, radix: 8)
        case (0x6f, .uint(let number)): return String(number, radix: 8)
        case (0x6f, _): throw CELError("octal clause can only be used on integers, was given \(name)")
        default: return try hex(value, isUpper: verb == 0x58)
        }
    }

    private func hex(_ value: CELValue, isUpper: Bool) throws(CELError) -> String {
        let text: String
        switch value {
        case .int(let number): text = String(number, radix: 16)
        case .uint(let number): text = String(number, radix: 16)
        case .string(let value): text = Hex.encode(value.utf8)
        case .bytes(let value): text = Hex.encode(value)
        default:
            throw CELError("only integers, byte buffers, and strings can be formatted as hex, was given \(value.type.name)")
        }
        return isUpper ? text.uppercased() : text
    }

    private static func number(_ value: CELValue) -> Double? {
        switch value {
        case .double(let number): number
        case .string("NaN"): .nan
        case .string("Infinity"): .infinity
        case .string("-Infinity"): -.infinity
        default: nil
        }
    }

    private static func special(_ number: Double) -> String? {
        guard !number.isFinite else { return nil }
        return number.isNaN ? "NaN" : (number < 0 ? "-∞" : "∞")
    }

    /// With separators between thousands, as in American English.
    private func fixed(_ value: CELValue, _ digits: Int) throws(CELError) -> String {
        guard let number = Self.number(value) else {
            throw CELError("fixed-point clause can only be used on doubles, was given \(value.type.name)")
        }
        if let special = Self.special(number) { return special }
        let text = NumberText.fixed(number, digits)
        let sign = text.hasPrefix("-") ? "-" : ""
        let whole = text.dropFirst(sign.count).prefix { $0 != "." }
        let fraction = text.dropFirst(sign.count + whole.count)
        var grouped = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index).isMultiple(of: 3) { grouped += "," }
            grouped.append(digit)
        }
        return sign + grouped + fraction
    }

    /// With a raised exponent of ten, as in American English.
    private func scientific(_ value: CELValue, _ digits: Int) throws(CELError) -> String {
        guard let number = Self.number(value) else {
            throw CELError("scientific clause can only be used on doubles, was given \(value.type.name)")
        }
        // The digits asked for are the width of what is no number, and else not heeded, as upstream has it.
        if let special = Self.special(number) {
            return String(repeating: " ", count: max(0, digits - special.unicodeScalars.count)) + special
        }
        let parts = NumberText.scientific(number, Self.defaultDigits).split(separator: "e")
        guard parts.count == 2 else { return String(number) }
        let raised: [Character: String] = [
            "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹", "-": "⁻", "+": "",
        ]
        return parts[0] + "×10" + parts[1].map { raised[$0] ?? "" }.joined()
    }

    // MARK: values of any kind

    private mutating func string(_ value: CELValue, _ depth: Int) throws(CELError) -> String {
        switch value {
        case .null: return "null"
        case .list(let list): return try self.list(list, depth)
        case .map(let map): return try self.map(map, depth)
        case .bool, .int, .uint, .double, .string, .bytes, .timestamp, .duration, .type: return try Conversion.toString(value)
        case .optional, .object:
            throw CELError("\(Self.textOnly), was given \(value.type.name)")
        }
    }

    private mutating func member(_ value: CELValue, _ depth: Int) throws(CELError) -> String {
        let text: String
        switch value {
        case .double(let number):
            if let special = Self.special(number) { return Self.quoted(special == "NaN" ? "NaN" : (number < 0 ? "-Inf" : "+Inf")) }
            text = NumberText.fixed(number, Self.defaultDigits)
        case .string(let value): text = Self.quoted(value)
        case .bytes: text = "b" + Self.quoted(try Conversion.toString(value))
        case .timestamp(let moment): text = "timestamp(\"\(CalendarTime.text(moment))\")"
        case .duration(let span): text = "duration(\"\(GoDuration.text(span))\")"
        case .optional, .object: throw CELError("no formatting function for \(value.type.name)")
        default: text = try string(value, depth)
        }
        length += text.utf8.count
        try evaluation.allocateText(length)
        return text
    }

    private mutating func list(_ list: CELList, _ depth: Int) throws(CELError) -> String {
        try evaluation.compareStep(depth)
        var parts: [String] = []
        for index in 0..<list.count { parts.append(try member(try list.element(index), depth + 1)) }
        return "[" + parts.joined(separator: ", ") + "]"
    }

    private mutating func map(_ map: CELMap, _ depth: Int) throws(CELError) -> String {
        try evaluation.compareStep(depth)
        var pairs: [(String, String)] = []
        for key in map.keys() {
            let name: String
            switch key {
            case .string(let text): name = Self.quoted(text)
            case .bool, .int, .uint: name = ValueText.plain(key)
            default: throw CELError("no formatting function for map key of type \(key.type.name)")
            }
            guard let value = try map.find(key) else { throw CELError("could not find key: \(name)") }
            pairs.append((name, try member(value, depth + 1)))
        }
        pairs.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        return "{" + pairs.map { "\($0.0):\($0.1)" }.joined(separator: ", ") + "}"
    }

    /// Text in quotes, with what cannot stand there escaped.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\u{7}": quoted += "\\a"
            case "\u{8}": quoted += "\\b"
            case "\u{c}": quoted += "\\f"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{b}": quoted += "\\v"
            case "\\": quoted += "\\\\"
            case "\"": quoted += "\\\""
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
