import APITypes
import Units

/// Amounts of what a node offers or a pod asks for, in the units the scheduler computes with.
package struct Resources: Sendable, Hashable {
    /// Thousandths of a core.
    package var milliCPU: Int64
    /// Bytes.
    package var memory: Int64
    /// Bytes.
    package var ephemeralStorage: Int64
    /// Extended resources, huge pages and attachable volumes, by name.
    package var scalars: [String: Int64]

    /// So much of each.
    package init(milliCPU: Int64 = 0, memory: Int64 = 0, ephemeralStorage: Int64 = 0, scalars: [String: Int64] = [:]) {
        self.milliCPU = milliCPU
        self.memory = memory
        self.ephemeralStorage = ephemeralStorage
        self.scalars = scalars
    }

    /// The amounts of a resource list; `pods` is not among them.
    package init(_ list: [String: Quantity]) {
        self.init()
        for (name, quantity) in list {
            switch name {
            case "cpu": milliCPU = quantity.milliValue
            case "memory": memory = quantity.value
            case "ephemeral-storage": ephemeralStorage = quantity.value
            case "pods": break
            default: scalars[name] = quantity.value
            }
        }
    }

    /// Nothing is asked for.
    package var isZero: Bool { milliCPU == 0 && memory == 0 && ephemeralStorage == 0 && scalars.isEmpty }

    mutating func add(_ other: Resources) {
        milliCPU += other.milliCPU
        memory += other.memory
        ephemeralStorage += other.ephemeralStorage
        for (name, amount) in other.scalars { scalars[name, default: 0] += amount }
    }

    mutating func subtract(_ other: Resources) {
        milliCPU -= other.milliCPU
        memory -= other.memory
        ephemeralStorage -= other.ephemeralStorage
        for (name, amount) in other.scalars { scalars[name, default: 0] -= amount }
    }

    /// At least as much of everything as `other`.
    mutating func raise(to other: Resources) {
        milliCPU = max(milliCPU, other.milliCPU)
        memory = max(memory, other.memory)
        ephemeralStorage = max(ephemeralStorage, other.ephemeralStorage)
        for (name, amount) in other.scalars { scalars[name] = max(scalars[name] ?? 0, amount) }
    }
}

/// What a pod asks for in all, and what scoring counts for it when it asks for nothing.
struct PodRequests {
    /// What a container that names no request is scored with.
    static let defaultMilliCPU: Int64 = 100
    static let defaultMemory: Int64 = 200 << 20

    var requests = Resources()
    var nonZeroMilliCPU: Int64 = 0
    var nonZeroMemory: Int64 = 0

    /// The sum of the containers, raised to what the init containers need while they run, plus overhead; pod-level
    /// requests replace the sum. What is being resized counts with the most of what it has and what it is to have.
    init(_ spec: PodSpec, _ status: PodStatus) {
        let held = HeldAmounts(status)
        let running = spec.containers.map { Wish($0, held) }
        let starting = spec.initContainers.map { Wish($0, $0.restartPolicy == "Always" ? held : nil) }
        let whole = spec.resources.map { held?.whole($0.requests, status) ?? $0.requests }
        requests = Self.total(whole, spec.overhead, running, starting, missing: Resources())
        let missing = Resources(milliCPU: Self.defaultMilliCPU, memory: Self.defaultMemory)
        let isComplete = running.allSatisfy(\.isComplete) && starting.allSatisfy(\.isComplete)
        let counted = isComplete ? requests : Self.total(whole, spec.overhead, running, starting, missing: missing)
        nonZeroMilliCPU = counted.milliCPU
        nonZeroMemory = counted.memory
    }

    /// What one container asks for, read once.
    private struct Wish {
        let amounts: Resources
        let namesCPU: Bool
        let namesMemory: Bool
        let isSidecar: Bool

        init(_ container: Container, _ held: HeldAmounts?) {
            let wanted = container.resources.requests
            let list = held?.container(container, wanted) ?? wanted
            amounts = Resources(list)
            namesCPU = list["cpu"] != nil
            namesMemory = list["memory"] != nil
            isSidecar = container.restartPolicy == "Always"
        }

        var isComplete: Bool { namesCPU && namesMemory }

        func filled(from missing: Resources) -> Resources {
            var amounts = amounts
            if !namesCPU { amounts.milliCPU = missing.milliCPU }
            if !namesMemory { amounts.memory = missing.memory }
            return amounts
        }
    }

    private static func total(
        _ whole: [String: Quantity]?,
        _ overhead: [String: Quantity],
        _ running: [Wish],
        _ first: [Wish],
        missing: Resources
    ) -> Resources {
        var total = Resources()
        for wish in running { total.add(wish.filled(from: missing)) }
        var sidecars = Resources()
        var starting = Resources()
        for wish in first {
            let own = wish.filled(from: missing)
            if wish.isSidecar {
                total.add(own)
                sidecars.add(own)
                starting.raise(to: sidecars)
            } else {
                var needed = own
                needed.add(sidecars)
                starting.raise(to: needed)
            }
        }
        total.raise(to: starting)
        if let pod = whole, !pod.isEmpty {
            let level = Resources(pod)
            if pod["cpu"] != nil { total.milliCPU = level.milliCPU }
            if pod["memory"] != nil { total.memory = level.memory }
            for (name, amount) in level.scalars where name.hasPrefix("hugepages-") { total.scalars[name] = amount }
        }
        if !overhead.isEmpty { total.add(Resources(overhead)) }
        return total
    }
}
