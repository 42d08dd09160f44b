import APIModel
import Negotiation
import Schema
import Units
import Values

extension ObjectDecoding {
    /// Decodes what a patch made of an object. What is wrong with it is the patch's fault, and is answered as such: with
    /// the patched object, or for a strategic merge with the patch.
    func decode(
        patched value: inout JSONValue,
        by patch: ObjectPatch,
        named name: String,
        _ validation: FieldValidation,
        _ warnings: WarningList
    ) throws(APIError) {
        let given = value
        func rejected(_ why: String) -> APIError {
            let shown =
                patch.kind == .strategic ? patch.content.goText : Responses.patchedText(given, metadataIsTouched: patch.touchesMetadata)
            return .invalid(GroupKind(group: "", kind: ""), "", [.invalid(FieldPath("patch"), .string(shown), why)])
        }
        let kind = value["kind"]?.string ?? ""
        let apiVersion = value["apiVersion"]?.string ?? ""
        // A strategic merge is made by the type, whatever the patch calls it: Ansible patches the scale of a Deployment by that kind.
        if schema.body.isBuiltin, patch.kind != .strategic,
            let version = GroupVersion(apiVersion: apiVersion.isEmpty ? expected.apiVersion : apiVersion),
            let why = mismatch(version, apiVersion, kind)
        {
            throw rejected(why)
        }
        // A version of another type is a mistake of its type, found below.
        if schema.body.isBuiltin, patch.kind != .strategic, ["", .null].contains(value["apiVersion"] ?? .null) {
            throw nameless(value, by: patch, named: name, validation, warnings, rejected)
        }
        let unknown: [String]
        do throws(SchemaDecodeError) {
            unknown = try decodeFields(of: &value, isMerged: patch.kind == .strategic)
        } catch {
            throw rejected(error.message)
        }
        self.name(&value)
        let problems = patch.problems + unknown
        if !problems.isEmpty {
            switch validation {
            case .ignore: break
            case .warn: problems.forEach(warnings.add)
            case .strict: throw rejected("strict decoding error: \(problems.joined(separator: ", "))")
            }
        }
        schema.applyDefaults(&value)
        hooks.defaults(&value)
    }

    /// What upstream makes of a patched object that does not say its version: it reads it as its internal type, which has none
    /// of the fields, and then misses the name.
    private func nameless(
        _ value: JSONValue,
        by patch: ObjectPatch,
        named name: String,
        _ validation: FieldValidation,
        _ warnings: WarningList,
        _ rejected: (String) -> APIError
    ) -> APIError {
        let fields = (value.object ?? [:]).map(\.key).filter { $0 != "kind" && $0 != "apiVersion" }.sorted()
        let problems = patch.problems + fields.map { "unknown field \(GoQuote.quote($0))" }
        switch validation {
        case .strict: return rejected("strict decoding error: \(problems.joined(separator: ", "))")
        case .warn: problems.forEach(warnings.add)
        case .ignore: break
        }
        return .undeterminableName(name)
    }
}
