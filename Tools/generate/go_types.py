"""Writes Sources/Schema/Generated/GoTypeNames.swift: what messages of Go's decoder show of fields and the schema does not know: the
name of a type of its own, and the embedded struct that a field lies in.

usage: go_types.py KUBERNETES-TREE FACTS > Sources/Schema/Generated/GoTypeNames.swift

A line is a type of the table of all types (the last three parts of its name), then its fields as jsonName@Embedded=type; what is
usual is left out.
"""

import glob
import json
import os
import re
import sys

TREE, FACTS = sys.argv[1:3]
STAGING = f"{TREE}/staging/src/k8s.io"
META = f"{STAGING}/apimachinery/pkg/apis/meta/v1"
FOLDERS = sorted(glob.glob(f"{STAGING}/api/*/v*")) + [
    META,
    f"{STAGING}/apiextensions-apiserver/pkg/apis/apiextensions/v1",
    f"{STAGING}/kube-aggregator/pkg/apis/apiregistration/v1",
]
PLAIN = re.compile(r"^(string|bool|int|int32|int64|uint8|uint16|uint32|uint64|float32|float64|byte)$")


def sources(folder):
    for file in sorted(glob.glob(f"{folder}/*.go")):
        if "_test" in file or "generated" in file:
            continue
        with open(file) as text:
            yield re.sub(r"/\*.*?\*/", "", text.read(), flags=re.S)


class Package:
    def __init__(self, folder):
        self.name = os.path.basename(folder)
        self.group = os.path.basename(os.path.dirname(folder))
        self.named, self.structs, self.embedded, self.imports = set(), {}, {}, {}
        for text in sources(folder):
            for alias, path in re.findall(r'^\s*(?:import\s+)?(\w*)\s*"(k8s\.io/[^"]+)"', text, flags=re.M):
                self.imports[alias or path.split("/")[-1]] = path
            for name, kind in re.findall(r"^\s*(?:type\s+)?(\w+)\s+((?:map\[\w+\]|\[\])?[\w.]+)\s*(?://.*)?$", text, flags=re.M):
                if re.search(rf"^type {name} |^type \((?:.|\n)*?^\s+{name} ", text, flags=re.M) and kind not in ("struct", "interface"):
                    self.named.add(name)
            for name, body in re.findall(r"^type (\w+) struct \{\n(.*?)^\}", text, flags=re.S | re.M):
                self.structs[name] = re.findall(r'^\s*(\w+)\s+(\S+)\s+`.*?json:"([^",]+)', body, flags=re.M)
                self.embedded[name] = re.findall(r'^\s*([\w.]+)\s+`.*?json:",inline"', body, flags=re.M)


PACKAGES = {"k8s.io/" + f[len(STAGING) + 1:]: Package(f) for f in FOLDERS}


def word(package, kind):
    """The type as Go prints it, and whether it has a name of its own anywhere."""
    if kind.startswith("*"):
        return word(package, kind[1:])
    if kind.startswith("[]"):
        inner, known = word(package, kind[2:])
        return f"[]{inner}", known
    found = re.match(r"^map\[([^\]]+)\](.*)$", kind)
    if found:
        (key, one), (value, two) = word(package, found[1]), word(package, found[2])
        return f"map[{key}]{value}", one or two
    if PLAIN.match(kind):
        return "uint8" if kind == "byte" else kind, False
    if "." in kind:
        alias, name = kind.split(".")
        path = package.imports.get(alias, "")
        if path.endswith("apimachinery/pkg/types"):
            return f"types.{name}", True
        other = PACKAGES.get(path)
        return f"{path.split('/')[-1]}.{name}", bool(other and name in other.named)
    return f"{package.name}.{kind}", kind in package.named


def fields(package, name, chain=""):
    """The fields of a struct, those of what it embeds with where they lie."""
    for field, kind in [(f, k) for _, k, f in package.structs.get(name, [])]:
        text, known = word(package, kind)
        if known or chain:
            yield f"{field}{'@' + chain if chain else ''}={text if known else ''}"
    for inner in package.embedded.get(name, []):
        other, bare = package, inner
        if "." in inner:
            alias, bare = inner.split(".")
            other = PACKAGES.get(package.imports.get(alias, ""))
        if other is not None and bare not in ("TypeMeta", "ListMeta"):
            yield from fields(other, bare, f"{chain}.{bare}" if chain else bare)


with open(f"{FACTS}/types.json") as file:
    TYPES = {".".join(name.split(".")[-3:]) for name in json.load(file)["types"]}
lines = []
for package in PACKAGES.values():
    for name in package.structs:
        key, shown = f"{package.group}.{package.name}.{name}", list(fields(package, name))
        if shown and key in TYPES:
            lines.append(" ".join([key, *shown]))

print('''/// Fields whose type has a name of its own upstream, or that lie in an embedded struct there.
///
/// A line is a type, by the last three parts of its name, then its fields as jsonName@Embedded=type, where either may be missing.
/// Written by Tools/generate/go_types.py.
enum GoTypeNames {
    static let table = """''')
for line in sorted(set(lines)):
    print("        " + line)
print('''        """
}''')
