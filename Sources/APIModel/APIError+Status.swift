import Values

extension APIError {
    /// The error as a `metav1.Status` object.
    public func status() -> JSONValue {
        var object: JSONObject = [
            "apiVersion": "v1", "code": .integer(Int64(code)), "kind": "Status", "metadata": .object([:]),
            "status": "Failure",
        ]
        if !continueToken.isEmpty { object["metadata"] = ["continue": .string(continueToken)] }
        if !message.isEmpty { object["message"] = .string(message) }
        if !reason.isEmpty { object["reason"] = .string(reason) }
        if let details { object["details"] = .object(details.encoded()) }
        return .object(object)
    }

    /// Reads a `metav1.Status`. Nil for anything else, and for a success.
    public init?(status: JSONValue) {
        guard case .object(let object) = status, object.string("kind") == "Status" else { return nil }
        guard object.string("status") != "Success" else { return nil }
        var details: Details?
        if case .object(let value)? = object["details"] { details = Details(decoding: value) }
        self.init(
            code: object.int("code"),
            reason: object.string("reason"),
            message: object.string("message"),
            details: details
        )
        continueToken = status.value(at: ["metadata", "continue"])?.string ?? ""
    }

    /// The `metav1.Status` that answers a request which leaves no object behind.
    public static func success(_ details: Details? = nil) -> JSONValue {
        var object: JSONObject = [
            "apiVersion": "v1", "kind": "Status", "metadata": .object([:]), "status": "Success",
        ]
        if let details { object["details"] = .object(details.encoded()) }
        return .object(object)
    }
}

extension APIError.Details {
    fileprivate init(decoding object: JSONObject) {
        var causes: [APIError.Cause] = []
        if case .array(let list)? = object["causes"] {
            for case .object(let cause) in list {
                causes.append(
                    APIError.Cause(
                        reason: cause.string("reason"),
                        message: cause.string("message"),
                        field: cause.string("field")
                    )
                )
            }
        }
        self.init(
            name: object.string("name"),
            group: object.string("group"),
            kind: object.string("kind"),
            uid: object.string("uid"),
            causes: causes,
            retryAfterSeconds: object.int("retryAfterSeconds")
        )
    }

    fileprivate func encoded() -> JSONObject {
        var object: JSONObject = [:]
        object.setString("name", name)
        object.setString("group", group)
        object.setString("kind", kind)
        object.setString("uid", uid)
        object.setInt("retryAfterSeconds", retryAfterSeconds)
        if !causes.isEmpty {
            object["causes"] = .array(
                causes.map { cause in
                    var item: JSONObject = [:]
                    item.setString("reason", cause.reason)
                    item.setString("message", cause.message)
                    item.setString("field", cause.field)
                    return .object(item)
                }
            )
        }
        return object
    }
}
