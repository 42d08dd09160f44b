import APIModel
import Channels
import Schema
import Testing
import Units
import Values

@testable import CustomResources

@Suite struct DefinitionValidationTests {
    /// The issues of a definition when it is created.
    private func issues(_ object: JSONValue) -> [String] {
        var object = object
        let hooks = DefinitionHooks()
        let context = HookContext(now: Timestamp(unixSeconds: 0), random: SeededRandom(seed: 1))
        hooks.prepareForCreate(&object, context)
        return hooks.validate(object, context).map(\.message)
    }

    private func schemaIssues(_ spec: JSONValue, required: [String] = []) -> [String] {
        issues(definition(kindSchema(spec, required: required)))
    }

    private static let root = "spec.validation.openAPIV3Schema.properties[spec].properties"

    @Test func `a definition of a plain kind is fine`() {
        #expect(schemaIssues(["a": ["type": "string"], "n": ["type": "integer", "default": 3]]).isEmpty)
    }

    @Test func `names`() {
        let wrong = definition(kindSchema([:])) { object in
            object.set("widget.apus.test", at: ["metadata", "name"])
            object.set(["Bad"], at: ["spec", "names", "shortNames"])
        }
        #expect(
            issues(wrong) == [
                "metadata.name: Invalid value: \"widget.apus.test\": must be spec.names.plural+\".\"+spec.group",
                "spec.names.shortNames[0]: Invalid value: \"Bad\": a DNS-1035 label must consist of lower case alphanumeric characters "
                    + "or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
                    + "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            ]
        )
        let alone = definition(kindSchema([:])) { $0.set("test", at: ["spec", "group"]) }
        #expect(issues(alone).contains("spec.group: Invalid value: \"test\": should be a domain with at least one dot"))
        let scope = definition(kindSchema([:])) { $0.set("Global", at: ["spec", "scope"]) }
        #expect(issues(scope) == ["spec.scope: Unsupported value: \"Global\": supported values: \"Cluster\", \"Namespaced\""])
        let same = definition(kindSchema([:])) { $0.set("Widget", at: ["spec", "names", "listKind"]) }
        #expect(issues(same) == ["spec.names.listKind: Invalid value: \"Widget\": kind and listKind may not be the same"])
    }

