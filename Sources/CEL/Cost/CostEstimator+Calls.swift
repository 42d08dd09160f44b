/// What calls cost, by function.
extension CostEstimator {
    private static let traversal = CostRule.traversal

    /// The cost of a call with its arguments, and the size of its result where that is known.
    mutating func cost(of call: CallSite, _ argumentCosts: [CELCostEstimate]) -> (CELCostEstimate, CELCostEstimate?) {
        var sum = CELCostEstimate.zero
        for cost in argumentCosts { sum = sum + cost }
        if let (cost, size) = listCost(call) ?? libraryCost(call) { return (cost + sum, size) }
        return standardCost(call, argumentCosts, sum)
    }

    private mutating func standardCost(
        _ call: CallSite,
        _ costs: [CELCostEstimate],
        _ sum: CELCostEstimate
    ) -> (CELCostEstimate, CELCostEstimate?) {
        let arguments = call.arguments
        switch call.overload {
        case "string_format":
            guard let target = call.target else { break }
            return (knownSize(target).scaled(Self.traversal) + sum, nil)
        case "string_to_bytes", "bytes_to_string", "strings_quote":
            guard arguments.count == 1 else { break }
            return conversion(call.overload, knownSize(arguments[0]), sum)
        case "starts_with_string", "ends_with_string":
            guard arguments.count == 1 else { break }
            return (knownSize(arguments[0]).scaled(Self.traversal) + sum, nil)
        case "in_list":
            return (knownSize(arguments[1]) + sum, nil)
        case "matches_string":
            guard let target = call.target, arguments.count == 1 else { break }
            let text = (knownSize(target) + .one).scaled(Self.traversal)
            return (text * knownSize(arguments[0]).scaled(CostRule.patternFactor) + sum, nil)
        case "contains_string":
            guard let target = call.target, arguments.count == 1 else { break }
            let text = knownSize(target).scaled(Self.traversal)
            return (text * knownSize(arguments[0]).scaled(Self.traversal) + sum, nil)
        case "logical_or", "logical_and":
            return (CELCostEstimate(min: costs[0].min, max: (costs[0] + costs[1]).max), nil)
        case "conditional":
            let size = knownSize(arguments[1]).union(knownSize(arguments[2]))
            setEntry(entry(arguments[1])?.union(entry(arguments[2])), of: call.expression)
            return (costs[0] + costs[1].union(costs[2]), size)
        case "add_string", "add_bytes", "add_list": return joinCost(call, sum)
        case "equals", "not_equals": return compareCost(call, sum)
        default:
            if Self.ordersText(call.overload) { return compareCost(call, sum) }
        }
        return (.one + sum, nil)
    }

    private static func ordersText(_ overload: String) -> Bool {
        guard overload.hasPrefix("less_") || overload.hasPrefix("greater_") else { return false }
        return overload.hasSuffix("_string") || overload.hasSuffix("_bytes")
    }

    private func conversion(_ overload: String, _ size: CELCostEstimate, _ sum: CELCostEstimate) -> (CELCostEstimate, CELCostEstimate?) {
        let cost = size.scaled(Self.traversal) + sum
        switch overload {
        case "string_to_bytes": return (cost, CELCostEstimate(min: size.min, max: size.max &* 4))
        case "bytes_to_string": return (cost, CELCostEstimate(min: size.min / 4, max: size.max))
        default: return (cost, CELCostEstimate(min: size.min &+ 2, max: size.max &* 2 &+ 2))
        }
    }

    private mutating func joinCost(_ call: CallSite, _ sum: CELCostEstimate) -> (CELCostEstimate, CELCostEstimate?) {
        let size = knownSize(call.arguments[0]) + knownSize(call.arguments[1])
        setEntry(entry(call.arguments[0])?.union(entry(call.arguments[1])), of: call.expression)
        if call.overload == "add_list" { return (.one + sum, size) }
        return (size.scaled(Self.traversal) + sum, size)
    }

    private mutating func compareCost(_ call: CallSite, _ sum: CELCostEstimate) -> (CELCostEstimate, CELCostEstimate?) {
        let most = min(knownSize(call.arguments[0]).max, knownSize(call.arguments[1]).max)
        let range = CELCostEstimate(min: most > 0 ? 1 : 0, max: most)
        return (range.scaled(Self.traversal) + sum, nil)
    }

    // MARK: lists and sets

