import Units

/// A quantity such as `500m`.
struct QuantityValue: CELObject {
    let quantity: Quantity
    var type: CELType { TypeNames.quantity }

    func isEqual(to other: any CELObject) -> Bool { (other as? QuantityValue)?.quantity == quantity }

    /// The whole number, if it is one that fits.
    var whole: Int64? {
        guard quantity.nanos % 1_000_000_000 == 0 else { return nil }
        return Int64(exactly: quantity.nanos / 1_000_000_000)
    }

    static func parse(_ text: String) throws(CELError) -> QuantityValue {
        guard text.utf8.count <= 256 else { throw CELError("quantity text too long") }
        do {
            return QuantityValue(quantity: try Quantity.parse(text))
        } catch { throw CELError(error.description) }
    }

    static func from(_ value: CELValue) throws(CELError) -> Quantity {
        guard case .object(let object) = value, let held = object as? QuantityValue else { throw .noSuchOverload }
        return held.quantity
    }
}

/// Source: apiserver/pkg/cel/library/quantity.go.
extension FunctionTable {
    mutating func addQuantities() {
        let type = TypeNames.quantity
        global("quantity", "string_to_quantity", [.string], type) { arguments, _ throws(CELError) in
            .object(try QuantityValue.parse(arguments[0].string ?? ""))
        }
        global("isQuantity", "is_quantity_string", [.string], .bool) { arguments, _ throws(CELError) in
            .bool((arguments[0].string ?? "").utf8.count <= 256 && Quantity(arguments[0].string ?? "") != nil)
        }
        let sign: FunctionBody = { arguments, _ throws(CELError) in
            let quantity = try QuantityValue.from(arguments[0])
            return .int(quantity.isZero ? 0 : (quantity.isNegative ? -1 : 1))
        }
        // Not a member: upstream declares it so.
        global("sign", "quantity_sign", [type], .int, sign)
        compare("isGreaterThan", "quantity_is_greater_than", .bool) { .bool($0 > 0) }
        compare("isLessThan", "quantity_is_less_than", .bool) { .bool($0 < 0) }
        compare("compareTo", "quantity_compare_to", .int) { .int($0) }
        member("asApproximateFloat", "quantity_get_float", [type], .double) { arguments, _ throws(CELError) in
            .double(try QuantityValue.from(arguments[0]).approximateDouble)
        }
        member("asInteger", "quantity_get_int", [type], .int) { arguments, _ throws(CELError) in
            guard let whole = QuantityValue(quantity: try QuantityValue.from(arguments[0])).whole else {
                throw CELError("cannot convert value to integer")
            }
            return .int(whole)
        }
        member("isInteger", "quantity_is_integer", [type], .bool) { arguments, _ throws(CELError) in
            .bool(QuantityValue(quantity: try QuantityValue.from(arguments[0])).whole != nil)
        }
        for (name, isSum) in [("add", true), ("sub", false)] {
            let body: FunctionBody = { arguments, _ throws(CELError) in
                let left = try QuantityValue.from(arguments[0])
                let right: Quantity =
                    if case .int(let number) = arguments[1] { Quantity(value: number) } else { try QuantityValue.from(arguments[1]) }
                return .object(QuantityValue(quantity: isSum ? left + right : left - right))
            }
            member(name, "quantity_\(name)", [type, type], type, body)
            member(name, "quantity_\(name)_int", [type, .int], type, body)
        }
    }

    private mutating func compare(_ name: String, _ id: String, _ result: CELType, _ body: @escaping @Sendable (Int64) -> CELValue) {
        member(name, id, [TypeNames.quantity, TypeNames.quantity], result) { arguments, _ throws(CELError) in
            let a = try QuantityValue.from(arguments[0])
            let b = try QuantityValue.from(arguments[1])
            return body(a < b ? -1 : (b < a ? 1 : 0))
        }
    }
}
