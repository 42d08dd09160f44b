import PodKinds
import Schema
import Units
import Values

/// The features that a node says it has: words joined by slashes, sorted.
enum NodeFeatures {
    private static let longest = 253
    private static let form =
        "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), "
        + "and contain only alphanumeric characters and slashes"

    static func check(_ node: JSONValue, _ issues: inout [FieldIssue]) {
        let features = node["status"]?.texts("declaredFeatures") ?? []
        let path = FieldPath("status").child("declaredFeatures")
        for (index, feature) in features.enumerated() {
            if let problem = problem(feature) {
                issues.invalid(path.index(index), .string(feature), "invalid feature name \(GoQuote.quote(feature)): \(problem)")
            }
            guard index + 1 < features.count else { continue }
            let next = features[index + 1]
            if feature == next {
                issues.append(.duplicate(path.index(index + 1), .string(next)))
            } else if feature.utf8.lexicographicallyPrecedes(next.utf8) == false {
                issues.invalid(path.index(index + 1), .string(next), "list must be sorted alphabetically")
            }
        }
    }

    private static func problem(_ feature: String) -> String? {
        if feature.utf8.count > longest { return "must be no more than \(longest) characters" }
        let segments = feature.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            guard let first = segment.first, index == 0 ? isCapital(first) : isLetter(first), segment.allSatisfy(isPart) else {
                return form
            }
        }
        return nil
    }

    private static func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { isCapital(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isPart(_ byte: UInt8) -> Bool { isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
