"""kubectl's commands, with the oldest and the newest kubectl on the machine."""

import json
import re
import subprocess

import pytest

from cluster import eventually

pytestmark = pytest.mark.root
IMAGE = "docker.io/library/busybox:1"


def pod(name, namespace, command=("sleep", "3600"), **spec):
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0,
                 "containers": [{"name": "main", "image": IMAGE, "command": list(command)}],
                 **spec},
    }


def deployment(name, namespace, replicas=1):
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                 "template": {"metadata": {"labels": {"app": name}}, "spec": pod(name, namespace)["spec"]}},
    }


def test_version_and_cluster_info(any_kubectl):
    version = any_kubectl.json("version")
    assert version["serverVersion"]["major"] == "1" and version["serverVersion"]["minor"].startswith("36")
    assert "Kubernetes control plane" in any_kubectl.out("cluster-info")


def test_api_resources_and_versions(any_kubectl):
    rows = any_kubectl.out("api-resources")
    assert re.search(r"^deployments +deploy +apps/v1 +true +Deployment$", rows, re.M)
    assert re.search(r"^pods +po +v1 +true +Pod$", rows, re.M)
    versions = any_kubectl.out("api-versions").split()
    assert {"v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1"} <= set(versions)


def test_raw_and_component_statuses(any_kubectl):
    assert "/api/v1" in json.loads(any_kubectl.out("get", "--raw", "/"))["paths"]
    assert any_kubectl.out("get", "--raw", "/readyz") == "ok"
    rows = any_kubectl.out("get", "cs")
    assert re.search(r"^scheduler +Healthy", rows, re.M) and re.search(r"^controller-manager +Healthy", rows, re.M)


def test_get_nodes_and_describe_node(any_kubectl):
    rows = any_kubectl.out("get", "nodes", "-o", "wide").splitlines()
    assert rows[0].split()[:5] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]
    assert rows[1].split()[1] == "Ready"
    text = any_kubectl.out("describe", "node", rows[1].split()[0])
    for part in ("Capacity:", "Allocatable:", "KubeletReady", "PodCIDR:", "Non-terminated Pods:"):
        assert part in text


def test_get_all_in_all_namespaces(any_kubectl):
    assert "service/kubernetes" in any_kubectl.out("get", "all", "-A")


def test_explain(any_kubectl):
    text = any_kubectl.out("explain", "pod.spec.containers.image")
    assert re.search(r"FIELD: +image", text) and "string" in text
    assert "replicas" in any_kubectl.out("explain", "deployment.spec")
    assert "matchLabels" in any_kubectl.out("explain", "deployment.spec", "--recursive")


