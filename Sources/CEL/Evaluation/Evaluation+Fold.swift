/// Comprehensions.
extension Evaluation {
    func fold(_ fold: FoldPlan) throws(CELError) -> CELValue {
        let range = try value(of: fold.range)
        // What the slots hold belongs to an outer turn of the same comprehension.
        locals[fold.accumulator] = .pending(fold.start)
        if let element = fold.appended {
            return try collect(fold, range, element)
        }
        switch range {
        case .list(let list):
            for index in 0..<list.count {
                try setVariables(fold, list, index)
                if try !turn(fold) { break }
            }
        case .map(let map):
            for key in map.keys() {
                try setVariables(fold, map, key)
                if try !turn(fold) { break }
            }
        default: throw CELError("got '\(range.type.name)', expected iterable type")
        }
        return try value(of: fold.result)
    }

    private func setVariables(_ fold: FoldPlan, _ list: CELList, _ index: Int) throws(CELError) {
        let element = Self.local { () throws(CELError) in try list.element(index) }
        guard let second = fold.second else {
            locals[fold.variable] = element
            return
        }
        locals[fold.variable] = .value(.int(Int64(index)))
        locals[second] = element
    }

    private func setVariables(_ fold: FoldPlan, _ map: CELMap, _ key: CELValue) throws(CELError) {
        locals[fold.variable] = .value(key)
        guard let second = fold.second else { return }
        locals[second] = Self.local { () throws(CELError) in try map.find(key) ?? .null }
    }

    /// A value, or its failure to be met when it is used.
    private static func local(_ body: () throws(CELError) -> CELValue) -> Local {
        do {
            return .value(try body())
        } catch { return .failed(error) }
    }

    /// One turn; false when the condition ends the loop.
    private func turn(_ fold: FoldPlan) throws(CELError) -> Bool {
        try step()
        if case .success(.bool(false)) = try attempt(fold.condition) { return false }
        switch try attempt(fold.step) {
        case .success(let value): locals[fold.accumulator] = .value(value)
        case .failure(let error): locals[fold.accumulator] = .failed(error)
        }
        return true
    }

    /// A comprehension that appends: the list grows in place, at the cost of the sums it stands for.
    private func collect(_ fold: FoldPlan, _ range: CELValue, _ appended: (test: Plan?, element: Plan)) throws(CELError) -> CELValue {
        var values: [CELValue] = []
        var failure: CELError?
        func turn() throws(CELError) {
            try step()
            try collectTurn(fold, appended, &values, &failure)
        }
        switch range {
        case .list(let list):
            for index in 0..<list.count {
                try setVariables(fold, list, index)
                try turn()
            }
        case .map(let map):
            for key in map.keys() {
                try setVariables(fold, map, key)
                try turn()
            }
        default: throw CELError("got '\(range.type.name)', expected iterable type")
        }
        // The empty list to start with, when it was needed or is the result.
        if let failure {
            try charge(1)
            throw failure
        }
        locals[fold.accumulator] = .value(.list(CELList(values)))
        return try value(of: fold.result)
    }

    private func collectTurn(
        _ fold: FoldPlan,
        _ appended: (test: Plan?, element: Plan),
        _ values: inout [CELValue],
        _ failure: inout CELError?
    ) throws(CELError) {
        if let test = appended.test {
            switch try attempt(test) {
            case .success(.bool(true)): break
            case .success(.bool(false)): return
            case .success:
                failure = .noSuchOverload
                return
            case .failure(let error):
                failure = error
                return
            }
        }
        // The accumulator, the list of one element, and the sum.
        try charge(1 + CostRule.listBase + 1)
        switch try attempt(appended.element) {
        case .success(let value):
            guard failure == nil else { return }
            try allocate(1)
            guard values.count < ValueLimits.mostElements else { throw .tooLarge }
            values.append(value)
        case .failure(let error): failure = failure ?? error
        }
    }
}
