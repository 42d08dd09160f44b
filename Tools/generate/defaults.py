"""Turns `objectDefaults` into rules by path that the schema carries.

A rule set belongs to one struct; equal rule sets are shared between kinds. What depends on more than one neighbouring
field is left to hooks, and listed in HOOKS.
"""
import json
import re

# (kind pattern, path pattern): computed from other parts of the object, so a hook does it.
HOOKS = [
    (r".*", r"(^|\.)imagePullPolicy$"),  # by the tag of the image
    (r".*", r"\.image\.pullPolicy$"),
    (r".*", r"\.timeAdded$"),  # the clock
    (r".* HorizontalPodAutoscaler$", r"^spec\.(metrics|behavior)"),
    (r".* NetworkPolicy$", r"^spec\.policyTypes"),
]
# (kind pattern, path of the field, (neighbouring field, test, values)). Tests: equals, differs, absent, present.
CONDITIONS = [
    (r"apps/v1 Deployment$", "spec.strategy.rollingUpdate", ("type", "equals", ["", "RollingUpdate"])),
    (r"apps/v1 DaemonSet$", "spec.updateStrategy.rollingUpdate", ("type", "equals", ["", "RollingUpdate"])),
    (r"apps/v1 StatefulSet$", "spec.updateStrategy.rollingUpdate", ("type", "equals", [""])),
    (r"batch/v1 Job$", "spec.completions", ("parallelism", "absent", [])),
    (r"batch/v1 Job$", "spec.podReplacementPolicy", ("podFailurePolicy", "absent", [])),
    (r"batch/v1 Job$", "spec.backoffLimit", ("backoffLimitPerIndex", "absent", [])),
    (r"v1 Service$", "spec.internalTrafficPolicy", ("type", "differs", ["ExternalName"])),
    (r"resource.k8s.io/.*", r".*\.count", ("allocationMode", "equals", ["", "ExactCount"])),
]
# (kind pattern, path) -> value: several facts of the table put as one value.
WHOLE = [
    (r".* CustomResourceDefinition$", "spec.conversion.strategy", "spec.conversion", {"strategy": "None"}),
    (r".* CSIDriver$", "spec.volumeLifecycleModes[]", "spec.volumeLifecycleModes", ["Persistent"]),
]
# Empty structs that defaulting adds below list elements, where the table's filled object already has them.
EXTRA = [
    (r".*WebhookConfiguration$", "webhooks[].namespaceSelector", {}),
    (r".*WebhookConfiguration$", "webhooks[].objectSelector", {}),
    (r".*AdmissionPolicy$", "spec.matchConstraints.namespaceSelector", {}),
    (r".*AdmissionPolicy$", "spec.matchConstraints.objectSelector", {}),
    (r".*AdmissionPolicyBinding$", "spec.matchResources.namespaceSelector", {}),
    (r".*AdmissionPolicyBinding$", "spec.matchResources.objectSelector", {}),
]
# Values that the other branch of a condition has in the filled object.
PREFER_EMPTY = {"spec.podReplacementPolicy"}


class Rules:
    """`pool` lists the rule sets, each referring to earlier ones; `roots` maps a type to its rule set."""

    def __init__(self, types, table):
        self.types = types
        self.pool = []
        self.index = {}
        self.roots = {}
        self.hooked = {}
        self.expected = {}
        kinds = {}
        for name, entry in types.items():
            for gvk in entry.get("gvk") or []:
                if isinstance(gvk, list):
                    prefix = f"{gvk[0]}/" if gvk[0] else ""
                    kinds[f"{prefix}{gvk[1]} {gvk[2]}"] = name
        for kind, value in sorted(table.items()):
            self.add(kind, kinds[kind], value.get("empty", {}), value.get("filled", {}))

    def add(self, kind, type_name, empty, filled):
        entries = {}
        for path in sorted(set(empty) | set(filled)):
            if any(re.search(k, kind) and re.search(p, path) for k, p in HOOKS):
                self.hooked.setdefault(kind, []).append(path)
                continue
            value = filled.get(path, empty.get(path))
            if path in PREFER_EMPTY and path in empty:
                value = empty[path]
            for k, source, target, whole in WHOLE:
                if re.search(k, kind) and path == source:
                    path, value = target, whole
            entries[path] = (value, path in empty or path not in filled)
        for k, path, value in EXTRA:
            if re.search(k, kind):
                entries[path] = (value, False)
        tree = {}
        for path, (value, creates) in entries.items():
            self.insert(tree, path, value, creates)
        self.expected[kind] = (type_name, empty, filled)
        self.roots[type_name] = self.store(kind, type_name, tree, "")

    def insert(self, tree, path, value, creates):
        segments = path.replace("[]", "").split(".")
        for segment in segments[:-1]:
            step = tree.setdefault(segment, {"below": {}, "creates": False})
            step.setdefault("below", {})
            step["creates"] = step["creates"] or creates
            tree = step["below"]
        leaf = tree.setdefault(segments[-1], {"creates": False})
        leaf["value"] = value

    def store(self, kind, type_name, tree, path):
        fields = {f["jsonName"]: f for f in self.types[type_name]["fields"]}
        rules = []
        for name in sorted(tree):
            step, field = tree[name], fields[name]
            here = f"{path}.{name}" if path else name
            pointer = bool(field.get("ptr"))
            condition = None
            for k, p, c in CONDITIONS:
                if re.search(k, kind) and re.fullmatch(p.replace("[", r"\[") if "*" not in p else p, here):
                    condition = c
            inner, target = None, field
            while target and target["shape"] in ("list", "map"):
                inner, target = True, target["elem"]
            below = None
            if step.get("below"):
                below = self.store(kind, target["ref"], step["below"], here + ("[]" if inner else ""))
            if step.get("below") and "value" in step:
                # A value and rules below: the value first, then the rules.
                rules.append((name, json.dumps(step["value"]), not pointer, False, condition, None))
                rules.append((name, None, False, False, None, below))
                continue
            creates = not inner and (step["creates"] or not pointer) and "value" not in step
            value = json.dumps(step["value"]) if "value" in step else None
            condition = (condition[0], condition[1], tuple(condition[2])) if condition else None
            rules.append((name, value, not pointer, creates, condition, below))
        key = tuple(rules)
        if key not in self.index:
            self.index[key] = len(self.pool)
            self.pool.append(rules)
        return self.index[key]


def test_data(rules):
    """The facts as a Swift literal for the test that compares them with what the schema adds."""
    lines = ["// swift-format-ignore-file", "// Generated by Tools/generate; do not edit.", "", "/// What defaulting adds, by kind, as JSON."]
    lines.append("let objectDefaultsFacts: [(kind: String, type: String, facts: String)] = [")
    for kind, (type_name, empty, filled) in sorted(rules.expected.items()):
        hooked = set(rules.hooked.get(kind, []))
        facts = {
            "empty": {p: v for p, v in empty.items() if p not in hooked},
            "filled": {p: v for p, v in filled.items() if p not in hooked},
        }
        text = json.dumps(facts, separators=(",", ":"), sort_keys=True)
        lines.append(f'    ("{kind}", "{type_name}",')
        lines.append(f'     #"{text}"#),')
    lines.append("]")
    return "\n".join(lines) + "\n"
