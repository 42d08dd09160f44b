import Testing
import Units

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", "0"), ("0n", "0"), ("0Ki", "0"), ("1", "1"), ("100", "100"), ("1000", "1k"), ("1500", "1500"), ("0.5", "500m"),
        ("500m", "500m"), ("1000m", "1"),
        ("1500m", "1500m"), ("1.5", "1500m"), ("1e3", "1e3"), ("1e2", "100"), ("1E3", "1E3"), ("1Ki", "1Ki"), ("1024", "1024"),
        ("1024Ki", "1Mi"), ("0.5Gi", "512Mi"), ("1.5Gi", "1536Mi"),
        ("100Mi", "100Mi"), ("128Mi", "128Mi"), ("1Ei", "1Ei"), ("0.1Ki", "102400m"), ("1.1i", "!suffix"), ("3G", "3G"), ("3000M", "3G"),
        ("1n", "1n"), ("0.1n", "1n"), ("-1", "-1"),
        ("-1.5Gi", "-1536Mi"), ("+5", "+5"), (".5", "500m"), ("1.", "1."), ("12.34", "12340m"), ("100k", "100k"), ("1u", "1u"),
        ("1000u", "1m"), ("1T", "1T"), ("1P", "1P"), ("1E", "1E"), ("10E", "10E"),
        ("9223372036854775807", "9223372036854775807"), ("0.000000001", "1n"), ("0.0000000001", "1n"),
        ("100000000000000000000Ei", "9223372036854775807"),
        ("", "!format"), ("1.2.3", "!format"), ("abc", "!format"), ("1 ", "!format"), ("1b", "!format"), ("1mm", "!suffix"),
        ("1KiB", "!format"), ("1e", "!suffix"), ("--1", "!suffix"), ("1e3x", "!format"), ("0x10", "!format"), ("1_000", "!format"),
    ])
    func `prints the canonical form or upstream's error`(text: String, expected: String) {
        let result: String
        do {
            result = try Quantity.parse(text).description
        } catch {
            result = error.description.hasPrefix("quantities must match") ? "!format" : "!suffix"
        }
        #expect(result == expected)
    }

    @Test func `whole numbers with a suffix are read the short way as the long one reads them`() throws {
        let suffixes = [
            "", "n", "u", "m", "k", "K", "M", "G", "T", "P", "E", "Ki", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "i", "mi", "ii", "Mib",
        ]
        for number in ["0", "00", "1", "7", "8", "010", "64", "100", "999", "1000", "1024", "250000", "123456789012", "999999999999999"] {
            for suffix in suffixes {
                // A sign is only read the long way.
                let (short, long) = (Quantity(number + suffix), Quantity("+" + number + suffix))
                #expect((short == nil) == (long == nil), "\(number)\(suffix)")
                guard let short, let long else { continue }
                #expect(short.nanos == long.nanos && short.format == long.format, "\(number)\(suffix)")
                #expect(short.description == long.description.drop { $0 == "+" }, "\(number)\(suffix)")
            }
        }
    }

    @Test func `words errors as upstream`() {
        let error = #expect(throws: Quantity.ParseError.self) { try Quantity.parse("x") }
        #expect(error?.description == "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
        let suffix = #expect(throws: Quantity.ParseError.self) { try Quantity.parse("1iK") }
        #expect(suffix?.description == "unable to parse quantity's suffix")
    }

    @Test(
        arguments: [
            ("1", 1, 1000), ("500m", 1, 500), ("1.1", 2, 1100), ("-1.1", -2, -1100), ("1n", 1, 1), ("1Gi", 1 << 30, 1000 << 30),
            ("10E", Int64.max, Int64.max),
        ] as [(String, Int64, Int64)]
    )
    func `rounds away from zero`(text: String, value: Int64, milli: Int64) throws {
        let quantity = try Quantity.parse(text)
        #expect(quantity.value == value)
        #expect(quantity.milliValue == milli)
    }

    @Test func `compares and adds amounts, not notations`() throws {
        let one = try Quantity.parse("1"), same = try Quantity.parse("1000m")
        #expect(one == same)
        #expect(one.hashValue == same.hashValue)
        #expect(try Quantity.parse("1Gi") > Quantity.parse("1G"))
        #expect(try (Quantity.parse("100m") + Quantity.parse("0.9")).description == "1")
        #expect(try (Quantity.zero + Quantity.parse("1Gi")).description == "1Gi")
        #expect(try (Quantity.parse("1Gi") + Quantity.parse("512Mi")).description == "1536Mi")
        #expect(try (Quantity.parse("1") - Quantity.parse("1500m")).description == "-500m")
        #expect((Quantity(value: 3) * 4).value == 12)
        #expect(Quantity(value: 1 << 20, format: .binarySI).description == "1Mi")
        #expect(Quantity(milli: 250).description == "250m")
        #expect(Quantity(value: 5000, format: .decimalExponent).description == "5e3")
    }

    @Test func `reads back every form it prints`() throws {
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            state = state &* 6364136223846793005 &+ 1442695040888963407
            let digits = Int64(truncatingIfNeeded: state >> 20) % 1_000_000
            let suffix = ["", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "Ti", "e3", "E-2"][Int(state >> 40) % 13]
            let text = "\(Double(digits) / 100)".split(separator: "e")[0] + suffix
            let quantity = try Quantity.parse(String(text))
            #expect(try Quantity.parse(quantity.description) == quantity, "\(text)")
        }
    }
}
