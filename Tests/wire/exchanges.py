"""Golden wire exchanges: a corpus of requests, what a server answers to each, and how two answers differ.

A corpus file (`corpus/*.yaml`) maps the name of a scenario to its steps. A step is a map with one key of the form `METHOD path`,
whose value is the body (a map or list becomes JSON), and optional others:

    raw: text       sent as it stands, instead of a body;  repeat: N  sends it N times over
    type: text      the Content-Type (JSON for bodies);  accept: text  the Accept header
    headers: {}     more headers;  as: name  the user to impersonate, groups: [] theirs
    save: {v: path} keeps a value of the answer as $v for later steps, and prints it as <v> from then on
    anonymous: true no credentials
    watch: N        reads so many events of a stream
    fresh: secrets  first writes such an object elsewhere: a server whose cache learns of other revisions late is up to date then
    setup: true     runs, but its answer is not recorded
    show: headers   the body is not recorded;  show: paths  a map `name: path` of parts of the body that are,
                    with sorted keys

A path that does not begin with a slash lies below the scenario's own namespace (`secrets/a`). `$ns` is that namespace, `$id` a text
that is new in each run, for names outside of namespaces. What no two runs have in common is replaced before anything is recorded:
identifiers, times of today, resource versions, tokens, generated names. The order of keys is kept.
"""

import base64
import datetime
import http.client
import json
import os
import random
import re
import ssl
import tempfile
import urllib.parse

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(\.\d+)?Z")
# What almost every answer carries; only departures are recorded.
USUAL = {
    "Audit-Id": "<uid>",
    "Cache-Control": "no-cache, private",
    "Content-Type": "application/json",
    "X-Kubernetes-Pf-Flowschema-Uid": "<uid>",
    "X-Kubernetes-Pf-Prioritylevel-Uid": "<uid>",
}
UNRECORDED = {"Date", "Content-Length", "Connection", "Transfer-Encoding", "Keep-Alive"}


class Server:
    """An API server, reached by the kubeconfig of an administrator."""

    def __init__(self, kubeconfig):
        with open(kubeconfig) as f:
            config = yaml.safe_load(f)
        context = next(c["context"] for c in config["contexts"] if c["name"] == config["current-context"])
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == context["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == context["user"])
        self.address = urllib.parse.urlparse(cluster["server"])
        self.token = user.get("token")
        self.named, self.nameless = self._tls(cluster), self._tls(cluster)
        if "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as pair:
                pair.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
                pair.flush()
                self.named.load_cert_chain(pair.name)

    @staticmethod
    def _tls(cluster):
        if cluster.get("insecure-skip-tls-verify"):
            tls = ssl.create_default_context()
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
            return tls
        return ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())

    def connect(self, anonymous=False):
        tls = self.nameless if anonymous else self.named
        return http.client.HTTPSConnection(self.address.hostname, self.address.port, context=tls, timeout=20)

    def authority(self):
        return self.address.netloc


