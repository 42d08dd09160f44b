"""The hello-node application of the notes, as they describe it."""

import json
import re
import socket
import subprocess
import threading
import time
import urllib.request

import pytest

from cluster import Failure, container_ids, eventually

pytestmark = pytest.mark.root
NS = "bjrdc-dev"
SELECTOR = "app=hello-node-pod"

NAMESPACE = """
apiVersion: v1
kind: Namespace
metadata:
   name: bjrdc-dev
   labels:
     name: bjrdc-dev
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello-node
  namespace: bjrdc-dev
spec:
  selector:
    matchLabels:
      app: hello-node-pod
  replicas: 2
  template:
    metadata:
      labels:
        app: hello-node-pod #used by service
    spec:     # pod spec
      containers:
      - name: hello-node
        image: bjrdc206:443/bjrdc-dev/hello-node:v1.0.0 # image we pushed
        ports:
        - containerPort: 8080 # the container's port
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: hello-node
  namespace: bjrdc-dev
  labels:
    app: hello-node
spec:
  ports:
  - port: 3000  # what clients use
    targetPort: 8080
    protocol: TCP
  selector:
    app: hello-node-pod
"""


@pytest.fixture(scope="module")
def hello(cluster):
    cluster.apply(NAMESPACE)
    cluster.apply(DEPLOYMENT)
    cluster.apply(SERVICE)
    cluster.wait_ready(NS, SELECTOR, 2)
    yield cluster
    cluster.kubectl("delete", "namespace", NS, timeout=120)


def http_get(address, port, path="/", timeout=3):
    with urllib.request.urlopen(f"http://{address}:{port}{path}", timeout=timeout) as response:
        return response.read().decode()


def cluster_ip(hello):
    return hello.json("get", "service", "hello-node", "-n", NS)["spec"]["clusterIP"]


def test_get_pods_shows_two_running(hello):
    rows = hello.out("get", "pods", "-n", NS).splitlines()
    assert rows[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(rows) == 3
    for row in rows[1:]:
        name, ready, status, restarts, _ = row.split()
        assert re.fullmatch(r"hello-node-[0-9a-z]+-[0-9a-z]{5}", name)
        assert (ready, status, restarts) == ("1/1", "Running", "0")
    assert re.search(r"hello-node +2/2 +2 +2 ", hello.out("get", "deployments", "-n", NS))


def test_the_cluster_ip_answers_from_the_host_with_both_replicas(hello):
    address = cluster_ip(hello)
    eventually(lambda: http_get(address, 3000), 10)
    answers = {http_get(address, 3000).strip() for _ in range(60)}
    names = {p["metadata"]["name"] for p in hello.pods(NS, SELECTOR)}
    assert answers == {f"hello v1.0.0 from {name}" for name in names}


@pytest.fixture(scope="module")
def client(hello):
    hello.apply({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "client", "namespace": NS},
        "spec": {"containers": [{"name": "c", "image": "docker.io/library/busybox:1", "command": ["sleep", "3600"]}],
                 "terminationGracePeriodSeconds": 0},
    })
    hello.wait_pod(NS, "client", "Running")
    return hello


@pytest.mark.parametrize("host", ["hello-node", "hello-node.bjrdc-dev", "hello-node.bjrdc-dev.svc", "hello-node.bjrdc-dev.svc.cluster.local"])
def test_names_resolve_and_answer_inside_pods(client, host):
    out = eventually(
        lambda: client.out("exec", "client", "-n", NS, "--", "timeout", "3", "wget", "-q", "-O", "-", f"http://{host}:3000/"), 20)
    assert "hello v1.0.0 from hello-node-" in out


def test_the_cluster_ip_answers_from_a_pod(client):
    out = client.out("exec", "client", "-n", NS, "--", "timeout", "3", "wget", "-q", "-O", "-", f"http://{cluster_ip(client)}:3000/")
    assert "hello v1.0.0" in out


