#!/usr/bin/env python3
"""Sends the same random sequences of requests to two API servers and reports where the answers differ.

usage: compare-random.py --reference KUBECONFIG --subject KUBECONFIG [--seeds FROM-TO] [--kinds REGEX] [--scenes REGEX] [--threads N]
                         [--whole] [--out FILE]

objects.py makes the bodies, sequences.py the steps, scenes.py what goes on around them: webhooks (webhooks.py), policies, a namespace
that goes, tokens, watches beside the sequence, definitions that change. Without --scenes there is nothing around them; `--scenes .`
takes each in turn.

Both are API servers alone: no controllers write in between (Apus: `apus-bench lone-server`). A sequence follows from its seed. One
that differs is run again, in case clocks or maps made the difference, and shortened to the steps that it takes (unless --whole).
Differences of the same kind are reported once.
"""

import argparse
import base64
import collections
import concurrent.futures
import copy
import http.client
import itertools
import json
import os
import random
import re
import sys
import threading
import time
import traceback
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Tests/wire"))
import exchanges  # noqa: E402

import objects  # noqa: E402
import scenes  # noqa: E402
import sequences  # noqa: E402
import webhooks  # noqa: E402
from objects import KINDS  # noqa: E402

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TODAY = re.compile(time.strftime("%Y-%m-%d", time.gmtime()) + r"T[0-9:.]+Z")
HEADERS = ("content-type", "warning", "retry-after", "location", "etag", "content-encoding", "cache-control", "x-content-type-options")


# MARK: sending


