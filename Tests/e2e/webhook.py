"""An admission webhook over HTTPS, with an authority of its own. The path says how it behaves, the log what it was asked."""

import base64
import http.server
import json
import ssl
import subprocess
import threading
import time


def patch(*operations):
    return base64.b64encode(json.dumps(list(operations)).encode()).decode()


class Webhook:
    """Answers POSTs by `behaviours[path]`: a function of the request of the AdmissionReview, which returns the response's
    members, or bytes with a status of their own."""

    def __init__(self, directory):
        self.directory = directory
        self.behaviours = {}
        self.log = []
        self._certificate()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer._answer(self)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{directory}/cert", f"{directory}/key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _certificate(self):
        d = self.directory
        run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True)
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        run("req", "-x509", *new, "-days", "2", "-keyout", f"{d}/ca.key", "-out", f"{d}/ca", "-subj", "/CN=webhook-ca")
        run("req", *new, "-keyout", f"{d}/key", "-out", f"{d}/csr", "-subj", "/CN=webhook")
        with open(f"{d}/ext", "w") as f:
            f.write("subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:hook.webhooks.svc\n")
        run("x509", "-req", "-in", f"{d}/csr", "-CA", f"{d}/ca", "-CAkey", f"{d}/ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", f"{d}/ext", "-out", f"{d}/cert")

    @property
    def bundle(self):
        with open(f"{self.directory}/ca", "rb") as f:
            return base64.b64encode(f.read()).decode()

    def url(self, path):
        return f"https://127.0.0.1:{self.port}{path}"

    def _answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        path, _, query = handler.path.partition("?")
        review = json.loads(body)
        self.log.append({"path": path, "query": query, "headers": dict(handler.headers), "review": review})
        answer = self.behaviours[path](review["request"])
        status, headers = 200, {}
        if isinstance(answer, tuple):
            status, headers, data = answer
        elif "kind" in answer:
            data = json.dumps(answer).encode()
        else:
            response = {"uid": review["request"]["uid"], "allowed": True, **answer}
            data = json.dumps({"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": response}).encode()
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        try:
            handler.wfile.write(data)
        except OSError:
            pass  # a caller whose patience has ended

    def configuration(self, kind, name, path, namespace=None, rules=None, **members):
        """A configuration with one webhook; `namespace` restricts it to the namespace of that name."""
        hook = {
            "name": f"{name}.example.com",
            "clientConfig": {"url": self.url(path), "caBundle": self.bundle},
            "rules": rules or [rule()],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            **members,
        }
        if namespace:
            hook["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
        return {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [hook],
        }


def rule(resources="configmaps", operations="*", groups="", versions="*", scope="*"):
    split = lambda text: text.split(",")
    return {"apiGroups": split(groups), "apiVersions": split(versions), "resources": split(resources),
            "operations": split(operations), "scope": scope}