def test_a_pod_reaches_itself_through_its_service(hello):
    pod = hello.pods(NS, SELECTOR)[0]["metadata"]["name"]
    answers = {
        hello.out("exec", pod, "-n", NS, "--", "timeout", "3", "wget", "-q", "-O", "-", "http://hello-node:3000/").strip() for _ in range(12)
    }
    assert f"hello v1.0.0 from {pod}" in answers


def test_a_node_port_answers_on_the_nodes_address(hello):
    hello.kubectl("expose", "deployment", "hello-node", "-n", NS, "--name", "hello-port", "--type", "NodePort", "--port", "3000",
                  "--target-port", "8080")
    port = hello.json("get", "service", "hello-port", "-n", NS)["spec"]["ports"][0]["nodePort"]
    node = hello.json("get", "nodes")["items"][0]
    address = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
    assert "hello v1.0.0" in eventually(lambda: http_get(address, port), 10)
    hello.kubectl("delete", "service", "hello-port", "-n", NS)

    def refused():
        try:
            http_get(address, port, timeout=1)
            return False
        except OSError:
            return True
    eventually(refused, 10, what="the node port to be closed")


def test_scale_to_five_and_back(hello):
    hello.kubectl("scale", "deployment", "hello-node", "-n", NS, "--replicas=5")
    hello.wait_ready(NS, SELECTOR, 5)
    hello.kubectl("scale", "deployment", "hello-node", "-n", NS, "--replicas=2")
    eventually(lambda: len(hello.pods(NS, SELECTOR)) == 2, 60, what="three pods to be gone")


class Load:
    """A steady load of `rate` requests per second, each on a connection of its own; every failure is kept."""

    def __init__(self, address, port, rate=200, workers=20):
        self.address, self.port = address, port
        self.interval = workers / rate
        self.failures, self.sent, self.answers = [], 0, set()
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(i * self.interval / workers,)) for i in range(workers)]

    def request(self):
        with socket.create_connection((self.address, self.port), timeout=5) as s:
            s.sendall(b"GET /version HTTP/1.1\r\nHost: hello\r\nConnection: close\r\n\r\n")
            data = b""
            while part := s.recv(65536):
                data += part
        head, _, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or not body:
            raise Failure(f"answered {data[:80]!r}")
        return body.decode().strip()

    def work(self, delay):
        due = time.monotonic() + delay
        while not self.stopping.is_set():
            time.sleep(max(0, due - time.monotonic()))
            due += self.interval
            try:
                answer = self.request()
                with self.lock:
                    self.sent += 1
                    self.answers.add(answer)
            except (OSError, Failure) as error:
                with self.lock:
                    self.sent += 1
                    self.failures.append(f"{time.monotonic():.3f} {error!r}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


def test_a_rolling_update_fails_no_request(hello):
    address = cluster_ip(hello)
    with Load(address, 3000) as load:
        eventually(lambda: load.sent > 200, 20)
        hello.kubectl("set", "image", "deployment/hello-node", f"hello-node=bjrdc206:443/bjrdc-dev/hello-node:v2.0.0", "-n", NS, "--record")
        hello.kubectl("rollout", "status", "deployment/hello-node", "-n", NS, "--timeout=90s", timeout=100)
        eventually(lambda: len(hello.pods(NS, SELECTOR)) == 2, 60, what="the old pods to be gone")
        before = load.sent
        eventually(lambda: load.sent > before + 200, 20)
    assert load.failures == [], f"{len(load.failures)} of {load.sent} requests failed: {load.failures[:5]}"
    assert load.answers == {"v1.0.0", "v2.0.0"}
    assert {http_get(address, 3000, "/version").strip() for _ in range(20)} == {"v2.0.0"}


def test_rollout_history_undo_pause_resume_restart(hello):
    history = hello.out("rollout", "history", "deployment/hello-node", "-n", NS)
    assert re.search(r"^1 +<none>$", history, re.M), history
    assert re.search(r"^2 +kubectl.* set image deployment/hello-node", history, re.M), history
    hello.kubectl("rollout", "undo", "deployment/hello-node", "-n", NS)
    hello.kubectl("rollout", "status", "deployment/hello-node", "-n", NS, "--timeout=90s", timeout=100)
    deployment = hello.json("get", "deployment", "hello-node", "-n", NS)
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":v1.0.0")
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"

    hello.kubectl("rollout", "pause", "deployment/hello-node", "-n", NS)
    hello.kubectl("set", "env", "deployment/hello-node", "COLOUR=blue", "-n", NS)
    sets = len(hello.json("get", "rs", "-n", NS)["items"])
    eventually(lambda: hello.json("get", "deployment", "hello-node", "-n", NS)["status"]["observedGeneration"]
               == hello.json("get", "deployment", "hello-node", "-n", NS)["metadata"]["generation"], 20)
    assert len(hello.json("get", "rs", "-n", NS)["items"]) == sets
    hello.kubectl("rollout", "resume", "deployment/hello-node", "-n", NS)
    hello.kubectl("rollout", "status", "deployment/hello-node", "-n", NS, "--timeout=90s", timeout=100)
    assert len(hello.json("get", "rs", "-n", NS)["items"]) == sets + 1

    old = {p["metadata"]["uid"] for p in hello.pods(NS, SELECTOR)}
    hello.kubectl("rollout", "restart", "deployment/hello-node", "-n", NS)
    hello.kubectl("rollout", "status", "deployment/hello-node", "-n", NS, "--timeout=90s", timeout=100)
    eventually(lambda: len(hello.pods(NS, SELECTOR)) == 2, 60)
    assert not old & {p["metadata"]["uid"] for p in hello.pods(NS, SELECTOR)}


