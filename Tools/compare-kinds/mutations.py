"""Systematic changes of a sound object, driven by the table of all types."""

import copy
import json
import os

REMOVE = object()


class Wrong:
    """A value of a type that its place does not have."""

    def __init__(self, value):
        self.value = value


LONG = "x" * 300
PER_TYPE_DEPTH = 2


def load_types(folder):
    with open(os.path.join(folder, "types.json")) as file:
        return json.load(file)["types"]


def load_resources(folder):
    with open(os.path.join(folder, "resources.json")) as file:
        return json.load(file)["resources"]


class Mutator:
    """Every single change of an object of a type, as (description, path, value)."""

    def __init__(self, types):
        self.types = types

    def fields(self, name):
        return {f["jsonName"]: f for f in self.types.get(name, {}).get("fields", []) if not f.get("typeMeta")}

    def shape(self, name):
        return self.types.get(name, {}).get("json", "object")

    def sample(self, field, depth=0):
        """A value for a field that is not there."""
        shape = field.get("shape")
        if shape == "list":
            return [self.sample(field["elem"], depth)]
        if shape == "map":
            return {"a.example/k": self.sample(field["elem"], depth)}
        if shape == "ref":
            form = self.shape(field["ref"])
            if form == "quantity":
                return "2"
            if form == "int-or-string":
                return 3
            if form in ("date-time", "micro-time"):
                return "2026-01-02T03:04:05Z"
            if form == "duration":
                return "1m0s"
            if form != "object" or depth >= PER_TYPE_DEPTH:
                return {}
            return {n: self.sample(f, depth + 1) for n, f in self.fields(field["ref"]).items()}
        kind = field.get("type")
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            return 1
        if field.get("enum"):
            return field["enum"][0]
        if field.get("format") == "date-time":
            return "2026-01-02T03:04:05Z"
        if field.get("format") == "byte":
            return "eA=="
        if kind == "string":
            return "x"
        return {}

    def additions(self, field, depth=0):
        """Values worth trying for a field that is absent."""
        shape = field.get("shape")
        if shape == "list":
            inner = [[v] for v in self.additions(field["elem"], depth + 1)]
            return [[]] + inner
        if shape == "map":
            return [{}, {"a.example/k": self.sample(field["elem"])}, {"-bad key!": self.sample(field["elem"])}]
        if shape == "ref":
            form = self.shape(field["ref"])
            if form == "object":
                values = [{}, self.sample(field)]
                if depth < 3:
                    for name, inner in self.fields(field["ref"]).items():
                        values.append({name: self.sample(inner, 1)})
                return values
            if form == "quantity":
                return ["1", "-1", "0", "100m"]
            if form == "int-or-string":
                return [0, 1, -1, "50%", "bad", 70000]
            return [self.sample(field)]
        kind = field.get("type")
        if kind == "boolean":
            return [True, False]
        if kind in ("integer", "number"):
            return [0, 1, -1, 70000]
        if field.get("enum"):
            return ["", "Bogus"] + field["enum"][:6]
        if field.get("format") == "byte":
            return ["eA==", ""]
        if kind == "string":
            return ["", "x", "Bad_Value!"]
        return [{}]

    def replacements(self, field, value):
        """Values worth trying for a field that is there."""
        shape = field.get("shape")
        if shape == "list":
            values = [[]]
            if isinstance(value, list) and value:
                values += [value + [value[0]], value + [{} if isinstance(value[0], dict) else ""], value[1:]]
            return values
        if shape == "map":
            sound = next(iter(value.values()), "v") if isinstance(value, dict) else "v"
            return [{}, {"-bad key!": sound}, {"": sound}, {"a/b/c": sound}, {"y" * 64: sound}, {**value, "new": sound}]
        if shape == "ref":
            form = self.shape(field["ref"])
            if form == "object":
                return [{}]
            if form == "quantity":
                return ["0", "-1", "100m", "1", "7Gi", "10000000", 3]
            if form == "int-or-string":
                return [0, 1, -1, 70000, "50%", "bad name", "101%", "", "toolongnameforaport", "http"]
            if form in ("date-time", "micro-time"):
                return ["2027-01-02T03:04:05Z"]
            if form == "duration":
                return ["0s", "-1s", "99h0m0s"]
            return []
        kind = field.get("type")
        if kind == "boolean":
            return [not value]
        if kind in ("integer", "number"):
            return [0, 1, -1, 3, 65536, 2147483647]
        if field.get("enum"):
            return ["", "Bogus"] + [e for e in field["enum"] if e != value][:6]
        if field.get("format") == "byte":
            return ["", "eA=="]
        if kind == "string":
            return ["", "ok", "Bad_Value!", LONG, "a.b", "../x", "/abs", "10.0.0.1"]
        return []

    def wrong(self, field):
        """A value of another type."""
        if field.get("shape") in ("list", "map", "ref"):
            return 7 if field.get("shape") != "ref" or self.shape(field["ref"]) == "object" else {"a": 1}
        return {"string": 5, "boolean": "yes", "integer": "no", "number": "no"}.get(field.get("type"), 5)

    def changes(self, value, type_name, path=(), skip=()):
        for name, field in self.fields(type_name).items():
            place = path + (name,)
            if ".".join(str(p) for p in place if not isinstance(p, int)) in skip:
                continue
            if not isinstance(value, dict) or name not in value:
                # What may stand beside is tried in the first element of a list alone.
                if not any(isinstance(key, int) and key > 0 for key in place):
                    for addition in self.additions(field):
                        yield place, addition
                continue
            yield place, REMOVE
            yield place, None
            yield place, Wrong(self.wrong(field))
            yield from self.inside(value[name], field, place, skip)

    def inside(self, value, field, place, skip):
        for new in self.replacements(field, value):
            yield place, new
        shape = field.get("shape")
        if shape == "list" and isinstance(value, list):
            for index, element in enumerate(value):
                yield from self.inside(element, field["elem"], place + (index,), skip)
        elif shape == "map" and isinstance(value, dict):
            for key, element in value.items():
                yield from self.inside(element, field["elem"], place + (key,), skip)
        elif shape == "ref" and self.shape(field["ref"]) == "object" and isinstance(value, dict):
            yield from self.changes(value, field["ref"], place, skip)


def apply(base, path, value):
    """The object with one place changed; None when the place is gone."""
    result = copy.deepcopy(base)
    node = result
    for key in path[:-1]:
        try:
            node = node[key]
        except (KeyError, IndexError, TypeError):
            return None
    try:
        if value is REMOVE:
            if isinstance(node, dict):
                node.pop(path[-1], None)
            else:
                del node[path[-1]]
        else:
            node[path[-1]] = copy.deepcopy(value.value if isinstance(value, Wrong) else value)
    except (KeyError, IndexError, TypeError):
        return None
    return result


def describe(path, value):
    words = ""
    for key in path:
        words += f"[{key}]" if isinstance(key, int) else f".{key}"
    if isinstance(value, Wrong):
        value = value.value
    text = "<removed>" if value is REMOVE else json.dumps(value)
    return f"{words[1:]} = {text if len(text) < 160 else text[:150] + '…'}"
