import CEL
import PodKinds
import Schema
import Units
import Values

/// What rules about devices are made of.
///
/// Source: pkg/apis/resource/validation.
enum DeviceRules {
    static let longestDomain = 63
    static let longestIdentifier = 32
    static let mostSelectors = 32
    static let longestParameters = 10 * 1024
    private static let longestExpression = 10 * 1024
    private static let longestPool = 253
    private static let effects = ["NoExecute", "NoSchedule", "None"]

    /// The name of a driver: that of a storage driver, in other words.
    static func driver(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        StorageSourceValidation.driverName(name, path, &issues)
    }

    /// The name of a pool: DNS names joined by slashes.
    static func pool(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if name.isEmpty { return issues.required(path) }
        if name.utf8.count > longestPool { issues.append(.tooLong(path, maximum: longestPool)) }
        for part in name.split(separator: "/", omittingEmptySubsequences: false) { issues.subdomain(String(part), path) }
    }

    /// An identifier of RFC 4122 in lower case.
    static func identifier(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let isPlain = text.utf8.count == 36
        if !isPlain, ![32, 38, 45].contains(text.utf8.count) {
            return issues.invalid(path, .string(text), "error validating uid: invalid UUID length: \(text.utf8.count)")
        }
        if isPlain {
            let dashes = [8, 13, 18, 23]
            let fits = text.utf8.enumerated().allSatisfy { index, byte in
                dashes.contains(index) ? byte == UInt8(ascii: "-") : isHexadecimal(byte)
            }
            if !fits { return issues.invalid(path, .string(text), "error validating uid: invalid UUID format") }
            if !text.contains(where: \.isUppercase) { return }
        }
        let form = "`xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`"
        issues.invalid(path, .string(text), "uid must be in RFC 4122 normalized form, \(form) with lowercase hexadecimal characters")
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    /// An attribute's or capacity's name, with or without a domain.
    static func qualifiedName(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 1 { return word(parts[0], path, &issues) }
        // More slashes than one pass, as they do upstream.
        guard parts.count == 2 else { return }
        if parts[0].isEmpty {
            issues.invalid(path, "", "the domain must not be empty")
        } else {
            driver(parts[0], path, &issues)
        }
        if parts[1].isEmpty {
            issues.invalid(path, "", "the name must not be empty")
        } else {
            word(parts[1], path, &issues)
        }
    }

    /// A name that needs its domain.
    static func fullName(_ name: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        qualifiedName(name, path, &issues)
        if name.contains("/") { return }
        issues.invalid(path, .string(name), "a fully qualified name must be a domain and a name separated by a slash")
    }

    private static func word(_ text: String, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if text.utf8.count > longestIdentifier { issues.append(.tooLong(path, maximum: longestIdentifier)) }
        issues.add(Names.cIdentifierIssues(text), path, text)
    }

    /// At most `most` elements, each checked; nothing is checked of a list that is too long.
    static func each(
        _ list: [JSONValue],
        most: Int?,
        _ path: FieldPath,
        _ issues: inout [FieldIssue],
        _ check: (JSONValue, FieldPath, inout [FieldIssue]) -> Void
    ) {
        if let most, list.count > most { return issues.append(.tooMany(path, actual: list.count, maximum: most)) }
        for (index, item) in list.enumerated() { check(item, path.index(index), &issues) }
    }

    /// The same, and none twice by `key`, a text that is shown as it is if `showsKey`.
    static func set(
        _ list: [JSONValue],
        most: Int?,
        key: (JSONValue) -> JSONValue,
        _ path: FieldPath,
        showsKey: Bool = false,
        _ issues: inout [FieldIssue],
        _ check: (JSONValue, FieldPath, inout [FieldIssue]) -> Void
    ) {
        if let most, list.count > most { return issues.append(.tooMany(path, actual: list.count, maximum: most)) }
        each(list, most: nil, path, &issues, check)
        var seen: Set<JSONValue> = []
        for (index, item) in list.enumerated() {
            let key = key(item)
            if seen.insert(key).inserted { continue }
            let shown = showsKey ? key.string : nil
            issues.append(
                shown.map { .init(kind: .duplicate, path: path.index(index), shownValue: $0) } ?? .duplicate(path.index(index), key)
            )
        }
    }

    /// The key of a map in a path: the middle of what is long is left out.
    static func shown(_ key: String, limit: Int) -> String {
        if key.utf8.count <= limit { return key }
        let rest = limit - 3
        return String(decoding: key.utf8.prefix((rest + 1) / 2), as: UTF8.self) + "..."
            + String(decoding: key.utf8.suffix(rest / 2), as: UTF8.self)
    }

    /// Expressions that choose devices.
    static func selectors(_ list: [JSONValue], isStored: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        each(list, most: mostSelectors, path, &issues) { selector, path, issues in
            guard let cel = selector["cel"] else { return issues.required(path.child("cel")) }
            let place = path.child("cel", "expression")
            let expression = cel.text("expression")
            if expression.utf8.count > longestExpression { return issues.append(.tooLong(place, maximum: longestExpression)) }
            DeviceExpression.check(expression, isStored: isStored, place, &issues)
        }
    }

    /// What a driver is told besides.
    static func configuration(_ item: JSONValue, isStored: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let place = path.child("opaque")
        guard let opaque = item["opaque"] else { return issues.required(place) }
        driver(opaque.text("driver"), place.child("driver"), &issues)
        raw(opaque["parameters"], limit: isStored ? nil : longestParameters, place.child("parameters"), &issues)
    }

    /// An object of somebody else's.
    static func raw(_ value: JSONValue?, limit: Int?, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        guard let value, !value.isNull else { return issues.required(path) }
        if let limit, value.encoded().count > limit { return issues.append(.tooLong(path, maximum: limit)) }
        if value.object == nil { issues.invalid(path, "<value omitted>", "must be a valid JSON object") }
    }

    /// A taint; an effect that was stored before is not looked at again.
    static func taint(_ taint: JSONValue, old: JSONValue? = nil, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        issues.qualifiedName(taint.text("key"), path.child("key"))
        let (value, effect) = (taint.text("value"), taint.text("effect"))
        if !value.isEmpty { issues.add(Names.labelValueIssues(value), path.child("value"), value) }
        if old?.text("effect") != effect { issues.choice(effect, effects, path.child("effect")) }
    }

    /// A toleration of taints.
    static func toleration(_ toleration: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let (key, value, effect) = (toleration.text("key"), toleration.text("value"), toleration.text("effect"))
        if !key.isEmpty { issues.qualifiedName(key, path.child("key")) }
        switch toleration.text("operator") {
        case "Exists":
            if !value.isEmpty { issues.invalid(path.child("value"), .string(value), "must be empty for operator `Exists`") }
        case "Equal": issues.add(Names.labelValueIssues(value), path.child("value"), value)
        default: issues.choice(toleration.text("operator"), ["Equal", "Exists"], path.child("operator"))
        }
        if !effect.isEmpty { issues.oneOf(effect, effects, path.child("effect")) }
    }

    /// Conditions that a device has to meet before it is bound, and those that it must not.
    static func bindingConditions(_ item: JSONValue, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        let fields = ["bindingConditions", "bindingFailureConditions"]
        for field in fields {
            each(item.list(field), most: 4, path.child(field), &issues) { name, path, issues in
                issues.qualifiedName(name.string ?? "", path)
            }
        }
        let (wanted, failing) = (item.texts(fields[0]), item.texts(fields[1]))
        for (field, names) in zip(fields, [wanted, failing]) {
            var seen: Set<String> = []
            for (index, name) in names.enumerated() {
                let place = path.child(field).index(index)
                if !seen.insert(name).inserted { issues.append(.duplicate(place, .string(name))) }
                if field == fields[1], wanted.contains(name) {
                    let words = "bindingFailureConditions must not overlap with bindingConditions"
                    issues.invalid(place, .string(name), words)
                }
            }
        }
        if wanted.isEmpty, !failing.isEmpty {
            issues.invalid(path.child(fields[0]), item[fields[0]], "\(fields[0]) are required to use \(fields[1])")
        }
        if failing.isEmpty, !wanted.isEmpty {
            issues.invalid(path.child(fields[1]), item[fields[1]], "\(fields[1]) are required to use \(fields[0])")
        }
    }
}

/// Expressions that choose devices by their attributes.
///
/// Source: dynamic-resource-allocation/cel.
enum DeviceExpression {
    private static let environment = CELEnvironment(variables: [CELVariable("device", .dyn)], allowsBinding: true)

    /// Adds what the compiler says of an expression; those that are stored already stay accepted.
    static func check(_ expression: String, isStored: Bool, _ path: FieldPath, _ issues: inout [FieldIssue]) {
        if isStored { return }
        do throws(CELIssues) {
            let type = try environment.compile(expression).outputType
            if type == .bool || type == .dyn { return }
            issues.invalid(path, .string(expression), "must evaluate to bool or the unknown type, not \(type)")
        } catch {
            issues.invalid(path, .string(expression), "compilation failed: \(error)")
        }
    }
}
