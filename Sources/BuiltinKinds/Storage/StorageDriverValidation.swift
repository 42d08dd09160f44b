import PodKinds
import Schema
import Units
import Values

/// What is wrong with storage drivers, and with what they say about nodes.
///
/// Source: pkg/apis/storage/validation.
enum StorageDriverValidation {
    private static let longestNodeID = 256
    private static let shortestPeriod: Int64 = 10
    private static let shortestToken: Int64 = 600
    private static let longestToken: Int64 = 1 << 32

    /// A CSIDriver's spec.
    static func driver(_ spec: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if spec["attachRequired"]?.bool == nil { issues.required(path.child("attachedRequired")) }
        for field in ["podInfoOnMount", "storageCapacity"] where spec[field]?.bool == nil { issues.required(path.child(field)) }
        if let policy = spec["fsGroupPolicy"]?.string {
            issues.oneOf(policy, ["File", "None", "ReadWriteOnceWithFSType"], path.child("fsGroupPolicy"))
        }
        tokens(spec.list("tokenRequests"), path.child("tokenRequests"), &issues)
        for mode in spec.texts("volumeLifecycleModes") {
            issues.oneOf(mode, ["Persistent", "Ephemeral"], path.child("volumeLifecycleModes"))
        }
        if spec["seLinuxMount"]?.bool == nil { issues.required(path.child("seLinuxMount")) }
        if let period = spec["nodeAllocatableUpdatePeriodSeconds"]?.int, period < shortestPeriod {
            let words = "must be greater than or equal to 10 seconds"
            issues.invalid(path.child("nodeAllocatableUpdatePeriodSeconds"), .integer(period), words)
        }
        if let isInSecrets = spec["serviceAccountTokenInSecrets"], spec.list("tokenRequests").isEmpty {
            let words = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
            issues.invalid(path.child("serviceAccountTokenInSecrets"), isInSecrets, words)
        }
    }

    private static func tokens(_ requests: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var audiences: Set<String> = []
        for (index, request) in requests.enumerated() {
            let place = path.index(index)
            let audience = request.text("audience")
            guard audiences.insert(audience).inserted else {
                issues.append(.duplicate(place.child("audience"), .string(audience)))
                continue
            }
            guard let seconds = request["expirationSeconds"]?.int else { continue }
            let field = place.child("expirationSeconds")
            if seconds < shortestToken {
                issues.invalid(field, .integer(seconds), "may not specify a duration less than 10 minutes")
            }
            if seconds > longestToken {
                issues.invalid(field, .integer(seconds), "may not specify a duration larger than 2^32 seconds")
            }
        }
    }

    /// The drivers of a CSINode.
    static func node(_ drivers: [JSONValue], _ issues: inout [FieldIssue]) {
        var names: Set<String> = []
        for (index, driver) in drivers.enumerated() {
            let place = FieldPath("spec.drivers").index(index)
            let (name, node) = (driver.text("name"), driver.text("nodeID"))
            StorageSourceValidation.driverName(name, place.child("name"), &issues)
            issues.need(node, place.child("nodeID"))
            if node.utf8.count > longestNodeID {
                issues.invalid(place.child("nodeID"), .string(node), "must be \(longestNodeID) characters or less")
            }
            issues.nonNegative(driver["allocatable"]?["count"]?.int, place.child("allocatable", "count"))
            if !names.insert(name).inserted { issues.append(.duplicate(place.child("name"), .string(name))) }
            var keys: Set<String> = []
            for key in driver.texts("topologyKeys") {
                issues.need(key, place)
                if !keys.insert(key).inserted { issues.append(.duplicate(place, .string(key))) }
                issues.qualifiedName(key, place)
            }
        }
    }

    /// Of a driver that is there, only how many volumes it takes may change.
    static func nodeUpdate(_ drivers: [JSONValue], _ old: [JSONValue], _ issues: inout [FieldIssue]) {
        for before in old {
            for driver in drivers where driver["name"] == before["name"] {
                var (new, known) = (driver, before)
                new["allocatable"] = nil
                known["allocatable"] = nil
                issues.immutable(new, known, FieldPath("spec.drivers"))
            }
        }
    }
}