    private mutating func listCost(_ call: CallSite) -> (CELCostEstimate, CELCostEstimate?)? {
        let arguments = call.arguments
        switch call.overload {
        case "list_sets_contains_list", "list_sets_intersects_list", "list_sets_equivalent_list":
            let factor: Double = call.overload == "list_sets_equivalent_list" ? 2 : 1
            return ((knownSize(arguments[0]) * knownSize(arguments[1])).scaled(factor) + .one, nil)
        case "list_slice":
            guard let target = call.target, arguments.count == 2 else { return nil }
            let end = Self.literal(arguments[1], knownSize(target).max)
            return Self.making(CELCostEstimate(end &- Self.literal(arguments[0], 0)), 1)
        case "lists_range": return Self.making(CELCostEstimate(Self.literal(arguments[0], .max)), 1)
        case "list_reverse":
            guard let target = call.target else { return nil }
            return Self.making(knownSize(target), 1)
        case "list_flatten", "list_flatten_int":
            guard let target = call.target else { return nil }
            let depth = arguments.isEmpty ? 1 : Self.literal(arguments[0], .max)
            return Self.making(knownSize(target), Double(depth))
        case "list_distinct":
            guard let target = call.target else { return nil }
            return Self.making(knownSize(target) * knownSize(target), 2)
        default: return sortCost(call)
        }
    }

    private mutating func sortCost(_ call: CallSite) -> (CELCostEstimate, CELCostEstimate?)? {
        let isBy = call.overload.hasSuffix("_sortByAssociatedKeys")
        guard isBy || call.overload.hasSuffix("_sort"), call.overload.hasPrefix("list_"),
            let node = isBy ? call.arguments.first : call.target
        else { return nil }
        let isText = call.overload.hasPrefix("list_string") || call.overload.hasPrefix("list_bytes")
        let size = knownSize(node)
        return Self.making(size * size, isText ? 2 + Self.traversal : 2)
    }

    private static func literal(_ expression: Expression, _ otherwise: UInt64) -> UInt64 {
        guard case .literal(.int(let value)) = expression.kind else { return otherwise }
        return value < 0 ? 0 : UInt64(value)
    }

    private static func making(_ size: CELCostEstimate, _ factor: Double) -> (CELCostEstimate, CELCostEstimate?) {
        (size.scaled(factor) + .one + CELCostEstimate(CostRule.listBase), size)
    }

    // MARK: the Kubernetes libraries

    private static let constantFunctions: Set<String> = [
        "serviceAccount", "path", "group", "resource", "subresource", "namespace", "name", "allowed", "reason", "error",
        "errored", "masked", "prefixLength", "family", "isUnspecified", "isLoopback", "isLinkLocalMulticast",
        "isLinkLocalUnicast", "isGlobalUnicast", "format.named", "sign", "asInteger", "isInteger", "asApproximateFloat",
        "isGreaterThan", "isLessThan", "compareTo", "add", "sub", "major", "minor", "patch", "getScheme", "getHostname",
        "getHost", "getPort", "getEscapedPath", "getQuery",
    ]

    private mutating func libraryCost(_ call: CallSite) -> (CELCostEstimate, CELCostEstimate?)? {
        if Self.constantFunctions.contains(call.function) { return (.one, nil) }
        switch call.function {
        case "check": return (CELCostEstimate(350_000), nil)
        case "fieldSelector", "labelSelector":
            guard call.arguments.count == 1 else { return nil }
            return (selectorCost(knownSize(call.arguments[0])), nil)
        case "isSorted", "sum", "max", "min", "indexOf", "lastIndexOf":
            guard let target = call.target else { return nil }
            return (walkCost(target), nil)
        case "url", "jsonpatch.escapeKey":
            guard call.arguments.count == 1 else { return nil }
            let size = knownSize(call.arguments[0])
            return (size.scaled(Self.traversal), size)
        case "cidr", "isIP", "isCIDR", "quantity", "isQuantity", "semver", "isSemver":
            guard let argument = call.arguments.first else { return nil }
            return (knownSize(argument).scaled(Self.traversal), nil)
        case "ip":
            if call.overload == "cidr_ip" { return (.one, nil) }
            guard let argument = call.arguments.first else { return nil }
            return (knownSize(argument).scaled(Self.traversal), nil)
        case "ip.isCanonical":
            guard let argument = call.arguments.first else { return nil }
            return (knownSize(argument).scaled(2 * Self.traversal), nil)
        case "containsIP", "containsCIDR", "validate", OperatorName.equals: return checkCost(call)
        default: return textCost(call)
        }
    }

    private mutating func walkCost(_ target: Expression) -> CELCostEstimate {
        let size = knownSize(target)
        guard let element = type(of: target).parameters.first else { return size.scaled(Self.traversal) }
        var each = CELCostEstimate.one
        if element == .string || element == .bytes {
            let place = path(target)
            let known = place.isEmpty || place.first == Parser.accumulator ? nil : declaredSize(place + ["@items"])
            each = each + (known ?? .unknown).scaled(Self.traversal)
        }
        return size * each
    }

    private func selectorCost(_ length: CELCostEstimate) -> CELCostEstimate {
        let requirements = length.scaled(0.5).scaled(Double(CostRule.listBase + CostRule.messageBase))
        return CELCostEstimate(CostRule.listBase) + length.scaled(Self.traversal) + requirements
    }