class Scenario:
    """One run of a scenario: the variables it has so far."""

    def __init__(self, server, name, steps, run):
        self.server, self.name, self.steps = server, name, steps
        slug = re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:30].strip("-")
        self.names = {"ns": f"{slug}-{run}", "id": run}
        self.slug = slug
        self.saved = {}

    def answers(self):
        """(label, answer) of every step that is recorded."""
        if any("namespaces/$ns" not in key and not key.split(" ", 1)[-1].startswith("/") or "$ns" in json.dumps(step)
               for step in self.steps for key in step if " " in key):
            self.prepare()
        found = []
        for number, step in enumerate(self.steps, 1):
            label, text = self.run(number, step)
            if not step.get("setup"):
                found.append((label, text))
        return found

    def prepare(self):
        """The namespace, and the service account that admission wants of one that has pods."""
        ns = self.names["ns"]
        for path, body in (("/api/v1/namespaces", {"metadata": {"name": ns}}),
                           (f"/api/v1/namespaces/{ns}/serviceaccounts", {"metadata": {"name": "default"}})):
            self.send("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def fill(self, text):
        for name, value in sorted({**self.names, **self.saved}.items(), key=lambda pair: -len(pair[0])):
            text = text.replace("$" + name, value)
        return text

    def run(self, number, step):
        key = next(k for k in step if re.match("[A-Z]+ ", k))
        method, path = key.split(" ", 1)
        full = path if path.startswith("/") else f"/api/v1/namespaces/$ns/{path}"
        headers = {k: self.fill(str(v)) for k, v in step.get("headers", {}).items()}
        body = None
        if "fresh" in step:
            self.send("POST", f"/api/v1/namespaces/default/{step['fresh']}", b'{"metadata":{"generateName":"fresh-"}}',
                      {"Content-Type": "application/json"})
        if "raw" in step:
            body = self.fill(step["raw"] * step.get("repeat", 1)).encode()
        elif step[key] is not None:
            body = self.fill(json.dumps(step[key], ensure_ascii=False)).encode()
            headers.setdefault("Content-Type", "application/json")
        if "type" in step:
            headers["Content-Type"] = step["type"]
        if "accept" in step:
            headers["Accept"] = step["accept"]
        if "as" in step:
            headers["Impersonate-User"] = self.fill(step["as"])
        try:
            status, fields, data = self.send(method, self.fill(full), body, headers, step.get("groups", []), step.get("anonymous"),
                                             step.get("watch"))
        except (OSError, http.client.HTTPException) as error:
            return f"{self.name} {number}: {key}", f"no answer: {type(error).__name__}"
        for name, where in step.get("save", {}).items():
            self.saved[name] = str(dig(json.loads(data), where)) if status < 300 else ""
        return f"{self.name} {number}: {key}", self.render(status, fields, data, step.get("show"))

    def send(self, method, path, body, headers, groups=(), anonymous=False, events=None):
        connection = self.server.connect(anonymous)
        try:
            connection.putrequest(method, urllib.parse.quote(path, safe="/?&=%:,!~+*;()'@[]"), skip_accept_encoding=True)
            if self.server.token and not anonymous and "Authorization" not in headers:
                connection.putheader("Authorization", f"Bearer {self.server.token}")
            for name, value in headers.items():
                connection.putheader(name, value.encode())
            for group in groups:
                connection.putheader("Impersonate-Group", group)
            if body is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            response = connection.getresponse()
            if events is not None and response.status == 200:
                lines = []
                while len(lines) < events and (line := response.readline()):
                    lines.append(line)
                data = b"".join(lines)
            else:
                data = response.read()
            return response.status, response.getheaders(), data
        finally:
            connection.close()

    # What is written down

    def render(self, status, fields, data, show):
        lines = [str(status)]
        seen = {}
        for name, value in fields:
            name = "-".join(word.capitalize() for word in name.split("-"))
            if name not in UNRECORDED:
                seen.setdefault(name, []).append(self.normal(value))
        for name, usual in USUAL.items():
            if name not in seen:
                lines.append(f"no {name}")
            elif seen[name] == [usual]:
                del seen[name]
        for name, values in sorted(seen.items()):
            if name in ("Etag", "Last-Modified", "Process-Start-Time-Unix"):
                values = [f"<{name.lower()}>"]
            lines += [f"{name}: {value}" for value in values]
        if isinstance(show, dict) and status < 300:
            value = json.loads(data)
            for name, where in show.items():
                lines.append(f"{name} = {self.normal(json.dumps(dig(value, where), ensure_ascii=False, sort_keys=True))}")
        elif show != "headers":
            lines.append(self.body(data))
        return "\n".join(lines)

    def body(self, data):
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return "base64 " + base64.b64encode(data).decode()
        if "\0" in text:
            return "base64 " + base64.b64encode(data).decode()
        return self.normal(text).removesuffix("\n") + ("" if text.endswith("\n") else "<no end of line>")

    def normal(self, text):
        for name, value in self.saved.items():
            if len(value) > 5:
                text = text.replace(value, f"<{name}>")
            elif value.isdigit():
                text = re.sub(rf'(?<=")({value})(?=")', f"<{name}>", text)
        text = text.replace(self.names["ns"], self.slug).replace("-" + self.names["id"], "-id").replace(self.names["id"], "id")
        text = text.replace(self.server.authority(), "<server>")
        text = re.sub(r'("?serverAddress"?: ?)(""|"?[0-9.]+:\d+"?)', r'\1"<address>"', text)
        text = re.sub(r"https://kubernetes\.default\.svc(\.cluster\.local)?", "<issuer>", text)
        text = re.sub(r"(\?hash=)[0-9A-F]{32,}", r"\1<hash>", text)
        text = UUID.sub("<uid>", text)
        text = TIME.sub(recent, text)
        text = re.sub(r'("?resourceVersion(?:\\*")?:\s*(?:\\*")?)[1-9]\d*', r"\1<rv>", text)
        # The tree that golden answers are recorded from adds a source of its own to every token volume.
        text = text.replace(',{"configMap":{"name":"openshift-service-ca.crt","items":[{"key":"service-ca.crt","path":"service-ca.crt"}]}}', "")
        text = re.sub(r"(in record \(|resource version: )\d+", r"\1<rv>", text)
        text = re.sub(r'("continue":\s*")[^"]+', r"\1<continue>", text)
        text = re.sub(r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<random>", text)
        text = re.sub(r'(?<=[\[,] )"\d+s"|(?<=[\[,])"\d+s"', '"<age>"', text)
        text = re.sub(r"\b(gen-[a-z.-]*)[bcdfghjklmnpqrstvwxz2456789]{5}\b", r"\1<random>", text)
        text = re.sub(r"current: \d+", "current: <rv>", text)
        return re.sub(r"\b10\.(9[6-9]|1[01]\d)\.\d+\.\d+\b", "<cluster-ip>", text)


def recent(match):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    if abs((datetime.date.fromisoformat(match[1]) - today).days) > 400:
        return match[0]
    return "<microtime>" if match[2] else "<time>"


def dig(value, where):
    """The part of a document at `a.b.0.c`; None if it has none."""
    for part in where.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def corpora():
    return sorted(name.removesuffix(".yaml") for name in os.listdir(f"{HERE}/corpus") if name.endswith(".yaml"))


def run(server, name, only=""):
    """{label: answer} of a corpus file, in order."""
    with open(f"{HERE}/corpus/{name}.yaml") as f:
        scenarios = yaml.safe_load(f)
    found = {}
    for scenario, steps in scenarios.items():
        if only and only not in scenario:
            continue
        suffix = "".join(random.choice("abcdefghij") for _ in range(6))
        found.update(Scenario(server, scenario, steps, suffix).answers())
    return found


def write_golden(name, answers):
    with open(f"{HERE}/golden/{name}.txt", "w") as f:
        for label, text in answers.items():
            f.write(f"== {label}\n{text}\n")


def golden(name):
    with open(f"{HERE}/golden/{name}.txt") as f:
        parts = re.split(r"^== (.*)\n", f.read(), flags=re.M)[1:]
    return {label: text.removesuffix("\n") for label, text in zip(parts[::2], parts[1::2])}


def known():
    """{label: why} of the answers that differ on purpose."""
    with open(f"{HERE}/known.yaml") as f:
        return yaml.safe_load(f) or {}


# MARK: differences


def differences(expected, actual, lax=False):
    """What differs between two answers, a line each; nothing if they are the same to the byte, object key order apart."""
    if lax:
        actual = actual.replace("<no end of line>", "")
        expected = expected.replace("<no end of line>", "")
    if expected == actual:
        return []
    (head, body), (other_head, other) = split(expected), split(actual)
    found = []
    if head[0] != other_head[0]:
        found.append(f"status: {head[0]}, not {other_head[0]}")
    for line in head[1:]:
        if line not in other_head[1:]:
            found.append(f"header expected: {line}")
    for line in other_head[1:]:
        if line not in head[1:]:
            found.append(f"header too many: {line}")
    return found + body_differences(body, other, lax)


def body_differences(body, other, lax):
    lines, others = body.split("\n"), other.split("\n")
    if len(lines) > 1 and len(lines) == len(others):
        # Indented JSON, or YAML: one document in many lines, the same ones in another order.
        for read in (json.loads, yaml.safe_load):
            try:
                value, other_value = (read(text.removesuffix("<no end of line>")) for text in (body, other))
            except (ValueError, yaml.YAMLError):
                continue
            if isinstance(value, dict):
                found = []
                compare(value, other_value, "", found)
                unfold = [sorted(line.rstrip(",") for line in text.split("\n")) for text in (body, other)]
                if not found and unfold[0] != unfold[1]:
                    found.append(f"layout: {body[:300]!r}, not {other[:300]!r}")
                return found
    if len(lines) != len(others):
        return [f"body: {body[:1500]!r}, not {other[:1500]!r}"] if body != other else []
    return [difference for pair in zip(lines, others) for difference in line_differences(*pair, lax)]


def split(text):
    lines = text.split("\n")
    end = 1
    while end < len(lines) and re.match(r"(no )?[A-Z][A-Za-z-]*(: .*)?$", lines[end]) and not lines[end].startswith("kind:"):
        end += 1
    return lines[:end], "\n".join(lines[end:])


def line_differences(line, other, lax):
    if line == other:
        return []
    if not lax and line.endswith("<no end of line>") != other.endswith("<no end of line>"):
        return [f"end of line: {line[-60:]!r}, not {other[-60:]!r}"]
    part = re.match(r"(\w+) = ", line)
    if part and other.startswith(part[0]):
        found = []
        name = ".managedFields" if part[1] == "managed" else f".{part[1]}"
        compare(json.loads(line[part.end():]), json.loads(other[part.end():]), name, found)
        return found
    try:
        value, other_value = (json.loads(text.removesuffix("<no end of line>")) for text in (line, other))
    except ValueError:
        return [f"body: {line[:1500]!r}, not {other[:1500]!r}"]
    found = []
    if lax and isinstance(other_value, dict) and "items" in other_value and isinstance(other_value["items"], list):
        for a, b in zip(value.get("items") or [], other_value["items"] or []):
            if "kind" not in a:
                b.pop("kind", None), b.pop("apiVersion", None)
    compare(value, other_value, "", found)
    if lax:
        return found
    if not found and is_ordered(value) and json.dumps(value) != json.dumps(other_value):
        found.append(f"order of keys: {line[:600]}, not {other[:600]}")
    return found


def is_ordered(value):
    """Whether the order of keys counts. Objects are stored, and answered, with sorted keys."""
    return isinstance(value, dict) and value.get("kind") in ("Status", "APIResourceList", "APIGroup", "APIGroupList", "APIVersions")


def compare(value, other, path, found):
    if isinstance(value, dict) and isinstance(other, dict):
        for key in value:
            if key not in other:
                found.append(f"{path}.{key}: missing {json.dumps(value[key])[:700]}")
            else:
                compare(value[key], other[key], f"{path}.{key}", found)
        for key in other:
            if key not in value:
                found.append(f"{path}.{key}: too much {json.dumps(other[key])[:700]}")
    elif isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
        if path.endswith("managedFields"):
            # Records stand in the order of their times: two of one second on one server may be of two on another.
            value, other = (sorted(records, key=record_name) for records in (value, other))
        for index, (item, other_item) in enumerate(zip(value, other)):
            compare(item, other_item, f"{path}[{index}]", found)
    elif path.endswith(".description") and value and other:
        return  # prose: the words are our own
    elif value != other or type(value) is not type(other):
        text, other_text = around(json.dumps(value, ensure_ascii=False), json.dumps(other, ensure_ascii=False))
        found.append(f"{path}: {text}\n{' ' * 10}not {other_text}")


def record_name(record):
    return [str(record.get(key)) for key in ("manager", "operation", "subresource", "apiVersion")]


def around(text, other):
    """The parts of two long texts that differ, with a little before and after."""
    if len(text) + len(other) < 600:
        return text, other
    start = next((i for i, (a, b) in enumerate(zip(text, other)) if a != b), 0)
    end = next((i for i, (a, b) in enumerate(zip(reversed(text), reversed(other))) if a != b), 0)
    end = min(end, len(text) - start, len(other) - start)
    return tuple(f"…{t[max(0, start - 60):max(start, len(t) - end) + 60][:700]}…" for t in (text, other))
