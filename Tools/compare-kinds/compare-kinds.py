#!/usr/bin/env python3
"""Sends the same changed objects of every built-in kind to two API servers and reports where the answers differ.

usage: compare-kinds.py --reference KUBECONFIG --subject KUBECONFIG --facts DIR [--kinds REGEX] [--pairs N] [--out FILE] [--rules FILE]

Bases are the documents of bases/*.yaml: one sound object each, created (as a dry run) with every single change of
mutations.py, with random pairs of changes (the order of errors), and put over the stored base with the same changes.

--rules writes one case for each rule that both servers know: what `make test` sends again (Tests/kinds/rules.jsonl).
"""

import argparse
import base64
import collections
import concurrent.futures
import glob
import http.client
import json
import os
import random
import re
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

import yaml

import mutations

NAMESPACE = "kinds"
THREADS = 6
# How often the reference is asked again where answers differ: Go walks through maps in another order each time.
REPEATS = 6
CHANGING = re.compile(r"kube-api-access-[a-z0-9]{5}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# What two servers give to their services.
GIVEN = re.compile(r"\b10\.(?:9[6-9]|10\d|11[01])\.\d+\.\d+\b|(?<=\{TCP |\{UDP )3\d{4}\b")
# What is not there and what is empty: upstream tells them apart until an object is stored.
EMPTY = re.compile(r"\[\]|\{\}|null")
# The reference's tree carries a source of tokens of its own, which moves the lines of its pods.
HUNK = re.compile(r"@@ -\d+,\d+ \+\d+,\d+ @@")
TODAY = re.compile(time.strftime("%Y-%m-%d", time.gmtime()) + r"T[0-9:.]+Z")
VALUE = re.compile(r"((?:Invalid|Unsupported|Duplicate) value:|Not found:) (?:\"(?:[^\"\\\\]|\\\\.)*\"|[^ \":\[{]+|[\[{].*[\]}])(?=$|:)", re.S)
# What the subject's controllers note on objects while the reference runs none.
MADE_BY_CONTROLLERS = ["deployment.kubernetes.io/revision"]
# What a server makes up: never equal on two servers.
MADE_UP = ["uid", "resourceVersion", "creationTimestamp", "managedFields", "deletionTimestamp"]


class Server:
    def __init__(self, kubeconfig):
        with open(kubeconfig) as file:
            config = yaml.safe_load(file)
        user = config["users"][0]["user"]
        self.host = urllib.parse.urlparse(config["clusters"][0]["cluster"]["server"]).netloc
        self.token = user.get("token")
        self.local = threading.local()
        self.context = ssl._create_unverified_context()
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                for key in ("client-certificate-data", "client-key-data"):
                    pair.write(base64.b64decode(user[key]) + b"\n")
                pair.flush()
                self.context.load_cert_chain(pair.name)

    def send(self, method, path, body=None, content="application/json"):
        for _ in range(2):
            connection = getattr(self.local, "connection", None)
            if connection is None:
                connection = http.client.HTTPSConnection(self.host, context=self.context, timeout=60)
                self.local.connection = connection
            try:
                headers = {"Content-Type": content, "Accept": "application/json"}
                if self.token:
                    headers["Authorization"] = "Bearer " + self.token
                connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
                response = connection.getresponse()
                data = response.read()
                warnings = response.headers.get_all("Warning") or []
                try:
                    return response.status, json.loads(data), warnings
                except ValueError:
                    return response.status, {"text": data.decode(errors="replace")}, warnings
            except (OSError, http.client.HTTPException):
                self.local.connection = None
        # The reference panics at some inputs; nothing is to be compared there.
        return 0, {}, []


def normal(value, shallow=False):
    """What can be compared of an answer's body."""
    if isinstance(value, dict):
        result = {}
        for key, inner in value.items():
            if key in MADE_UP and not shallow:
                continue
            result[key] = normal(inner)
        return result
    if isinstance(value, list):
        # One reference tree carries a source of tokens that upstream does not have.
        return [normal(v) for v in value if not (isinstance(v, dict) and (v.get("configMap") or {}).get("name") == "openshift-service-ca.crt")]
    if isinstance(value, str):
        return TODAY.sub("now", HUNK.sub("@@", UUID.sub("uuid", CHANGING.sub("kube-api-access-xxxxx", value))))
    return value


def given(text):
    """The text without what a server made up for it."""
    return GIVEN.sub("<given>", text)


def ordered(rules):
    """The rules of a user in one order, each in one order: the reference walks through maps."""
    rules = [{k: sorted(v) if isinstance(v, list) else v for k, v in rule.items()} for rule in rules]
    return sorted(rules, key=lambda r: json.dumps(r, sort_keys=True))


def answer(reply, is_update):
    code, body, warnings = reply
    if code >= 400:
        details = body.get("details") or {}
        return {
            "code": code, "reason": body.get("reason"), "message": given(normal(body.get("message") or body.get("text") or "")),
            "causes": [{**c, "message": given(c.get("message") or "")} for c in normal(details.get("causes") or [])], "warnings": sorted(warnings),
            "details": {k: details[k] for k in sorted(details) if k not in ("causes", "uid")},
        }
    body = normal(body)
    if body.get("kind") == "Service":
        spec = body.get("spec", {})
        for key in ("clusterIP", "clusterIPs"):
            if key in spec and spec[key] not in ("None", ["None"]):
                spec[key] = "allocated"
        for port in spec.get("ports") or []:
            if port.get("nodePort"):
                port["nodePort"] = 1
        if spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = 1
    if body.get("kind") == "SelfSubjectRulesReview":
        for key in ("resourceRules", "nonResourceRules"):
            body["status"][key] = ordered(body["status"].get(key) or [])
    if body.get("kind") == "CertificateSigningRequest":
        # Who asked: the two servers know the caller by other names.
        for key in ("username", "extra", "groups", "uid"):
            body.get("spec", {}).pop(key, None)
    for key in MADE_BY_CONTROLLERS:
        annotations = body.get("metadata", {}).get("annotations")
        if annotations and annotations.pop(key, None) is not None and not annotations:
            body["metadata"].pop("annotations")
    if body.get("kind") == "Node":
        # The taints of the conditions come and go with the controllers.
        taints = [t for t in body.get("spec", {}).get("taints") or [] if not (t.get("key") or "").startswith("node.kubernetes.io/")]
        body.get("spec", {}).pop("taints", None)
        if taints:
            body["spec"]["taints"] = taints
    if is_update:
        body.pop("status", None)
        body.get("metadata", {}).pop("generation", None)
    return {"code": code, "object": body, "warnings": sorted(warnings)}


def flat(value, path=""):
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from flat(value[key], f"{path}.{key}")
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from flat(inner, f"{path}[{index}]")
    else:
        yield path, json.dumps(value)


def plain(text):
    """A path without its indexes and without what differs from case to case, so that like differences count as one."""
    text = re.sub(r"\[\d+\]", "[*]", text or "")
    text = re.sub(r"\n@@ .*", " @@…", text, flags=re.S)
    text = re.sub(r"(negative\)\n|VolumeAttributesClassName\n).*", r"\1…", text, flags=re.S)
    text = VALUE.sub(r"\1 V", text)
    text = re.sub(r"x{200,}", "xxx…", text)
    return text[:400]


def cause_atoms(one, two):
    first = [f"{c.get('field')} | {c.get('reason')} | {c.get('message')}" for c in one["causes"] or []]
    second = [f"{c.get('field')} | {c.get('reason')} | {c.get('message')}" for c in two["causes"] or []]
    missing, extra = collections.Counter(first) - collections.Counter(second), collections.Counter(second) - collections.Counter(first)
    alike = {plain(c) for c in missing} & {plain(c) for c in extra}
    for cause in missing:
        twin = [c for c in extra if plain(c) == plain(cause)]
        if twin and EMPTY.sub("", cause) in [EMPTY.sub("", c) for c in twin]:
            yield "EMPTY or missing, shown in " + plain(cause)[:120]
            continue
        yield ("VALUE " + cause[:200] + " INSTEAD OF " + [c for c in extra if plain(c) == plain(cause)][0][:200]) if plain(cause) in alike else "- " + plain(cause)
    for cause in extra:
        if plain(cause) not in alike:
            yield "+ " + plain(cause)
    if not missing and not extra and first != second:
        moved = [(x, y) for x, y in zip(first, second) if x != y][0]
        yield f"ORDER {plain(moved[0])[:200]}  BEFORE  {plain(moved[1])[:200]}"


def atoms(one, two):
    """The single differences of two answers, `-` what the reference alone says, `+` what the subject alone says."""
    result = []
    if one["code"] >= 400 or two["code"] >= 400:
        if one["code"] != two["code"]:
            result.append(f"CODE {one['code']} {two['code']}")
        result += cause_atoms({"causes": one.get("causes")}, {"causes": two.get("causes")})
        bare = not [r for r in result if not r.startswith("CODE")]
        if bare and one.get("message") != two.get("message"):
            result = [f"{result[0] if result else 'MESSAGE'} - {plain(one.get('message', 'OK'))}  + {plain(two.get('message', 'OK'))}"]
        elif bare and [one.get("reason"), one.get("details")] != [two.get("reason"), two.get("details")]:
            result = [f"DETAILS - {one.get('reason')} {one.get('details')} + {two.get('reason')} {two.get('details')}"]
    else:
        first, second = dict(flat(one["object"])), dict(flat(two["object"]))
        for path in sorted(set(first) | set(second)):
            if first.get(path) != second.get(path):
                result.append(f"OBJECT {plain(path)} - {plain(first.get(path))[:200]} + {plain(second.get(path))[:200]}")
    refused = one["code"] >= 400 or two["code"] >= 400
    for warning in sorted(set(one["warnings"]) ^ set(two["warnings"])) if not refused else []:
        result.append(("WARN - " if warning in one["warnings"] else "WARN + ") + plain(warning))
    return result


def same_but_order(one, two):
    def bag(reply):
        return sorted(json.dumps(c, sort_keys=True) for c in reply.get("causes") or [])

    return one == two or one["code"] == two["code"] and one["code"] >= 400 and bag(one) == bag(two) and bool(bag(one))


class Kind:
    def __init__(self, resources, base):
        group, _, version = base["apiVersion"].rpartition("/")
        found = [r for r in resources if (r["group"], r["version"], r["kind"]) == (group, version, base["kind"])]
        self.row = found[0]
        prefix = f"/apis/{group}/{version}" if group else f"/api/{version}"
        if self.row["namespaced"]:
            prefix += f"/namespaces/{NAMESPACE}"
        self.path = f"{prefix}/{self.row['resource']}"
        self.label = self.row["resource"] + ("." + group if group else "")
        self.subresources = [s["name"] for s in self.row.get("subresources", [])]


class RuleTable:
    """One small case for each rule of each kind: the change that breaks it, and what the reference says then."""

    LARGEST = 700
    MADE_UP = re.compile(r"\b(uuid|now)\b|kube-api-access|<given>|range of valid IPs")

    def __init__(self):
        self.lock = threading.Lock()
        self.cases = {}

    def note(self, label, base, change, causes):
        path, value = change
        if isinstance(value, mutations.Wrong) or not causes or not path or any(isinstance(key, bool) for key in path):
            return
        words = [[c.get("field"), c.get("reason"), c.get("message")] for c in causes]
        text = json.dumps(words)
        if self.MADE_UP.search(text):
            return
        kind, verb = label.split()
        case = {"kind": kind, "base": int(base[1:]), "verb": verb, "path": list(path), "causes": words}
        if value is not mutations.REMOVE:
            case["value"] = value
        line = json.dumps(case, sort_keys=True)
        if len(line) > self.LARGEST:
            return
        with self.lock:
            for cause in words:
                rule = (kind, verb, plain(" | ".join(str(w) for w in cause)))
                known = self.cases.get(rule)
                if known is None or (len(words), len(line), line) < known:
                    self.cases[rule] = (len(words), len(line), line)

    def write(self, file):
        # What is said of new objects need not be shown again with changed ones.
        kept = {line for (kind, verb, rule), (_, _, line) in self.cases.items() if verb == "create" or (kind, "create", rule) not in self.cases}
        with open(file, "w") as out:
            for line in sorted(kept):
                out.write(line + "\n")


class Comparison:
    def __init__(self, options):
        self.options = options
        self.reference, self.subject = Server(options.reference), Server(options.subject)
        self.types = mutations.load_types(options.facts)
        self.resources = mutations.load_resources(options.facts)
        self.mutator = mutations.Mutator(self.types)
        self.sent = collections.Counter()
        self.differing = collections.Counter()
        self.atoms = {}
        self.out = open(options.out, "w")
        self.rules = RuleTable() if options.rules else None

    def prepare(self):
        for server in (self.reference, self.subject):
            server.send("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
            server.send("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "default"}})
            server.send("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "robot"}})
            server.send("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", {"metadata": {"name": "weighty"}, "value": 1000})
            server.send("POST", "/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "sandboxed"}, "handler": "runsc"})

    def both(self, label, what, method, path, body, is_update, change=None):
        bodies = body if isinstance(body, list) else [body, body]
        replies = [s.send(method, path, b) for s, b in zip((self.reference, self.subject), bodies)]
        one, two = (answer(r, is_update) for r in replies)
        for _ in range(REPEATS):
            if one == two or one["code"] == 0 or not atoms(one, two):
                break
            again = answer(self.reference.send(method, path, bodies[0]), is_update)
            # Only another order counts as the reference's own doing, not another answer.
            if same_but_order(again, two):
                one = again
        if self.rules is not None and change is not None and one == two and one["code"] == 422:
            self.rules.note(label, what.split()[0], change, one["causes"])
        return label, what, one, two

    def record(self, result):
        label, what, one, two = result
        self.sent[label] += 1
        if one["code"] == 0:
            self.sent["(the reference gave no answer)"] += 1
            return
        found = atoms(one, two) if one != two else []
        if not found:
            return
        self.differing[label] += 1
        for atom in found:
            place = self.atoms.setdefault((label.split()[0], atom), [0, what, len(found), label])
            place[0] += 1
            if len(found) < place[2]:
                place[1:] = [what, len(found), label]

    def jobs(self, base, name):
        kind = Kind(self.resources, base)
        meta = base.setdefault("metadata", {})
        skip = {"metadata.managedFields", "metadata.uid", "metadata.resourceVersion", "metadata.creationTimestamp",
                "metadata.selfLink", "metadata.deletionTimestamp", "metadata.ownerReferences", "metadata.generation",
                "metadata.deletionGracePeriodSeconds", "metadata.finalizers"}
        if not self.options.metadata:
            skip |= {"metadata"}
        if "status" in kind.subresources:
            skip.add("status")
        singles = list(self.mutator.changes(base, kind.row["type"], skip=skip))
        if not self.options.wrong_types:
            singles = [(p, v) for p, v in singles if not isinstance(v, mutations.Wrong)]
        label = kind.label
        query = "?dryRun=All"
        yield (f"{label} create", name, "POST", kind.path + query, base, False)
        for path, value in singles:
            changed = mutations.apply(base, path, value)
            yield (f"{label} create", f"{name} {mutations.describe(path, value)}", "POST", kind.path + query, changed, False, (path, value))
        chance = random.Random(name)
        for _ in range(min(self.options.pairs, len(singles))):
            (p1, v1), (p2, v2) = chance.choice(singles), chance.choice(singles)
            changed = mutations.apply(base, p1, v1)
            changed = changed and mutations.apply(changed, p2, v2)
            if changed is None:
                continue
            what = f"{name} {mutations.describe(p1, v1)} AND {mutations.describe(p2, v2)}"
            yield (f"{label} create pair", what, "POST", kind.path + query, changed, False)
        yield None
        if "update" not in kind.row["verbs"] or self.options.no_update or meta.get("generateName"):
            return
        stored = [self.store(s, kind, base) for s in (self.reference, self.subject)]
        if None in stored:
            self.out.write(f"{label}: {name} cannot be stored: {stored}\n")
            return
        place = f"{kind.path}/{meta['name']}{query}"
        for path, value in [((), None)] + singles:
            changed = [mutations.apply(b, path, value) if path else b for b in stored]
            what = f"{name} {mutations.describe(path, value)}" if path else name
            if None not in changed:
                yield (f"{label} update", what, "PUT", place, changed, True, (path, value))
        if "status" in kind.subresources and not self.options.no_status and base.get("status") is not None:
            status_place = f"{kind.path}/{meta['name']}/status{query}"
            field = self.mutator.fields(kind.row["type"])["status"]
            changes = [(("status",), v) for v in [{}]] + list(self.mutator.inside(base["status"], field, ("status",), ()))
            for path, value in [((), None)] + changes:
                changed = [mutations.apply({**b, "status": base["status"]}, path, value) if path else {**b, "status": base["status"]} for b in stored]
                what = f"{name} {mutations.describe(path, value)}" if path else name
                if None in changed:
                    continue
                yield (f"{label} status", what, "PUT", status_place, changed, "status", (path, value))

    def store(self, server, kind, base):
        place = f"{kind.path}/{base['metadata']['name']}"
        code, body, _ = server.send("POST", kind.path, base)
        if code >= 400 and code != 409:
            print(kind.label, server.host, json.dumps(body)[:600])
        if code >= 400 and code != 409:
            return None
        time.sleep(0.5)
        code, body, _ = server.send("GET", place)
        if code == 200:
            body["metadata"].pop("uid", None)
            body["metadata"].pop("managedFields", None)
            # Controllers of the subject may write the object at any time.
            probe = json.loads(json.dumps(body))
            probe["metadata"].pop("resourceVersion", None)
            if server.send("PUT", place + "?dryRun=All", probe)[0] == 200:
                body = probe
        return body if code == 200 else None

    def run(self):
        self.prepare()
        pattern = re.compile(self.options.kinds)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            for file in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bases", "*.yaml"))):
                with open(file) as text:
                    documents = [d for d in yaml.safe_load_all(text) if d]
                for number, base in enumerate(documents):
                    kind = Kind(self.resources, base)
                    if not pattern.fullmatch(kind.label):
                        continue
                    self.compare(pool, base, f"#{number}")
        for (label, atom), (count, what, _, verb) in sorted(self.atoms.items(), key=lambda i: (i[0][0], -i[1][0])):
            self.out.write(f"{count:5} {label} {atom}\n        {verb.split(' ', 1)[1]} {what}\n")
        self.out.write(self.summary())
        self.out.close()
        if self.rules is not None:
            self.rules.write(self.options.rules)
        print(self.summary())

    def compare(self, pool, base, name):
        work = (self.jobs(base, name))
        # The base is stored before the updates are made; results are recorded in order.
        pending = collections.deque()
        for job in work:
            if job is None:
                while pending:
                    self.record(pending.popleft().result())
                continue
            if job[4] is None:
                continue
            pending.append(pool.submit(self.both, *job))
            if len(pending) >= 4 * THREADS:
                self.record(pending.popleft().result())
        while pending:
            self.record(pending.popleft().result())
        self.remove(Kind(self.resources, base), base)

    def remove(self, kind, base):
        for server in (self.reference, self.subject):
            place = f"{kind.path}/{base['metadata'].get('name')}"
            code, body, _ = server.send("GET", place)
            if code == 200 and body.get("metadata", {}).get("finalizers"):
                server.send("PATCH", place, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
            server.send("DELETE", place, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
            if kind.label == "namespaces":
                # The reference may run no controller that does this.
                name = base["metadata"].get("name")
                server.send("PUT", place + "/finalize", {"metadata": {"name": name}, "spec": {"finalizers": []}})

    def summary(self):
        lines = [f"{label:60} sent {self.sent[label]:6} differing {self.differing[label]:6}" for label in sorted(self.sent)]
        lines.append(f"{'all':60} sent {sum(self.sent.values()):6} differing {sum(self.differing.values()):6}")
        return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True, metavar="KUBECONFIG")
    parser.add_argument("--subject", required=True, metavar="KUBECONFIG")
    parser.add_argument("--facts", required=True, help="the folder of types.json and resources.json")
    parser.add_argument("--kinds", default=".*", help="resource.group, a regular expression")
    parser.add_argument("--pairs", type=int, default=150, help="random pairs of changes a base")
    parser.add_argument("--namespace", default="kinds", help="where objects are made; two runs at a time need two")
    parser.add_argument("--rules", metavar="FILE", help="where to write a case for each rule that both servers know")
    parser.add_argument("--metadata", action="store_true", help="change the metadata too")
    parser.add_argument("--wrong-types", action="store_true", help="values of other types too")
    parser.add_argument("--no-update", action="store_true")
    parser.add_argument("--no-status", action="store_true")
    parser.add_argument("--out", default="/dev/stdout")
    options = parser.parse_args()
    global NAMESPACE
    NAMESPACE = options.namespace
    Comparison(options).run()


if __name__ == "__main__":
    sys.exit(main())
