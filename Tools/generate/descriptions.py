"""Adds our descriptions to the types.

The texts stand in descriptions/*.txt. A type stands at the margin, its fields are indented below it:

    Name: text                 a type, by its short name, wherever it stands in PACKAGES
    Name < Other: text         the same; fields without a text of their own have Other's
    *                          fields that all kinds have
    **                         fields of any type in PACKAGES that have no text elsewhere
"""
import pathlib

PACKAGES = {
    "k8s.io/api/core/v1", "k8s.io/api/apps/v1", "k8s.io/api/batch/v1", "k8s.io/api/networking/v1",
    "k8s.io/api/discovery/v1", "k8s.io/api/coordination/v1", "k8s.io/api/rbac/v1", "k8s.io/api/storage/v1",
    "k8s.io/api/policy/v1", "k8s.io/api/scheduling/v1", "k8s.io/api/autoscaling/v2", "k8s.io/api/autoscaling/v1",
    "k8s.io/api/events/v1", "k8s.io/api/node/v1", "k8s.io/apimachinery/pkg/apis/meta/v1",
    "k8s.io/apimachinery/pkg/api/resource", "k8s.io/apimachinery/pkg/util/intstr",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1", "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1",
}


def read():
    known, current = {}, None
    for path in sorted((pathlib.Path(__file__).parent / "descriptions").glob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            name, _, text = line.strip().partition(":")
            if line[0] != " ":
                name, _, base = name.partition(" < ")
                current = known.setdefault(name, {"text": "", "base": "", "fields": {}})
                current["text"] = text.strip() or current["text"]
                current["base"] = base.strip() or current["base"]
            else:
                for one in name.split(","):
                    if one.strip() in current["fields"]:
                        raise SystemExit(f"{path.name}:{number}: {one.strip()} is described twice")
                    current["fields"][one.strip()] = text.strip()
    return known


def add(types):
    known = read()
    common, anywhere = known.pop("*")["fields"], known.pop("**")["fields"]
    used = set()

    def find(type_name, field):
        while type_name in known:
            if field in known[type_name]["fields"]:
                used.add((type_name, field))
                return known[type_name]["fields"][field]
            type_name = known[type_name]["base"]
        return None

    for entry in types.values():
        kinds = [g for g in entry.get("gvk") or [] if isinstance(g, list)]
        is_ours = entry["package"] in PACKAGES
        own = known.get(entry["name"]) if is_ours or kinds else None
        if own and own["text"]:
            entry["description"] = own["text"]
        elif kinds and entry["name"].endswith("List") and entry["name"][:-4] in known:
            entry["description"] = f"A list of objects of kind {entry['name'][:-4]}."
        for field in entry["fields"]:
            name = field["jsonName"]
            text = find(entry["name"], name) if own else None
            text = text or (common.get(name) if kinds else None) or (anywhere.get(name) if is_ours else None)
            if text:
                field["description"] = text
    for type_name, item in known.items():
        for name in item["fields"]:
            if (type_name, name) not in used:
                raise SystemExit(f"descriptions: {type_name} has no field {name}")
