/// An exact amount with the notation it was given in: `500m`, `1.5Gi`, `12e6`.
///
/// Kept as a whole number of 10⁻⁹; amounts beyond ±1.7·10²⁹ are capped. Two quantities are equal when their
/// amounts are, whatever the notation.
/// Source: apimachinery api/resource.
public struct Quantity: Sendable {
    /// How the suffix is written.
    public enum Format: Sendable, Hashable {
        /// `Ki`, `Mi`, `Gi` …
        case binarySI
        /// `m`, `k`, `M`, `G` …
        case decimalSI
        /// `e3`, `e6` …
        case decimalExponent
    }

    /// Why a text is no quantity.
    public struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
        /// Upstream's words.
        public let description: String
    }

    /// The amount in units of 10⁻⁹.
    public private(set) var nanos: Int128
    /// The notation.
    public private(set) var format: Format
    /// The text as given, where upstream keeps it because it is canonical already.
    private var text: String?

    /// Nothing.
    public static let zero = Quantity(nanos: 0, format: .decimalSI)

    static let nanosInOne: Int128 = 1_000_000_000
    private static let syntax = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"

    /// An amount in units of 10⁻⁹.
    public init(nanos: Int128, format: Format) {
        self.nanos = nanos
        self.format = format
    }

    /// A whole amount.
    public init(value: Int64, format: Format = .decimalSI) {
        self.init(nanos: Int128(value) * Self.nanosInOne, format: format)
    }

    /// An amount in thousandths.
    public init(milli: Int64, format: Format = .decimalSI) {
        self.init(nanos: Int128(milli) * 1_000_000, format: format)
    }

    /// Nil when `text` is no quantity.
    public init?(_ text: String) {
        do { self = try Self.parse(text) } catch { return nil }
    }

    // MARK: reading

    /// Reads a quantity as upstream does, with its words for what is wrong.
    public static func parse(_ text: String) throws(ParseError) -> Quantity {
        if let plain = plain(text) { return plain }
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, let parts = Spelling(bytes) else {
            throw ParseError(description: "quantities must match the regular expression '\(syntax)'")
        }
        guard let (base, exponent, format) = suffixMeaning(parts.suffix) else {
            throw ParseError(description: "unable to parse quantity's suffix")
        }
        var result = Quantity(nanos: 0, format: format)
        let scale = base == 10 ? exponent - parts.fraction.count : 0
        if base == 10 {
            result.nanos = shifted(parts.digits, by: exponent - parts.fraction.count + 9)
        } else {
            result.nanos = binary(parts, exponent: exponent)
            let limit = Int128(Int64.max) * nanosInOne
            if result.nanos > limit { result.nanos = limit }
            if result.nanos > 0, result.nanos < nanosInOne { result.format = .decimalSI }
        }
        if parts.keepsItsSpelling(base: base, exponent: exponent, scale: scale) { result.text = text }
        if parts.negative { result.nanos = -result.nanos }
        return result
    }

    /// Whole numbers with one of the suffixes, which is how nearly all quantities are written; nil for any other text.
    private static func plain(_ text: String) -> Quantity? {
        var (number, seen, significant) = (Int64(0), 0, 0)
        var (letter, letters, isBinary) = (UInt8(0), 0, false)
        for byte in text.utf8 {
            if letters == 0, Names.isDigit(byte) {
                number = number * 10 + Int64(byte - 0x30)
                seen += 1
                if number > 0 { significant += 1 }
                if seen > 15 { return nil }
            } else if letters == 0 {
                letter = byte
                letters = 1
            } else {
                guard letters == 1, byte == UInt8(ascii: "i") else { return nil }
                letters = 2
                isBinary = true
            }
        }
        guard seen > 0, let thousands = letters == 0 ? 0 : thousands(letter), !isBinary || thousands > 0 else { return nil }
        // Upstream has `k` of the one and `K` of the other.
        if letter == UInt8(ascii: "k") && isBinary || letter == UInt8(ascii: "K") && !isBinary { return nil }
        var result = Quantity(nanos: Int128(number), format: isBinary ? .binarySI : .decimalSI)
        if isBinary {
            let (amount, overflow) = (result.nanos * nanosInOne).multipliedReportingOverflow(by: Int128(1) << Int128(10 * thousands))
            result.nanos = min(overflow ? .max : amount, Int128(Int64.max) * nanosInOne)
            let precision = 14 - max(1, significant) - thousands * 3
            if precision >= 0, number & 7 != 0 { result.text = text }
        } else {
            for _ in 0..<thousands + 3 {
                let (amount, overflow) = result.nanos.multipliedReportingOverflow(by: 1000)
                if overflow { return nil }
                result.nanos = amount
            }
            if number % 1000 != 0 { result.text = text }
        }
        return result
    }

    /// The power of a thousand, or of 1024, that a letter stands for.
    private static func thousands(_ letter: UInt8) -> Int? {
        switch Unicode.Scalar(letter) {
        case "n": -3
        case "u": -2
        case "m": -1
        case "k", "K": 1
        case "M": 2
        case "G": 3
        case "T": 4
        case "P": 5
        case "E": 6
        default: nil
        }
    }

    /// `digits · 10^power`, rounded up (away from zero), capped.
    private static func shifted(_ digits: [UInt8], by power: Int) -> Int128 {
        var value: Int128 = 0
        var lost = false
        let kept = power < 0 ? max(0, digits.count + power) : digits.count
        for (index, digit) in digits.enumerated() {
            if index >= kept {
                lost = lost || digit != 0x30
                continue
            }
            guard let next = grown(value, by: 10, plus: Int128(digit - 0x30)) else { return .max }
            value = next
        }
        guard value != 0 else { return lost ? 1 : 0 }
        if power > 0 {
            for _ in 0..<power {
                guard let next = grown(value, by: 10, plus: 0) else { return .max }
                value = next
            }
        }
        return lost ? value + 1 : value
    }

    private static func grown(_ value: Int128, by factor: Int128, plus addend: Int128) -> Int128? {
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        let (sum, carry) = product.addingReportingOverflow(addend)
        return carry ? nil : sum
    }

    private static func binary(_ parts: Spelling, exponent: Int) -> Int128 {
        guard parts.fraction.count > 9 else {
            let scaled = shifted(parts.digits, by: 9 - parts.fraction.count)
            return grown(scaled, by: Int128(1) << Int128(exponent), plus: 0) ?? .max
        }
        // More digits than 10⁻⁹: multiply first, so that nothing is lost before the final rounding.
        var value: Int128 = 0
        for digit in parts.digits {
            guard let next = grown(value, by: 10, plus: Int128(digit - 0x30)) else { return shortened(parts, exponent) }
            value = next
        }
        guard let product = grown(value, by: Int128(1) << Int128(exponent), plus: 0) else { return shortened(parts, exponent) }
        var divisor: Int128 = 1
        for _ in 0..<(parts.fraction.count - 9) {
            guard let next = grown(divisor, by: 10, plus: 0) else { return 1 }
            divisor = next
        }
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: divisor)
        return remainder > 0 ? quotient + 1 : quotient
    }

    /// The last resort for absurdly long fractions: digits beyond 10⁻⁹ are rounded up before multiplying.
    private static func shortened(_ parts: Spelling, _ exponent: Int) -> Int128 {
        grown(shifted(parts.digits, by: 9 - parts.fraction.count), by: Int128(1) << Int128(exponent), plus: 0) ?? .max
    }

    private static func suffixMeaning(_ suffix: String) -> (base: Int, exponent: Int, format: Format)? {
        switch suffix {
        case "": return (10, 0, .decimalSI)
        case "n": return (10, -9, .decimalSI)
        case "u": return (10, -6, .decimalSI)
        case "m": return (10, -3, .decimalSI)
        case "k": return (10, 3, .decimalSI)
        case "M": return (10, 6, .decimalSI)
        case "G": return (10, 9, .decimalSI)
        case "T": return (10, 12, .decimalSI)
        case "P": return (10, 15, .decimalSI)
        case "E": return (10, 18, .decimalSI)
        case "Ki": return (2, 10, .binarySI)
        case "Mi": return (2, 20, .binarySI)
        case "Gi": return (2, 30, .binarySI)
        case "Ti": return (2, 40, .binarySI)
        case "Pi": return (2, 50, .binarySI)
        case "Ei": return (2, 60, .binarySI)
        default:
            guard let first = suffix.first, first == "e" || first == "E", let exponent = Int32(suffix.dropFirst()) else {
                return nil
            }
            return (10, max(-400, min(400, Int(exponent))), .decimalExponent)
        }
    }

    // MARK: reading out

    /// The amount rounded up (away from zero) to a whole number, capped at 64 bits.
    public var value: Int64 { scaled(Self.nanosInOne) }

    /// The amount in thousandths, rounded up (away from zero), capped at 64 bits.
    public var milliValue: Int64 { scaled(1_000_000) }

    /// The nearest floating point number.
    public var approximateDouble: Double { Double(nanos) / 1e9 }

    /// True for no amount.
    public var isZero: Bool { nanos == 0 }

    /// True below nothing.
    public var isNegative: Bool { nanos < 0 }

    private func scaled(_ unit: Int128) -> Int64 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: unit)
        return Int64(clamping: quotient + Int128(remainder.signum()))
    }

    // MARK: arithmetic

    /// The sum; zero takes the notation of what is added.
    public static func + (a: Quantity, b: Quantity) -> Quantity {
        let (sum, overflow) = a.nanos.addingReportingOverflow(b.nanos)
        return Quantity(nanos: overflow ? (b.nanos < 0 ? .min : .max) : sum, format: a.isZero ? b.format : a.format)
    }

    /// The difference; zero takes the notation of what is subtracted.
    public static func - (a: Quantity, b: Quantity) -> Quantity { a + -b }

    /// The opposite.
    public static prefix func - (a: Quantity) -> Quantity {
        Quantity(nanos: a.nanos == .min ? .max : -a.nanos, format: a.format)
    }

    /// Adds in place.
    public static func += (a: inout Quantity, b: Quantity) { a = a + b }
    /// Subtracts in place.
    public static func -= (a: inout Quantity, b: Quantity) { a = a - b }

    /// The amount times a whole number.
    public static func * (a: Quantity, factor: Int64) -> Quantity {
        let (product, overflow) = a.nanos.multipliedReportingOverflow(by: Int128(factor))
        let cap: Int128 = (a.nanos < 0) != (factor < 0) ? .min : .max
        return Quantity(nanos: overflow ? cap : product, format: a.format)
    }
}