class Run:
    """One sequence on one server."""

    local = threading.local()
    hooks = None

    def __init__(self, server, namespace, name=""):
        self.server, self.namespace, self.name = server, namespace, name
        self.streams, self.token = [], ""
        self.seen, self.versions, self.ids, self.last = {}, {}, {}, {}

    def send(self, method, path, query, body=None, type="application/json", accept="application/json"):
        url = path + ("?" + urllib.parse.urlencode(query) if query else "")
        headers = {"Accept": accept, "User-Agent": "random/1"}
        if self.server.token:
            headers["Authorization"] = "Bearer " + self.server.token
        if body is not None or method in ("POST", "PUT", "PATCH"):
            headers["Content-Type"] = type
        connections = self.local.__dict__.setdefault("connections", {})
        for attempt in range(2):
            connection = connections.get(id(self.server))
            if connection is None:
                connection = connections[id(self.server)] = self.server.connect()
            try:
                connection.request(method, url, body=None if body is None else json.dumps(body), headers=headers)
                response = connection.getresponse()
                return response.status, response.getheaders(), response.read()
            except (OSError, http.client.HTTPException) as error:
                connections.pop(id(self.server)).close()
                if attempt:
                    return 0, [], str(error).encode()

    def begin(self):
        for path, body in (
            ("/api/v1/namespaces", {"metadata": {"name": self.namespace}}),
            (f"/api/v1/namespaces/{self.namespace}/serviceaccounts", {"metadata": {"name": "default"}}),
        ):
            _, _, data = self.send("POST", path, {}, body)
        self.start = json.loads(data)["metadata"].get("resourceVersion", "0")

    def end(self, kinds):
        for kind in kinds:
            if kind in objects.CLUSTER_WIDE:
                self.send("DELETE", "/api/v1/" + kind, {"labelSelector": "seq=" + self.namespace})
        self.send("DELETE", "/api/v1/namespaces/" + self.namespace, {})

    def fill(self, value, path):
        if isinstance(value, dict):
            return {self.fill(k, path): self.fill(v, path) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v, path) for v in value]
        if not isinstance(value, str):
            return value
        last = self.last.get(path, {})
        return (
            value.replace("$rv", last.get("resourceVersion", "1"))
            .replace("$uid", last.get("uid", "none"))
            .replace("$start", self.start)
            .replace("$ns", self.namespace)
            .replace("$server", self.name)
            .replace("$token", self.token)
            .replace("$webhooks", self.hooks.url if self.hooks else "")
            .replace("$ca", self.hooks.ca if self.hooks else "")
        )

    def open_stream(self, step):
        """Reads a watch beside the sequence."""
        connection = self.server.connect()
        headers = {"Accept": step["accept"], "User-Agent": "random/1"}
        if self.server.token:
            headers["Authorization"] = "Bearer " + self.server.token
        query = self.fill(step["query"], "")
        connection.request("GET", self.fill(step["path"], "") + "?" + urllib.parse.urlencode(query), headers=headers)
        stream = {"lines": [], "code": 0, "socket": connection.sock}

        def read():
            try:
                response = connection.getresponse()
                stream["code"] = response.status
                while line := response.readline():
                    stream["lines"].append(json.loads(line))
            except (OSError, ValueError, AttributeError, http.client.HTTPException):
                pass

        stream["thread"] = threading.Thread(target=read, daemon=True)
        stream["thread"].start()
        self.streams.append(stream)
        time.sleep(0.15)
        return [{"code": 200}]

    def streamed(self):
        """What the watches were sent, once they have been quiet for a while."""
        quiet, before = 0, -1
        while quiet < 4:
            time.sleep(0.15)
            now = sum(len(s["lines"]) for s in self.streams)
            quiet, before = (quiet + 1, now) if now == before else (0, now)
        found = [{"code": s["code"], "events": [self.normal(e) for e in s["lines"]]} for s in self.streams]
        for stream in found:
            # How many bookmarks come is a matter of time.
            events = stream["events"]
            stream["events"] = [e for n, e in enumerate(events) if e != "BOOKMARK" or n == 0 or events[n - 1] != e]
            stream["order"] = [e if isinstance(e, str) else e.get("type", "") for e in stream["events"]]
        for stream in self.streams:
            try:
                stream["socket"].shutdown(2)
            except OSError:
                pass
        self.streams = []
        return [{"code": 200, "body": found}]

    def claims(self, token):
        parts = token.split(".")
        if len(parts) != 3:
            return token

        def read(part):
            return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

        claims = read(parts[1])
        base = claims.get("iat", 0)
        times = {k: claims[k] - base for k in ("exp", "iat", "nbf") if k in claims}
        if "warnafter" in claims.get("kubernetes.io", {}):
            claims["kubernetes.io"]["warnafter"] -= base
        return {"header": {**read(parts[0]), "kid": "", "alg": ""}, **self.normal(claims), **times}

    def step(self, step):
        if "pause" in step:
            return [{"code": 200}]
        if "stream" in step:
            return self.open_stream(step)
        if "streams" in step:
            return self.streamed()
        if "reviews" in step:
            # Validating webhooks are asked side by side.
            asked = []
            for _, group in itertools.groupby(self.hooks.taken(self.name, self.namespace), lambda r: r["review"]["request"]["uid"]):
                asked += sorted(group, key=lambda r: r["hook"])
            return [{"code": 200, "body": [self.normal(r) for r in asked]}]
        path = self.fill(step["path"], "")
        base = "/".join(path.split("/")[:8]) if path.startswith("/apis") else "/".join(path.split("/")[:7])
        body = self.fill(step.get("body"), base)
        if "base" in step:
            body = self.updated(step, self.fill(step.get("get", step["path"]), ""), base)
        query = self.fill(step["query"], base)
        reply = self.send(step["method"], path, query, body, step.get("type", "application/json"), step.get("accept", "application/json"))
        answers = [self.answer(reply, step)]
        for _ in range(5 if step.get("follow") else 0):
            token = answers[-1]["raw"].get("metadata", {}).get("continue") if isinstance(answers[-1]["raw"], dict) else None
            if not token:
                break
            query = {k: v for k, v in query.items() if not k.startswith("resourceVersion")}
            answers.append(
                self.answer(self.send("GET", path, {**query, "continue": token}, accept=step.get("accept", "application/json")), step)
            )
        return [{k: v for k, v in answer.items() if k != "raw"} for answer in answers]

    def updated(self, step, path, base):
        change = self.fill(step["base"], base)
        code, _, data = self.send("GET", path, {})
        current = json.loads(data) if code == 200 else {}
        body = change if step.get("replace") else merged(current, change)
        meta = body.setdefault("metadata", {})
        version = step["version"]
        if version == "none":
            meta.pop("resourceVersion", None)
        elif version == "stale":
            meta["resourceVersion"] = self.start
        elif version != "current":
            meta["resourceVersion"] = version
        elif step.get("replace") and current:
            meta["resourceVersion"] = current["metadata"].get("resourceVersion")
        return body

    # What can be compared

    def answer(self, reply, step):
        code, headers, data = reply
        found = {"code": code, "headers": sorted((k.lower(), v) for k, v in headers if k.lower() in HEADERS and k.lower() != "etag")}
        text = data.decode(errors="replace")
        raw = None
        try:
            if step.get("watch") and code == 200:
                raw = [json.loads(line) for line in text.splitlines()]
            else:
                raw = json.loads(text)
        except ValueError:
            found["text"] = self.text(re.sub(r'(resourceVersion: )"\d+"', r"\1", text))
        if isinstance(raw, dict) and isinstance(raw.get("metadata"), dict) and "uid" in raw["metadata"]:
            self.last[step["path"].replace("$ns", self.namespace)] = raw["metadata"]
        status = raw.get("status") if isinstance(raw, dict) else None
        token = status.get("token") if isinstance(status, dict) else None
        if isinstance(token, str) and token.count(".") == 2:
            self.token = token
            raw = {**raw, "status": {**raw["status"], "token": self.claims(token), "expirationTimestamp": ""}}
        found["body"] = self.normal(raw)
        found["headers"] = [(k, self.text(v)) for k, v in found["headers"]]
        found["raw"] = raw
        return found

    def normal(self, value, key="", parent=None):
        if isinstance(value, dict):
            if value.get("type") == "BOOKMARK":
                return "BOOKMARK"
            if key == "userInfo":
                # The two administrators are not the same user.
                return {}
            return {k: self.normal(value[k], k, value) for k in sorted(value)}
        if isinstance(value, list):
            if key == "causes" and all(isinstance(v, dict) and v.get("reason") == "FieldManagerConflict" for v in value):
                # Upstream keeps the managers in a map.
                value = sorted(value, key=lambda v: (v["field"], v["message"]))
            return [
                self.normal(v, key, parent)
                for v in value
                if not (isinstance(v, dict) and (v.get("configMap") or {}).get("name") == "openshift-service-ca.crt")
            ]
        if isinstance(value, str):
            if key == "cells":
                value = re.sub(r"^\d+s$", "<age>", value)
            if key == "description":
                # The descriptions of columns are in each server's own words.
                return ""
            if key == "resourceVersion" and isinstance(parent, dict):
                if "uid" not in parent or not parent.get("uid"):
                    return "<rv>"
                number = self.versions.setdefault((parent["uid"], value), len(self.versions))
                first = min(n for (uid, _), n in self.versions.items() if uid == parent["uid"])
                return f"<rv {sorted(n for (uid, _), n in self.versions.items() if uid == parent['uid']).index(number)} {first >= 0}>"
            if key == "continue":
                return "<continue>"
            if key in ("clusterIP", "clusterIPs") and value not in ("", "None"):
                return "<ip>"
            return self.text(value)
        if key in ("nodePort", "healthCheckNodePort") and value:
            return "<port>"
        return value

    def text(self, text):
        for secret, word in ((self.token, "<token>"), (f"{self.hooks.url}/{self.name}" if self.hooks else "", "<hooks>")):
            text = text.replace(secret, word) if secret else text
        text = UUID.sub(lambda m: self.ids.setdefault(m[0], f"<uid {len(self.ids)}>"), text.replace(self.namespace, "<ns>"))
        # Go stops at the first field it does not know, and begins anywhere; one reference adds lines to the pods of a difference.
        text = re.sub(r"(failed to create typed patch object \([^)]*\): ).*not declared in schema.*", r"\1...", text, flags=re.S)
        text = re.sub(r"@@ -\d+,.*", "@@", text, flags=re.S)
        text = re.sub(r"kube-api-access-[a-z0-9]{5}", "kube-api-access-<x>", text)
        text = re.sub(r"gen-[a-z0-9]{5}", "gen-<x>", text)
        text = re.sub(r"(resource version: |in record \(|resourceVersion, )\d+|current: \d+", r"\1<rv>", text)
        text = re.sub(
            r"(the ResourceVersion in the precondition \()\d+(\) does not match the ResourceVersion in record \()[^)]*", r"\1<rv>\2", text
        )
        text = re.sub(r"10\.(9[6-9]|1[01]\d)\.\d+\.\d+", "<ip>", text)
        text = re.sub(r"nodePort: (3[0-2]\d{3})", "nodePort: <port>", text)
        return TODAY.sub("<now>", text)