    private mutating func checkCost(_ call: CallSite) -> (CELCostEstimate, CELCostEstimate?)? {
        guard let first = call.arguments.first else { return nil }
        switch call.function {
        case "containsIP", "containsCIDR":
            let address = CELCostEstimate(min: 4, max: 16)
            var cost = (address + address).scaled(Self.traversal)
            if call.function == "containsCIDR" { cost = cost + address.scaled(Self.traversal) + .one }
            if call.overload.hasSuffix("_string") { cost = cost + knownSize(first).scaled(Self.traversal) }
            return (cost, nil)
        case "validate":
            let text = knownSize(first).scaled(Self.traversal)
            return (text.scaled(Double(NamedFormat.longestPattern) * CostRule.patternFactor), nil)
        default:
            guard call.arguments.count == 2, type(of: first) == type(of: call.arguments[1]) else { return nil }
            return equalityCost(type(of: first), call.arguments[1])
        }
    }

    private mutating func equalityCost(_ type: CELType, _ other: Expression) -> (CELCostEstimate, CELCostEstimate?)? {
        switch type {
        case TypeNames.format: return (CELCostEstimate(min: 1, max: 64).scaled(Self.traversal), nil)
        case TypeNames.url:
            let size = size(other) ?? .one
            return (CELCostEstimate(min: 1, max: size.max).scaled(Self.traversal), nil)
        case TypeNames.ip, TypeNames.cidr, TypeNames.quantity, TypeNames.semver, TypeNames.authorizer, TypeNames.pathCheck,
            TypeNames.groupCheck, TypeNames.resourceCheck, TypeNames.decision:
            return (.one, nil)
        default: return nil
        }
    }

    private mutating func textCost(_ call: CallSite) -> (CELCostEstimate, CELCostEstimate?)? {
        guard let target = call.target else { return nil }
        switch call.function {
        case "lowerAscii", "upperAscii", "substring", "trim":
            let size = knownSize(target)
            return (size.scaled(Self.traversal), size)
        case "replace":
            guard call.arguments.count >= 2 else { return nil }
            let size = knownSize(target)
            return (size.scaled(2 * Self.traversal), replacedSize(size, knownSize(call.arguments[0]), knownSize(call.arguments[1])))
        case "split":
            let size = knownSize(target)
            var most = size.max
            if call.arguments.count > 1, case .literal(.int(let limit)) = call.arguments[1].kind { most = UInt64(bitPattern: limit) }
            return (size.scaled(2 * Self.traversal), CELCostEstimate(min: 0, max: most))
        case "join": return joinedCost(call, target)
        case "find", "findAll":
            guard let pattern = call.arguments.first else { return nil }
            let size = knownSize(target)
            let text = (size + .one).scaled(Self.traversal)
            return (text * knownSize(pattern).scaled(CostRule.patternFactor), CELCostEstimate(min: 0, max: size.max))
        default: return nil
        }
    }

    private mutating func joinedCost(_ call: CallSite, _ target: Expression) -> (CELCostEstimate, CELCostEstimate?) {
        let count = knownSize(target)
        let place = path(target)
        let known = place.isEmpty || place.first == Parser.accumulator ? nil : declaredSize(place + ["@items"])
        var size = count * (known ?? .unknown)
        if let separator = call.arguments.first {
            let gaps = CELCostEstimate(min: count.min > 0 ? count.min - 1 : 0, max: count.max > 0 ? count.max - 1 : 0)
            size = size + knownSize(separator) * gaps
        }
        return (size.scaled(Self.traversal), size)
    }

    /// The size of a text after replacements.
    private func replacedSize(_ size: CELCostEstimate, _ old: CELCostEstimate, _ new: CELCostEstimate) -> CELCostEstimate {
        func count(_ length: UInt64, _ divisor: UInt64) -> UInt64 {
            let quotient = (Double(length) / Double(divisor)).rounded(.up)
            return UInt64(exactly: quotient) ?? .max
        }
        var most: (count: UInt64, kept: UInt64) = (0, 0)
        if old.min == 0 {
            most = (size.max.addedSaturating(1), size.max)
        } else if new.max <= old.min {
            most = (0, size.max)
        } else {
            most = (count(size.max, old.min), 0)
        }
        var least: (count: UInt64, kept: UInt64) = (0, 0)
        if old.max == 0 {
            least = (size.min.addedSaturating(1), size.min)
        } else if old.max <= new.min {
            least = (0, size.min)
        } else {
            least = (count(size.min, old.max), 0)
        }
        let counts = CELCostEstimate(min: least.count, max: most.count)
        return counts * new + CELCostEstimate(min: least.kept, max: most.kept)
    }
}
