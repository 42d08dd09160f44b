/// What computes a call whose arguments fit.
typealias FunctionBody = @Sendable (_ arguments: [CELValue], _ evaluation: Evaluation) throws(CELError) -> CELValue

/// One way to call a function.
struct Overload: Sendable {
    let id: String
    let parameters: [CELType]
    let result: CELType
    /// Whether the first parameter stands before the dot.
    let isMember: Bool
    /// What computes it; nil for operators, which the evaluator knows.
    let body: FunctionBody?

    /// Whether types are yet to be found.
    var isGeneric: Bool { result.isGeneric || parameters.contains { $0.isGeneric } }
}

extension CELType {
    var isGeneric: Bool {
        if case .parameter = self { return true }
        return parameters.contains { $0.isGeneric }
    }
}

/// A function with all its overloads.
final class FunctionDeclaration: Sendable {
    let name: String
    let overloads: [Overload]

    init(_ name: String, _ overloads: [Overload]) {
        self.name = name
        self.overloads = overloads
    }

    /// The value of a call, by the overload that the arguments fit.
    func call(_ arguments: [CELValue], isMember: Bool, _ evaluation: Evaluation) throws(CELError) -> CELValue {
        for overload in overloads where overload.isMember == isMember && overload.parameters.count == arguments.count {
            guard let body = overload.body else { continue }
            var fits = true
            for (parameter, argument) in zip(overload.parameters, arguments) where fits { fits = argument.fits(parameter) }
            if fits { return try body(arguments, evaluation) }
        }
        // Untyped lists flatten whatever they hold.
        if name == "flatten", case .list? = arguments.first, let body = overloads.first?.body { return try body(arguments, evaluation) }
        throw noSuchOverload(arguments)
    }

    /// Functions that upstream computes by one body say less of what they were given.
    private func noSuchOverload(_ arguments: [CELValue]) -> CELError {
        let types = arguments.map { $0.type.name }
        switch name {
        case "contains", "startsWith", "endsWith", "matches": return .noSuchOverload
        case "size", "sort": return CELError("no such overload: \(name)")
        case "flatten":
            let target = arguments.first?.type.description ?? ""
            return CELError("no such overload: \(target).flatten(\(types.dropFirst().joined(separator: ", ")))")
        default: return CELError("no such overload: \(name)(\(types.joined(separator: ", ")))")
        }
    }
}

extension CELValue {
    /// Whether the value may stand where `type` is asked for. Of lists and maps one element speaks for all.
    func fits(_ type: CELType) -> Bool {
        switch (self, type) {
        case (_, .dyn), (_, .parameter): return true
        case (.null, .null), (.bool, .bool), (.int, .int), (.uint, .uint), (.double, .double), (.string, .string),
            (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration), (.type, .type):
            return true
        case (.list(let list), .list(let element)):
            guard list.count > 0, !element.isDyn, let first = try? list.element(0) else { return true }
            return first.fits(element)
        case (.map, .map), (.map, .object): return true
        case (.optional(let optional), .opaque(CELType.optionalName, let parameters)):
            guard let value = optional.value, let inner = parameters.first else { return true }
            return value.fits(inner)
        case (.object(let object), .named), (.object(let object), .opaque), (.object(let object), .object):
            return object.type == type
        default: return false
        }
    }
}

/// The functions of the language and of the Kubernetes libraries, by name.
struct FunctionTable: Sendable {
    private(set) var byName: [String: FunctionDeclaration] = [:]

    /// Adds overloads to a function.
    mutating func add(_ name: String, _ overloads: [Overload]) {
        byName[name] = FunctionDeclaration(name, (byName[name]?.overloads ?? []) + overloads)
    }

    /// Adds an overload called `name(…)`.
    mutating func global(_ name: String, _ id: String, _ parameters: [CELType], _ result: CELType, _ body: @escaping FunctionBody) {
        add(name, [Overload(id: id, parameters: parameters, result: result, isMember: false, body: body)])
    }

    /// Adds an overload called `first.name(…)`.
    mutating func member(_ name: String, _ id: String, _ parameters: [CELType], _ result: CELType, _ body: @escaping FunctionBody) {
        add(name, [Overload(id: id, parameters: parameters, result: result, isMember: true, body: body)])
    }

    /// Adds an overload that the evaluator computes itself.
    mutating func builtin(_ name: String, _ id: String, _ parameters: [CELType], _ result: CELType, isMember: Bool = false) {
        add(name, [Overload(id: id, parameters: parameters, result: result, isMember: isMember, body: nil)])
    }

    /// Everything that Kubernetes v1.36 offers. Source: apiserver/pkg/cel/environment/base.go.
    static let kubernetes: FunctionTable = {
        var table = FunctionTable()
        table.addOperators()
        table.addConversions()
        table.addStrings()
        table.addTime()
        table.addOptionals()
        table.addLists()
        table.addKubernetesLists()
        table.addSets()
        table.addRegex()
        table.addURLs()
        table.addAddresses()
        table.addQuantities()
        table.addVersions()
        table.addFormats()
        table.addAuthorizer()
        return table
    }()
}
