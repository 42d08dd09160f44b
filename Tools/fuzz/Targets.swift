import APITypes
import Schema
import Units
import Values

/// What does not hold for an input.
struct FuzzComplaint: Error {
    let what: String
}

/// The parsers that read what strangers send. Each takes any bytes and must neither crash nor hang; where a value comes
/// back, writing and reading it again must give the same value.
enum FuzzTargets {
    /// Chosen by the first byte of the input. Append only: a corpus depends on the order.
    enum Target: Int, CaseIterable {
        case json, yaml, cbor, protobuf, jsonPatch, mergePatch, strategicPatch, selectors, quantities, names, decoding
    }

    static func run(_ input: [UInt8]) throws(FuzzComplaint) {
        guard let selector = input.first, let target = Target(rawValue: Int(selector) % Target.allCases.count) else { return }
        let input = Array(input.dropFirst())
        switch target {
        case .json: try json(input)
        case .yaml: try yaml(input)
        case .cbor: try cbor(input)
        case .protobuf: try protobuf(input)
        case .jsonPatch: jsonPatch(input)
        case .mergePatch: mergePatch(input)
        case .strategicPatch: strategicPatch(input)
        case .selectors: try selectors(input)
        case .quantities: try quantities(input)
        case .names: names(input)
        case .decoding: try decoding(input)
        }
    }

    private static func check(_ holds: Bool, _ what: String) throws(FuzzComplaint) {
        guard holds else { throw FuzzComplaint(what: what) }
    }

    static let kinds =
        ["core.v1.Pod", "core.v1.Secret", "apps.v1.Deployment", "core.v1.Event", "autoscaling.v2.HorizontalPodAutoscaler"]
        .map { BuiltinSchema.node("io.k8s.api.\($0)") } + [
            BuiltinSchema.node("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"),
            BuiltinSchema.node("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"),
        ]

    private static func kind(_ input: [UInt8]) -> (SchemaNode, [UInt8]) {
        (kinds[Int(input.first ?? 0) % kinds.count], Array(input.dropFirst()))
    }

    /// Two values from one input, which a zero byte divides.
    private static func pair(_ input: [UInt8]) -> (JSONValue, JSONValue)? {
        let parts = input.split(separator: 0, maxSplits: 1)
        guard parts.count == 2, let first = try? JSONParser.parse(Array(parts[0])), let second = try? JSONParser.parse(Array(parts[1]))
        else { return nil }
        return (first, second)
    }

    // MARK: Syntaxes

    static func json(_ input: [UInt8]) throws(FuzzComplaint) {
        guard let found = try? JSONParser.parseReportingDuplicates(input) else { return }
        let value = wholeNumbers(found.value)
        try check((try? JSONParser.parse(found.value.encoded())).map(wholeNumbers) == value, "JSON changes when written and read")
        try check((try? JSONParser.parse(found.value.encodedPretty())).map(wholeNumbers) == value, "pretty JSON changes")
    }

    static func yaml(_ input: [UInt8]) throws(FuzzComplaint) {
        _ = try? YAML.parseAll(input)
        guard let found = try? YAML.parseReportingDuplicates(input) else { return }
        let again = (try? YAML.parse(YAML.encode(found.value))).map(wholeNumbers)
        try check(again == wholeNumbers(found.value), "YAML changes when written and read")
    }

    /// Text does not tell 1.0 from 1, nor large floats from the integers near them.
    private static func wholeNumbers(_ value: JSONValue) -> JSONValue {
        switch value {
        case .number(let number): number.magnitude < 0x1p53 ? Int64(exactly: number).map { .integer($0) } ?? value : value
        case .integer(let number): Double(number).magnitude < 0x1p53 ? value : .number(Double(number))
        case .array(let list): .array(list.map(wholeNumbers))
        case .object(let object): .object(object.mapValues(wholeNumbers))
        default: value
        }
    }

    static func cbor(_ input: [UInt8]) throws(FuzzComplaint) {
        guard let value = try? CBOR.decode(input) else { return }
        try check((try? CBOR.decode(CBOR.encode(value))) == value, "CBOR changes when written and read")
    }

