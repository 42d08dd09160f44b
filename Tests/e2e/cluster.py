"""A cluster under test: starts apus in a directory of its own, runs kubectl against it, leaves nothing behind."""

import contextlib
import glob
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

APUS = os.environ.get("APUS", os.path.join(os.path.dirname(__file__), "../../dist/apus"))
# `Tools/deps.sh test` puts the Python client, kopf and Helm beside it.
PYTHON = os.environ.get("APUS_TEST_PYTHON", os.path.join(os.path.dirname(__file__), "../../.build/python/bin/python"))


class Failure(AssertionError):
    pass


def kubectls():
    """Every kubectl on the machine, oldest first, as (version, path)."""
    found = {}
    candidates = glob.glob("/usr/lib/google-cloud-sdk/bin/kubectl.1.*") + [shutil.which("kubectl") or ""]
    for path in candidates:
        if not path or not os.access(path, os.X_OK):
            continue
        out = subprocess.run([path, "version", "--client", "-o", "json"], capture_output=True, text=True).stdout
        match = re.search(r'"gitVersion": *"v(\d+)\.(\d+)', out)
        if match:
            found.setdefault((int(match[1]), int(match[2])), path)
    return sorted(found.items())


# However quickly something comes on a quiet machine: a busy one gets so many seconds.
PATIENCE = 60


def eventually(condition, timeout=PATIENCE, interval=0.1, what=""):
    """Polls `condition` until it returns something true; the last failure is part of the error."""
    timeout = max(timeout, PATIENCE)
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (AssertionError, subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError, KeyError, IndexError,
                json.JSONDecodeError) as error:
            last = error
        if time.monotonic() > end:
            detail = getattr(last, "stderr", None) or last
            raise Failure(f"not within {timeout} s: {what or condition}: {detail}")
        time.sleep(interval)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def unused_ranges(count):
    """The beginnings (`10.N`) of so many networks of 65536 addresses that nothing on this machine knows of. By chance, so
    that runs at the same time seldom meet."""
    known = "".join(subprocess.run(command, capture_output=True, text=True).stdout
                    for command in (["ip", "-4", "addr"], ["ip", "-4", "route", "show", "table", "all"], ["nft", "list", "ruleset"]))
    taken = {int(n) for n in re.findall(r"\b10\.(\d+)\.", known)} | {96, 244}
    return [f"10.{n}" for n in random.sample(sorted(set(range(20, 250)) - taken), count)]


