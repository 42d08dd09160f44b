"""Writes the typed lenses for the kinds that our own code reads and writes."""

# (group, version): the types of its kinds, and of all that they refer to, get a lens. In order of who gets the name.
GROUPS = [
    ("", "v1"), ("apps", "v1"), ("batch", "v1"), ("discovery.k8s.io", "v1"), ("coordination.k8s.io", "v1"),
    ("storage.k8s.io", "v1"), ("policy", "v1"), ("rbac.authorization.k8s.io", "v1"), ("networking.k8s.io", "v1"),
    ("authentication.k8s.io", "v1"), ("authorization.k8s.io", "v1"), ("scheduling.k8s.io", "v1"),
    ("node.k8s.io", "v1"), ("autoscaling", "v2"), ("autoscaling", "v1"), ("certificates.k8s.io", "v1"),
    ("events.k8s.io", "v1"),
]
# Of autoscaling/v1 only Scale: the rest is an older form of v2.
ONLY = {("autoscaling", "v1"): {"Scale", "ScaleSpec", "ScaleStatus"}}
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
# These live in APIModel, below the generated kinds.
IN_MODEL = ["ObjectMeta", "OwnerReference", "ManagedFieldsEntry"]
# Upstream names that would hide a Swift or Apus type of the same name.
RENAMED = {
    META + "LabelSelector": "MetaLabelSelector",
    "io.k8s.api.networking.v1.IPAddress": "NetworkingIPAddress",
    "io.k8s.api.storage.v1.TokenRequest": "StorageTokenRequest",
}
RESERVED = {
    "continue", "default", "in", "operator", "internal", "static", "is", "as", "for", "case", "self", "protocol",
    "import", "extension", "func", "var", "let", "where", "class", "struct", "enum", "private", "public", "return",
    "switch", "throws", "throw", "try", "repeat", "if", "else", "while", "do", "defer", "guard", "init", "subscript",
    "true", "false", "nil", "super", "rethrows", "inout", "typealias", "associatedtype", "fileprivate", "break",
    "catch", "fallthrough", "Any", "Self", "Type", "Protocol",
}
MAX_LINES = 1400
SPECIAL = {"quantity", "int-or-string", "date-time", "micro-time", "duration", "any", "object-any", "raw", "list",
           "ref-or-bool", "ref-or-list", "ref-or-string-list", "custom"}


