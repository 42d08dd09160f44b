import Units
import Values

/// Which selectors of a reviewed question could not be read: the answer says so, and does without them.
///
/// Source: pkg/registry/authorization/util/helpers.go.
enum SelectorReview {
    /// What is said of the selectors; nil when there is nothing to say.
    static func problem(_ attributes: JSONValue?) -> String? {
        let problems = [("fieldSelector", field(attributes?["fieldSelector"])), ("labelSelector", label(attributes?["labelSelector"]))]
        let words = problems.compactMap { name, reading -> String? in
            switch reading {
            case .sound: nil
            case .partial: "spec.resourceAttributes.\(name) partially ignored due to parse error"
            case .broken: "spec.resourceAttributes.\(name) ignored due to parse error"
            }
        }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }

    private enum Reading { case sound, partial, broken }

    private static func requirements(_ selector: JSONValue?, _ isSound: (JSONValue) -> Bool) -> Reading? {
        guard let list = selector?["requirements"]?.array, !list.isEmpty else { return nil }
        let sound = list.count(where: isSound)
        if sound == list.count { return .sound }
        return sound == 0 ? .broken : .partial
    }

    private static func raw(_ selector: JSONValue?, _ parse: (String) throws(SelectorError) -> Void) -> Reading {
        guard let text = selector?["rawSelector"]?.string, !text.isEmpty else { return .sound }
        do throws(SelectorError) {
            try parse(text)
            return .sound
        } catch {
            return .broken
        }
    }

    private static func values(_ requirement: JSONValue) -> [String] { (requirement["values"]?.array ?? []).map { $0.string ?? "" } }

    /// One field has one value here.
    private static func field(_ selector: JSONValue?) -> Reading {
        let known = requirements(selector) { requirement in
            ["In", "NotIn"].contains(requirement["operator"]?.string) && values(requirement).count == 1
        }
        return known ?? raw(selector) { text throws(SelectorError) in _ = try FieldSelector.parse(text) }
    }

    private static let operators: [String: LabelSelector.Operator] = [
        "In": .isIn, "NotIn": .notIn, "Exists": .exists, "DoesNotExist": .doesNotExist,
    ]

    private static func label(_ selector: JSONValue?) -> Reading {
        let known = requirements(selector) { requirement in
            guard let op = operators[requirement["operator"]?.string ?? ""] else { return false }
            return (try? LabelSelector.Requirement(requirement["key"]?.string ?? "", op, values(requirement))) != nil
        }
        return known ?? raw(selector) { text throws(SelectorError) in _ = try LabelSelector.parse(text) }
    }
}
