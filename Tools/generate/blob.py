"""Writes the embedded schema: all types, default rules and resources, compact, in the order the reader wants.

Layout (little-endian words after the magic): number of strings, position of their offsets, position of their bytes,
number of types, position of their offsets, position of their records, position of the default rules, position and
length of the resources. Numbers in records are LEB128; strings are indices.
"""
import json
import struct

SHAPES = {
    "object": 0, "list": 2, "quantity": 8, "int-or-string": 9, "date-time": 10, "micro-time": 11, "duration": 12,
    "any": 13, "raw": 13, "custom": 13, "object-any": 14, "ref-or-bool": 15, "ref-or-list": 16,
    "ref-or-string-list": 17,
}
SCALARS = {
    ("string", None): 0, ("boolean", None): 1, ("integer", "int32"): 2, ("integer", "int64"): 3,
    ("number", "double"): 4, ("number", "float"): 5, ("string", "byte"): 6,
}
ANYTHING = 99
TESTS = {"equals": 0, "differs": 1, "absent": 2, "present": 3}
PROPS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"


class Strings:
    def __init__(self):
        self.index = {"": 0}

    def __call__(self, text):
        return self.index.setdefault(text, len(self.index))


class Writer:
    def __init__(self, strings, types):
        self.strings = strings
        self.types = types
        self.out = bytearray()

    def byte(self, value):
        self.out.append(value)

    def number(self, value):
        while value >= 0x80:
            self.out.append((value & 0x7F) | 0x80)
            value >>= 7
        self.out.append(value)

    def string(self, text):
        self.number(self.strings(text))

    def list(self, texts):
        self.number(len(texts))
        for text in texts:
            self.string(text)

    def json(self, value):
        self.string(json.dumps(value, separators=(",", ":"), sort_keys=True))

    def type(self, shape):
        if shape["shape"] == "scalar":
            self.byte(SCALARS[(shape["type"], shape.get("format"))])
        elif shape["shape"] == "ref":
            self.byte(10)
            self.number(self.types[shape["ref"]])
        elif shape["shape"] in ("list", "map"):
            self.byte(11 if shape["shape"] == "list" else 12)
            self.type(shape["elem"])
        else:
            self.byte(ANYTHING)


def enum_of(shape):
    while shape:
        if shape.get("enum"):
            return shape["enum"]
        shape = shape.get("elem")
    return []


def write_field(w, field, order):
    flags = 0
    for bit, key in enumerate(["omitempty", "omitzero", "ptr", "required", "typeMeta"]):
        if field.get(key):
            flags |= 1 << bit
    flags |= {"set": 1, "map": 2, "atomic": 3}.get(field.get("listType"), 0) << 5
    enum = enum_of(field)
    parts = {
        7: field.get("mapType") == "atomic", 8: enum, 9: "default" in field, 10: field.get("patchStrategy"),
        11: field.get("patchMergeKey"), 12: field.get("protoNumber"), 13: field.get("protoName"),
        14: field.get("inlineVia"), 15: field.get("description"), 16: field.get("mapType") == "granular",
    }
    for bit, present in parts.items():
        if present:
            flags |= 1 << bit
    w.string(field["jsonName"])
    w.number(flags)
    w.number(order)
    if field.get("listType") == "map":
        w.list(field["listMapKeys"])
    if parts[8]:
        w.list(enum)
    w.type(field)
    if parts[9]:
        w.json(field["default"])
    if parts[10]:
        w.list(field["patchStrategy"].split(","))
    if parts[11]:
        w.string(field["patchMergeKey"])
    if parts[12]:
        w.number(field["protoNumber"])
        w.string(field["protoType"])
    if parts[13]:
        w.string(field["protoName"])
    if parts[14]:
        w.string(".".join(field["inlineVia"]))
    if parts[15]:
        w.string(field["description"])


