#!/usr/bin/env python3
"""Compares the OpenAPI documents of two servers: paths, operations, parameters, types, formats, extensions; no descriptions.

Usage: compare-documents.py OUR-KUBECONFIG UPSTREAM-KUBECONFIG

Differences of one kind are counted together, with one example. Install the same custom resources in both first.
"""
import base64
import collections
import json
import ssl
import sys
import tempfile
import urllib.request

import yaml

MEMBERS = {"paths", "definitions", "schemas", "properties"}


def fetcher(kubeconfig):
    config = yaml.safe_load(open(kubeconfig))
    url, user = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]
    context = ssl._create_unverified_context()
    headers = {"Authorization": "Bearer " + user["token"]} if "token" in user else {}
    if "client-certificate-data" in user:
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
            pem.flush()
            context.load_cert_chain(pem.name)

    def fetch(path):
        request = urllib.request.Request(url + path, headers=headers)
        return json.load(urllib.request.urlopen(request, context=context, timeout=120))

    return fetch


def plain(value, shared):
    """Without descriptions; references to shared parameters become the parameters, marked."""
    if isinstance(value, list):
        return [plain(item, shared) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/parameters/"):
        return {**plain(shared[reference.rsplit("/", 1)[1]], shared), "shared": True}
    return {key: plain(item, shared) for key, item in value.items() if not (key == "description" and isinstance(item, str))}


def differences(ours, theirs, path):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(set(ours) | set(theirs)):
            if key not in ours:
                yield path + (key,), "missing", theirs[key]
            elif key not in theirs:
                yield path + (key,), ours[key], "ours alone"
            else:
                yield from differences(ours[key], theirs[key], path + (key,))
    elif isinstance(ours, list) and isinstance(theirs, list) and path[-1] == "parameters":
        def named(parameters):
            return {f"{p['name']} in {p['in']}": p for p in parameters}

        yield from differences(named(ours), named(theirs), path)
        if [p["name"] for p in ours] != [p["name"] for p in theirs]:
            yield path, [p["name"] for p in ours], [p["name"] for p in theirs]
    elif ours != theirs:
        yield path, ours, theirs


def main():
    ours, theirs = fetcher(sys.argv[1]), fetcher(sys.argv[2])
    names = [set(fetch("/openapi/v3")["paths"]) for fetch in (ours, theirs)]
    for name in sorted(names[0] ^ names[1]):
        print("document", "of ours alone:" if name in names[0] else "missing:", name)
    found = collections.defaultdict(list)
    for name in ["/openapi/v2"] + sorted("/openapi/v3/" + name for name in names[0] & names[1]):
        documents = []
        for fetch in (ours, theirs):
            document = fetch(name)
            documents.append(plain(document, document.pop("parameters", {})))
        for path, our, their in differences(*documents, ()):
            kind = tuple("*" if i and path[i - 1] in MEMBERS else str(step) for i, step in enumerate(path))
            found[(name[9:11], "/".join(kind), json.dumps(our)[:90], json.dumps(their)[:90])].append((name, path))
    for kind, places in sorted(found.items(), key=lambda item: -len(item[1])):
        name, path = places[0]
        print(len(places), *kind, "for example", name, "/".join(map(str, path)))


main()