def test_a_deleted_pod_is_replaced(hello):
    victim = hello.wait_ready(NS, SELECTOR, 2)[0]["metadata"]["name"]
    hello.kubectl("delete", "pod", victim, "-n", NS)
    pods = hello.wait_ready(NS, SELECTOR, 2)
    assert victim not in [p["metadata"]["name"] for p in pods]


def test_a_killed_container_is_restarted(hello):
    pod = hello.wait_ready(NS, SELECTOR, 2)[0]["metadata"]["name"]
    hello.kubectl("exec", pod, "-n", NS, "--", "sh", "-c", "kill -TERM 1", check=False)

    def restarted():
        status = hello.json("get", "pod", pod, "-n", NS)["status"]["containerStatuses"][0]
        return status["restartCount"] == 1 and status["ready"] and status["lastState"]["terminated"]["exitCode"] == 0
    eventually(restarted, 30, what="the container to be running again")


def test_containers_survive_a_killed_apus_and_no_write_is_lost(hello):
    before = {p["metadata"]["name"]: container_ids(p) for p in hello.wait_ready(NS, SELECTOR, 2)}
    restarts = {p["metadata"]["name"]: p["status"]["containerStatuses"][0]["restartCount"] for p in hello.pods(NS, SELECTOR)}
    written = []
    for i in range(20):
        hello.kubectl("create", "configmap", f"written-{i}", "-n", NS, f"--from-literal=i={i}")
        written.append(f"written-{i}")
    hello.kill9()
    address = json.loads(hello.out("config", "view", "-o", "json"))["clusters"][0]["cluster"]["server"]
    assert address
    result = hello.up()
    assert result.returncode == 0
    names = {i["metadata"]["name"] for i in hello.json("get", "configmaps", "-n", NS)["items"]}
    assert set(written) <= names
    hello.wait_ready(NS, SELECTOR, 2)
    after = {p["metadata"]["name"]: container_ids(p) for p in hello.pods(NS, SELECTOR)}
    assert after == before
    assert restarts == {p["metadata"]["name"]: p["status"]["containerStatuses"][0]["restartCount"] for p in hello.pods(NS, SELECTOR)}
    assert "hello v1.0.0" in eventually(lambda: http_get(cluster_ip(hello), 3000), 10)
