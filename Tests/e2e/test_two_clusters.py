"""Two clusters on one machine, and nothing left of a cluster that is taken down."""

import subprocess
import urllib.request

import pytest

from cluster import Cluster, eventually, unused_ranges
from test_kubectl import pod

pytestmark = pytest.mark.root


def traces():
    """The links, tables and runtime directories of all clusters of apus on this machine."""
    def lines(*command):
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    links = {line.split(":")[1].strip().split("@")[0] for line in lines("ip", "-o", "link")}
    return {x for x in links | set(lines("nft", "list", "tables")) | set(lines("ls", "/run")) if "apus" in x}


def test_a_second_cluster_beside_the_first_goes_without_a_trace(cluster, archives):
    before = traces()
    pods, services = unused_ranges(2)
    second = Cluster("second", cluster_cidr=f"{pods}.0.0/16", service_cidr=f"{services}.0.0/16", dns=f"{services}.0.10")
    try:
        second.up()
        second.import_image(archives["v2"])
        manifest = pod("web", "default")
        manifest["spec"]["containers"][0].update(image="bjrdc206:443/bjrdc-dev/hello-node:v2.0.0")
        manifest["spec"]["containers"][0].pop("command")
        eventually(lambda: second.kubectl("get", "serviceaccount", "default", check=False).returncode == 0, 20)
        second.apply(manifest)
        second.wait_pod("default", "web", "Running")
        second.kubectl("expose", "pod", "web", "--port=80", "--target-port=8080")
        address = second.json("get", "service", "web")["spec"]["clusterIP"]
        assert address.startswith(f"{services}.")

        def answered():
            return urllib.request.urlopen(f"http://{address}/", timeout=3).read() == b"hello v2.0.0 from web\n"
        eventually(answered, 15)
        assert "web" not in cluster.out("get", "pods", "-n", "default")
        assert len(traces() - before) == 3, "two tables, and a link and a runtime directory of one name"
    finally:
        second.close()
    assert traces() == before
    with open("/proc/mounts") as mounts:
        assert second.dir not in mounts.read()
    assert second.dir not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
