/// What a call costs when it is evaluated, by the sizes of its arguments and result.
/// Source: cel-go interpreter/runtimecost.go and ext; apiserver/pkg/cel/library/cost.go.
enum CostRule: Sendable, Hashable {
    /// Whatever the arguments.
    case fixed(UInt64)
    /// A tenth of an argument's size, times a factor.
    case traverse(argument: Int, factor: Double)
    /// A tenth of the result's size, twice.
    case result
    /// A whole walk through the first argument.
    case walk
    /// The size of the second argument.
    case size
    /// A tenth of the smaller argument.
    case compare
    /// A tenth of both arguments.
    case join
    /// Text times pattern.
    case pattern
    /// Text times the text looked for.
    case contains
    /// Requirements of a selector.
    case selector
    /// Two addresses; and reading the second when it is text.
    case addresses(isCIDR: Bool, isText: Bool)
    /// A format's pattern.
    case validate
    /// A product of two sizes, times a factor.
    case sets(Double)
    /// Making a list of the result's size.
    case makeList
    /// Making a list by flattening the first argument.
    case flatten
    /// Comparing all elements of an argument with each other.
    case selfCompare(argument: Int)

    static let listBase: UInt64 = 10
    static let mapBase: UInt64 = 30
    static let messageBase: UInt64 = 40
    static let traversal = 0.1
    static let patternFactor = 0.25

    init(function: String, overload: String) {
        self = Self.byOverload[overload] ?? Self.byFunction(function, overload) ?? Self.standard[overload] ?? .fixed(1)
    }

    private static let byOverload: [String: CostRule] = {
        var rules: [String: CostRule] = [
            "list_sets_contains_list": .sets(1), "list_sets_intersects_list": .sets(1), "list_sets_equivalent_list": .sets(2),
            "list_slice": .makeList, "list_flatten": .flatten, "list_flatten_int": .flatten, "lists_range": .makeList,
            "list_reverse": .makeList, "list_distinct": .selfCompare(argument: 0),
        ]
        for type in ListFunctions.comparableTypes {
            rules["list_\(type.name)_sort"] = .selfCompare(argument: 0)
            rules["list_\(type.name)_sortByAssociatedKeys"] = .selfCompare(argument: 1)
        }
        return rules
    }()

    private static func byFunction(_ function: String, _ overload: String) -> CostRule? {
        switch function {
        case "check": .fixed(350_000)
        case "fieldSelector", "labelSelector": .selector
        case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf": .walk
        case "url", "lowerAscii", "upperAscii", "substring", "trim", "jsonpatch.escapeKey", "cidr", "isIP", "isCIDR", "quantity",
            "isQuantity", "semver", "isSemver":
            .traverse(argument: 0, factor: 1)
        case "replace", "split", "ip.isCanonical": .traverse(argument: 0, factor: 2)
        case "join": .result
        case "find", "findAll": .pattern
        case "ip": overload == "cidr_ip" ? .fixed(1) : .traverse(argument: 0, factor: 1)
        case "containsIP": .addresses(isCIDR: false, isText: overload == "cidr_contains_ip_string")
        case "containsCIDR": .addresses(isCIDR: true, isText: overload == "cidr_contains_cidr_string")
        case "validate": .validate
        default: nil
        }
    }

    private static let standard: [String: CostRule] = {
        var rules: [String: CostRule] = [
            "starts_with_string": .traverse(argument: 0, factor: 1), "ends_with_string": .traverse(argument: 0, factor: 1),
            "string_to_bytes": .traverse(argument: 0, factor: 1), "bytes_to_string": .traverse(argument: 0, factor: 1),
            "strings_quote": .traverse(argument: 0, factor: 1), "string_format": .traverse(argument: 0, factor: 1),
            "in_list": .size, "add_string": .join, "add_bytes": .join, "matches_string": .pattern,
            "contains_string": .contains,
        ]
        for prefix in ["less", "less_equals", "greater", "greater_equals"] {
            rules["\(prefix)_string"] = .compare
            rules["\(prefix)_bytes"] = .compare
        }
        return rules
    }()

