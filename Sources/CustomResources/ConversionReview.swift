import APIModel
import Schema
import Units
import Values

/// What is asked of a conversion webhook, and what its answer has to be like. Pure.
///
/// Source: apiextensions-apiserver apiserver/conversion/webhook_converter.go.
public struct ConversionReview: Sendable {
    /// Why an answer cannot be used.
    public struct Problem: Error, Sendable, Hashable {
        /// In upstream's words.
        public var message: String
    }

    /// `v1` or `v1beta1`.
    public let version: String
    private let objects: [JSONValue]
    private let desired: String
    private let uid: String
    private let gvk: String

    /// A review of objects that all have to be converted.
    ///
    /// - Parameters:
    ///   - desired: The `apiVersion` asked for.
    ///   - accepted: The versions of the review that the webhook understands.
    public init(_ objects: [JSONValue], to desired: String, uid: String, accepted: [String]) throws(Problem) {
        guard let version = accepted.first(where: { $0 == "v1" || $0 == "v1beta1" }) else {
            throw Problem(message: "no supported conversion review versions")
        }
        self.version = version
        self.objects = objects
        self.desired = desired
        self.uid = uid
        gvk = "\(objects.first?["apiVersion"]?.string ?? ""), Kind=\(objects.first?["kind"]?.string ?? "")"
    }

    private var apiVersion: String { "apiextensions.k8s.io/\(version)" }

    /// The body of the request.
    public var request: JSONValue {
        [
            "apiVersion": .string(apiVersion), "kind": "ConversionReview",
            "request": ["uid": .string(uid), "desiredAPIVersion": .string(desired), "objects": .array(objects)],
        ]
    }

    /// The words for a call that failed.
    public func failure(_ why: String) -> Problem { Problem(message: "conversion webhook for \(gvk) failed: \(why)") }

    /// The objects of an answer, with the metadata that a conversion must not change.
    public func converted(_ answer: JSONValue) throws(Problem) -> [JSONValue] {
        let found = try answered(answer)
        guard found.count == objects.count else {
            throw Problem(message: "conversion webhook for \(gvk) returned \(found.count) objects, expected \(objects.count)")
        }
        var converted: [JSONValue] = []
        for (index, pair) in zip(objects, found).enumerated() {
            let (original, object) = pair
            let prefix = "conversion webhook for \(gvk) returned invalid"
            guard object.object != nil else { throw Problem(message: "\(prefix) converted object at index \(index): not an object") }
            let version = object["apiVersion"]?.string ?? ""
            guard version == desired else {
                let words = "invalid groupVersion (expected \(desired), received \(version))"
                throw Problem(message: "\(prefix) converted object at index \(index): \(words)")
            }
            let kind = original["kind"]?.string ?? ""
            guard object["kind"]?.string == kind else {
                let words = "invalid kind (expected \(kind), received \(object["kind"]?.string ?? ""))"
                throw Problem(message: "\(prefix) converted object at index \(index): \(words)")
            }
            if let words = Self.difference(original, object) {
                throw Problem(message: "\(prefix) converted object at index \(index): \(words)")
            }
            do throws(Problem) {
                converted.append(try Self.restored(original, object))
            } catch {
                throw Problem(message: "\(prefix) metadata in object at index \(index): \(error.message)")
            }
        }
        return converted
    }

    private func answered(_ answer: JSONValue) throws(Problem) -> [JSONValue] {
        if version == "v1" {
            let own = answer["apiVersion"]?.string ?? ""
            let kind = answer["kind"]?.string ?? ""
            guard own == apiVersion, kind == "ConversionReview" else {
                let expected = "\(apiVersion), Kind=ConversionReview"
                throw failure("expected webhook response of \(expected), got \(own), Kind=\(kind)")
            }
        }
        guard let response = answer["response"], response.object != nil else { throw failure("no response provided") }
        if version == "v1", response["uid"]?.string != uid {
            let got = GoQuote.quote(response["uid"]?.string ?? "")
            throw failure("expected response.uid=\(GoQuote.quote(uid)), got \(got)")
        }
        let status = response.value(at: ["result", "status"])?.string ?? ""
        guard status == "Success" else {
            let message = response.value(at: ["result", "message"])?.string ?? ""
            throw failure(message.isEmpty ? "response.result.status was '\(status)', not 'Success'" : message)
        }
        return response["convertedObjects"]?.array ?? []
    }

    /// What of the identity a conversion changed.
    private static func difference(_ original: JSONValue, _ object: JSONValue) -> String? {
        for (key, word) in [("name", "name"), ("namespace", "namespace"), ("uid", "UID")] {
            let before = original.value(at: ["metadata", key])?.string ?? ""
            let after = object.value(at: ["metadata", key])?.string ?? ""
            if before != after { return "must have the same \(word): \(before) != \(after)" }
        }
        return nil
    }

    /// The converted object with the metadata of the original; only labels and annotations may change.
    private static func restored(_ original: JSONValue, _ object: JSONValue) throws(Problem) -> JSONValue {
        guard let answered = object["metadata"] else { throw Problem(message: "missing metadata in converted object") }
        guard answered.object != nil else {
            throw Problem(message: "invalid metadata of type \(answered.goTypeName) in converted object")
        }
        var metadata = original["metadata"] ?? [:]
        for field in ["labels", "annotations"] {
            guard let found = answered[field], !found.isNull else {
                metadata[field] = nil
                continue
            }
            guard let members = found.object else {
                throw Problem(message: "invalid metadata.\(field) of type \(found.goTypeName) in converted object")
            }
            for (key, value) in members where value.string == nil {
                throw Problem(message: "metadata.\(field)[\(key)] must be a string, but is \(value.goTypeName) in converted object")
            }
            if metadata[field] != found {
                let issues = field == "labels" ? labelIssues(members) : annotationIssues(members)
                if !issues.isEmpty { throw Problem(message: FieldIssue.aggregate(issues)) }
            }
            metadata[field] = found
        }
        var object = object
        object["metadata"] = metadata
        return object
    }

    private static func labelIssues(_ labels: JSONObject) -> [FieldIssue] {
        let path = FieldPath("metadata.labels")
        return labels.flatMap { key, value in
            Names.qualifiedNameIssues(key).map { FieldIssue.invalid(path, .string(key), $0) }
                + Names.labelValueIssues(value.string ?? "").map { FieldIssue.invalid(path, value, $0) }
        }
    }

    private static func annotationIssues(_ annotations: JSONObject) -> [FieldIssue] {
        let path = FieldPath("metadata.annotation")
        return annotations.flatMap { key, _ in
            Names.qualifiedNameIssues(key.lowercased()).map { FieldIssue.invalid(path, .string(key), $0) }
        }
    }
}

extension JSONValue {
    /// What Go calls the type of a decoded value.
    fileprivate var goTypeName: String {
        switch self {
        case .null: "<nil>"
        case .bool: "bool"
        case .integer: "int64"
        case .number: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }
}
