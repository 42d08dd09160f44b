import CYAML

/// Reads one stream of YAML documents through libyaml's event parser.
///
/// Owned by one caller on one thread. The parser holds pointers into itself and to the input, so both live at
/// fixed addresses that this object owns.
final class YAMLReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private var event = yaml_event_t()
    private var anchors: [String: (value: JSONValue, weight: Int)] = [:]
    private var budget = YAML.maxExpandedValues
    private var weight = 0
    private var started = false
    private(set) var duplicates: [String] = []

    init(_ bytes: [UInt8]) {
        parser = .allocate(capacity: 1)
        input = .allocate(capacity: bytes.count)
        _ = input.initialize(from: bytes)
        yaml_parser_initialize(parser)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        yaml_event_delete(&event)
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// The next document, or nil at the end of the stream.
    func nextDocument() throws(YAMLError) -> JSONValue? {
        if !started {
            started = true
            try advance()  // the stream start
        }
        try advance()
        guard event.type == YAML_DOCUMENT_START_EVENT else { return nil }
        anchors = [:]
        try advance()
        let value = try node(depth: 0)
        try advance()  // the document end
        return value
    }

    private func advance() throws(YAMLError) {
        yaml_event_delete(&event)
        event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw parserError() }
    }

    private func parserError() -> YAMLError {
        let p = parser.pointee
        var line = 0
        if p.context_mark.line != 0 {
            line = p.context_mark.line
        } else if p.problem_mark.line != 0 {
            line = p.problem_mark.line
        }
        if line != 0, p.error == YAML_SCANNER_ERROR { line += 1 }
        let problem = p.problem.map { String(cString: $0) } ?? "unknown problem parsing YAML content"
        return YAMLError("yaml: " + (line != 0 ? "line \(line): " : "") + problem)
    }

    private var line: Int { Int(event.start_mark.line) + 1 }

    private func fail(_ text: String) -> YAMLError { YAMLError("yaml: line \(line): \(text)") }

    private func name(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    /// The value that begins with the current event; afterwards its last event is current.
    private func node(depth: Int) throws(YAMLError) -> JSONValue {
        guard depth <= YAML.maxDepth else { throw YAMLError("yaml: exceeded max depth of \(YAML.maxDepth)") }
        switch event.type {
        case YAML_ALIAS_EVENT: return try alias()
        case YAML_SCALAR_EVENT:
            let anchor = name(event.data.scalar.anchor)
            let value = try scalar()
            return remember(value.json, anchor, since: weight - 1)
        case YAML_SEQUENCE_START_EVENT:
            let anchor = name(event.data.sequence_start.anchor)
            let before = weight
            return remember(try sequence(depth: depth), anchor, since: before)
        case YAML_MAPPING_START_EVENT:
            let anchor = name(event.data.mapping_start.anchor)
            let before = weight
            return remember(try mapping(depth: depth), anchor, since: before)
        default: throw fail("unexpected event")
        }
    }

    private func remember(_ value: JSONValue, _ anchor: String?, since before: Int) -> JSONValue {
        if let anchor { anchors[anchor] = (value, weight - before) }
        return value
    }

    private func alias() throws(YAMLError) -> JSONValue {
        let anchor = name(event.data.alias.anchor) ?? ""
        guard let target = anchors[anchor] else {
            throw YAMLError("yaml: unknown anchor '\(anchor)' referenced")
        }
        budget -= target.weight
        weight += target.weight
        guard budget >= 0 else { throw YAMLError("yaml: document contains excessive aliasing") }
        return target.value
    }

    private func scalar() throws(YAMLError) -> YAMLScalar {
        weight += 1
        let data = event.data.scalar
        let text = String(decoding: UnsafeBufferPointer(start: data.value, count: data.length), as: UTF8.self)
        let plain = data.style == YAML_PLAIN_SCALAR_STYLE
        do throws(YAMLError) {
            return try YAMLScalar.resolve(text, tag: name(data.tag), plain: plain)
        } catch {
            throw fail(error.message)
        }
    }

    private func sequence(depth: Int) throws(YAMLError) -> JSONValue {
        weight += 1
        var elements: [JSONValue] = []
        while true {
            try advance()
            if event.type == YAML_SEQUENCE_END_EVENT { return .array(elements) }
            elements.append(try node(depth: depth + 1))
        }
    }

    private func mapping(depth: Int) throws(YAMLError) -> JSONValue {
        weight += 1
        // Sorted once at the end: inserting each key in its place would take quadratic time.
        var members: ContiguousArray<JSONObject.Member> = []
        var lines: [Int] = []
        var merged: [JSONValue] = []
        while true {
            try advance()
            if event.type == YAML_MAPPING_END_EVENT { break }
            let keyLine = line
            if let key = try mappingKey() {
                try advance()
                lines.append(keyLine)
                members.append(JSONObject.Member(key: key, value: try node(depth: depth + 1)))
            } else {
                try advance()
                merged.append(try node(depth: depth + 1))
            }
        }
        var hadDuplicates = false
        var object = JSONObject(sorted: JSONObject.canonical(members, hadDuplicates: &hadDuplicates))
        if hadDuplicates { reportDuplicates(members, lines) }
        if !merged.isEmpty { try merge(merged, into: &object) }
        return .object(object)
    }

    private func reportDuplicates(_ members: ContiguousArray<JSONObject.Member>, _ lines: [Int]) {
        var seen: Set<String> = []
        for (member, line) in zip(members, lines) where !seen.insert(member.key).inserted {
            report("line \(line): key \"\(member.key)\" already set in map")
        }
    }

    /// The key as JSON needs it, or nil for the merge key `<<`.
    private func mappingKey() throws(YAMLError) -> String? {
        switch event.type {
        case YAML_SCALAR_EVENT:
            let anchor = name(event.data.scalar.anchor)
            let scalar = try scalar()
            if case .merge = scalar { return nil }
            _ = remember(scalar.json, anchor, since: weight - 1)
            return try key(of: scalar.json)
        case YAML_ALIAS_EVENT: return try key(of: try alias())
        case YAML_SEQUENCE_START_EVENT: throw fail("invalid map key: sequence")
        default: throw fail("invalid map key: map")
        }
    }

    private func key(of value: JSONValue) throws(YAMLError) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): GoNumber.general(number)
        case .bool(let flag): flag ? "true" : "false"
        default: throw YAMLError("unsupported map key of type: %!s(<nil>), key: <nil>")
        }
    }

    /// Members of a merged map never replace those given beside it; earlier maps win over later ones.
    private func merge(_ sources: [JSONValue], into object: inout JSONObject) throws(YAMLError) {
        var maps: [JSONObject] = []
        for source in sources { try flatten(source, into: &maps) }
        // Of equal keys the last wins.
        var members: ContiguousArray<JSONObject.Member> = []
        for map in maps.reversed() { members += map.members }
        members += object.members
        object = JSONObject(unsorted: members)
    }

    private func flatten(_ source: JSONValue, into maps: inout [JSONObject]) throws(YAMLError) {
        switch source {
        case .object(let map): maps.append(map)
        case .array(let list):
            for element in list {
                guard case .object(let map) = element else {
                    throw YAMLError("yaml: map merge requires map or sequence of maps as the value")
                }
                maps.append(map)
            }
        default: throw YAMLError("yaml: map merge requires map or sequence of maps as the value")
        }
    }

    private func report(_ text: String) {
        guard duplicates.count < JSONParser.maxReportedDuplicates else { return }
        duplicates.append(text)
    }
}
