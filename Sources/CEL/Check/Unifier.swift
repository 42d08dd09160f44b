/// Finds the types that type parameters stand for. The work is counted: types with shared parts could take forever.
struct Unifier {
    /// Most steps of one check.
    private static let mostSteps = 3_000_000
    /// Most types a type is made of.
    static let heaviestType = 2_000

    private var found: [String: CELType] = [:]
    private var journal: [(name: String, previous: CELType?)] = []
    private var steps = 0
    private var parameters = 0

    /// Whether the check took more work than allowed; its results are then void.
    var isExhausted: Bool { steps > Self.mostSteps }

    /// A type to be found.
    mutating func newParameter() -> CELType {
        defer { parameters += 1 }
        return .parameter("_var\(parameters)")
    }

    private mutating func step() -> Bool {
        steps += 1
        return steps <= Self.mostSteps
    }

    private mutating func bind(_ name: String, _ type: CELType) {
        journal.append((name, found[name]))
        found[name] = type
    }

    /// Whether `b` may stand where `a` is asked for; what that tells of parameters is kept only if so.
    mutating func assign(_ a: CELType, _ b: CELType) -> Bool { attempt { $0.isAssignable(a, b) } }

    /// The same for lists of types.
    mutating func assign(_ a: [CELType], _ b: [CELType]) -> Bool { attempt { $0.areAssignable(a, b) } }

    private mutating func attempt(_ body: (inout Unifier) -> Bool) -> Bool {
        let mark = journal.count
        if body(&self) { return true }
        while journal.count > mark, let (name, previous) = journal.popLast() { found[name] = previous }
        return false
    }

    private mutating func areAssignable(_ a: [CELType], _ b: [CELType]) -> Bool {
        guard a.count == b.count else { return false }
        for (left, right) in zip(a, b) where !isAssignable(left, right) { return false }
        return true
    }

    private mutating func isAssignable(_ a: CELType, _ b: CELType) -> Bool {
        guard step() else { return false }
        if case .parameter(let name) = b {
            let (isValid, isBound) = substitution(of: a, for: name)
            if isValid { return true }
            if isBound { return false }
        }
        if case .parameter(let name) = a { return substitution(of: b, for: name).isValid }
        if a.isDynOrError || b.isDynOrError { return true }
        if a == .null { return b.isNullable }
        if b == .null { return a.isNullable }
        switch (a, b) {
        case (.type, .type): return true
        case (.list(let x), .list(let y)): return isAssignable(x, y)
        case (.map(let k, let v), .map(let l, let w)): return isAssignable(k, l) && isAssignable(v, w)
        case (.opaque(let x, let left), .opaque(let y, let right)): return x == y && areAssignable(left, right)
        default: return a == b
        }
    }

    private mutating func substitution(of type: CELType, for name: String) -> (isValid: Bool, isBound: Bool) {
        if case .parameter(name) = type { return (true, true) }
        if let known = found[name] {
            if type == known { return (true, true) }
            guard isAssignable(type, known) else { return (false, true) }
            let general = Self.mostGeneral(type, known)
            if isFree(name, in: general) { bind(name, general) }
            return (true, true)
        }
        guard isFree(name, in: type) else { return (false, false) }
        bind(name, type)
        return (true, false)
    }

    /// Whether parameter `name` does not occur in `type`.
    private mutating func isFree(_ name: String, in type: CELType) -> Bool {
        guard step() else { return false }
        if case .parameter(let other) = type {
            guard other != name else { return false }
            guard let known = found[other] else { return true }
            return isFree(name, in: known)
        }
        for parameter in type.parameters where !isFree(name, in: parameter) { return false }
        return true
    }

    /// The type with all that is known of its parameters; what is unknown becomes `dyn` when `isFinal`.
    mutating func resolve(_ type: CELType, isFinal: Bool = false) -> CELType {
        guard step() else { return .error }
        switch type {
        case .parameter(let name):
            if let known = found[name] { return resolve(known, isFinal: isFinal) }
            return isFinal ? .dyn : type
        case .list(let element): return .list(resolve(element, isFinal: isFinal))
        case .map(let key, let value): return .map(resolve(key, isFinal: isFinal), resolve(value, isFinal: isFinal))
        case .type(let inner?): return .type(resolve(inner, isFinal: isFinal))
        case .opaque(let name, let parameters):
            var resolved: [CELType] = []
            for parameter in parameters { resolved.append(resolve(parameter, isFinal: isFinal)) }
            return .opaque(name, resolved)
        default: return type
        }
    }

    /// A copy of the types with parameters of their own.
    mutating func instantiate(_ types: [CELType]) -> [CELType] {
        var names: [String: CELType] = [:]
        return types.map { instantiate($0, &names) }
    }

    private mutating func instantiate(_ type: CELType, _ names: inout [String: CELType]) -> CELType {
        switch type {
        case .parameter(let name):
            if let known = names[name] { return known }
            let fresh = newParameter()
            names[name] = fresh
            return fresh
        case .list(let element): return .list(instantiate(element, &names))
        case .map(let key, let value): return .map(instantiate(key, &names), instantiate(value, &names))
        case .type(let inner?): return .type(instantiate(inner, &names))
        case .opaque(let name, let parameters): return .opaque(name, parameters.map { instantiate($0, &names) })
        default: return type
        }
    }

    static func mostGeneral(_ a: CELType, _ b: CELType) -> CELType { isAsGeneral(a, b) ? a : b }

    private static func isAsGeneral(_ a: CELType, _ b: CELType) -> Bool {
        if a.isDyn { return true }
        if case .parameter = a { return true }
        if b.isDyn { return false }
        if case .parameter = b { return false }
        switch (a, b) {
        case (.list(let x), .list(let y)): return isAsGeneral(x, y)
        case (.map(let k, let v), .map(let l, let w)): return isAsGeneral(k, l) && isAsGeneral(v, w)
        case (.opaque(let x, let left), .opaque(let y, let right)):
            return x == y && left.count == right.count && zip(left, right).allSatisfy { isAsGeneral($0, $1) }
        case (.type, .type): return true
        default: return a == b
        }
    }
}