def test_outputs_of_a_pod(any_kubectl, namespace):
    c = any_kubectl
    c.apply(pod("p", namespace))
    c.wait_pod(namespace, "p", "Running")
    wide = c.out("get", "pod", "p", "-n", namespace, "-o", "wide").splitlines()
    assert wide[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED", "NODE", "READINESS", "GATES"]
    assert wide[1].split()[1:4] == ["1/1", "Running", "0"]
    assert c.out("get", "pod", "p", "-n", namespace, "-o", "jsonpath={.spec.containers[*].image}") == IMAGE
    assert "kind: Pod" in c.out("get", "pod", "p", "-n", namespace, "-o", "yaml")
    custom = c.out("get", "pods", "-n", namespace, "-o", "custom-columns=N:.metadata.name,P:.status.phase").splitlines()
    assert custom[1].split() == ["p", "Running"]
    assert c.out("get", "pods", "-n", namespace, "-o", "name") == "pod/p\n"
    text = c.out("describe", "pod", "p", "-n", namespace)
    for part in ("Status:           Running", "QoS Class:                   BestEffort", "Scheduled", "Started"):
        assert part in text, text


def test_events_have_upstreams_words(any_kubectl, namespace):
    c = any_kubectl
    c.apply(pod("p", namespace))
    c.wait_pod(namespace, "p", "Running")

    def complete():
        events = c.events(namespace, "p")
        reasons = [e[1] for e in events]
        assert {"Scheduled", "Pulled", "Created", "Started"} <= set(reasons), reasons
        return events
    events = eventually(complete, 20)
    assert any(m.startswith(f"Successfully assigned {namespace}/p to ") for _, r, m in events if r == "Scheduled")
    assert "LAST SEEN" in c.out("get", "events", "-n", namespace)


def test_watch_shows_changes(any_kubectl, namespace):
    # What the watcher sees first tells that it watches; else it lists what is there by then, in another order.
    any_kubectl.kubectl("create", "configmap", "first", "-n", namespace)
    watcher = any_kubectl.start("get", "configmaps", "-n", namespace, "--watch", "-o", "name")
    try:
        while watcher.stdout.readline().strip() != "configmap/first":
            pass
        for i in range(3):
            any_kubectl.kubectl("create", "configmap", f"w{i}", "-n", namespace)
        seen = []
        while "configmap/w2" not in seen:
            seen.append(watcher.stdout.readline().strip())
        assert [s for s in seen if s.startswith("configmap/w")] == ["configmap/w0", "configmap/w1", "configmap/w2"]
    finally:
        watcher.kill()
        watcher.wait()


def test_label_annotate_and_the_three_patches(any_kubectl, namespace):
    c = any_kubectl
    c.apply(deployment("d", namespace, replicas=0))
    c.kubectl("label", "deployment", "d", "-n", namespace, "tier=web")
    c.kubectl("annotate", "deployment", "d", "-n", namespace, "note=kept")
    failed = c.kubectl("label", "deployment", "d", "-n", namespace, "tier=db", check=False)
    assert failed.returncode == 1 and "--overwrite is false" in failed.stderr
    assert c.out("get", "deployments", "-n", namespace, "-l", "tier in (web,x),!absent", "-o", "name") == "deployment.apps/d\n"

    c.kubectl("patch", "deployment", "d", "-n", namespace, "-p",
              '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"1"}]}]}}}}')
    c.kubectl("patch", "deployment", "d", "-n", namespace, "--type=merge", "-p", '{"metadata":{"labels":{"tier":null}}}')
    c.kubectl("patch", "deployment", "d", "-n", namespace, "--type=json", "-p",
              '[{"op":"replace","path":"/spec/revisionHistoryLimit","value":3}]')
    got = c.json("get", "deployment", "d", "-n", namespace)
    container = got["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == IMAGE and container["env"] == [{"name": "A", "value": "1"}]
    assert "tier" not in got["metadata"].get("labels", {}) and got["metadata"]["annotations"]["note"] == "kept"
    assert got["spec"]["revisionHistoryLimit"] == 3


def test_apply_edit_and_replace(any_kubectl, namespace, tmp_path):
    c = any_kubectl
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": namespace}, "data": {"a": "1", "b": "2"}}
    assert "created" in c.apply(manifest).stdout
    assert "unchanged" in c.apply(manifest).stdout
    manifest["data"] = {"a": "1", "c": "3"}
    assert "configured" in c.apply(manifest).stdout
    assert c.json("get", "configmap", "m", "-n", namespace)["data"] == {"a": "1", "c": "3"}

    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/c: \"3\"/c: \"4\"/' \"$1\"\n")
    editor.chmod(0o755)
    result = subprocess.run([c.kubectl_path, "edit", "configmap", "m", "-n", namespace],
                            env={**c.env(), "KUBE_EDITOR": str(editor)}, capture_output=True, text=True, timeout=30)
    assert "edited" in result.stdout, result.stderr
    got = c.json("get", "configmap", "m", "-n", namespace)
    assert got["data"]["c"] == "4"
    uid = got["metadata"]["uid"]
    got["data"] = {"z": "9"}
    for key in ("uid", "resourceVersion", "creationTimestamp"):
        got["metadata"].pop(key)
    c.kubectl("replace", "--force", "-f", "-", input=json.dumps(got))
    new = c.json("get", "configmap", "m", "-n", namespace)
    assert new["data"] == {"z": "9"} and new["metadata"]["uid"] != uid


def test_create_commands(any_kubectl, namespace, tmp_path):
    c = any_kubectl
    (tmp_path / "f.txt").write_text("text\n")
    c.kubectl("create", "configmap", "cm", "-n", namespace, "--from-literal=k=v", f"--from-file={tmp_path}/f.txt")
    assert c.json("get", "cm", "cm", "-n", namespace)["data"] == {"k": "v", "f.txt": "text\n"}
    c.kubectl("create", "secret", "generic", "s", "-n", namespace, "--from-literal=p=secret")
    assert c.json("get", "secret", "s", "-n", namespace)["data"] == {"p": "c2VjcmV0"}
    c.kubectl("create", "deployment", "d", "-n", namespace, f"--image={IMAGE}", "--replicas=0")
    c.kubectl("create", "serviceaccount", "robot", "-n", namespace)
    c.kubectl("create", "service", "clusterip", "svc", "-n", namespace, "--tcp=80:8080")
    c.kubectl("create", "quota", "q", "-n", namespace, "--hard=pods=3")
    c.kubectl("create", "role", "reader", "-n", namespace, "--verb=get", "--resource=pods")
    c.kubectl("create", "job", "j", "-n", namespace, f"--image={IMAGE}", "--", "true")
    token = c.out("create", "token", "robot", "-n", namespace).strip()
    assert token.count(".") == 2


def test_run_expose_and_delete(any_kubectl, namespace):
    c = any_kubectl
    c.kubectl("run", "web", "-n", namespace, "--image=bjrdc206:443/bjrdc-dev/hello-node:v1.0.0", "--port=8080")
    c.wait_pod(namespace, "web", "Running")
    c.kubectl("expose", "pod", "web", "-n", namespace, "--port=80", "--target-port=8080")
    eventually(lambda: c.json("get", "endpoints", "web", "-n", namespace)["subsets"][0]["addresses"], 20)
    c.kubectl("delete", "pod", "web", "-n", namespace, "--force", "--grace-period=0")
    assert "NotFound" in c.kubectl("get", "pod", "web", "-n", namespace, check=False).stderr


def test_run_attached_returns_the_exit_code(any_kubectl, namespace):
    result = any_kubectl.kubectl("run", "once", "-n", namespace, f"--image={IMAGE}", "--restart=Never", "--rm", "-i", "--",
                                 "sh", "-c", "cat; exit 3", input="through\n", check=False, timeout=60)
    assert "through" in result.stdout and result.returncode == 3


@pytest.mark.parametrize("cascade, left", [("background", False), ("foreground", False), ("orphan", True)])
def test_cascades(cluster, namespace, cascade, left):
    c = cluster
    c.apply(deployment("d", namespace))
    c.wait_ready(namespace, "app=d", 1)
    c.kubectl("delete", "deployment", "d", "-n", namespace, f"--cascade={cascade}", timeout=90)
    if left:
        assert len(c.json("get", "rs", "-n", namespace)["items"]) == 1
        assert len(c.pods(namespace)) == 1
    else:
        eventually(lambda: not c.json("get", "rs,pods", "-n", namespace)["items"], 60)


def test_cordon_and_uncordon(cluster, namespace):
    c = cluster
    node = c.json("get", "nodes")["items"][0]["metadata"]["name"]
    c.kubectl("cordon", node)
    try:
        assert "SchedulingDisabled" in c.out("get", "nodes")
        c.apply(pod("p", namespace))

        def refused():
            return [m for _, r, m in c.events(namespace, "p") if r == "FailedScheduling"]
        messages = eventually(refused, 20)
        assert messages[0].startswith("0/1 nodes are available: 1 node(s) were unschedulable."), messages
    finally:
        c.kubectl("uncordon", node)
    c.wait_pod(namespace, "p", "Running")


def test_a_namespace_is_deleted_with_its_content(cluster):
    c = cluster
    c.kubectl("create", "namespace", "goes-away")
    c.apply(deployment("d", "goes-away"))
    c.wait_ready("goes-away", "app=d", 1)
    c.kubectl("delete", "namespace", "goes-away", timeout=120)
    assert "NotFound" in c.kubectl("get", "namespace", "goes-away", check=False).stderr