def merged(value, change):
    if not isinstance(value, dict) or not isinstance(change, dict):
        return copy.deepcopy(change)
    return {**value, **{k: merged(value.get(k), v) for k, v in change.items()}}


# MARK: comparing


def differences(a, b, path="", found=None):
    found = [] if found is None else found
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            if key not in a or key not in b:
                found.append((f"{path}.{key}", a.get(key, "<absent>"), b.get(key, "<absent>")))
            else:
                differences(a[key], b[key], f"{path}.{key}", found)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for inner, other in zip(a, b):
            differences(inner, other, path + "[]", found)
    elif a != b or type(a) is not type(b):
        found.append((path, a, b))
    return found


def play(servers, steps, kinds, stop_at_first=True):
    """[(number of the step, what differs)]"""
    namespace = "r" + "".join(random.choice("abcdefghijklmnop") for _ in range(9))
    runs = [Run(server, namespace, name) for server, name in zip(servers, ("reference", "subject"))]
    found = []
    try:
        for run in runs:
            run.begin()
        for number, step in enumerate(steps):
            if "pause" in step:
                time.sleep(step["pause"])
            answers = [run.step(step) for run in runs]
            # A reference that fails, or is not ready for a definition's objects or a policy's parameters, is none.
            if any(answer["code"] in (0, 429) for answer in answers[0]):
                break
            if "no params found" in json.dumps(answers[0]) and "no params found" not in json.dumps(answers[1]):
                break
            if different := differences(*answers):
                found.append((number, different))
                if stop_at_first and step.get("method", "GET") != "GET":
                    break
    finally:
        for step in steps:
            if step.get("setting") and step["method"] == "DELETE":
                for run in runs:
                    run.step(step)
        for run in runs:
            run.end(kinds)
    return found


