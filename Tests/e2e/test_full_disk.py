"""A full disk: writes are refused with a Status, nothing acknowledged is lost, and all is well when there is room again."""

import json
import os
import subprocess

import pytest

from cluster import Cluster, eventually

pytestmark = pytest.mark.root


@pytest.fixture
def small():
    c = Cluster("full", extra=["--hollow-nodes", "1"])
    os.makedirs(c.data)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "apus-test", c.data], check=True)
    try:
        c.up()
        yield c
    finally:
        c.down(purge=False)
        subprocess.run(["umount", "-l", c.data], check=True)
        c.close()


def put(c, name, size):
    """Creates a ConfigMap; its answer as (HTTP-like code, message)."""
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"x": name[-1] * size}}
    result = c.kubectl("create", "--raw", "/api/v1/namespaces/default/configmaps", "-f", "-", input=json.dumps(manifest), check=False)
    if result.returncode == 0:
        return 201, ""
    return 0, result.stderr


def names(c):
    items = c.json("get", "configmaps", "-n", "default")["items"]
    return {i["metadata"]["name"]: i for i in items if i["metadata"]["name"].startswith("fill")}


def fill(c):
    """Writes until a write is refused; the names of those that were acknowledged."""
    done = []
    for number in range(400):
        code, message = put(c, f"fill{number}", 256 * 1024)
        if code != 201:
            return done, message
        done.append(f"fill{number}")
    raise AssertionError("the disk never became full")


def test_a_full_disk_refuses_writes_and_loses_nothing(small):
    c = small
    done, message = fill(c)
    assert done and "mvcc: database space exceeded" in message and "no space left" in message, message
    # What is there can still be read, and every acknowledged write is there.
    assert set(names(c)) == set(done)
    # So it is after a crash on the full disk.
    c.kill9()
    subprocess.run(["mount", "-o", "remount,size=96m", c.data], check=True)
    c.up()
    found = names(c)
    assert set(done) <= set(found)
    assert all(len(found[name]["data"]["x"]) == 256 * 1024 for name in done)
    assert put(c, "fill-after", 1024)[0] == 201


def test_writes_go_on_when_there_is_room_again(small):
    c = small
    done, _ = fill(c)
    pid = c.pid()
    subprocess.run(["mount", "-o", "remount,size=96m", c.data], check=True)
    eventually(lambda: put(c, "fill-after", 1024)[0] == 201, 30, what="a write after room was made")
    assert c.pid() == pid, "without a restart"
    assert set(done) | {"fill-after"} == set(names(c))
