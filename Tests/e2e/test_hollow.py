"""Hollow nodes: a cluster that pretends, without root and without containerd, through the same kubelet core."""

import concurrent.futures
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import urllib.parse

import pytest

from cluster import APUS, Cluster, eventually


HOLLOW_NODES = 20


def test_nodes_register_and_pods_pretend_to_run(hollow):
    c = hollow
    eventually(lambda: c.out("get", "nodes").count(" Ready ") == 20, 30)
    c.kubectl("create", "deployment", "many", "--image=any", "--replicas=100")
    c.kubectl("rollout", "status", "deployment/many", "--timeout=60s", timeout=70)
    pods = c.pods("default")
    assert len(pods) == 100 and len({p["spec"]["nodeName"] for p in pods}) == 20
    assert len({p["status"]["podIP"] for p in pods}) == 100
    c.kubectl("delete", "deployment", "many")
    eventually(lambda: not c.pods("default"), 60)


def test_an_oversized_body_is_refused(hollow):
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big"}, "data": {"x": "y" * (4 << 20)}})
    result = hollow.kubectl("create", "-f", "-", input=body, check=False)
    assert result.returncode == 1 and ("request body too large" in result.stderr.lower() or "limit is" in result.stderr.lower())


def test_a_watch_by_a_client_that_stops_reading_does_not_hold_others(hollow):
    c = hollow
    stuck = c.start("get", "configmaps", "--watch", "-o", "json")
    try:
        blob = "z" * 500_000
        for i in range(12):
            c.kubectl("create", "-f", "-", input=json.dumps(
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"blob-{i}"}, "data": {"x": blob}}))
        assert len(c.json("get", "configmaps")["items"]) >= 12
    finally:
        stuck.kill()
        stuck.wait()


def resident(c):
    """Megabytes of the server in memory."""
    with open(f"/proc/{c.pid()}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def test_the_memory_of_a_burst_is_given_back(hollow):
    c = hollow
    cluster = c.json("config", "view")["clusters"][0]["cluster"]["server"]
    address = urllib.parse.urlsplit(cluster)
    token = c.out("create", "token", "default").strip()
    c.kubectl("create", "rolebinding", "burst", "--clusterrole=edit", "--serviceaccount=default:default")
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    entries = {f"k{i}": "" for i in range(170_000)}
    body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "b-"}, "data": entries})

    def create(_):
        client = http.client.HTTPSConnection(address.hostname, address.port, context=ssl._create_unverified_context(), timeout=90)
        client.request("POST", "/api/v1/namespaces/default/configmaps?dryRun=All", body, headers)
        return client.getresponse().status

    before = resident(c)
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        def burst():
            assert set(pool.map(create, range(40))) == {201}
            return resident(c) > before + 110
        eventually(burst, what="a burst that leaves memory behind")
    eventually(lambda: resident(c) < before + 64, 240)


def test_metrics_of_the_components_are_served(hollow):
    text = hollow.out("get", "--raw", "/metrics")
    assert 'workqueue_adds_total{name="deployment"}' in text
    assert "scheduler_schedule_attempts_total" in text
    assert "apiserver_request_total" in text


def test_purge_takes_the_context_out_of_the_users_kubeconfig():
    c = Cluster("purge", extra=["--hollow-nodes", "1"])
    other = {"apiVersion": "v1", "kind": "Config", "current-context": "mine",
             "clusters": [{"name": "mine", "cluster": {"server": "https://192.0.2.1:6443"}}],
             "users": [{"name": "mine", "user": {"token": "t"}}],
             "contexts": [{"name": "mine", "context": {"cluster": "mine", "user": "mine"}}]}
    with open(c.kubeconfig, "w") as f:
        json.dump(other, f)
    try:
        c.up()
        assert c.out("config", "get-contexts", "-o", "name").split() == ["apus", "mine"]
        c.down(purge=False)
        assert c.out("config", "get-contexts", "-o", "name").split() == ["apus", "mine"]
        c.up()
        c.down()
        assert c.out("config", "get-contexts", "-o", "name").split() == ["mine"]
        assert "apus" not in open(c.kubeconfig).read()
    finally:
        c.close()


def test_a_server_in_the_foreground_writes_the_kubeconfig_asked_for():
    c = Cluster("foreground")
    server = subprocess.Popen([APUS, "server", *c.flags, "--hollow-nodes", "1"], env=c.env(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: c.out("get", "--raw", "/readyz") == "ok", 60)
        assert c.out("config", "get-contexts", "-o", "name").split() == ["apus"]
    finally:
        server.terminate()
        server.wait(60)
        c.close()
