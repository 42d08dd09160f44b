"""What the kubelet does for a pod: configuration, volumes, probes, resources, life cycle."""

import base64
import json
import re
import time

import pytest

from cluster import container_ids, eventually
from test_kubectl import IMAGE, pod

pytestmark = pytest.mark.root
HELLO = "bjrdc206:443/bjrdc-dev/hello-node:v1.0.0"


def sh(cluster, namespace, name, script, container=None):
    return cluster.out("exec", name, "-n", namespace, *(["-c", container] if container else []), "--", "sh", "-c", script)


def main(manifest):
    return manifest["spec"]["containers"][0]


def test_config_reaches_containers_and_volumes_update_live(cluster, namespace):
    c = cluster
    c.kubectl("create", "configmap", "conf", "-n", namespace, "--from-literal=COLOUR=blue", "--from-literal=file.txt=one")
    c.kubectl("create", "secret", "generic", "sec", "-n", namespace, "--from-literal=PASSWORD=s3cret")
    manifest = pod("p", namespace, volumes=[
        {"name": "conf", "configMap": {"name": "conf"}},
        {"name": "sec", "secret": {"secretName": "sec", "defaultMode": 0o400}},
        {"name": "mix", "projected": {"sources": [
            {"configMap": {"name": "conf", "items": [{"key": "file.txt", "path": "a/b.txt"}]}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        ]}},
    ])
    main(manifest).update(
        env=[
            {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "COLOUR"}}},
            {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "sec", "key": "PASSWORD"}}},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
            {"name": "COMPOSED", "value": "$(COLOUR)-$(ABSENT)-$$(COLOUR)"},
        ],
        envFrom=[{"prefix": "X_", "configMapRef": {"name": "conf"}}],
        resources={"limits": {"cpu": "250m", "memory": "64Mi"}},
        volumeMounts=[{"name": "conf", "mountPath": "/conf"}, {"name": "sec", "mountPath": "/sec"}, {"name": "mix", "mountPath": "/mix"}],
    )
    c.apply(manifest)
    running = c.wait_pod(namespace, "p", "Running")
    env = dict(line.split("=", 1) for line in sh(c, namespace, "p", "env").splitlines() if "=" in line)
    assert env["COLOUR"] == "blue" and env["PASSWORD"] == "s3cret" and env["X_COLOUR"] == "blue" and env["CPU"] == "250"
    assert env["POD_IP"] == running["status"]["podIP"] and env["COMPOSED"] == "blue-$(ABSENT)-$(COLOUR)"
    assert env["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert sh(c, namespace, "p", "cat /conf/file.txt /sec/PASSWORD /mix/a/b.txt") == "ones3cretone"
    assert 'app="p"' in sh(c, namespace, "p", "cat /mix/labels")
    assert sh(c, namespace, "p", "stat -L -c %a /sec/PASSWORD").strip() == "400"

    c.kubectl("patch", "configmap", "conf", "-n", namespace, "--type=merge", "-p", '{"data":{"file.txt":"two","COLOUR":"red"}}')
    eventually(lambda: sh(c, namespace, "p", "cat /conf/file.txt /mix/a/b.txt") == "twotwo", 90, 1)
    assert sh(c, namespace, "p", "echo $COLOUR") == "blue\n"


def test_service_account_token_is_projected(cluster, namespace):
    c = cluster
    c.apply(pod("p", namespace))
    c.wait_pod(namespace, "p", "Running")
    base = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert sh(c, namespace, "p", f"cat {base}/namespace") == namespace
    assert "BEGIN CERTIFICATE" in sh(c, namespace, "p", f"cat {base}/ca.crt")
    token = sh(c, namespace, "p", f"cat {base}/token")
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
    assert claims["sub"] == f"system:serviceaccount:{namespace}:default"
    assert claims["kubernetes.io"]["pod"]["name"] == "p"
    answer = sh(c, namespace, "p", f'wget -q -O - --no-check-certificate --header "Authorization: Bearer $(cat {base}/token)" '
                                   "https://kubernetes.default/api/v1/namespaces/default/pods 2>&1 || true")
    assert "403" in answer


def test_volumes_of_the_node(cluster, namespace, tmp_path):
    c = cluster
    (tmp_path / "given").write_text("from the host\n")
    manifest = pod("p", namespace, volumes=[
        {"name": "scratch", "emptyDir": {}}, {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "host", "hostPath": {"path": str(tmp_path), "type": "Directory"}},
    ])
    main(manifest)["volumeMounts"] = [
        {"name": "scratch", "mountPath": "/scratch"}, {"name": "memory", "mountPath": "/memory"},
        {"name": "host", "mountPath": "/host", "readOnly": True}, {"name": "scratch", "mountPath": "/sub", "subPath": "part"},
    ]
    c.apply(manifest)
    c.wait_pod(namespace, "p", "Running")
    assert sh(c, namespace, "p", "cat /host/given") == "from the host\n"
    assert "Read-only" in sh(c, namespace, "p", "touch /host/x 2>&1 || true")
    assert "tmpfs" in sh(c, namespace, "p", "grep ' /memory ' /proc/mounts")
    assert sh(c, namespace, "p", "echo x > /sub/f; cat /scratch/part/f") == "x\n"


def test_init_containers_run_in_order(cluster, namespace):
    c = cluster
    manifest = pod("p", namespace, volumes=[{"name": "v", "emptyDir": {}}])
    mount = [{"name": "v", "mountPath": "/v"}]
    manifest["spec"]["initContainers"] = [
        {"name": f"i{i}", "image": IMAGE, "command": ["sh", "-c", f"echo {i} >> /v/order"], "volumeMounts": mount} for i in (1, 2, 3)
    ]
    main(manifest)["volumeMounts"] = mount
    c.apply(manifest)
    status = c.wait_pod(namespace, "p", "Running")["status"]
    assert sh(c, namespace, "p", "cat /v/order") == "1\n2\n3\n"
    assert [s["state"]["terminated"]["reason"] for s in status["initContainerStatuses"]] == ["Completed"] * 3


def test_a_crashing_container_backs_off(cluster, namespace):
    c = cluster
    c.apply(pod("p", namespace, command=("sh", "-c", "exit 5")))

    def waiting():
        status = c.json("get", "pod", "p", "-n", namespace)["status"]["containerStatuses"][0]
        return status if status["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff" else None
    status = eventually(waiting, 60)
    assert re.match(r"back-off \d+s restarting failed container=main pod=p_" + namespace, status["state"]["waiting"]["message"])
    assert status["lastState"]["terminated"]["exitCode"] == 5 and status["restartCount"] >= 1
    assert "CrashLoopBackOff" in c.out("get", "pods", "-n", namespace)
    c.wait_event(namespace, "p", "BackOff", "Back-off restarting failed container")


@pytest.mark.parametrize("policy, code, phase", [("Never", 0, "Succeeded"), ("Never", 2, "Failed"), ("OnFailure", 0, "Succeeded")])
def test_restart_policies(cluster, namespace, policy, code, phase):
    cluster.apply(pod("p", namespace, command=("sh", "-c", f"exit {code}"), restartPolicy=policy))
    status = cluster.wait_pod(namespace, "p", phase)["status"]["containerStatuses"][0]
    assert status["state"]["terminated"]["exitCode"] == code and status["restartCount"] == 0


PROBES = {
    "exec": {"exec": {"command": ["test", "-e", "/tmp/up"]}},
    "http": {"httpGet": {"path": "/healthz", "port": 8080}},
    "tcp": {"tcpSocket": {"port": 8080}},
}


@pytest.mark.parametrize("kind", PROBES)
def test_readiness_probes(cluster, namespace, kind):
    c = cluster
    script = "while ! test -e /tmp/go; do sleep 0.1; done; touch /tmp/up; mkdir -p /tmp/w; echo ok > /tmp/w/healthz; exec httpd -f -p 8080 -h /tmp/w"
    manifest = pod("p", namespace, command=("sh", "-c", script))
    main(manifest)["readinessProbe"] = {**PROBES[kind], "periodSeconds": 1, "failureThreshold": 1}
    c.apply(manifest)
    c.wait_pod(namespace, "p", "Running")
    eventually(lambda: any(r == "Unhealthy" and m.startswith("Readiness probe failed") for _, r, m in c.events(namespace, "p")), 20)
    assert not c.json("get", "pod", "p", "-n", namespace)["status"]["containerStatuses"][0]["ready"]
    sh(c, namespace, "p", "touch /tmp/go")
    eventually(lambda: c.json("get", "pod", "p", "-n", namespace)["status"]["containerStatuses"][0]["ready"], 20)


def test_a_failed_liveness_probe_restarts_and_a_hanging_one_times_out(cluster, namespace):
    c = cluster
    manifest = pod("p", namespace)
    main(manifest)["livenessProbe"] = {"exec": {"command": ["sleep", "30"]}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 2}
    c.apply(manifest)
    eventually(lambda: c.json("get", "pod", "p", "-n", namespace)["status"]["containerStatuses"][0]["restartCount"] >= 1, 40)
    c.wait_event(namespace, "p", "Unhealthy", "Liveness probe failed")
    c.wait_event(namespace, "p", "Killing", "failed liveness probe, will be restarted")


def test_a_startup_probe_holds_the_others_back(cluster, namespace):
    c = cluster
    manifest = pod("p", namespace)
    main(manifest).update(
        startupProbe={"exec": {"command": ["test", "-e", "/tmp/started"]}, "periodSeconds": 1, "failureThreshold": 60},
        livenessProbe={"exec": {"command": ["test", "-e", "/tmp/started"]}, "periodSeconds": 1, "failureThreshold": 1},
    )
    c.apply(manifest)
    c.wait_pod(namespace, "p", "Running")
    eventually(lambda: any("Startup probe failed" in m for _, _, m in c.events(namespace, "p")), 20)
    status = c.json("get", "pod", "p", "-n", namespace)["status"]["containerStatuses"][0]
    assert (status["started"], status["ready"], status["restartCount"]) == (False, False, 0)
    sh(c, namespace, "p", "touch /tmp/started")
    eventually(lambda: c.json("get", "pod", "p", "-n", namespace)["status"]["containerStatuses"][0]["ready"], 20)


def test_resources_reach_the_cgroup(cluster, namespace):
    c = cluster
    manifest = pod("p", namespace)
    main(manifest)["resources"] = {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}}
    c.apply(manifest)
    assert c.wait_pod(namespace, "p", "Running")["status"]["qosClass"] == "Burstable"
    script = ("cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max 2>/dev/null || "
              "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.shares")
    values = sh(c, namespace, "p", script).split()
    assert values[0] == str(64 << 20) and values[1] == "50000"


def test_memory_over_the_limit_is_oom_killed(cluster, namespace):
    c = cluster
    manifest = pod("p", namespace, command=("sh", "-c", "x=a; while true; do x=$x$x; done"), restartPolicy="Never")
    main(manifest)["resources"] = {"limits": {"memory": "16Mi"}}
    c.apply(manifest)
    terminated = c.wait_pod(namespace, "p", "Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (terminated["reason"], terminated["exitCode"]) == ("OOMKilled", 137)


def test_hooks_and_the_grace_period(cluster, namespace, tmp_path):
    c = cluster
    manifest = pod("p", namespace, command=("sh", "-c", "trap 'echo term >> /host/order; exit 0' TERM; while true; do sleep 0.1; done"),
                   volumes=[{"name": "host", "hostPath": {"path": str(tmp_path)}}])
    manifest["spec"]["terminationGracePeriodSeconds"] = 20
    main(manifest).update(
        volumeMounts=[{"name": "host", "mountPath": "/host"}],
        lifecycle={"postStart": {"exec": {"command": ["sh", "-c", "echo start >> /host/order"]}},
                   "preStop": {"exec": {"command": ["sh", "-c", "echo stop >> /host/order"]}}},
    )
    c.apply(manifest)
    c.wait_pod(namespace, "p", "Running")
    eventually(lambda: (tmp_path / "order").read_text() == "start\n", 10)
    c.kubectl("delete", "pod", "p", "-n", namespace, timeout=90)
    assert (tmp_path / "order").read_text() == "start\nstop\nterm\n"


def test_a_container_that_ignores_sigterm_is_killed_after_its_grace(cluster, namespace):
    c = cluster
    manifest = pod("p", namespace, command=("sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"))
    manifest["spec"]["terminationGracePeriodSeconds"] = 3
    c.apply(manifest)
    c.wait_pod(namespace, "p", "Running")
    start = time.monotonic()
    c.kubectl("delete", "pod", "p", "-n", namespace, timeout=60)
    # Without the grace of its own it would have had thirty seconds.
    assert 2.5 < time.monotonic() - start < 30


def test_pull_policies_and_missing_images(cluster, namespace):
    c = cluster
    never = pod("never", namespace)
    main(never).update(image="localhost/absent:1", imagePullPolicy="Never")
    absent = pod("absent", namespace)
    main(absent).update(image="localhost:1/absent:1")
    c.apply(never)
    c.apply(absent)

    def reason(name):
        return c.json("get", "pod", name, "-n", namespace)["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]
    eventually(lambda: reason("never") == "ErrImageNeverPull", 20)
    eventually(lambda: reason("absent") in ("ErrImagePull", "ImagePullBackOff"), 40)
    eventually(lambda: reason("absent") == "ImagePullBackOff", 60)
    c.wait_event(namespace, "absent", "Failed", 'Failed to pull image "localhost:1/absent:1"')


def test_a_missing_configmap_is_named(cluster, namespace):
    c = cluster
    manifest = pod("p", namespace)
    main(manifest)["envFrom"] = [{"configMapRef": {"name": "absent"}}]
    c.apply(manifest)

    def waiting():
        return c.json("get", "pod", "p", "-n", namespace)["status"]["containerStatuses"][0]["state"]["waiting"]
    eventually(lambda: waiting()["reason"] == "CreateContainerConfigError", 20)
    assert waiting()["message"] == 'configmap "absent" not found'
    c.kubectl("create", "configmap", "absent", "-n", namespace)
    c.wait_pod(namespace, "p", "Running", 90)


def test_headless_services_and_their_records(cluster, namespace):
    c = cluster
    for i in (1, 2):
        manifest = pod(f"w{i}", namespace, hostname=f"w{i}", subdomain="web")
        manifest["metadata"]["labels"] = {"app": "w"}
        main(manifest).update(image=HELLO)
        main(manifest).pop("command")
        c.apply(manifest)
    c.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace},
             "spec": {"clusterIP": "None", "selector": {"app": "w"}, "ports": [{"name": "http", "port": 8080}]}})
    c.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "ext", "namespace": namespace},
             "spec": {"type": "ExternalName", "externalName": "web." + namespace + ".svc.cluster.local"}})
    c.apply(pod("client", namespace))
    addresses = {c.wait_pod(namespace, f"w{i}", "Running")["status"]["podIP"] for i in (1, 2)}
    c.wait_pod(namespace, "client", "Running")

    def resolved(name):
        out = sh(c, namespace, "client", f"nslookup -type=a {name}.{namespace}.svc.cluster.local")
        return set(re.findall(r"^Address(?: \d+)?: *(\d+\.\d+\.\d+\.\d+)$", out, re.M))
    eventually(lambda: resolved("web") == addresses, 20)
    assert len(resolved("w1.web") & addresses) == 1
    eventually(lambda: "hello v1.0.0 from w2" in sh(c, namespace, "client", "timeout 5 wget -q -O - http://w2.web:8080/"))
    eventually(lambda: "hello v1.0.0 from w" in sh(c, namespace, "client", "timeout 5 wget -q -O - http://ext:8080/"))


def test_a_service_without_endpoints_rejects_at_once(cluster, namespace):
    c = cluster
    c.apply(pod("client", namespace))
    c.kubectl("create", "service", "clusterip", "empty", "-n", namespace, "--tcp=80:80")
    c.wait_pod(namespace, "client", "Running")
    # Who is not answered at all is stopped without a word.
    refused = "timeout 10 wget -q -O - http://empty/ 2>&1 || true"
    eventually(lambda: "refused" in sh(c, namespace, "client", refused))