def signature(step, different):
    """What kind of difference it is."""
    if "path" not in step:
        where = sorted({re.sub(r"\.f:[^.]*", ".f:", re.sub(r"\.k:\{.*?\}", ".k:", d[0])) for d in different})[:3]
        return f"{next(iter(step))} {where}"
    kind = next((p for p in step["path"].split("/") if p in KINDS), "?")
    sub = (
        step["path"].split("/")[-1]
        if step["path"].split("/")[-1] in ("status", "scale", "resize", "ephemeralcontainers", "eviction", "binding")
        else ""
    )
    where = sorted({re.sub(r"\.f:[^.]*", ".f:", re.sub(r"\.k:\{.*?\}", ".k:", d[0])) for d in different})[:3]
    codes = [(d[1], d[2]) for d in different if d[0].endswith(".code")]
    return (
        f"{kind}/{sub} {step['method']} {step.get('type', '').split('/')[-1][:8]} {'watch' if step.get('watch') else ''} {codes or where}"
    )


def shortened(servers, steps, kinds, wanted):
    """The fewest steps found that still show it."""

    def shows(candidate):
        return any(signature(candidate[n], d) == wanted for n, d in play(servers, candidate, kinds))

    position = len(steps) - 1
    while position >= 0:
        candidate = steps[:position] + steps[position + 1 :]
        # What follows a pause needs it.
        if "pause" not in steps[position] and candidate and shows(candidate):
            steps = candidate
        position -= 1
    return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True)
    parser.add_argument("--subject", required=True)
    parser.add_argument("--seeds", default="0-200")
    parser.add_argument("--kinds", default=".")
    parser.add_argument("--scenes", default="^plain$")
    parser.add_argument("--whole", action="store_true", help="do not look for the fewest steps")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--out", default="")
    arguments = parser.parse_args()
    servers = [exchanges.Server(arguments.reference), exchanges.Server(arguments.subject)]
    kinds = [k for k in KINDS if re.search(arguments.kinds, k)]
    for server in servers:
        setup = Run(server, "default")
        setup.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {}, objects.custom_definition())
    for server in servers:
        while Run(server, "default").send("GET", "/apis/rand.example.com/v1/widgets", {})[0] != 200:
            time.sleep(0.2)
    around = [scene for name, scene in scenes.ALL.items() if re.search(arguments.scenes, name)]
    Run.hooks = webhooks.Webhooks()
    known, lock, counts = set(), threading.Lock(), collections.Counter()
    out = open(arguments.out, "a") if arguments.out else sys.stdout

    def one(seed):
        sequence = sequences.Sequence(seed, kinds)
        around[seed % len(around)](sequence, sequence.r)
        first = play(servers, sequence.steps, sequence.kinds)
        counts["sequences"] += 1
        if not first:
            return
        again = {signature(sequence.steps[n], d) for n, d in play(servers, sequence.steps, sequence.kinds)}
        for number, different in first:
            name = signature(sequence.steps[number], different)
            with lock:
                counts[name] += 1
                if name not in again or name in known:
                    continue
                known.add(name)
            steps = sequence.steps[: number + 1]
            if not arguments.whole:
                steps = shortened(servers, steps, sequence.kinds, name)
            last = (
                None
                if arguments.whole
                else next(((n, d) for n, d in play(servers, steps, sequence.kinds) if signature(steps[n], d) == name), None)
            )
            with lock:
                print(f"\n=== seed {seed}: {name}", file=out)
                for step in steps:
                    print("  ", json.dumps(step), file=out)
                for path, a, b in (last[1] if last else different)[:8]:
                    print(
                        f"      {path}\n        reference {json.dumps(a)[:700]}\n        subject   {json.dumps(b)[:700]}",
                        file=out,
                        flush=True,
                    )

    first, last = (int(n) for n in arguments.seeds.split("-"))
    with concurrent.futures.ThreadPoolExecutor(arguments.threads) as pool:
        for result in pool.map(lambda s: attempt(one, s), range(first, last)):
            pass
    print(f"\n{counts.pop('sequences', 0)} sequences", file=out)
    for name, count in counts.most_common():
        print(f"{count:6} {name}", file=out)


def attempt(body, seed):
    try:
        body(seed)
    except Exception as error:  # One sequence that cannot be run does not end the others.
        print("seed", seed, traceback.format_exc()[-600:], file=sys.stderr)


if __name__ == "__main__":
    main()
