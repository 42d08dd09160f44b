"""Resource quotas with a real cluster: filled by the controller, kept by admission, freed by deletions."""

import json
import subprocess

from cluster import eventually

QUOTA = """
apiVersion: v1
kind: ResourceQuota
metadata: {name: q}
spec:
  hard:
    pods: "2"
    requests.cpu: "1"
    secrets: "1"
    count/widgets.quota.example.com: "1"
    count/deployments.apps: "5"
"""

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.quota.example.com}
spec:
  group: quota.example.com
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  scope: Namespaced
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""


def pod(name, cpu="100m"):
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [
            {"name": "c", "image": "docker.io/library/busybox:1", "command": ["sleep", "600"],
             "resources": {"requests": {"cpu": cpu}}}]},
    }


def widget(name):
    return {"apiVersion": "quota.example.com/v1", "kind": "Widget", "metadata": {"name": name}}


def used(cluster, namespace):
    return cluster.json("get", "resourcequota", "q", "-n", namespace)["status"].get("used", {})


def test_a_quota_is_filled_kept_and_freed(cluster, namespace):
    cluster.apply(QUOTA, "-n", namespace)
    eventually(lambda: used(cluster, namespace).get("pods") == "0", 30)
    assert used(cluster, namespace)["secrets"] == "0"

    for name in ("a", "b"):
        cluster.apply(pod(name), "-n", namespace)
    refused = cluster.apply(pod("c"), "-n", namespace, check=False)
    assert refused.returncode != 0
    assert "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2" in refused.stderr
    bare = pod("d")
    del bare["spec"]["containers"][0]["resources"]
    assert "failed quota: q: must specify requests.cpu for: c" in cluster.apply(bare, "-n", namespace, check=False).stderr
    assert used(cluster, namespace)["requests.cpu"] == "200m"

    cluster.kubectl("delete", "pod", "a", "-n", namespace)
    eventually(lambda: used(cluster, namespace)["pods"] == "1", 30)
    cluster.apply(pod("c", cpu="900m"), "-n", namespace)
    assert used(cluster, namespace)["requests.cpu"] == "1"

    # Other limits are in force at once, with what is used of them.
    cluster.kubectl("patch", "resourcequota", "q", "-n", namespace, "--type=merge", "-p", json.dumps({"spec": {"hard": {"services": "3"}}}))
    eventually(lambda: used(cluster, namespace).get("services") == "0", 30)

    try:
        cluster.apply(DEFINITION)
        cluster.kubectl("wait", "--for=condition=Established", "crd/widgets.quota.example.com")
        eventually(lambda: used(cluster, namespace).get("count/widgets.quota.example.com") == "0", 60)
        eventually(lambda: cluster.apply(widget("one"), "-n", namespace, check=False).returncode == 0, 30)
        refused = cluster.apply(widget("two"), "-n", namespace, check=False)
        assert "exceeded quota: q, requested: count/widgets.quota.example.com=1" in refused.stderr
        cluster.kubectl("delete", "widget", "one", "-n", namespace)
        eventually(lambda: used(cluster, namespace)["count/widgets.quota.example.com"] == "0", 30)
    finally:
        subprocess.run([cluster.kubectl_path, "delete", "crd", "widgets.quota.example.com"], env=cluster.env(), capture_output=True)