    /// The cost of a call. An argument that failed counts one.
    func cost(_ arguments: [CELValue?], _ result: CELValue?) -> UInt64 {
        func size(_ index: Int) -> UInt64 { index < arguments.count ? arguments[index]?.costSize ?? 1 : 1 }
        func tenth(_ size: UInt64, _ factor: Double = 1) -> UInt64 { UInt64((Double(size) * factor * Self.traversal).rounded(.up)) }
        switch self {
        case .fixed(let cost): return cost
        case .traverse(let index, let factor): return tenth(size(index), factor)
        case .result: return tenth(result?.costSize ?? 1, 2)
        case .walk: return arguments.first??.walkCost ?? 1
        case .size: return size(1)
        case .compare: return tenth(min(size(0), size(1)))
        case .join: return tenth(size(0) + size(1))
        case .pattern:
            return tenth(size(0) + 1).multipliedSaturating(UInt64((Double(size(1)) * Self.patternFactor).rounded(.up)))
        case .contains: return tenth(size(0)).multipliedSaturating(tenth(size(1)))
        case .selector:
            let length = Double(size(1))
            let requirements = (length * 0.5).rounded(.up) * Double(Self.listBase + Self.messageBase)
            return Self.listBase + UInt64((length * Self.traversal).rounded(.up)) + UInt64(requirements)
        case .addresses(let isCIDR, let isText):
            var cost = tenth(size(0) * 2)
            if isCIDR { cost += tenth(size(0)) + 1 }
            return isText ? cost + tenth(size(1)) : cost
        case .validate: return validateCost(arguments, size(1))
        case .sets(let factor): return 1 + UInt64(Double(size(0)) * Double(size(1)) * factor)
        case .makeList: return 1 + Self.listBase + (result?.costSize ?? 1)
        case .flatten:
            let depth = arguments.count == 2 ? Double(arguments[1]?.int ?? 1) : 1
            return 1 &+ Self.listBase &+ UInt64(bitPattern: Int64(max(-1e18, min(Double(size(0)) * depth, 1e18))))
        case .selfCompare(let index): return selfCompareCost(index < arguments.count ? arguments[index] : nil)
        }
    }

    private func validateCost(_ arguments: [CELValue?], _ size: UInt64) -> UInt64 {
        guard case .object(let object)?? = arguments.first, let format = object as? NamedFormat else { return 1 }
        let text = UInt64(((Double(size) + 1) * Self.traversal).rounded(.up))
        return text * UInt64((Double(format.patternSize) * Self.patternFactor).rounded(.up))
    }

    private func selfCompareCost(_ value: CELValue?) -> UInt64 {
        guard case .list(let list)? = value else { return 1 }
        var factor = 2.0
        if list.count > 0, let first = try? list.element(0) {
            switch first {
            case .string, .bytes: factor += Self.traversal
            default: break
            }
        }
        return 1 + Self.listBase + UInt64(min(Double(list.count) * Double(list.count) * factor, 1e18))
    }
}

extension UInt64 {
    /// The product, or the greatest number when it is greater.
    func multipliedSaturating(_ other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// The sum, or the greatest number when it is greater.
    func addedSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

extension CELValue {
    /// The size that costs count: code points, bytes, elements; one for other values.
    var costSize: UInt64 {
        switch self {
        case .string(let text): return UInt64(text.codePointCount)
        case .bytes(let bytes): return UInt64(bytes.count)
        case .list(let list): return UInt64(list.count)
        case .map(let map): return UInt64(map.count)
        case .optional(let optional): return optional.value?.costSize ?? 1
        case .object(let object): return object.size ?? 1
        default: return 1
        }
    }

    /// What a walk through all parts costs. Bounded: values that share parts could be endless.
    var walkCost: UInt64 {
        var left = 4_000_000
        return walkCost(&left, depth: 0)
    }

    private func walkCost(_ left: inout Int, depth: Int) -> UInt64 {
        left -= 1
        guard left > 0, depth < ValueLimits.deepest else { return CELBudget.perCallLimit * 2 }
        switch self {
        case .string(let text): return UInt64(Double(text.utf8.count) * CostRule.traversal)
        case .bytes(let bytes): return UInt64(Double(bytes.count) * CostRule.traversal)
        case .list(let list):
            var cost: UInt64 = 0
            for index in 0..<list.count where left > 0 {
                cost = cost.addedSaturating((try? list.element(index))?.walkCost(&left, depth: depth + 1) ?? 1)
            }
            return cost
        case .map(let map):
            var cost: UInt64 = 0
            for key in map.keys() where left > 0 {
                cost = cost.addedSaturating(key.walkCost(&left, depth: depth + 1))
                cost = cost.addedSaturating((try? map.find(key))?.walkCost(&left, depth: depth + 1) ?? 1)
            }
            return cost
        default: return 1
        }
    }
}

extension String {
    /// The number of code points.
    var codePointCount: Int {
        var count = 0
        for byte in utf8 where byte & 0xc0 != 0x80 { count += 1 }
        return count
    }
}
