import Units

/// Sums, differences and comparisons, with overflow as an error.
enum Arithmetic {
    static func negate(_ value: CELValue) throws(CELError) -> CELValue {
        switch value {
        case .int(let number):
            guard number != .min else { throw .integerOverflow }
            return .int(-number)
        case .double(let number): return .double(-number)
        case .duration(let span):
            guard span != .min else { throw .integerOverflow }
            return .duration(-span)
        default: throw .noSuchOverload
        }
    }

    static func checked(_ result: (partialValue: Int64, overflow: Bool)) throws(CELError) -> Int64 {
        if result.overflow { throw .integerOverflow }
        return result.partialValue
    }

    static func checked(_ result: (partialValue: UInt64, overflow: Bool)) throws(CELError) -> UInt64 {
        if result.overflow { throw .unsignedOverflow }
        return result.partialValue
    }

    static func subtract(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
        switch (a, b) {
        case (.int(let x), .int(let y)): return .int(try checked(x.subtractingReportingOverflow(y)))
        case (.uint(let x), .uint(let y)): return .uint(try checked(x.subtractingReportingOverflow(y)))
        case (.double(let x), .double(let y)): return .double(x - y)
        case (.duration(let x), .duration(let y)): return .duration(try checked(x.subtractingReportingOverflow(y)))
        case (.timestamp(let x), .duration(let y)):
            guard y != .min else { throw .integerOverflow }
            return .timestamp(try shift(x, -y))
        case (.timestamp(let x), .timestamp(let y)): return .duration(try distance(x, y))
        default: throw .noSuchOverload
        }
    }

    static func multiply(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
        switch (a, b) {
        case (.int(let x), .int(let y)): return .int(try checked(x.multipliedReportingOverflow(by: y)))
        case (.uint(let x), .uint(let y)): return .uint(try checked(x.multipliedReportingOverflow(by: y)))
        case (.double(let x), .double(let y)): return .double(x * y)
        default: throw .noSuchOverload
        }
    }

    static func divide(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
        switch (a, b) {
        case (.int(let x), .int(let y)):
            guard y != 0 else { throw .divisionByZero }
            return .int(try checked(x.dividedReportingOverflow(by: y)))
        case (.uint(let x), .uint(let y)):
            guard y != 0 else { throw .divisionByZero }
            return .uint(x / y)
        case (.double(let x), .double(let y)): return .double(x / y)
        default: throw .noSuchOverload
        }
    }

    static func modulo(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
        switch (a, b) {
        case (.int(let x), .int(let y)):
            guard y != 0 else { throw .modulusByZero }
            return .int(try checked(x.remainderReportingOverflow(dividingBy: y)))
        case (.uint(let x), .uint(let y)):
            guard y != 0 else { throw .modulusByZero }
            return .uint(x % y)
        default: throw .noSuchOverload
        }
    }

    /// The moment `span` nanoseconds later.
    static func shift(_ moment: Timestamp, _ span: Int64) throws(CELError) -> Timestamp {
        var seconds = moment.unixSeconds + span / 1_000_000_000
        var nanoseconds = Int64(moment.nanoseconds) + span % 1_000_000_000
        if nanoseconds < 0 {
            nanoseconds += 1_000_000_000
            seconds -= 1
        } else if nanoseconds >= 1_000_000_000 {
            nanoseconds -= 1_000_000_000
            seconds += 1
        }
        guard CalendarTime.isInRange(seconds) else { throw .timestampOverflow }
        return Timestamp(unixSeconds: seconds, nanoseconds: Int32(nanoseconds))
    }

    private static func distance(_ a: Timestamp, _ b: Timestamp) throws(CELError) -> Int64 {
        let seconds = a.unixSeconds - b.unixSeconds
        let whole = try checked(seconds.multipliedReportingOverflow(by: 1_000_000_000))
        return try checked(whole.addingReportingOverflow(Int64(a.nanoseconds) - Int64(b.nanoseconds)))
    }

    /// How `a` compares with `b`: negative, zero or positive; nil for NaN. Numbers compare across their types.
    static func compare(_ a: CELValue, _ b: CELValue) throws(CELError) -> Int? {
        switch (a, b) {
        case (.int(let x), .int(let y)): return order(x, y)
        case (.uint(let x), .uint(let y)): return order(x, y)
        case (.int(let x), .uint(let y)): return x < 0 ? -1 : order(UInt64(x), y)
        case (.uint(let x), .int(let y)): return y < 0 ? 1 : order(x, UInt64(y))
        case (.double(let x), .double(let y)): return order(x, y)
        case (.double(let x), .int(let y)): return order(x, y)
        case (.int(let x), .double(let y)): return order(y, x).map { -$0 }
        case (.double(let x), .uint(let y)): return order(x, y)
        case (.uint(let x), .double(let y)): return order(y, x).map { -$0 }
        case (.bool(let x), .bool(let y)): return order(x ? 1 : 0, y ? 1 : 0)
        case (.string(let x), .string(let y)): return byteOrder(x.utf8, y.utf8)
        case (.bytes(let x), .bytes(let y)): return byteOrder(x, y)
        case (.timestamp(let x), .timestamp(let y)): return order(x, y)
        case (.duration(let x), .duration(let y)): return order(x, y)
        default: throw .noSuchOverload
        }
    }

    private static func order<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : (a > b ? 1 : 0) }

    private static func order(_ a: Double, _ b: Double) -> Int? { a.isNaN || b.isNaN ? nil : (a < b ? -1 : (a > b ? 1 : 0)) }

    private static func order(_ a: Double, _ b: Int64) -> Int? {
        if a < -9_223_372_036_854_775_808 { return -1 }
        if a > 9_223_372_036_854_775_808 { return 1 }
        return order(a, Double(b))
    }

    private static func order(_ a: Double, _ b: UInt64) -> Int? {
        if a < 0 { return -1 }
        if a > 18_446_744_073_709_551_616 { return 1 }
        return order(a, Double(b))
    }

    private static func byteOrder(_ a: some Sequence<UInt8>, _ b: some Sequence<UInt8>) -> Int {
        if a.lexicographicallyPrecedes(b) { return -1 }
        return b.lexicographicallyPrecedes(a) ? 1 : 0
    }
}