extension Quantity: Hashable, Comparable {
    /// Equal amounts.
    public static func == (a: Quantity, b: Quantity) -> Bool { a.nanos == b.nanos }
    /// The smaller amount.
    public static func < (a: Quantity, b: Quantity) -> Bool { a.nanos < b.nanos }
    /// Hashes the amount.
    public func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
}

extension Quantity: CustomStringConvertible {
    /// The canonical form: no fraction, the largest suffix that keeps the amount exact.
    public var description: String {
        if let text { return text }
        if nanos == 0 { return "0" }
        if format == .binarySI, nanos.magnitude >= (1024 * Self.nanosInOne).magnitude, nanos % Self.nanosInOne == 0 {
            var (amount, times) = (nanos / Self.nanosInOne, 0)
            while times < 6, amount.magnitude >= 1024, amount % 1024 == 0 {
                amount /= 1024
                times += 1
            }
            return "\(amount)" + ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][times]
        }
        var (amount, exponent) = (nanos, -9)
        while amount % 1000 == 0, exponent < 18 || format == .decimalExponent {
            amount /= 1000
            exponent += 3
        }
        if format == .decimalExponent { return exponent == 0 ? "\(amount)" : "\(amount)e\(exponent)" }
        return "\(amount)" + ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"][exponent / 3 + 3]
    }
}