class Lenses:
    def __init__(self, types, resources):
        self.types = types
        self.resources = resources["resources"]
        self.names = {}
        self.files = {}

    def kind_types(self, group, version):
        for name, entry in self.types.items():
            for gvk in entry.get("gvk") or []:
                if isinstance(gvk, list) and gvk[:2] == [group, version]:
                    if self.types[name]["package"].startswith("k8s.io/apimachinery"):
                        continue
                    if group == "" and version == "v1" and ".core.v1." not in name:
                        continue
                    yield name
                    break

    def closure(self, start):
        seen, queue = [], [start]
        while queue:
            name = queue.pop(0)
            if name in seen or self.types[name]["json"] in SPECIAL:
                continue
            seen.append(name)
            for field in self.types[name]["fields"]:
                shape = field
                while shape.get("elem"):
                    shape = shape["elem"]
                if shape["shape"] == "ref":
                    queue.append(shape["ref"])
        return seen

    def plan(self):
        taken = {"List", "Lens", "APIObject", "Status"}
        for name in IN_MODEL:
            self.names[META + name] = name
            taken.add(name)
        for group, version in GROUPS:
            prefix = (group.split(".")[0] or "core").capitalize()
            members = []
            for kind in sorted(self.kind_types(group, version)):
                only = ONLY.get((group, version))
                if only and self.types[kind]["name"] not in only:
                    continue
                if self.types[kind]["name"].endswith("List"):
                    continue
                for name in self.closure(kind):
                    if name in self.names:
                        continue
                    short = RENAMED.get(name, self.types[name]["name"])
                    if short in taken:
                        short = prefix + short
                    taken.add(short)
                    self.names[name] = short
                    if name.startswith(META):
                        self.files.setdefault(("meta", "v1"), []).append(name)
                    else:
                        members.append(name)
            self.files[(group, version)] = sorted(members, key=lambda n: self.names[n])

    # Swift type, getter, setter of one field.
    def accessor(self, owner, field):
        keep = "set" if field.get("omitempty") or field.get("omitzero") else "keep"
        pointer = bool(field.get("ptr"))
        if field["shape"] == "scalar":
            base = {
                "string": ("String", "tring"), "boolean": ("Bool", "ool"), "integer": ("Int", "nt"),
                "number": ("Double", "ouble"),
            }[field["type"]][0]
            if field.get("format") == "byte":
                return "[UInt8]", "bytes", f"{keep}Bytes"
            if pointer:
                return f"{base}?", f"optional{base}", f"setOptional{base}"
            return base, base.lower(), f"{keep}{base}"
        if field["shape"] == "ref":
            return self.reference(field, keep, pointer)
        return self.collection(field, keep)

    def reference(self, field, keep, pointer):
        form = self.types[field["ref"]]["json"]
        optional = "?" if pointer else ""
        if form == "quantity":
            return f"Quantity{optional}", "optionalQuantity" if pointer else "quantity", "setQuantity"
        if form == "int-or-string":
            getter = "optionalIntOrString" if pointer else "intOrString"
            return f"IntOrString{optional}", getter, "setIntOrString"
        if form == "date-time":
            return "Timestamp?", "time", f"{keep}Time"
        if form == "micro-time":
            return "Timestamp?", "time", f"{keep}MicroTime"
        if form == "duration":
            return "String", "string", "setString"
        if form == "list":
            return "[String]", "strings", f"{keep}Strings"
        if form in SPECIAL:
            return "JSONValue?", None, None
        name = self.names[field["ref"]]
        if pointer:
            return f"{name}?", "optionalLens", "setOptionalLens"
        return name, "lens", "setLens"

    def collection(self, field, keep):
        elem = field["elem"]
        if field["shape"] == "list":
            if elem["shape"] == "scalar":
                base = {"string": "String", "integer": "Int"}.get(elem["type"])
                if base and elem.get("format") != "byte":
                    return f"[{base}]", f"{base.lower()}s", f"{keep}{base}s"
            elif elem["shape"] == "ref" and self.types[elem["ref"]]["json"] not in SPECIAL:
                return f"[{self.names[elem['ref']]}]", "lenses", f"{keep}Lenses"
            return "[JSONValue]", "values", f"{keep}Values"
        if elem["shape"] == "scalar" and elem["type"] == "string":
            if elem.get("format") == "byte":
                return "[String: [UInt8]]", "bytesMap", "setBytesMap"
            return "[String: String]", "stringMap", "setStringMap"
        if elem["shape"] == "list" and elem["elem"].get("type") == "string":
            return "[String: [String]]", "stringsMap", "setStringsMap"
        if elem["shape"] == "ref":
            form = self.types[elem["ref"]]["json"]
            if form == "quantity":
                return "[String: Quantity]", "quantityMap", "setQuantityMap"
            if form == "list":
                return "[String: [String]]", "stringsMap", "setStringsMap"
            if form not in SPECIAL:
                return f"[String: {self.names[elem['ref']]}]", "lensMap", "setLensMap"
        return "[String: JSONValue]", "valueMap", "setValueMap"

    def resource_of(self, name):
        for entry in self.resources:
            if entry["type"] == name:
                return entry
        return None

    def render(self, name):
        entry = self.types[name]
        swift = self.names[name]
        version = name.split(".")[-2]
        package = entry["package"].rsplit("/", 2)
        served = self.resource_of(name)
        kind = None
        for gvk in entry.get("gvk") or []:
            if isinstance(gvk, list) and not name.startswith(META):
                kind = gvk
                break
        is_object = kind is not None and any(f["jsonName"] == "metadata" for f in entry["fields"])
        words = f" {entry['description']}" if entry.get("description") else ""
        out = [f"/// `{entry['name']}` of {package[-2]}/{version}.{words}"]
        out.append(f"public struct {swift}: {'APIObject' if is_object else 'Lens'} {{")
        out.append("    /// The object looked at.")
        out.append("    public var fields: JSONObject")
        out.append("    /// Looks at an object.")
        out.append("    public init(fields: JSONObject) { self.fields = fields }")
        if is_object:
            group, ver, k = kind
            plural = served["resource"] if served else k.lower() + "s"
            namespaced = "true" if (served or {}).get("namespaced", True) else "false"
            out.append("    /// The kind.")
            out.append(f'    public static let gvk = GroupVersionKind(group: "{group}", version: "{ver}", kind: "{k}")')
            out.append("    /// The resource that serves it.")
            out.append("    public static let resource = GroupVersionResource(")
            out.append(f'        group: "{group}", version: "{ver}", resource: "{plural}")')
            out.append("    /// Whether objects live in a namespace.")
            out.append(f"    public static let namespaced = {namespaced}")
        for field in entry["fields"]:
            json_name = field["jsonName"]
            if is_object and (field.get("typeMeta") or json_name == "metadata"):
                continue
            swift_name = f"`{json_name}`" if json_name in RESERVED else json_name
            kind_name, getter, setter = self.accessor(entry, field)
            out.append(f"    /// {field.get('description') or f'The field `{json_name}`.'}")
            out.append(f"    public var {swift_name}: {kind_name} {{")
            if getter is None:
                out.append(f'        get {{ fields["{json_name}"] }}')
                out.append(f'        set {{ fields["{json_name}"] = newValue }}')
            else:
                out.append(f'        get {{ fields.{getter}("{json_name}") }}')
                out.append(f'        set {{ fields.{setter}("{json_name}", newValue) }}')
            out.append("    }")
        out.append("}")
        return "\n".join(out) + "\n"


def header(module_imports):
    lines = ["// swift-format-ignore-file", "// Generated by Tools/generate; do not edit."]
    return "\n".join(lines + [f"import {m}" for m in module_imports]) + "\n\n"


def write(types, resources):
    lenses = Lenses(types, resources)
    lenses.plan()
    model = "\n".join(lenses.render(META + name) for name in IN_MODEL)
    yield "Sources/APIModel/Generated/ObjectMeta.swift", header(["Units", "Values"]) + model
    for (group, version), names in lenses.files.items():
        base = (group.split(".")[0] or "core").capitalize() + version.upper()
        part, lines, chunk = 1, 0, []
        files = []
        for name in names:
            text = lenses.render(name)
            if lines and lines + text.count("\n") > MAX_LINES:
                files.append(chunk)
                chunk, lines = [], 0
            chunk.append(text)
            lines += text.count("\n") + 1
        files.append(chunk)
        for part, chunk in enumerate(files, 1):
            suffix = "" if len(files) == 1 else f"+{part}"
            yield f"Sources/APITypes/Generated/{base}{suffix}.swift", header(["APIModel", "Units", "Values"]) + "\n".join(chunk)
