import APIModel
import Schema
import Values

/// Decodes the body of a webhook's answer as strictly as upstream's client does, with its complaints.
enum AnswerDecoding {
    /// As deep as an answer may nest.
    private static let maxDepth = 64
    /// Where upstream registers the kinds that an answer can have.
    private static let scheme = "k8s.io/apiserver/pkg/util/webhook/client.go:71"
    private static let group = "admission.k8s.io"

    /// The review in a body.
    static func review(_ bytes: [UInt8], version: String) throws(AdmissionReview.Problem) -> JSONValue {
        let value = try tree(bytes)
        try checkKind(value, version)
        guard let response = value["response"], !response.isNull else { return value }
        guard response.object != nil else { throw mismatch(response, "AdmissionReview.response", "v1.AdmissionResponse") }
        try checkMembers(response)
        return value
    }

    private static func tree(_ bytes: [UInt8]) throws(AdmissionReview.Problem) -> JSONValue {
        let value: JSONValue
        do throws(JSONParseError) {
            value = try JSONParser.parse(bytes, options: JSONParser.Options(maxDepth: maxDepth))
        } catch {
            // Upstream takes YAML, too.
            guard let read = try? YAML.parse(bytes) else {
                throw AdmissionReview.Problem(message: "couldn't get version/kind; json parse error: \(error.message)")
            }
            value = read
        }
        guard value.object != nil else {
            throw AdmissionReview.Problem(
                message: "couldn't get version/kind; json parse error: json: cannot unmarshal \(value.typeName) into Go value of type "
                    + "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; "
                    + "Kind string \"json:\\\"kind,omitempty\\\"\" }"
            )
        }
        return value
    }

    private static func checkKind(_ value: JSONValue, _ version: String) throws(AdmissionReview.Problem) {
        let apiVersion = value["apiVersion"]?.string ?? ""
        let kind = value["kind"]?.string ?? ""
        // What is not said is taken for what was asked.
        if apiVersion.isEmpty, kind.isEmpty || kind == "AdmissionReview" { return }
        let given = GroupVersion(apiVersion: apiVersion)
        let known = given?.group == group && (given?.version == "v1" || given?.version == "v1beta1")
        guard known, kind.isEmpty || kind == "AdmissionReview" else {
            let shown = apiVersion.isEmpty ? "\(group)/\(version)" : apiVersion
            throw AdmissionReview.Problem(
                message: "no kind \(GoQuote.quote(kind)) is registered for version \(GoQuote.quote(shown)) "
                    + "in scheme \(GoQuote.quote(scheme))"
            )
        }
        guard given?.version == version else {
            let words = "converting (\(given?.version ?? "").AdmissionReview) to (\(version).AdmissionReview): unknown conversion"
            throw AdmissionReview.Problem(message: words)
        }
    }

    private static func checkMembers(_ response: JSONValue) throws(AdmissionReview.Problem) {
        let place = "AdmissionResponse.response."
        for (name, type) in [("uid", "types.UID"), ("patchType", "v1.PatchType")] {
            guard let member = response[name], !member.isNull, member.string == nil else { continue }
            throw mismatch(member, place + name, type)
        }
        if let allowed = response["allowed"], !allowed.isNull, allowed.bool == nil {
            throw mismatch(allowed, place + "allowed", "bool")
        }
        if let patch = response["patch"], !patch.isNull {
            guard let text = patch.string else { throw mismatch(patch, place + "patch", "[]uint8") }
            guard Base64.decode(text) != nil else {
                throw AdmissionReview.Problem(message: "illegal base64 data at input byte \(Self.badByte(text))")
            }
        }
        if let warnings = response["warnings"], !warnings.isNull {
            guard let list = warnings.array else { throw mismatch(warnings, place + "warnings", "[]string") }
            for item in list where item.string == nil && !item.isNull { throw mismatch(item, place + "warnings", "string") }
        }
        if let notes = response["auditAnnotations"], !notes.isNull {
            guard let members = notes.object else { throw mismatch(notes, place + "auditAnnotations", "map[string]string") }
            for (_, note) in members where note.string == nil && !note.isNull {
                throw mismatch(note, place + "auditAnnotations", "string")
            }
        }
        try checkStatus(response["status"] ?? .null)
    }

    private static func checkStatus(_ status: JSONValue) throws(AdmissionReview.Problem) {
        guard !status.isNull else { return }
        guard status.object != nil else { throw mismatch(status, "AdmissionResponse.response.status", "v1.Status") }
        for (name, type) in [("status", "string"), ("message", "string"), ("reason", "v1.StatusReason")] {
            guard let member = status[name], !member.isNull, member.string == nil else { continue }
            throw mismatch(member, "Status.response.status.\(name)", type)
        }
        if let code = status["code"], !code.isNull, code.int.flatMap({ Int32(exactly: $0) }) == nil {
            throw mismatch(code, "Status.response.status.code", "int32")
        }
        if let details = status["details"], !details.isNull, details.object == nil {
            throw mismatch(details, "Status.response.status.details", "v1.StatusDetails")
        }
    }

    /// The first byte that is not base64.
    private static func badByte(_ text: String) -> Int {
        let bytes = Array(text.utf8)
        let bad = bytes.firstIndex { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "+"), UInt8(ascii: "/"), 0x0a, 0x0d:
                false
            default: true
            }
        }
        return bad ?? bytes.count
    }

    private static func mismatch(_ value: JSONValue, _ place: String, _ type: String) -> AdmissionReview.Problem {
        let given: String
        switch value {
        case .integer, .number: given = type == "int32" ? "number \(String(decoding: value.encoded(), as: UTF8.self))" : "number"
        default: given = value.typeName
        }
        return AdmissionReview.Problem(message: "json: cannot unmarshal \(given) into Go struct field \(place) of type \(type)")
    }
}
