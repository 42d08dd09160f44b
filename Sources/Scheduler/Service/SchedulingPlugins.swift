import APIClient

/// The plugins of the binding cycle, in order: Reserve, Permit, PreBind, Bind, PostBind.
struct SchedulingPlugins: Sendable {
    private let reserve: [any ReservePlugin]
    private let permit: [any PermitPlugin]
    private let preBind: [any PreBindPlugin]
    private let binders: [any BindPlugin]
    private let postBind: [any PostBindPlugin]

    init(_ profile: SchedulingProfile, client: APIClient) {
        reserve = profile.plugins((any ReservePlugin).self)
        permit = profile.plugins((any PermitPlugin).self)
        preBind = profile.plugins((any PreBindPlugin).self)
        binders = profile.plugins((any BindPlugin).self) + [DefaultBinder(client: client)]
        postBind = profile.plugins((any PostBindPlugin).self)
    }

    /// Takes a pod through the binding cycle; what was reserved is given back when it fails.
    func bind(_ pod: SchedulingPod, to node: String) async -> Status {
        let status = await attempt(pod, node)
        if status.isSuccess {
            for plugin in postBind { await plugin.postBind(pod, to: node) }
        } else {
            for plugin in reserve.reversed() { await plugin.unreserve(pod, on: node) }
        }
        return status
    }

    private func attempt(_ pod: SchedulingPod, _ node: String) async -> Status {
        for plugin in reserve {
            let status = await plugin.reserve(pod, on: node)
            if !status.isSuccess { return Self.explain("Reserve", plugin.name, status) }
        }
        for plugin in permit {
            let status = await plugin.permit(pod, on: node)
            if !status.isSuccess { return Self.explain("Permit", plugin.name, status) }
        }
        for plugin in preBind {
            let status = await plugin.preBind(pod, to: node)
            if !status.isSuccess { return Self.explain("PreBind", plugin.name, status) }
        }
        for plugin in binders {
            let status = await plugin.bind(pod, to: node)
            if status.code == .skip { continue }
            return status.isSuccess ? status : Self.explain("Bind", plugin.name, status)
        }
        return Status(.error, ["no plugin binds the pod"])
    }

    private static func explain(_ point: String, _ plugin: String, _ status: Status) -> Status {
        if status.isRejected { return status }
        return Status(status.code, ["running \(point) plugin \"\(plugin)\": \(status.message)"], plugin: plugin)
    }
}
