import Values

extension SchemaNode {
    /// Takes away what upstream's storage does not keep: a list without items, which protobuf cannot tell from none at all. A
    /// field that may be left out goes; another says null. What has no type of its own stays as it is.
    public func forgetEmptyLists(_ value: inout JSONValue) {
        switch value {
        case .object(var object):
            value = .null
            shape == .map ? forgetInMap(&object) : forgetInFields(&object)
            value = .object(object)
        case .array(var list):
            guard shape == .list, let element else { return }
            value = .null
            for index in list.indices { element.forgetEmptyLists(&list[index]) }
            value = .array(list)
        default: return
        }
    }

    private func forgetInMap(_ object: inout JSONObject) {
        guard let element else { return }
        object.updateEach { _, item in element.forgetEmptyLists(&item) }
    }

    private func forgetInFields(_ object: inout JSONObject) {
        guard shape == .object else { return }
        let body = body
        var dropped: [String] = []
        object.updateEach { key, item in
            guard let field = body.field(key) else { return }
            guard case .array(let list) = item, list.isEmpty, field.node.shape == .list else {
                return field.node.forgetEmptyLists(&item)
            }
            if field.traits.contains(.omitEmpty) { dropped.append(key) } else { item = .null }
        }
        for key in dropped { object[key] = nil }
    }
}
