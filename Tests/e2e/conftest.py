"""One cluster serves the whole run; tests keep to namespaces of their own."""

import os
import uuid

import pytest

import images
from cluster import APUS, Cluster, eventually, kubectls


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            if "root" not in item.keywords:
                continue
            item.add_marker(pytest.mark.skip(reason="needs root: containerd, network namespaces"))


def pytest_configure(config):
    config.addinivalue_line("markers", "root: needs root")


@pytest.fixture(scope="session")
def archives(tmp_path_factory):
    directory = tmp_path_factory.mktemp("images")
    return {
        "v1": images.hello_node(str(directory / "hello-v1.tar"), "v1.0.0"),
        "v2": images.hello_node(str(directory / "hello-v2.tar"), "v2.0.0"),
        "busybox": images.busybox(str(directory / "busybox.tar")),
    }


@pytest.fixture(scope="session")
def cluster(archives):
    assert os.access(APUS, os.X_OK), f"no apus binary at {APUS}: make release"
    c = Cluster()
    try:
        c.up()
        for archive in archives.values():
            c.import_image(archive)
        yield c
    finally:
        c.close()


@pytest.fixture
def namespace(cluster):
    name = f"t-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    eventually(lambda: cluster.kubectl("get", "serviceaccount", "default", "-n", name, check=False).returncode == 0, 20)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false", check=False)


@pytest.fixture(params=["oldest", "newest"])
def any_kubectl(request, cluster, monkeypatch):
    """The cluster, driven by the oldest and by the newest kubectl on the machine."""
    found = kubectls()
    monkeypatch.setattr(cluster, "kubectl_path", found[0 if request.param == "oldest" else -1][1])
    return cluster
