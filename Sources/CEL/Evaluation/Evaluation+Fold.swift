/// Comprehensions.
extension Evaluation {
    func fold(_ fold: FoldPlan) throws(CELError) -> CELValue {
        let range = try value(of: fold.range)
        // What the slots hold belongs to an outer turn of the same comprehension.
        locals[fold.accumulator] = .pending(fold.start)
        if let appended = fold.appended {
            var list = GrowingList()
            try turns(fold, range) { evaluation throws(CELError) in try evaluation.append(fold, appended, &list) }
            return try finish(fold, list.failure, .list(CELList(list.values)))
        }
        if let inserted = fold.inserted {
            var map = GrowingMap()
            try turns(fold, range) { evaluation throws(CELError) in try evaluation.insert(fold, inserted, &map) }
            return try finish(fold, map.failure, .map(CELMap(map.entries)))
        }
        try turns(fold, range) { evaluation throws(CELError) in try evaluation.turn(fold) }
        return try value(of: fold.result)
    }

    /// Calls `body` for each element until it says false.
    private func turns(_ fold: FoldPlan, _ range: CELValue, _ body: (Evaluation) throws(CELError) -> Bool) throws(CELError) {
        switch range {
        case .list(let list):
            for index in 0..<list.count {
                try step()
                try setVariables(fold, list, index)
                if try !body(self) { return }
            }
        case .map(let map):
            for key in map.keys() {
                try step()
                try setVariables(fold, map, key)
                if try !body(self) { return }
            }
        default: throw CELError("got '\(range.goTypeName)', expected iterable type")
        }
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
        if case .success(.bool(false)) = try attempt(fold.condition) { return false }
        switch try attempt(fold.step) {
        case .success(let value): locals[fold.accumulator] = .value(value)
        case .failure(let error): locals[fold.accumulator] = .failed(error)
        }
        return true
    }

    // MARK: accumulators that grow in place, at the cost of the steps they stand for

    private struct GrowingList {
        var values: [CELValue] = []
        var failure: CELError?
    }

    private struct GrowingMap {
        var entries = CELEntries()
        var failure: CELError?
    }

    /// Whether the test before a step holds; nil when it fails, which the accumulator then is.
    private func passes(_ test: Plan?, _ failure: inout CELError?) throws(CELError) -> Bool {
        guard let test else { return true }
        switch try attempt(test) {
        case .success(.bool(let holds)): return holds
        case .success: failure = .noSuchOverload
        case .failure(let error): failure = error
        }
        return false
    }

    private func append(_ fold: FoldPlan, _ appended: (test: Plan?, element: Plan), _ list: inout GrowingList) throws(CELError) -> Bool {
        guard try passes(appended.test, &list.failure) else { return true }
        // The accumulator, the list of one element, and the sum.
        try charge(1 + CostRule.listBase + 1)
        switch try attempt(appended.element) {
        case .success(let value):
            guard list.failure == nil else { return true }
            try allocate(1)
            guard list.values.count < ValueLimits.mostElements else { throw .tooLarge }
            list.values.append(value)
        case .failure(let error): list.failure = list.failure ?? error
        }
        return true
    }

    private func insert(_ fold: FoldPlan, _ inserted: (test: Plan?, parts: [Plan]), _ map: inout GrowingMap) throws(CELError) -> Bool {
        guard try passes(inserted.test, &map.failure) else { return true }
        // The accumulator and the call.
        try charge(2)
        do {
            var parts: [CELValue] = []
            for part in inserted.parts { parts.append(try value(of: part)) }
            guard map.failure == nil else { return true }
            try MapInsertion.insert(&map.entries, parts, self)
        } catch {
            if error.isFatal { throw error }
            map.failure = map.failure ?? error
        }
        return true
    }

    private func finish(_ fold: FoldPlan, _ failure: CELError?, _ value: CELValue) throws(CELError) -> CELValue {
        locals[fold.accumulator] = failure.map { .failed($0) } ?? .value(value)
        return try self.value(of: fold.result)
    }
}
