import Schema
import Units
import Values

/// Operators on values.
extension Evaluation {
    func apply(_ symbol: BinaryOperator, _ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
        switch symbol {
        case .add: return try add(a, b)
        case .subtract: return try Arithmetic.subtract(a, b)
        case .multiply: return try Arithmetic.multiply(a, b)
        case .divide: return try Arithmetic.divide(a, b)
        case .modulo: return try Arithmetic.modulo(a, b)
        case .less: return .bool(try order(a, b, OperatorName.less) < 0)
        case .lessEquals: return .bool(try order(a, b, OperatorName.lessEquals) <= 0)
        case .greater: return .bool(try order(a, b, OperatorName.greater) > 0)
        case .greaterEquals: return .bool(try order(a, b, OperatorName.greaterEquals) >= 0)
        case .in: return .bool(try isMember(a, of: b))
        }
    }

    private func order(_ a: CELValue, _ b: CELValue, _ name: String) throws(CELError) -> Int {
        switch a {
        case .null, .list, .map, .type, .optional, .object: throw CELError("no such overload: \(name)")
        default: break
        }
        guard let order = try Arithmetic.compare(a, b) else { throw CELError("NaN values cannot be ordered") }
        return order
    }

    private func isMember(_ value: CELValue, of container: CELValue) throws(CELError) -> Bool {
        switch container {
        case .list(let list): return try contains(list, value)
        case .map(let map): return try map.find(value) != nil
        default: throw .noSuchOverload
        }
    }

    /// Whether an element equals `value`.
    func contains(_ list: CELList, _ value: CELValue) throws(CELError) -> Bool {
        for index in 0..<list.count where try areEqual(try list.element(index), value) { return true }
        return false
    }

    private func add(_ a: CELValue, _ b: CELValue) throws(CELError) -> CELValue {
        switch (a, b) {
        case (.int(let x), .int(let y)): return .int(try Arithmetic.checked(x.addingReportingOverflow(y)))
        case (.uint(let x), .uint(let y)): return .uint(try Arithmetic.checked(x.addingReportingOverflow(y)))
        case (.double(let x), .double(let y)): return .double(x + y)
        case (.string(let x), .string(let y)):
            try allocateText(x.utf8.count + y.utf8.count)
            return .string(x + y)
        case (.bytes(let x), .bytes(let y)):
            try allocateText(x.count + y.count)
            return .bytes(x + y)
        case (.list(let x), .list(let y)): return .list(try join(x, y))
        case (.duration(let x), .duration(let y)): return .duration(try Arithmetic.checked(x.addingReportingOverflow(y)))
        case (.timestamp(let x), .duration(let y)), (.duration(let y), .timestamp(let x)):
            return .timestamp(try Arithmetic.shift(x, y))
        default: throw .noSuchOverload
        }
    }

    // MARK: lists by their schema

    private func join(_ a: CELList, _ b: CELList) throws(CELError) -> CELList {
        try allocate(a.count + b.count)
        switch a.listType {
        case .atomic:
            if case .json(let left, let schema) = a.storage, case .json(let right, let other) = b.storage, schema === other {
                return CELList(json: left + right, schema: schema)
            }
            return CELList(try a.values() + b.values())
        case .set: return try joinSet(a, b)
        case .map(let keys): return try joinMap(a, b, keys)
        }
    }

    private func joinSet(_ a: CELList, _ b: CELList) throws(CELError) -> CELList {
        if case .json(let left, let schema) = a.storage, case .json(let right, _) = b.storage {
            var seen = Set(left)
            var joined = left
            for element in right where seen.insert(element).inserted { joined.append(element) }
            return CELList(json: joined, schema: schema)
        }
        var joined = try a.values()
        for element in try b.values() where try !contains(CELList(joined), element) { joined.append(element) }
        return CELList(joined)
    }

    private func joinMap(_ a: CELList, _ b: CELList, _ keys: [String]) throws(CELError) -> CELList {
        guard case .json(var joined, let schema) = a.storage, case .json(let right, _) = b.storage else {
            return try joinValues(a, b, keys)
        }
        var places: [[JSONValue?]: Int] = [:]
        for (index, element) in joined.enumerated() { places[keys.map { element[$0] }] = index }
        for element in right {
            let key = keys.map { element[$0] }
            if let place = places[key] {
                joined[place] = element
            } else {
                places[key] = joined.count
                joined.append(element)
            }
        }
        return CELList(json: joined, schema: schema)
    }

    private func joinValues(_ a: CELList, _ b: CELList, _ keys: [String]) throws(CELError) -> CELList {
        var joined = try a.values()
        for element in try b.values() {
            var place: Int?
            for (index, known) in joined.enumerated() where try haveSameKeys(known, element, keys) { place = index }
            if let place { joined[place] = element } else { joined.append(element) }
        }
        return CELList(joined)
    }

