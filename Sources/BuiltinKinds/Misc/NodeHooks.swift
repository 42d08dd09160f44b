import APIModel
import Units
import Values

/// The behaviour of nodes.
struct NodeHooks: KindHooks {
    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        let info = object.value(at: ["status", "nodeInfo"]) ?? [:]
        return [
            Cells.name(object), .string(status(object)), .string(roles(object)), Cells.age(object, now: now), info["kubeletVersion"] ?? "",
            .string(address(object, "InternalIP")), .string(address(object, "ExternalIP")), .string(info["osImage"]?.string ?? "<unknown>"),
            .string(info["kernelVersion"]?.string ?? "<unknown>"), .string(info["containerRuntimeVersion"]?.string ?? "<unknown>"),
        ]
    }

    private func status(_ object: JSONValue) -> String {
        let conditions = object.value(at: ["status", "conditions"])?.array ?? []
        let ready = conditions.first { $0["type"]?.string == "Ready" }
        var texts = [ready == nil ? "Unknown" : (ready?["status"]?.string == "True" ? "Ready" : "NotReady")]
        if object.value(at: ["spec", "unschedulable"])?.bool == true { texts.append("SchedulingDisabled") }
        return texts.joined(separator: ",")
    }

    private func roles(_ object: JSONValue) -> String {
        let prefix = "node-role.kubernetes.io/"
        var roles: Set<String> = []
        for (key, value) in object.value(at: ["metadata", "labels"])?.object ?? [:] {
            if key.hasPrefix(prefix), key.count > prefix.count {
                roles.insert(String(key.dropFirst(prefix.count)))
            } else if key == "kubernetes.io/role", let role = value.string, !role.isEmpty {
                roles.insert(role)
            }
        }
        return roles.isEmpty ? "<none>" : roles.sorted().joined(separator: ",")
    }

    private func address(_ object: JSONValue, _ type: String) -> String {
        let addresses = object.value(at: ["status", "addresses"])?.array ?? []
        return addresses.first { $0["type"]?.string == type }?["address"]?.string ?? "<none>"
    }
}

/// The behaviour of namespaces.
struct NamespaceHooks: KindHooks {
    func defaults(_ object: inout JSONValue) {
        guard let name = object.value(at: ["metadata", "name"])?.string, !name.isEmpty else { return }
        object.set(.string(name), at: ["metadata", "labels", "kubernetes.io/metadata.name"])
    }

    func prepareForCreate(_ object: inout JSONValue, _ context: HookContext) {
        defaults(&object)
        object["status"] = ["phase": "Active"]
        var finalizers = object.value(at: ["spec", "finalizers"])?.array ?? []
        if !finalizers.contains("kubernetes") { finalizers.append("kubernetes") }
        object.set(.array(finalizers), at: ["spec", "finalizers"])
    }

    func prepareForUpdate(_ object: inout JSONValue, old: JSONValue, _ context: HookContext) {
        object.set(old.value(at: ["spec", "finalizers"]) ?? [], at: ["spec", "finalizers"])
    }

    func cells(_ object: JSONValue, now: Timestamp) -> [JSONValue]? {
        [Cells.name(object), object.value(at: ["status", "phase"]) ?? "", Cells.age(object, now: now)]
    }
}
