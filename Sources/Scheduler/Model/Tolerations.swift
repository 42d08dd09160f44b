import APITypes

/// What a node does to pods that do not tolerate it.
package struct NodeTaint: Sendable, Hashable {
    /// What happens to pods that do not tolerate the taint.
    package enum Effect: String, Sendable, Hashable {
        case noSchedule = "NoSchedule"
        case preferNoSchedule = "PreferNoSchedule"
        case noExecute = "NoExecute"
    }

    package let key: String
    package let value: String
    /// nil for an effect this version does not know.
    package let effect: Effect?

    /// A taint.
    package init(key: String, value: String = "", effect: Effect?) {
        self.key = key
        self.value = value
        self.effect = effect
    }

    init(_ taint: Taint) {
        self.init(key: taint.key, value: taint.value, effect: Effect(rawValue: taint.effect))
    }
}

/// What a pod tolerates.
package struct PodToleration: Sendable, Hashable {
    package let key: String
    package let isExists: Bool
    package let value: String
    /// Empty for all effects.
    package let effect: String

    /// A toleration.
    package init(key: String, isExists: Bool, value: String = "", effect: String = "") {
        self.key = key
        self.isExists = isExists
        self.value = value
        self.effect = effect
    }

    init(_ toleration: Toleration) {
        self.init(
            key: toleration.key,
            isExists: toleration.operator == "Exists",
            value: toleration.value,
            effect: toleration.effect
        )
    }

    /// Whether the pod may be where the taint is.
    func tolerates(_ taint: NodeTaint) -> Bool {
        if !effect.isEmpty && effect != taint.effect?.rawValue ?? "" { return false }
        if !key.isEmpty && key != taint.key { return false }
        if isExists { return true }
        return value == taint.value && !key.isEmpty
    }
}

extension [PodToleration] {
    func tolerate(_ taint: NodeTaint) -> Bool {
        contains { $0.tolerates(taint) }
    }
}
