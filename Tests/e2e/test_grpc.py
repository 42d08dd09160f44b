"""gRPC probes against a real gRPC server."""

import pytest

import images
from cluster import eventually
from test_kubectl import pod

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def image(cluster, tmp_path_factory):
    cluster.import_image(images.grpc_health(str(tmp_path_factory.mktemp("grpc") / "grpc.tar")))
    return images.GRPC_IMAGE


def server(name, namespace, image, **probes):
    manifest = pod(name, namespace)
    container = manifest["spec"]["containers"][0]
    container.pop("command")
    container.update(image=image, **probes)
    return manifest


def probe(service=None, **more):
    grpc = {"port": 50051, **({"service": service} if service else {})}
    return {"grpc": grpc, "periodSeconds": 1, "failureThreshold": 1, **more}


def ready(cluster, namespace, name):
    return cluster.json("get", "pod", name, "-n", namespace)["status"]["containerStatuses"][0]["ready"]


def test_readiness_follows_what_the_server_says(cluster, namespace, image):
    c = cluster
    c.apply(server("g", namespace, image, readinessProbe=probe("db"), livenessProbe=probe(), startupProbe=probe()))
    eventually(lambda: ready(c, namespace, "g"), 60)
    assert "check db" in c.out("logs", "g", "-n", namespace)

    c.apply(server("quiet", namespace, image, readinessProbe=probe()))
    eventually(lambda: ready(c, namespace, "quiet"), 60)
    c.kubectl("exec", "quiet", "-n", namespace, "--", "touch", "/tmp/unhealthy")
    eventually(lambda: not ready(c, namespace, "quiet"), 30)

    def told():
        return any(r == "Unhealthy" and m == 'Readiness probe failed: service unhealthy (responded with "NOT_SERVING")'
                   for _, r, m in c.events(namespace, "quiet"))
    eventually(told, 20)
    c.kubectl("exec", "quiet", "-n", namespace, "--", "rm", "/tmp/unhealthy")
    eventually(lambda: ready(c, namespace, "quiet"), 30)
    assert c.json("get", "pod", "quiet", "-n", namespace)["status"]["containerStatuses"][0]["restartCount"] == 0


@pytest.mark.parametrize("service, words", [("nobody", "health rpc probe failed"), ("slow", "timeout: health rpc did not complete within 1s")])
def test_a_failed_liveness_probe_restarts(cluster, namespace, image, service, words):
    c = cluster
    # The startup probe waits for the server to listen: before, any probe fails for want of a connection.
    started = probe(failureThreshold=60)
    c.apply(server("g", namespace, image, startupProbe=started, livenessProbe=probe(service, timeoutSeconds=1)))

    def restarted():
        return c.json("get", "pod", "g", "-n", namespace)["status"]["containerStatuses"][0]["restartCount"] > 0
    eventually(restarted, 60)

    def told():
        return any(r == "Unhealthy" and words in m for _, r, m in c.events(namespace, "g"))
    eventually(told, 20)
