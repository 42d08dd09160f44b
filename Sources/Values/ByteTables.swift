/// Byte classes for the scanners: filled once, never written again, never freed.
enum ByteTables {
    // Proof for `unsafe`: each table is written only inside its once-only initializer.

    /// 1 where a string scan must stop: quote, backslash, control, non-ASCII.
    nonisolated(unsafe) static let stringStops = table { byte in
        byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// 1 where Go's encoder escapes: control, quote, backslash, `<`, `>`, `&`; and 0xE2, which may begin U+2028.
    nonisolated(unsafe) static let escapes = table { byte in
        byte < 0x20 || byte == 0xE2 || "\"\\<>&".utf8.contains(byte)
    }

    /// What an empty text points to.
    nonisolated(unsafe) static let empty = table { _ in false }

    private static func table(_ predicate: (UInt8) -> Bool) -> UnsafeMutablePointer<UInt8> {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        for index in 0..<256 { (table + index).initialize(to: predicate(UInt8(index)) ? 1 : 0) }
        return table
    }
}

/// Keys that nearly every object has and that are too long for Swift's inline strings: kept once for all trees.
enum KnownKeys {
    private static let slots = 512
    private static let names: [String] = [
        "activeDeadlineSeconds", "allocatedResources", "allowPrivilegeEscalation", "app.kubernetes.io/component",
        "app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/name",
        "app.kubernetes.io/part-of", "app.kubernetes.io/version", "automountServiceAccountToken",
        "availableReplicas", "blockOwnerDeletion", "clusterIPs", "collisionCount", "containerStatuses",
        "creationTimestamp", "daemonEndpoints", "defaultMode", "deletionGracePeriodSeconds", "deletionTimestamp",
        "deprecatedCount", "deprecatedFirstTimestamp", "deprecatedLastTimestamp", "enableServiceLinks",
        "ephemeralContainers", "ephemeralContainerStatuses", "expirationSeconds", "externalTrafficPolicy",
        "failureThreshold", "fullyLabeledReplicas", "generateName", "imagePullPolicy", "imagePullSecrets",
        "initContainerStatuses", "initialDelaySeconds", "internalTrafficPolicy", "ipFamilyPolicy",
        "kubectl.kubernetes.io/last-applied-configuration", "kubernetes.io/hostname", "lastHeartbeatTime",
        "lastProbeTime", "lastTransitionTime", "lastUpdateTime", "loadBalancer", "observedGeneration",
        "persistentVolumeClaim", "pod-template-hash", "preemptionPolicy", "progressDeadlineSeconds",
        "publishNotReadyAddresses", "readinessGates", "reportingComponent", "reportingController",
        "reportingInstance", "requiredDuringSchedulingIgnoredDuringExecution", "resourceVersion",
        "preferredDuringSchedulingIgnoredDuringExecution", "revisionHistoryLimit", "runAsNonRoot",
        "readOnlyRootFilesystem", "seccompProfile", "securityContext", "serviceAccount", "serviceAccountName",
        "serviceAccountToken", "sessionAffinity", "sessionAffinityConfig", "successThreshold",
        "terminationGracePeriodSeconds", "terminationMessagePath", "terminationMessagePolicy",
        "tolerationSeconds", "topologySpreadConstraints", "unavailableReplicas", "updatedReplicas",
        "volumeClaimTemplates", "observedResourceVersion", "lastScheduleTime", "priorityClassName",
        "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "kubernetes.io/metadata.name",
        "lifecycleTransitionTime", "infrastructureRef", "restartPolicyRules", "fieldManagerNames",
    ]

    private struct Slot: Sendable {
        var length: Int
        var key: String
        var bytes: [UInt8]
    }

    private static let table: [Slot] = {
        var table = [Slot](repeating: Slot(length: 0, key: "", bytes: []), count: slots)
        for name in names where name.utf8.count > 15 {
            let bytes = Array(name.utf8)
            let index = bytes.withUnsafeBufferPointer { hash($0) }
            table[index] = Slot(length: bytes.count, key: name, bytes: bytes)
        }
        return table
    }()

    /// The shared string with these bytes (at least 16), if it is a known key.
    static func lookUp(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        let slot = table[hash(bytes)]
        guard slot.length == bytes.count else { return nil }
        let same = slot.bytes.withUnsafeBufferPointer { compareBuffers($0, bytes) == 0 }
        return same ? slot.key : nil
    }

    private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard let base = UnsafeRawPointer(bytes.baseAddress), bytes.count >= 8 else { return 0 }
        let head = base.loadUnaligned(as: UInt64.self)
        let tail = base.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
        let mixed = (head &* 0x9E37_79B9_7F4A_7C15) ^ (tail &* 0xC2B2_AE3D_27D4_EB4F) ^ UInt64(bytes.count)
        return Int((mixed ^ (mixed >> 29)) & UInt64(slots - 1))
    }
}
