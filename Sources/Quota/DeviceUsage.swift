import Units
import Values

/// Names of resources that devices stand behind.
enum DeviceNames {
    static let perClass = ".deviceclass.resource.k8s.io/devices"
    static let implicit = "deviceclass.resource.kubernetes.io/"
    private static let request = "requests."
    private static let native = "kubernetes.io/"

    /// A resource that is not Kubernetes' own, or that names a device class.
    static func isExtended(_ name: String) -> Bool {
        if name.hasPrefix(implicit) { return true }
        return name.contains("/") && !name.contains(native) && !name.hasPrefix(request)
    }

    /// `requests.` and the name of an extended resource.
    static func isExtendedRequest(_ name: String) -> Bool {
        guard name.hasPrefix(request) else { return false }
        return name.hasPrefix(request + implicit) || (name.contains("/") && !name.contains(native))
    }

    static func withoutRequest(_ name: String) -> String { String(name.dropFirst(request.count)) }
}

/// What accounting has to know beside the object itself.
public struct QuotaSurroundings: Sendable {
    /// The extended resource of each device class; empty text for a class that has none.
    public var deviceClasses: @Sendable () -> [String: String]
    /// A pod of the namespace, by name.
    public var pod: @Sendable (_ namespace: String, _ name: String) -> JSONValue?
    /// The device claims of the namespace.
    public var deviceClaims: @Sendable (_ namespace: String) -> [JSONValue]

    /// What is known.
    public init(
        deviceClasses: @escaping @Sendable () -> [String: String] = { [:] },
        pod: @escaping @Sendable (_ namespace: String, _ name: String) -> JSONValue? = { _, _ in nil },
        deviceClaims: @escaping @Sendable (_ namespace: String) -> [JSONValue] = { _ in [] }
    ) {
        (self.deviceClasses, self.pod, self.deviceClaims) = (deviceClasses, pod, deviceClaims)
    }

    /// The extended resources of device classes read.
    public static func extendedResources(_ classes: [JSONValue]) -> [String: String] {
        var found: [String: String] = [:]
        for item in classes {
            guard let name = item.value(at: ["metadata", "name"])?.string else { continue }
            found[name] = item.value(at: ["spec", "extendedResourceName"])?.string ?? ""
        }
        return found
    }
}

/// What a device claim takes of a quota.
enum DeviceUsage {
    static let count = "count/resourceclaims.resource.k8s.io"
    /// A request for all devices counts as the most an allocation can have.
    private static let most: Int64 = 32

    static func tracks(_ name: String, _ surroundings: QuotaSurroundings) -> Bool {
        if name == count || name.hasSuffix(DeviceNames.perClass) { return true }
        guard DeviceNames.isExtendedRequest(name) else { return false }
        let classes = surroundings.deviceClasses()
        let resource = DeviceNames.withoutRequest(name)
        if resource.hasPrefix(DeviceNames.implicit) { return classes[String(resource.dropFirst(DeviceNames.implicit.count))] != nil }
        return classes.values.contains(resource)
    }

    static func usage(of claim: JSONValue, now: Timestamp, _ surroundings: QuotaSurroundings) -> ResourceAmounts {
        var usage = ResourceAmounts([count: Quantity(value: 1)])
        var devices = ResourceAmounts()
        for request in claim.value(at: ["spec", "devices", "requests"])?.array ?? [] {
            if let choices = request["firstAvailable"]?.array, !choices.isEmpty {
                var worst = ResourceAmounts()
                for choice in choices { worst.raise(to: amount(choice)) }
                devices.add(worst.withoutZeros)
            } else if let exact = request["exactly"], exact.object != nil {
                devices.add(amount(exact))
            }
        }
        usage.add(extended(devices, taken: podUsage(of: claim, now: now, surroundings), surroundings))
        return usage
    }

    private static func amount(_ request: JSONValue) -> ResourceAmounts {
        let number: Int64 =
            switch request["allocationMode"]?.string {
            case "ExactCount": request["count"]?.int ?? 0
            case "All": most
            default: 0
            }
        return ResourceAmounts([(request["deviceClassName"]?.string ?? "") + DeviceNames.perClass: Quantity(value: number)])
    }

    /// The devices, also under the names of the extended resources they stand for, less what the claim's pod is charged for.
    private static func extended(
        _ devices: ResourceAmounts,
        taken: ResourceAmounts,
        _ surroundings: QuotaSurroundings
    ) -> ResourceAmounts {
        if devices.isEmpty { return devices }
        let classes = surroundings.deviceClasses()
        var result = devices
        for (name, number) in devices.entries {
            let device = String(name.dropLast(DeviceNames.perClass.count))
            if device.isEmpty { continue }
            var names = ["requests." + DeviceNames.implicit + device]
            if let resource = classes[device], !resource.isEmpty { names.append("requests." + resource) }
            for name in names {
                let rest = number - (taken[name] ?? .zero)
                if rest > .zero { result[name] = rest }
            }
        }
        return result
    }

    /// What the pod that a claim was made for is charged, when the claim is truly its one.
    private static func podUsage(of claim: JSONValue, now: Timestamp, _ surroundings: QuotaSurroundings) -> ResourceAmounts {
        guard isForExtendedResource(claim), let owner = podOwner(of: claim) else { return ResourceAmounts() }
        let metadata = claim["metadata"]
        let namespace = metadata?["namespace"]?.string ?? ""
        guard let pod = surroundings.pod(namespace, owner.name), pod.value(at: ["metadata", "uid"])?.string == owner.uid else {
            return ResourceAmounts()
        }
        let name = metadata?["name"]?.string ?? ""
        if let status = pod["status"]?["extendedResourceClaimStatus"], status.object != nil {
            if status["resourceClaimName"]?.string != name { return ResourceAmounts() }
        } else {
            let made = metadata?["creationTimestamp"]?.string ?? ""
            for other in surroundings.deviceClaims(namespace) where isForExtendedResource(other) && podOwner(of: other)?.uid == owner.uid {
                let otherMade = other.value(at: ["metadata", "creationTimestamp"])?.string ?? ""
                let otherName = other.value(at: ["metadata", "name"])?.string ?? ""
                if (otherMade, otherName) < (made, name) { return ResourceAmounts() }
            }
        }
        return PodUsage.usage(of: pod, now: now)
    }

    private static func isForExtendedResource(_ claim: JSONValue) -> Bool {
        claim.value(at: ["metadata", "annotations", "resource.kubernetes.io/extended-resource-claim"])?.string == "true"
    }

    private static func podOwner(of claim: JSONValue) -> (name: String, uid: String)? {
        let owners = claim.value(at: ["metadata", "ownerReferences"])?.array ?? []
        guard let owner = owners.first(where: { $0["controller"] == .bool(true) }), owner["kind"]?.string == "Pod",
            owner["apiVersion"]?.string == "v1", let name = owner["name"]?.string, let uid = owner["uid"]?.string
        else { return nil }
        return (name, uid)
    }
}