    private func haveSameKeys(_ a: CELValue, _ b: CELValue, _ keys: [String]) throws(CELError) -> Bool {
        guard case .map(let x) = a, case .map(let y) = b else { return false }
        for name in keys {
            let key = CELValue.string(FieldEscape.escape(name) ?? name)
            let left = try x.find(key)
            let right = try y.find(key)
            guard (left == nil) == (right == nil) else { return false }
            if let left, let right, try !areEqual(left, right) { return false }
        }
        return true
    }

    // MARK: equality

    /// Whether two values are equal: numbers by value, lists and maps by content, sets and keyed lists without order.
    func areEqual(_ a: CELValue, _ b: CELValue, depth: Int = 0) throws(CELError) -> Bool {
        try compareStep(depth)
        guard depth == StackRoom.shallow else { return try areEqualHere(a, b, depth) }
        return try StackRoom.result { () throws(CELError) in try areEqualHere(a, b, depth) }
    }

    private func areEqualHere(_ a: CELValue, _ b: CELValue, _ depth: Int) throws(CELError) -> Bool {
        switch (a, b) {
        case (.null, .null): return true
        case (.bool(let x), .bool(let y)): return x == y
        case (.int, .int), (.int, .uint), (.int, .double), (.uint, .int), (.uint, .uint), (.uint, .double), (.double, .int),
            (.double, .uint), (.double, .double):
            return try Arithmetic.compare(a, b) == 0
        case (.string(let x), .string(let y)): return x.utf8.elementsEqual(y.utf8)
        case (.bytes(let x), .bytes(let y)): return x == y
        case (.timestamp(let x), .timestamp(let y)): return x == y
        case (.duration(let x), .duration(let y)): return x == y
        case (.type(let x), .type(let y)): return x.name == y.name
        case (.optional(let x), .optional(let y)): return try areEqual(x, y, depth: depth)
        case (.list(let x), .list(let y)): return try areEqual(x, y, depth: depth)
        case (.map(let x), .map(let y)): return try areEqual(x, y, depth: depth)
        case (.object(let x), .object(let y)): return x.isEqual(to: y)
        default: return false
        }
    }

    private func areEqual(_ a: CELOptional, _ b: CELOptional, depth: Int) throws(CELError) -> Bool {
        switch (a.value, b.value) {
        case (nil, nil): true
        case (let x?, let y?): try areEqual(x, y, depth: depth + 1)
        default: false
        }
    }

    private func areEqual(_ a: CELList, _ b: CELList, depth: Int) throws(CELError) -> Bool {
        guard a.count == b.count else { return false }
        switch a.listType {
        case .atomic:
            for index in 0..<a.count where try !areEqual(try a.element(index), try b.element(index), depth: depth + 1) {
                return false
            }
            return true
        case .set:
            if case .json(let left, _) = a.storage, case .json(let right, _) = b.storage {
                let known = Set(left)
                return right.allSatisfy { known.contains($0) }
            }
            for index in 0..<b.count where try !contains(a, try b.element(index)) { return false }
            return true
        case .map(let keys): return try areEqualByKeys(a, b, keys, depth: depth)
        }
    }

    private func areEqualByKeys(_ a: CELList, _ b: CELList, _ keys: [String], depth: Int) throws(CELError) -> Bool {
        guard case .json(let left, _) = a.storage, case .json(let right, _) = b.storage else {
            for index in 0..<b.count where try !contains(a, try b.element(index)) { return false }
            return true
        }
        var places: [[JSONValue?]: Int] = [:]
        for (index, element) in left.enumerated() { places[keys.map { element[$0] }] = index }
        for (index, element) in right.enumerated() {
            guard let place = places[keys.map { element[$0] }] else { return false }
            if try !areEqual(try a.element(place), try b.element(index), depth: depth + 1) { return false }
        }
        return true
    }

    private func areEqual(_ a: CELMap, _ b: CELMap, depth: Int) throws(CELError) -> Bool {
        guard a.count == b.count else { return false }
        if case .json(let left, nil) = a.storage, case .json(let right, nil) = b.storage { return try areEqual(left, right, depth) }
        for key in a.keys() {
            let left = try a.find(key)
            let right = try b.find(key)
            guard (left == nil) == (right == nil) else { return false }
            if let left, let right, try !areEqual(left, right, depth: depth + 1) { return false }
        }
        return try haveSameUnknowns(a, b)
    }

    private func areEqual(_ a: JSONObject, _ b: JSONObject, _ depth: Int) throws(CELError) -> Bool {
        for (key, value) in a {
            guard let other = b[key], try areEqual(.untyped(value), .untyped(other), depth: depth + 1) else { return false }
        }
        return true
    }

    /// Fields that the schema does not know count where they are kept.
    private func haveSameUnknowns(_ a: CELMap, _ b: CELMap) throws(CELError) -> Bool {
        guard case .json(let left, let schema?) = a.storage, case .json(let right, _) = b.storage, schema.body.preservesUnknownFields
        else { return true }
        for (key, value) in left where schema.field(key) == nil {
            if let other = right[key], other != value { return false }
        }
        return true
    }
}
