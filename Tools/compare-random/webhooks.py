"""A small admission webhook for sequences: the path says how it answers, and what it was asked is kept.

`/SERVER/NAMESPACE/ANSWER`: each API server asks under its own name, so that what the two have asked can be compared.
"""

import base64
import collections
import http.server
import json
import os
import ssl
import subprocess
import tempfile
import threading


def patched(review, operations):
    text = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"uid": review["request"]["uid"], "allowed": True, "patch": text, "patchType": "JSONPatch"}


def labelled(review, name):
    metadata = (review["request"].get("object") or {}).get("metadata", {})
    if metadata.get("labels"):
        return [{"op": "add", "path": "/metadata/labels/" + name, "value": "hook"}]
    return [{"op": "add", "path": "/metadata/labels", "value": {name: "hook"}}]


def refusal(review, **status):
    return {"uid": review["request"]["uid"], "allowed": False, "status": status}


def answer(name, review):
    """The `response` of a review, or bytes that are none."""
    request = review["request"]
    allowed = {"uid": request["uid"], "allowed": True}
    object = request.get("object") or {}
    deletes = request["operation"] == "DELETE"
    if name == "label":
        return allowed if deletes or not object else patched(review, labelled(review, "hooked"))
    if name == "finalizer":
        return (
            allowed
            if deletes or not object
            else patched(review, [{"op": "add", "path": "/metadata/finalizers", "value": ["example.com/h"]}])
        )
    if name == "replicas":
        has = "spec" in object and request["operation"] == "CREATE"
        return patched(review, [{"op": "add", "path": "/spec/replicas", "value": 1}]) if has else allowed
    if name == "pull":
        has = object.get("kind") == "Pod"
        return patched(review, [{"op": "add", "path": "/spec/containers/0/imagePullPolicy", "value": "Always"}]) if has else allowed
    if name == "remove-spec":
        return patched(review, [{"op": "remove", "path": "/spec"}]) if "spec" in object else allowed
    if name == "bad-patch":
        return patched(review, [{"op": "remove", "path": "/metadata/labels/absent"}])
    if name == "warn":
        return {**allowed, "warnings": ["of " + request["operation"], "twice", "twice"], "auditAnnotations": {"a": "b"}}
    if name == "deny-deletes":
        return refusal(review, message="not that", code=409, reason="Conflict") if deletes else allowed
    if name == "deny-b":
        return refusal(review) if request.get("name") == "b" else allowed
    if name == "deny-code":
        return (
            refusal(review, code=418, message="a teapot", reason="Teapot", details={"causes": [{"message": "x"}]})
            if object.get("metadata", {}).get("labels")
            else allowed
        )
    if name == "wrong-uid":
        return {"uid": "x", "allowed": True}
    if name == "garbage":
        return b"{garbage"
    if name == "empty":
        return None
    return allowed


class Webhooks:
    """Serves until the process ends."""

    def __init__(self):
        self.asked = collections.defaultdict(list)
        self.lock = threading.Lock()
        directory = tempfile.mkdtemp(prefix="compare-random-")
        key, certificate = os.path.join(directory, "key"), os.path.join(directory, "certificate")
        request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2"]
        subprocess.run([*request, "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        with open(certificate, "rb") as f:
            self.ca = base64.b64encode(f.read()).decode()
        hooks = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                _, server, namespace, name = self.path.split("?")[0].split("/")
                with hooks.lock:
                    hooks.asked[server, namespace].append({"hook": name, "query": self.path.partition("?")[2], "review": review})
                response = answer(name, review)
                body = b"" if response is None else response
                if not isinstance(body, bytes):
                    body = json.dumps({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}).encode()
                self.send_response(500 if name == "status-500" else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake is each connection's own affair.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def taken(self, server, namespace):
        with self.lock:
            return self.asked.pop((server, namespace), [])
