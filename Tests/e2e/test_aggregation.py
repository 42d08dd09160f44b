"""A server behind the API server: registered, checked, listed and asked by the real kubectl."""

import http.server
import json
import ssl
import subprocess
import threading

import pytest

from cluster import eventually

RESOURCES = {
    "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "metrics.k8s.io/v1beta1",
    "resources": [
        {"name": "nodes", "singularName": "", "namespaced": False, "kind": "NodeMetrics", "verbs": ["get", "list"]},
        {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]},
    ],
}
NODE = {
    "kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {"name": "hollow-0"},
    "timestamp": "2026-01-01T00:00:00Z", "window": "10s", "usage": {"cpu": "250m", "memory": "512Mi"},
}


class Metrics(http.server.BaseHTTPRequestHandler):
    seen = []

    def do_GET(self):
        Metrics.seen.append((self.path, self.headers.get("X-Remote-User"), self.headers.get_all("X-Remote-Group")))
        path = self.path.split("?")[0]
        if path == "/apis/metrics.k8s.io/v1beta1":
            body = RESOURCES
        elif path == "/apis/metrics.k8s.io/v1beta1/nodes":
            body = {"kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": [NODE]}
        else:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("tls"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-keyout", f"{directory}/key", "-out", f"{directory}/cert", "-subj", "/CN=metrics",
         "-addext", "subjectAltName=DNS:metrics.kube-system.svc"],
        check=True, capture_output=True,
    )
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/cert", f"{directory}/key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with open(f"{directory}/cert", "rb") as file:
        yield server.server_address[1], file.read()
    server.shutdown()


def test_local_versions_are_registered(hollow):
    shown = hollow.out("get", "apiservices")
    assert "v1.apps" in shown and "Local" in shown
    assert "v1beta1.extensions" in shown


def test_metrics_come_from_the_other_server(hollow, metrics):
    import base64

    port, certificate = metrics
    c = hollow
    c.kubectl("create", "service", "externalname", "metrics", "-n", "kube-system", "--external-name=localhost")
    service = {
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
            "service": {"namespace": "kube-system", "name": "metrics", "port": port},
            "caBundle": base64.b64encode(certificate).decode(),
        },
    }
    c.kubectl("apply", "-f", "-", input=json.dumps(service))
    c.kubectl("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", "--timeout=60s", timeout=70)
    eventually(lambda: "NodeMetrics" in c.out("api-resources"), 30)
    assert "250m" in eventually(lambda: c.out("top", "nodes"), 30)
    path, user, groups = [s for s in Metrics.seen if "/nodes" in s[0]][-1]
    assert user == "kubernetes-admin" and "system:masters" in groups
    raw = json.loads(c.out("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"))
    assert raw["items"][0]["metadata"]["name"] == "hollow-0"
    c.kubectl("delete", "apiservice", "v1beta1.metrics.k8s.io")
    eventually(lambda: "metrics.k8s.io" not in c.out("api-versions"), 30)