class Cluster:
    def __init__(self, name="e2e", extra=(), cluster_cidr="10.244.0.0/16", service_cidr="10.96.0.0/12", dns="10.96.0.10"):
        self.dir = tempfile.mkdtemp(prefix=f"apus-{name}-")
        self.data = f"{self.dir}/data"
        self.home = f"{self.dir}/home"
        os.makedirs(self.home)
        self.port = free_port()
        self.kubeconfig = f"{self.dir}/kubeconfig"
        self.flags = [
            "--data-dir", self.data, "--https-port", str(self.port), "--kubeconfig", self.kubeconfig,
            "--cluster-cidr", cluster_cidr, "--service-cidr", service_cidr, "--cluster-dns", dns, *extra,
        ]
        self.kubectl_path = kubectls()[-1][1]

    def env(self):
        return {**os.environ, "HOME": self.home, "KUBECONFIG": self.kubeconfig}

    # apus itself

    def apus(self, *args, check=True, timeout=180):
        result = subprocess.run([APUS, *args], capture_output=True, text=True, env=self.env(), timeout=timeout)
        if check and result.returncode != 0:
            raise Failure(f"apus {' '.join(args)}: {result.returncode}\n{result.stdout}\n{result.stderr}\n{self.log_tail()}")
        return result

    def up(self):
        return self.apus("up", *self.flags)

    def down(self, purge=True):
        return self.apus("down", "--data-dir", self.data, *(["--purge"] if purge else []), check=False)

    def import_image(self, path):
        return self.apus("image", "import", path, "--data-dir", self.data)

    def log_tail(self, lines=40):
        try:
            with open(f"{self.data}/apus.log") as f:
                return "".join(f.readlines()[-lines:])
        except OSError as error:
            return str(error)

    def pid(self):
        with open(f"{self.data}/apus.pid") as f:
            return int(f.read().split()[0])

    def kill9(self):
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), 10, what="the killed apus to be gone")

    def close(self):
        self.down()
        shutil.rmtree(self.dir, ignore_errors=True)

    # kubectl

    def kubectl(self, *args, input=None, check=True, timeout=90, path=None, merge=False):
        command = [path or self.kubectl_path, *args]
        result = subprocess.run(
            command, input=input, capture_output=not merge, text=True, env=self.env(), timeout=timeout,
            **({"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if merge else {}),
        )
        if check and result.returncode != 0:
            raise Failure(f"{' '.join(command)}: {result.returncode}\n{result.stdout}\n{result.stderr}")
        return result

    def out(self, *args, **more):
        return self.kubectl(*args, **more).stdout

    def json(self, *args, **more):
        return json.loads(self.out(*args, "-o", "json", **more))

    def apply(self, manifest, *args, **more):
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        return self.kubectl("apply", "-f", "-", *args, input=text, **more)

    def start(self, *args, **more):
        """A kubectl that goes on in the background."""
        return subprocess.Popen(
            [self.kubectl_path, *args], env=self.env(), text=True,
            stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more,
        )

    def pods(self, namespace, selector=""):
        return self.json("get", "pods", "-n", namespace, *(["-l", selector] if selector else []))["items"]

    def ready_pods(self, namespace, selector, count):
        pods = [p for p in self.pods(namespace, selector) if "deletionTimestamp" not in p["metadata"]]
        ready = [p for p in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))]
        return pods if len(ready) == count and len(pods) == count else None

    def wait_ready(self, namespace, selector, count, timeout=60):
        return eventually(lambda: self.ready_pods(namespace, selector, count), timeout, what=f"{count} ready pods of {selector}")

    def wait_pod(self, namespace, name, phase, timeout=60):
        def check():
            pod = self.json("get", "pod", name, "-n", namespace)
            assert pod["status"].get("phase") == phase, json.dumps(pod["status"])[:1500]
            return pod
        return eventually(check, timeout, what=f"pod {name} to be {phase}")

    def wait_event(self, namespace, name, reason, words="", type=None):
        """Waits until an event of an object has been written. Whoever causes it writes it after the status that tells the
        same, and on another way."""
        def written():
            events = self.events(namespace, name)
            assert any((type or t) == t and r == reason and words in m for t, r, m in events), events
            return True
        return eventually(written, what=f"the event {reason} {words!r} of {name}")

    def events(self, namespace, name):
        items = self.json("get", "events", "-n", namespace, "--field-selector", f"involvedObject.name={name}")["items"]
        return [(e["type"], e["reason"], e.get("message", "")) for e in items]


@contextlib.contextmanager
def running(name, *flags, **ranges):
    """A cluster that runs with these flags, and leaves nothing behind."""
    c = Cluster(name, extra=flags, **ranges)
    try:
        c.up()
        yield c
    finally:
        c.close()


def hollow_nodes(count=1):
    """The flags of a cluster whose nodes only pretend: for what needs the API, and no root."""
    return ["--hollow-nodes", str(count)]


@contextlib.contextmanager
def new_namespace(c):
    """A namespace of a name of its own, with its service account."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    c.kubectl("create", "namespace", name)
    eventually(lambda: c.kubectl("get", "serviceaccount", "default", "-n", name, check=False).returncode == 0, 20)
    yield name
    c.kubectl("delete", "namespace", name, "--wait=false", check=False)


def container_ids(pod):
    return {c["name"]: c["containerID"] for c in pod["status"]["containerStatuses"]}
