/// Calls: which overloads fit.
extension Checker {
    mutating func checkCall(_ expression: Expression) {
        guard case .call(let target, let function, let arguments) = expression.kind else { return }
        if function == OperatorName.optionalSelect, target == nil {
            checkOptionalSelect(expression, arguments)
            return
        }
        for argument in arguments { check(argument) }
        guard let target else {
            let name = function.hasPrefix(".") ? String(function.dropFirst()) : function
            guard let declaration = environment.function(name) else {
                undeclared(expression.id, name)
                return
            }
            expression.kind = .call(target: nil, function: name, arguments: arguments)
            resolve(expression, declaration, nil, arguments)
            return
        }
        if let prefix = target.qualifiedName {
            let qualified = "\(prefix.hasPrefix(".") ? String(prefix.dropFirst()) : prefix).\(function)"
            if let declaration = environment.function(qualified) {
                expression.kind = .call(target: nil, function: qualified, arguments: arguments)
                resolve(expression, declaration, nil, arguments)
                return
            }
        }
        check(target)
        guard let declaration = environment.function(function) else {
            undeclared(expression.id, function)
            return
        }
        resolve(expression, declaration, target, arguments)
    }

    private mutating func checkOptionalSelect(_ expression: Expression, _ arguments: [Expression]) {
        guard arguments.count == 2, case .literal(.string(let field)) = arguments[1].kind else {
            report("unsupported optional field selection", expression.id)
            return
        }
        let result = selectField(expression.id, arguments[0], field, isOptional: true)
        set(expression, unifier.resolve(result))
        set(arguments[1], .string)
        references[expression.id] = .overloads(["select_optional_field"])
    }

    private mutating func resolve(
        _ expression: Expression,
        _ function: FunctionDeclaration,
        _ target: Expression?,
        _ arguments: [Expression]
    ) {
        let actual = ((target.map { [$0] } ?? []) + arguments).map { type(of: $0) }
        if function.name == OperatorName.and || function.name == OperatorName.or {
            checkLogical(expression, function, arguments)
            return
        }
        var ids: [String] = []
        var result: CELType?
        for overload in function.overloads where overload.isMember == (target != nil) {
            guard overload.parameters.count == actual.count else { continue }
            var parameters = overload.parameters
            var overloadResult = overload.result
            if overload.isGeneric {
                let fresh = unifier.instantiate([overload.result] + overload.parameters)
                overloadResult = fresh[0]
                parameters = Array(fresh.dropFirst())
            }
            guard unifier.assign(actual, parameters) else { continue }
            ids.append(overload.id)
            overloadResult = unifier.resolve(overloadResult)
            if let known = result {
                if !known.isDyn, known != overloadResult { result = .dyn }
            } else {
                result = overloadResult
            }
        }
        guard let result else {
            noMatch(expression, function.name, actual, isMember: target != nil)
            return
        }
        set(expression, result)
        references[expression.id] = .overloads(ids)
    }

    private mutating func checkLogical(_ expression: Expression, _ function: FunctionDeclaration, _ arguments: [Expression]) {
        var isValid = true
        for argument in arguments {
            let actual = type(of: argument)
            if !unifier.assign(actual, .bool) {
                mismatch(argument.id, .bool, actual)
                isValid = false
            }
        }
        guard isValid else { return }
        set(expression, .bool)
        references[expression.id] = .overloads(function.overloads.map(\.id))
    }

    private mutating func noMatch(_ expression: Expression, _ name: String, _ actual: [CELType], isMember: Bool) {
        var types: [String] = []
        for type in actual { types.append(unifier.resolve(type, isFinal: true).description) }
        let head = isMember ? "\(types[0])." : ""
        let rest = types.dropFirst(isMember ? 1 : 0).joined(separator: ", ")
        report("found no matching overload for '\(name)' applied to '\(head)(\(rest))'", expression.id)
    }
}