    static func protobuf(_ input: [UInt8]) throws(FuzzComplaint) {
        let (node, bytes) = kind(input)
        _ = try? ProtobufObject.decode(bytes, schema: node)
        guard var value = try? ProtobufObject.decodeMessage(bytes[...], schema: node), (try? node.decode(&value)) != nil else { return }
        let encoded = ProtobufObject.message(value, schema: node)
        var back = (try? ProtobufObject.decodeMessage(encoded[...], schema: node)) ?? .null
        _ = try? node.decode(&back)
        // Names of fields that are empty in JSON are the same as fields that are absent.
        try check(ProtobufObject.message(back, schema: node) == encoded, "protobuf changes when written and read")
    }

    // MARK: Patches

    static func jsonPatch(_ input: [UInt8]) {
        guard let (patch, value) = pair(input) else { return }
        _ = try? JSONPatch.apply(patch, to: value)
    }

    static func mergePatch(_ input: [UInt8]) {
        guard let (from, to) = pair(input) else { return }
        _ = MergePatch.apply(from, to: to)
        guard from.object != nil, to.object != nil else { return }
        let difference = MergePatch.diff(from: from, to: to)
        _ = MergePatch.apply(difference, to: from)
    }

    static func strategicPatch(_ input: [UInt8]) {
        let (node, rest) = kind(input)
        guard let (patch, value) = pair(rest) else { return }
        _ = try? StrategicMergePatch.apply(patch, to: value, schema: node)
    }

    // MARK: Units

    static func selectors(_ input: [UInt8]) throws(FuzzComplaint) {
        let text = String(decoding: input, as: UTF8.self)
        if let selector = try? LabelSelector.parse(text) {
            let again = try? LabelSelector.parse(selector.description)
            try check(again?.description == selector.description, "a label selector changes when written and read")
        }
        if let selector = try? FieldSelector.parse(text) {
            let again = try? FieldSelector.parse(selector.description)
            // Terms are put in order as they were written, so only their set stays.
            try check(again.map { Set($0.requirements) } == Set(selector.requirements), "a field selector changes when written and read")
        }
        if let value = try? JSONParser.parse(input) { _ = try? LabelSelector(json: value) }
    }

    static func quantities(_ input: [UInt8]) throws(FuzzComplaint) {
        let text = String(decoding: input, as: UTF8.self)
        if let quantity = Quantity(text) {
            try check(Quantity(quantity.description) == quantity, "a quantity changes when written and read")
            _ = quantity + quantity
            _ = quantity * 3
        }
        if let time = Timestamp(text) { try check(Timestamp(time.description) == time, "a time changes when written and read") }
        if let duration = DurationText.parse(text) { _ = DurationText.format(duration) }
        if let address = IPAddress(text) { try check(IPAddress(address.description) == address, "an address changes") }
        if let network = CIDR(text) { try check(CIDR(network.description) == network, "a network changes") }
        _ = IntOrString(parsing: text)
        _ = FieldPath(text)
        if let bytes = Base64.decode(text) { try check(Base64.decode(Base64.encode(bytes)) == bytes, "base64 changes") }
        if let bytes = Hex.decode(text) { try check(Hex.decode(Hex.encode(bytes)) == bytes, "hex changes") }
    }

    static func names(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        _ = Names.dns1123LabelIssues(text)
        _ = Names.dns1123SubdomainIssues(text)
        _ = Names.wildcardDNS1123SubdomainIssues(text)
        _ = Names.dns1035LabelIssues(text)
        _ = Names.qualifiedNameIssues(text)
        _ = Names.labelValueIssues(text)
        _ = Names.envVarNameIssues(text)
        _ = Names.configMapKeyIssues(text)
        _ = Names.httpHeaderNameIssues(text)
        _ = Names.portNameIssues(text)
        _ = Names.percentIssues(text)
        _ = Names.pathSegmentIssues(text)
        _ = Names.ipIssues(text)
    }

    // MARK: Objects

    static func decoding(_ input: [UInt8]) throws(FuzzComplaint) {
        let (node, rest) = kind(input)
        guard var value = try? JSONParser.parse(rest, options: .init(maxDepth: 256)), (try? node.decode(&value)) != nil else { return }
        node.applyDefaults(&value)
        let bytes = ProtobufObject.message(value, schema: node)
        try check((try? ProtobufObject.decodeMessage(bytes[...], schema: node)) != nil, "an object has no protobuf form")
        _ = node.prune(&value)
    }
}
