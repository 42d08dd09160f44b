"""Adds our descriptions to the types."""
import pathlib

PACKAGES = {
    "k8s.io/api/core/v1", "k8s.io/api/apps/v1", "k8s.io/api/batch/v1", "k8s.io/api/networking/v1",
    "k8s.io/api/discovery/v1", "k8s.io/api/coordination/v1", "k8s.io/api/rbac/v1", "k8s.io/api/storage/v1",
    "k8s.io/api/policy/v1", "k8s.io/api/scheduling/v1", "k8s.io/api/autoscaling/v2",
    "k8s.io/apimachinery/pkg/apis/meta/v1",
}


def add(types):
    known, current = {}, None
    for line in (pathlib.Path(__file__).parent / "descriptions.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, text = line.strip().split(":", 1)
        if line[0] != " ":
            current = known.setdefault(name, {"text": text.strip(), "fields": {}})
        else:
            current["fields"][name] = text.strip()
    common, used = known.pop("*")["fields"], set()
    for entry in types.values():
        kinds = [g for g in entry.get("gvk") or [] if isinstance(g, list)]
        own = known.get(entry["name"]) if entry["package"] in PACKAGES else None
        if own:
            entry["description"] = own["text"]
        for field in entry["fields"]:
            name = field["jsonName"]
            if own and name in own["fields"]:
                field["description"] = own["fields"][name]
                used.add((entry["name"], name))
            elif kinds and name in common:
                field["description"] = common[name]
    for type_name, item in known.items():
        for name in item["fields"]:
            if (type_name, name) not in used:
                raise SystemExit(f"descriptions.txt: {type_name} has no field {name}")
