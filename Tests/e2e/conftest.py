"""One cluster serves the whole run; tests keep to namespaces of their own."""

import os

import pytest

import images
from cluster import APUS, Cluster, hollow_nodes, kubectls, new_namespace, running


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
    with new_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def hollow(request):
    """A cluster of the module's own whose nodes only pretend: as many as its HOLLOW_NODES says, or one."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    with running(name[:20], *hollow_nodes(getattr(request.module, "HOLLOW_NODES", 1))) as c:
        yield c


def set_kubectl(c, request, monkeypatch):
    monkeypatch.setattr(c, "kubectl_path", kubectls()[0 if request.param == "oldest" else -1][1])
    return c


@pytest.fixture(params=["oldest", "newest"])
def any_kubectl(request, cluster, monkeypatch):
    """The cluster, driven by the oldest and by the newest kubectl on the machine."""
    return set_kubectl(cluster, request, monkeypatch)


@pytest.fixture(params=["oldest", "newest"])
def kubectl(request, hollow, monkeypatch):
    """The module's cluster of hollow nodes, driven by the oldest and by the newest kubectl on the machine."""
    return set_kubectl(hollow, request, monkeypatch)
