"""A pod's cpu and memory change while it runs: given in place or by a restart, or asked to wait."""

import json

import pytest

from cluster import container_ids, eventually
from test_kubectl import pod
from test_pods import main, sh

pytestmark = pytest.mark.root


def resize(c, namespace, name, resources, check=True):
    patch = {"spec": {"containers": [{"name": "main", "resources": resources}]}}
    return c.kubectl("patch", "pod", name, "-n", namespace, "--subresource=resize", "-p", json.dumps(patch), check=check)


def settled(c, namespace, name, resources):
    """The pod once its container has what it was given and no resize is spoken of."""
    def check():
        got = c.json("get", "pod", name, "-n", namespace)
        status = got["status"]["containerStatuses"][0]
        types = {x["type"] for x in got["status"]["conditions"]}
        assert status["resources"] == resources and status["allocatedResources"] == resources["requests"], status
        assert not types & {"PodResizePending", "PodResizeInProgress"} and status["ready"], got["status"]
        assert got["status"]["observedGeneration"] == got["metadata"]["generation"]
        return got
    return eventually(check, 30, what="the resize to be through")


def limits(c, namespace, name):
    """Quota of cpu in microseconds a tenth of a second, and bytes of memory, as the container's own cgroup says."""
    script = ("if [ -e /sys/fs/cgroup/cpu.max ]; then cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/memory.max; "
              "else cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/memory/memory.limit_in_bytes; fi")
    lines = sh(c, namespace, name, script).split("\n")
    return int(lines[0].split()[0]), int(lines[1])


@pytest.fixture
def resizable(cluster, namespace):
    manifest = pod("p", namespace)
    main(manifest).update(
        name="main",
        resources={"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        resizePolicy=[{"resourceName": "memory", "restartPolicy": "RestartContainer"}],
    )
    cluster.apply(manifest)
    return cluster.wait_pod(namespace, "p", "Running")


def test_cpu_changes_in_place_and_memory_by_a_restart(cluster, namespace, resizable):
    c = cluster
    wanted = {"requests": {"cpu": "30m", "memory": "32Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
    resize(c, namespace, "p", {"requests": {"cpu": "30m"}, "limits": {"cpu": "200m"}})
    after = settled(c, namespace, "p", wanted)
    assert container_ids(after) == container_ids(resizable), "nothing was restarted"
    assert limits(c, namespace, "p") == (20_000, 64 << 20)
    for reason in ("ResizeStarted", "ResizeCompleted"):
        c.wait_event(namespace, "p", reason)

    wanted["limits"]["memory"] = "96Mi"
    resize(c, namespace, "p", {"limits": {"memory": "96Mi"}})
    after = settled(c, namespace, "p", wanted)
    assert container_ids(after) != container_ids(resizable)
    assert after["status"]["containerStatuses"][0]["restartCount"] == 1
    assert limits(c, namespace, "p") == (20_000, 96 << 20)


@pytest.fixture
def whole(cluster, namespace, resizable):
    """All of the node's cpu, of which another pod has some."""
    other = pod("other", namespace)
    main(other)["resources"] = {"requests": {"cpu": "100m"}}
    cluster.apply(other)
    cluster.wait_pod(namespace, "other", "Running")
    return cluster.json("get", "node", resizable["spec"]["nodeName"])["status"]["allocatable"]["cpu"]


def test_more_than_the_node_has_left_waits_and_can_be_taken_back(cluster, namespace, resizable, whole):
    c = cluster
    before = resizable["spec"]["containers"][0]["resources"]
    resize(c, namespace, "p", {"requests": {"cpu": whole}, "limits": {"cpu": whole}})

    def pending():
        conditions = c.json("get", "pod", "p", "-n", namespace)["status"]["conditions"]
        return next(x for x in conditions if x["type"] == "PodResizePending")
    condition = eventually(lambda: _first(pending), 20)
    assert condition["status"] == "True" and condition["reason"] == "Deferred"
    assert condition["message"].startswith(f"Node didn't have enough resource: cpu, requested: {whole}000, used: ")
    c.wait_event(namespace, "p", "ResizeDeferred", type="Warning")
    assert limits(c, namespace, "p") == (10_000, 64 << 20)
    resize(c, namespace, "p", before)
    assert container_ids(settled(c, namespace, "p", before)) == container_ids(resizable)


def _first(find):
    try:
        return find()
    except StopIteration:
        return None


def test_a_deferred_resize_outlives_the_server(cluster, namespace, resizable, whole):
    c = cluster
    before = resizable["spec"]["containers"][0]["resources"]
    resize(c, namespace, "p", {"requests": {"cpu": whole}, "limits": {"cpu": whole}})
    c.wait_event(namespace, "p", "ResizeDeferred")
    c.kill9()
    c.up()
    after = eventually(lambda: c.json("get", "pod", "p", "-n", namespace), 30)
    assert container_ids(after) == container_ids(resizable)
    assert eventually(lambda: limits(c, namespace, "p"), 30) == (10_000, 64 << 20), "the kubelet is back"
    status = eventually(lambda: c.json("get", "pod", "p", "-n", namespace)["status"], 20)
    assert status["containerStatuses"][0]["resources"] == before
    assert any(x["type"] == "PodResizePending" for x in status["conditions"])
    resize(c, namespace, "p", before)
    settled(c, namespace, "p", before)
