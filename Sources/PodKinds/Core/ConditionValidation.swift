import Schema
import Units
import Values

/// What is wrong with conditions of the general form, which newer kinds share.
///
/// Source: apimachinery meta/v1/validation.
package enum ConditionValidation {
    private static let longestReason = 1024
    private static let longestMessage = 32 * 1024
    private static let reasonWords =
        "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', "
        + "and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  "
        + "or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"

    /// A list of conditions, one of each type.
    package static func check(_ conditions: [JSONValue], _ path: FieldPath, _ issues: inout [FieldIssue]) {
        var types: Set<String> = []
        for (index, condition) in conditions.enumerated() {
            let place = path.index(index)
            let type = condition.text("type")
            if !types.insert(type).inserted { issues.append(.duplicate(place.child("type"), .string(type))) }
            issues.qualifiedName(type, place.child("type"))
            issues.oneOf(condition.text("status"), ["False", "True", "Unknown"], place.child("status"))
            if let generation = condition["observedGeneration"]?.int, generation < 0 {
                issues.invalid(place.child("observedGeneration"), .integer(generation), "must be greater than or equal to zero")
            }
            if condition["lastTransitionTime"]?.string == nil { issues.required(place.child("lastTransitionTime")) }
            reason(condition.text("reason"), place.child("reason"), &issues)
            if condition.text("message").utf8.count > longestMessage {
                issues.append(.tooLong(place.child("message"), maximum: longestMessage))
            }
        }
    }

    private static func reason(_ reason: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let first = reason.utf8.first, let last = reason.utf8.last else { return issues.required(path) }
        let isLetter = { (byte: UInt8) in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        let isWord = { (byte: UInt8) in
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        }
        let isInner = { (byte: UInt8) in isWord(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":") }
        if !(isLetter(first) && isWord(last) && reason.utf8.allSatisfy(isInner)) { issues.invalid(path, .string(reason), reasonWords) }
        if reason.utf8.count > longestReason { issues.append(.tooLong(path, maximum: longestReason)) }
    }
}
