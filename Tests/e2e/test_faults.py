"""Bad input and faults: each gets a clear answer and loses nothing."""

import json
import os
import socket
import subprocess
import urllib.request

import pytest

from cluster import APUS, Cluster, container_ids, eventually
from test_kubectl import pod

pytestmark = pytest.mark.root


@pytest.mark.parametrize("text, word", [
    ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n data: {}\n", "error converting YAML to JSON"),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: UPPER}\n", 'Invalid value: "UPPER"'),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {}\n", "spec.containers: Required value"),
    ("apiVersion: v1\nkind: Nothing\nmetadata: {name: x}\n", 'no matches for kind "Nothing" in version "v1"'),
    ("apiVersion: apps/v9\nkind: Deployment\nmetadata: {name: x}\n", 'no matches for kind "Deployment" in version "apps/v9"'),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: a, image: b, imagee: c}]}\n",
     'unknown field "spec.containers[0].imagee"'),
])
def test_bad_manifests_are_named(any_kubectl, namespace, text, word):
    result = any_kubectl.apply(text, "-n", namespace, check=False)
    assert result.returncode == 1 and word in result.stderr, result.stderr


def test_immutable_fields(cluster, namespace):
    c = cluster
    c.kubectl("create", "deployment", "d", "-n", namespace, "--image=x", "--replicas=0")
    result = c.kubectl("patch", "deployment", "d", "-n", namespace, "--type=merge", "-p", '{"spec":{"selector":{"matchLabels":{"a":"b"}}}}', check=False)
    assert result.returncode == 1 and "field is immutable" in result.stderr


def test_a_stale_resource_version_is_a_conflict(cluster, namespace):
    c = cluster
    c.kubectl("create", "configmap", "m", "-n", namespace)
    old = c.json("get", "configmap", "m", "-n", namespace)
    c.kubectl("label", "configmap", "m", "-n", namespace, "a=b")
    result = c.kubectl("replace", "-f", "-", input=json.dumps(old), check=False)
    assert result.returncode == 1 and "the object has been modified; please apply your changes to the latest version" in result.stderr


def test_strangers_get_401_and_service_accounts_403(cluster, namespace):
    server = json.loads(cluster.out("config", "view", "--raw", "-o", "json"))["clusters"][0]["cluster"]["server"]
    out = subprocess.run(["curl", "-sk", f"{server}/api/v1/pods"], capture_output=True, text=True).stdout
    assert json.loads(out)["code"] in (401, 403)
    token = cluster.out("create", "token", "default", "-n", namespace).strip()
    out = subprocess.run(["curl", "-sk", "-H", f"Authorization: Bearer {token}", f"{server}/api/v1/pods"], capture_output=True, text=True).stdout
    assert json.loads(out)["message"].startswith(f'pods is forbidden: User "system:serviceaccount:{namespace}:default" cannot list resource "pods"')


def test_containerd_killed_comes_back_and_containers_go_on(cluster, namespace):
    c = cluster
    c.apply(pod("p", namespace))
    before = container_ids(c.wait_pod(namespace, "p", "Running"))
    pids = subprocess.run(["pgrep", "-f", f"containerd --config .*"], capture_output=True, text=True).stdout.split()
    mine = [p for p in pids if any(c.data in open(f"/proc/{p}/{f}").read() for f in ("cmdline",)) or containerd_is_ours(p, c)]
    assert len(mine) == 1, (pids, mine)
    os.kill(int(mine[0]), 9)
    c.apply(pod("q", namespace))
    c.wait_pod(namespace, "q", "Running", 60)
    assert container_ids(c.wait_pod(namespace, "p", "Running")) == before


def containerd_is_ours(pid, c):
    """Its configuration names the data directory of the cluster under test."""
    try:
        arguments = open(f"/proc/{pid}/cmdline").read().split("\0")
        return c.data in open(arguments[arguments.index("--config") + 1]).read()
    except (OSError, ValueError, IndexError):
        return False


def test_a_second_up_says_it_is_running(cluster):
    assert "already running" in cluster.up().stdout


def test_a_data_directory_in_use_is_refused(cluster):
    result = cluster.apus("server", *cluster.flags[:2], "--https-port", "0", check=False, timeout=30)
    assert result.returncode != 0 and cluster.data in result.stderr and "in use" in result.stderr


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run([APUS, "server", "--data-dir", str(tmp_path / "d"), "--https-port", str(port), "--hollow-nodes", "1"],
                                capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)})
    assert result.returncode != 0 and str(port) in result.stderr and "in use" in result.stderr.lower()


def test_without_root_only_hollow_nodes_are_offered(tmp_path):
    os.chmod(tmp_path, 0o777)
    result = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", APUS, "server", "--data-dir", f"{tmp_path}/d"],
                            capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(tmp_path)})
    assert result.returncode != 0 and "root" in result.stderr and "--hollow-nodes" in result.stderr


def test_unknown_flags_and_bad_values_are_refused():
    for arguments, word in ((["--no-such-flag"], "no-such-flag"), (["--service-cidr", "10.0.0.0/99"], "10.0.0.0/99"), (["--https-port", "x"], "https-port")):
        result = subprocess.run([APUS, "server", *arguments], capture_output=True, text=True, timeout=30)
        assert result.returncode != 0 and word in result.stderr


def test_an_image_archive_that_is_none(cluster, tmp_path):
    (tmp_path / "bad.tar").write_text("not a tar")
    result = cluster.apus("image", "import", str(tmp_path / "bad.tar"), "--data-dir", cluster.data, check=False)
    assert result.returncode != 0 and "bad.tar" in result.stderr
