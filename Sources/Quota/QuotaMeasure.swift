import APIModel
import Units
import Values

/// How objects of one kind are counted and weighed.
public struct QuotaMeasure: Sendable, Hashable {
    private enum Kind: Sendable, Hashable { case pods, services, volumeClaims, deviceClaims, objects }

    /// What is done to an object.
    public enum Operation: Sendable {
        /// A new object.
        case create
        /// A change.
        case update
    }

    /// The kind of the objects.
    public let resource: GroupResource
    private let kind: Kind

    /// Kinds that are answered but not kept, and events, of which there are as many as there are.
    private static let ignored: Set<GroupResource> = [
        .plain("bindings"), .plain("componentstatuses"), .plain("events"), GroupResource(group: "events.k8s.io", resource: "events"),
        GroupResource(group: "authentication.k8s.io", resource: "tokenreviews"),
        GroupResource(group: "authentication.k8s.io", resource: "selfsubjectreviews"),
        GroupResource(group: "authorization.k8s.io", resource: "subjectaccessreviews"),
        GroupResource(group: "authorization.k8s.io", resource: "selfsubjectaccessreviews"),
        GroupResource(group: "authorization.k8s.io", resource: "localsubjectaccessreviews"),
        GroupResource(group: "authorization.k8s.io", resource: "selfsubjectrulesreviews"),
    ]
    /// Kinds that were counted under their plain names before `count/` was there.
    private static let plainNames: Set<GroupResource> = [
        .plain("configmaps"), .plain("resourcequotas"), .plain("replicationcontrollers"), .plain("secrets"),
    ]

    /// The measure of a kind; nil for kinds that are not counted.
    public init?(_ resource: GroupResource) {
        guard !Self.ignored.contains(resource) else { return nil }
        self.resource = resource
        kind =
            switch (resource.group, resource.resource) {
            case ("", "pods"): .pods
            case ("", "services"): .services
            case ("", "persistentvolumeclaims"): .volumeClaims
            case ("resource.k8s.io", "resourceclaims"): .deviceClaims
            default: .objects
            }
    }

    /// Whether objects have to be looked at; otherwise their number is enough.
    public var weighs: Bool { kind != .objects }

    /// The measures that a quota with these names needs.
    public static func needed(for names: [String], _ surroundings: QuotaSurroundings) -> [QuotaMeasure] {
        let weighed: [GroupResource] = [
            .plain("pods"), .plain("services"), .plain("persistentvolumeclaims"),
            GroupResource(group: "resource.k8s.io", resource: "resourceclaims"),
        ]
        var resources = weighed + plainNames
        for name in names where name.hasPrefix("count/") {
            let parts = name.dropFirst("count/".count).split(separator: ".", maxSplits: 1)
            guard let plural = parts.first else { continue }
            let resource = GroupResource(group: parts.count > 1 ? String(parts[1]) : "", resource: String(plural))
            if !resources.contains(resource) { resources.append(resource) }
        }
        return resources.compactMap { QuotaMeasure($0) }.filter { !$0.tracked(names, surroundings).isEmpty }
    }

    /// Whether any of the names may stand for devices.
    public static func mayConcernDevices(_ names: [String]) -> Bool {
        names.contains { $0 == DeviceUsage.count || $0.hasSuffix(DeviceNames.perClass) || DeviceNames.isExtendedRequest($0) }
    }

    /// Which of the names this measure gives numbers for.
    public func tracked(_ names: [String], _ surroundings: QuotaSurroundings) -> [String] {
        switch kind {
        case .pods: names.filter(PodUsage.tracks)
        case .services: names.filter(ServiceUsage.names.contains)
        case .volumeClaims: names.filter(VolumeClaimUsage.tracks)
        case .deviceClaims: names.filter { DeviceUsage.tracks($0, surroundings) }
        case .objects: names.filter(objectNames.contains)
        }
    }

    private var objectNames: [String] {
        let plural = resource.resource
        let count = "count/\(plural)" + (resource.group.isEmpty ? "" : ".\(resource.group)")
        return Self.plainNames.contains(resource) ? [count, plural] : [count]
    }

    /// Whether a write can take more of a quota.
    public func handles(_ operation: Operation, subresource: String, object: JSONValue, old: JSONValue?) -> Bool {
        switch (kind, operation, subresource) {
        case (.pods, .update, ""): PodUsage.isTimed(object) != PodUsage.isTimed(old ?? [:])
        case (.pods, .update, "resize"): true
        case (.volumeClaims, .update, "status"): VolumeClaimUsage.differ(old ?? [:], object)
        case (.services, .update, ""), (.volumeClaims, .update, ""), (.deviceClaims, .update, ""): true
        case (_, .create, ""): true
        default: false
        }
    }

    /// What one object takes.
    public func usage(of object: JSONValue, now: Timestamp, _ surroundings: QuotaSurroundings) -> ResourceAmounts {
        switch kind {
        case .pods: PodUsage.usage(of: object, now: now)
        case .services: ServiceUsage.usage(of: object)
        case .volumeClaims: VolumeClaimUsage.usage(of: object)
        case .deviceClaims: DeviceUsage.usage(of: object, now: now, surroundings)
        case .objects: usage(ofMany: 1)
        }
    }

    /// What so many objects take, for measures that do not weigh.
    func usage(ofMany number: Int) -> ResourceAmounts {
        ResourceAmounts(Dictionary(uniqueKeysWithValues: objectNames.map { ($0, Quantity(value: Int64(number))) }))
    }

    /// Whether an object meets all requirements of a quota.
    func matches(_ scopes: [ScopeRequirement], _ object: JSONValue) -> Bool {
        scopes.allSatisfy { scope in
            switch kind {
            case .pods: PodUsage.matches(scope, object)
            case .volumeClaims: VolumeClaimUsage.matches(scope, object)
            case .services, .deviceClaims, .objects: false
            }
        }
    }

    /// What the object fails to state although it is limited.
    func omissions(_ object: JSONValue, limited: [String]) -> String? {
        kind == .pods ? PodUsage.omissions(object, limited: limited) : nil
    }

    /// Whether a change of an object may have freed something.
    public func frees(_ old: JSONValue, _ new: JSONValue, now: Timestamp) -> Bool {
        switch kind {
        case .pods:
            PodUsage.isTimed(old) != PodUsage.isTimed(new) || PodUsage.isAlive(old, now: now) != PodUsage.isAlive(new, now: now)
                || Self.actualResources(old) != Self.actualResources(new)
        case .services: ServiceUsage.chargedType(of: old) != ServiceUsage.chargedType(of: new)
        case .volumeClaims: VolumeClaimUsage.differ(old, new)
        case .deviceClaims, .objects: false
        }
    }

    private static func actualResources(_ pod: JSONValue) -> [JSONValue?] {
        ["containerStatuses", "initContainerStatuses"].flatMap { list in
            (pod["status"]?[list]?.array ?? []).map { $0["resources"] }
        }
    }
}

extension GroupResource {
    /// A resource of the core group.
    static func plain(_ resource: String) -> GroupResource { GroupResource(group: "", resource: resource) }
}