def write_type(w, name, entry, root):
    shape = SHAPES[entry["json"]]
    if name.endswith(".QuantityValue"):
        shape = SHAPES["quantity"]
    every = isinstance(entry.get("gvk"), str)
    flags = (1 if entry.get("mapType") == "atomic" else 0) | (2 if every else 0) | (4 if entry.get("unions") else 0)
    flags |= (8 if entry.get("description") else 0) | (16 if root is not None else 0)
    has_element = shape in (2, 15, 16, 17)
    flags |= 32 if has_element else 0
    w.string(name)
    w.byte(shape)
    w.byte(flags)
    w.string(entry.get("proto") or "")
    kinds = [] if every else entry.get("gvk") or []
    w.number(len(kinds))
    for group, version, kind in kinds:
        w.string(group)
        w.string(version)
        w.string(kind)
    w.number(len(entry.get("inlines") or []))
    for inline in entry.get("inlines") or []:
        path = inline["path"]
        w.string(path if isinstance(path, str) else ".".join(path))
        w.number(inline.get("protoNumber") or 0)
        w.string(inline.get("message") or "")
    w.number(len(entry.get("protoOnly") or []))
    for member in entry.get("protoOnly") or []:
        w.string(member["protoName"])
        w.number(member["protoNumber"])
        w.string(member["protoType"])
    if flags & 4:
        w.json(entry["unions"])
    if flags & 8:
        w.string(entry["description"])
    if flags & 16:
        w.number(root)
    if has_element:
        w.type({"shape": "scalar", "type": "string"} if shape == 2 else {"shape": "ref", "ref": PROPS})
    fields = sorted(enumerate(entry["fields"]), key=lambda item: item[1]["jsonName"].encode())
    w.number(len(fields))
    for order, field in fields:
        write_field(w, field, order)


def write_rules(w, pool):
    w.number(len(pool))
    for rules in pool:
        w.number(len(rules))
        for name, value, replaces_zero, creates, condition, below in rules:
            w.string(name)
            flags = (1 if value is not None else 0) | (2 if condition else 0) | (4 if below is not None else 0)
            w.byte(flags | (8 if replaces_zero else 0) | (16 if creates else 0))
            if value is not None:
                w.json(json.loads(value))
            if condition:
                w.string(condition[0])
                w.byte(TESTS[condition[1]])
                w.list(condition[2])
            if below is not None:
                w.number(below)


def resources_text(resources, columns, selectors):
    out = []
    for entry in resources["resources"]:
        item = dict(entry)
        key = f"{entry['group'] or 'core'}/{entry['version']}/{entry['resource']}"
        table = columns["resources"].get(key)
        if table and table["source"] == "printer":
            item["columns"] = table["columns"]
        fields = selectors["resources"].get(key)
        if fields:
            item["fieldSelectors"] = fields
        out.append(item)
    document = {"groups": resources["groups"], "resources": out, "specialColumns": columns["special"]}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def write(types, rules, resources, columns, selectors):
    names = sorted(types, key=lambda n: n.encode())
    strings = Strings()
    index = {name: i for i, name in enumerate(names)}
    w = Writer(strings, index)
    offsets = []
    for name in names:
        offsets.append(len(w.out))
        write_type(w, name, types[name], rules.roots.get(name))
    r = Writer(strings, index)
    write_rules(r, rules.pool)
    texts = [t.encode() for t in strings.index]
    string_offsets = [0]
    for text in texts:
        string_offsets.append(string_offsets[-1] + len(text))
    res = resources_text(resources, columns, selectors)
    header = 8 + 9 * 4
    p_string_offsets = header
    p_strings = p_string_offsets + 4 * len(string_offsets)
    p_type_offsets = p_strings + string_offsets[-1]
    p_types = p_type_offsets + 4 * len(offsets)
    p_rules = p_types + len(w.out)
    p_res = p_rules + len(r.out)
    words = [len(texts), p_string_offsets, p_strings, len(names), p_type_offsets, p_types, p_rules, p_res, len(res)]
    return b"".join([
        b"APUSSCH1", struct.pack("<9I", *words), struct.pack(f"<{len(string_offsets)}I", *string_offsets),
        b"".join(texts), struct.pack(f"<{len(offsets)}I", *offsets), bytes(w.out), bytes(r.out), res,
    ])