    @Test func `versions`() {
        let none = definition(kindSchema([:])) { object in
            object.set(false, at: ["spec", "versions", "0", "storage"])
        }
        #expect(
            issues(none).contains {
                $0.hasPrefix("spec.versions: Invalid value: ") && $0.hasSuffix("must have exactly one version marked as storage version")
            }
        )
        let bare = definition(kindSchema([:])) { $0.remove(at: ["spec", "versions", "0", "schema"]) }
        #expect(issues(bare) == ["spec.versions[0].schema.openAPIV3Schema: Required value"])
        let warned = definition(kindSchema([:])) { $0.set("old", at: ["spec", "versions", "0", "deprecationWarning"]) }
        #expect(
            issues(warned)
                == ["spec.versions[0].deprecationWarning: Invalid value: \"old\": can only be set for deprecated versions"]
        )
    }

    @Test func `schemas must be structural`() {
        #expect(schemaIssues(["a": [:]]) == ["\(Self.root)[a].type: Required value: must not be empty for specified object fields"])
        #expect(schemaIssues(["a": ["type": "array"]]) == ["\(Self.root)[a].items: Required value: must be specified"])
        #expect(
            schemaIssues(["a": ["type": "string", "anyOf": [["type": "string"]]]])
                == ["\(Self.root)[a].anyOf[0].type: Forbidden: must be empty to be structural"]
        )
        let incomplete: JSONValue = ["type": "object", "oneOf": [["required": ["x"], "properties": ["x": [:]]]]]
        let top = "spec.validation.openAPIV3Schema"
        #expect(
            issues(definition(incomplete))
                == ["\(top).properties[x]: Required value: because it is defined in \(top).oneOf[0].properties[x]"]
        )
        #expect(
            schemaIssues(["a": ["x-kubernetes-int-or-string": true, "anyOf": [["type": "integer"], ["type": "string"]]]]).isEmpty
        )
        let metadata: JSONValue = ["type": "object", "properties": ["metadata": ["type": "object", "required": ["x"]]]]
        #expect(
            issues(definition(metadata)) == [
                "spec.validation.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and "
                    + "generateName, but metadata is implicitly specified"
            ]
        )
        #expect(
            issues(definition(["type": "object", "additionalProperties": ["type": "string"]])).contains(
                "spec.validation.openAPIV3Schema.additionalProperties: Forbidden: must not be used at the root"
            )
        )
    }

    @Test func `keywords that are not supported`() {
        #expect(
            schemaIssues(["a": ["type": "array", "uniqueItems": true, "items": ["type": "string"]]]) == [
                "\(Self.root)[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            ]
        )
        #expect(schemaIssues(["a": ["type": "string", "$ref": "#/x"]]) == ["\(Self.root)[a].$ref: Forbidden: $ref is not supported"])
        #expect(
            schemaIssues(["a": ["type": "strin"]]) == [
                "\(Self.root)[a].type: Unsupported value: \"strin\": supported values: \"array\", \"boolean\", \"integer\", "
                    + "\"number\", \"object\", \"string\""
            ]
        )
        #expect(
            schemaIssues(["a": ["type": "object", "properties": ["b": ["type": "string"]], "additionalProperties": ["type": "string"]]])
                == ["\(Self.root)[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"]
        )
    }

    @Test func `lists with keys`() {
        let items: JSONValue = ["type": "object", "properties": ["k": ["type": "string"], "v": ["type": "string"]]]
        func list(_ more: JSONValue) -> JSONValue {
            var list: JSONValue = ["type": "array", "items": items]
            for (key, value) in more.object ?? [:] { list[key] = value }
            return ["a": list]
        }
        #expect(
            schemaIssues(list(["x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"]])) == [
                "\(Self.root)[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must "
                    + "have a default or be a required property"
            ]
        )
        #expect(
            schemaIssues(list(["x-kubernetes-list-type": "map"]))
                == ["\(Self.root)[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"]
        )
        #expect(
            schemaIssues(list(["x-kubernetes-list-map-keys": ["k"]]))
                == ["\(Self.root)[a].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty"]
        )
        #expect(
            schemaIssues(list(["x-kubernetes-list-type": "bag"])) == [
                "\(Self.root)[a].x-kubernetes-list-type: Unsupported value: \"bag\": supported values: \"atomic\", \"set\", \"map\""
            ]
        )
    }

    @Test func `defaults must be valid and pruned`() {
        #expect(
            schemaIssues(["a": ["type": "integer", "maximum": 3, "default": 5]]) == [
                "\(Self.root)[a].default: Invalid value: 5:  in body should be less than or equal to 3"
            ]
        )
        #expect(
            schemaIssues(["a": ["type": "object", "properties": ["b": ["type": "string"]], "default": ["c": "x"]]]) == [
                "\(Self.root)[a].default: Invalid value: {\"c\":\"x\"}: must not have unknown fields"
            ]
        )
        let kind: JSONValue = ["type": "object", "properties": ["kind": ["type": "string", "default": "x"]]]
        #expect(
            issues(definition(kind)) == [
                "spec.validation.openAPIV3Schema.properties[kind].default: Forbidden: must not be set in top-level kind"
            ]
        )
    }

    @Test func `columns, scale and selectable fields`() {
        let columns = definition(kindSchema([:])) { object in
            object.set(
                [["name": "A", "type": "text", "jsonPath": "spec.a"], ["name": "", "type": "string", "jsonPath": ".a"]],
                at: ["spec", "versions", "0", "additionalPrinterColumns"]
            )
        }
        #expect(
            issues(columns) == [
                "spec.additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string",
                "spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"spec.a\": must be a simple json path starting with .",
                "spec.additionalPrinterColumns[1].name: Required value",
            ]
        )
        let scale = definition(kindSchema([:])) { object in
            object.set(
                ["scale": ["specReplicasPath": ".status.x", "statusReplicasPath": ""]],
                at: ["spec", "versions", "0", "subresources"]
            )
        }
        #expect(
            issues(scale) == [
                "spec.subresources.scale.specReplicasPath: Invalid value: \".status.x\": should be a json path under .spec",
                "spec.subresources.scale.statusReplicasPath: Required value",
            ]
        )
        let fields = definition(kindSchema(["a": ["type": "object", "properties": [:]]])) { object in
            object.set(
                [["jsonPath": ".spec.a"], ["jsonPath": ".spec.nope"], ["jsonPath": ".spec['a']"]],
                at: ["spec", "versions", "0", "selectableFields"]
            )
        }
        #expect(
            issues(fields) == [
                "spec.selectableFields[0].jsonPath: Invalid value: \".spec.a\": must point to a field of type string, boolean or integer. "
                    + "Enum string fields and strings with formats are allowed.",
                "spec.selectableFields[1].jsonPath: Invalid value: \".spec.nope\": is an invalid path: does not refer to a valid field",
                "spec.selectableFields[2].jsonPath: Invalid value: \".spec['a']\": is an invalid path: array notation is not allowed",
            ]
        )
    }

    @Test func `conversion settings`() {
        func conversion(_ value: JSONValue) -> [String] {
            issues(definition(kindSchema([:])) { $0.set(value, at: ["spec", "conversion"]) })
        }
        #expect(
            conversion(["strategy": "Webhook"]) == [
                "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
                "spec.conversion.conversionReviewVersions: Required value",
            ]
        )
        #expect(
            conversion([
                "strategy": "Webhook", "webhook": ["conversionReviewVersions": ["v2"], "clientConfig": ["url": "http://x?y"]],
            ]) == [
                "spec.conversion.webhookClientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: "
                    + "https://host[/path]",
                "spec.conversion.webhookClientConfig.url: Invalid value: \"y\": query parameters are not permitted in the URL",
                "spec.conversion.conversionReviewVersions: Invalid value: [\"v2\"]: must include at least one of v1, v1beta1",
            ]
        )
        #expect(
            conversion(["strategy": "None", "webhook": ["conversionReviewVersions": ["v1"]]]) == [
                "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook"
            ]
        )
    }

    @Test func `groups of the community need approval`() {
        let object = definition(kindSchema([:])) { object in
            object.set("x.k8s.io", at: ["spec", "group"])
            object.set("widgets.x.k8s.io", at: ["metadata", "name"])
        }
        let field = "metadata.annotations[api-approved.kubernetes.io]"
        let more = "see https://github.com/kubernetes/enhancements/pull/1111"
        #expect(
            issues(object)
                == ["\(field): Required value: protected groups must have approval annotation \"api-approved.kubernetes.io\", \(more)"]
        )
        var approved = object
        approved.set(["api-approved.kubernetes.io": "https://github.com/x/pull/1"], at: ["metadata", "annotations"])
        #expect(issues(approved).isEmpty)
        let status = DefinitionStatus.updated(approved, granted: [], now: Timestamp(unixSeconds: 0))
        #expect(DefinitionConditions(status).isTrue("KubernetesAPIApprovalPolicyConformant"))
        #expect(DefinitionConditions(status)["KubernetesAPIApprovalPolicyConformant"]?.reason == "ApprovedAnnotation")
    }

    @Test func `what may not change`() {
        let context = HookContext(now: Timestamp(unixSeconds: 0), random: SeededRandom(seed: 1))
        let hooks = DefinitionHooks()
        var old = definition(kindSchema([:]))
        hooks.prepareForCreate(&old, context)
        old = DefinitionStatus.updated(old, granted: [], now: Timestamp(unixSeconds: 0))
        var new = old
        new.set("Cluster", at: ["spec", "scope"])
        new.set("Gadget", at: ["spec", "names", "kind"])
        hooks.prepareForUpdate(&new, old: old, context)
        #expect(
            hooks.validateUpdate(new, old: old, context).map(\.message) == [
                "spec.scope: Invalid value: \"Cluster\": field is immutable",
                "spec.names.kind: Invalid value: \"Gadget\": field is immutable",
            ]
        )
        #expect(new.value(at: ["metadata", "generation"]) == 2)
    }

    @Test func `unknown formats are warned of`() {
        let object = definition(kindSchema(["a": ["type": "string", "format": "nope"], "b": ["type": "string", "format": "date-time"]]))
        #expect(DefinitionHooks().warnings(object, old: nil) == ["unrecognized format \"nope\""])
        #expect(DefinitionHooks().warnings(object, old: object).isEmpty)
    }
}