/// The parts of a quantity's text.
private struct Spelling {
    var negative = false
    /// Whole digits without leading zeros; `0` when there are none.
    var whole: [UInt8] = []
    var fraction: [UInt8] = []
    var suffix = ""

    /// Whole and fraction together.
    var digits: [UInt8] { whole + fraction }

    /// Nil when the text does not have the form of a quantity.
    init?(_ bytes: [UInt8]) {
        var index = 0
        func digits() -> [UInt8] {
            let run = bytes[index...].prefix { (0x30...0x39).contains($0) }
            index += run.count
            return Array(run)
        }
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            index = 1
        }
        let all = digits()
        whole = Array(all.drop { $0 == 0x30 })
        if whole.isEmpty { whole = [0x30] }
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            index += 1
            fraction = digits()
        }
        let suffixStart = index
        let letters = Array("eEinumkKMGTP".utf8)
        while index < bytes.count, letters.contains(bytes[index]) { index += 1 }
        if index < bytes.count, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") { index += 1 }
        _ = digits()
        guard index == bytes.count else { return nil }
        suffix = String(decoding: bytes[suffixStart...], as: UTF8.self)
    }

    /// Whether upstream takes the text for canonical and prints it unchanged.
    func keepsItsSpelling(base: Int, exponent: Int, scale: Int) -> Bool {
        guard digits.count <= 18, let number = Int64(String(decoding: digits, as: UTF8.self)) else { return false }
        if base == 2 {
            let precision = 15 - whole.count - exponent * 3 / 10 - 1
            return fraction.isEmpty && precision >= 0 && number & 7 != 0
        }
        return scale >= -9 && scale % 3 == 0 && digits.first != 0x30 && !digits.suffix(3).elementsEqual([0x30, 0x30, 0x30])
    }
}
