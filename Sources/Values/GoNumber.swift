/// Spells floating point numbers as Go does.
public enum GoNumber {
    /// As `encoding/json`: the shortest digits, an exponent only below 1e-6 and from 1e21 on.
    public static func json(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        let (digits, point) = shortest(value.magnitude)
        let sign = value < 0 ? "-" : ""
        let exponent = point - 1
        if value.magnitude < 1e-6 || value.magnitude >= 1e21 {
            return sign + scientific(digits, exponent, minimumExponentDigits: 1)
        }
        return sign + plain(digits, point)
    }

    /// As `strconv.FormatFloat(value, 'g', -1, 64)`, which is `%v`: an exponent below 1e-4 and from 1e6 on.
    public static func general(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        let (digits, point) = shortest(value.magnitude)
        let sign = value < 0 ? "-" : ""
        let exponent = point - 1
        if exponent < -4 || exponent >= 6 {
            return sign + scientific(digits, exponent, minimumExponentDigits: 2)
        }
        return sign + plain(digits, point)
    }

    /// The shortest digits that read back as `value` (positive), and where the decimal point stands in them.
    private static func shortest(_ value: Double) -> (digits: [UInt8], point: Int) {
        var digits: [UInt8] = []
        var point = 0
        var sawPoint = false
        var exponent = 0
        let text = Array(value.description.utf8)
        for (index, byte) in text.enumerated() {
            if byte == UInt8(ascii: ".") {
                sawPoint = true
            } else if byte == UInt8(ascii: "e") {
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                break
            } else {
                digits.append(byte)
                if !sawPoint { point += 1 }
            }
        }
        let zeros = digits.prefix { $0 == 0x30 }.count
        digits.removeFirst(zeros)
        while digits.last == 0x30 { digits.removeLast() }
        return (digits, point - zeros + exponent)
    }

    private static func plain(_ digits: [UInt8], _ point: Int) -> String {
        let text = String(decoding: digits, as: UTF8.self)
        if point <= 0 { return "0." + String(repeating: "0", count: -point) + text }
        if point >= digits.count { return text + String(repeating: "0", count: point - digits.count) }
        return String(text.prefix(point)) + "." + String(text.dropFirst(point))
    }

    private static func scientific(_ digits: [UInt8], _ exponent: Int, minimumExponentDigits: Int) -> String {
        var text = String(decoding: digits.prefix(1), as: UTF8.self)
        if digits.count > 1 { text += "." + String(decoding: digits.dropFirst(), as: UTF8.self) }
        let magnitude = String(exponent.magnitude)
        let padding = String(repeating: "0", count: max(0, minimumExponentDigits - magnitude.count))
        return text + (exponent < 0 ? "e-" : "e+") + padding + magnitude
    }
}
