"""The API as kubectl's other commands use it, on a cluster of pretended nodes, with the oldest and the newest kubectl."""

import json
import re

import pytest

from cluster import eventually, hollow_nodes, kubectls, new_namespace, running

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gauges.api.apus.test"},
    "spec": {"group": "api.apus.test", "scope": "Namespaced", "names": {"plural": "gauges", "kind": "Gauge"}, "versions": [{
        "name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "deprecated": True,
        "deprecationWarning": "api.apus.test/v1 Gauge goes",
        "schema": {"openAPIV3Schema": {"type": "object", "description": "A gauge of the tests.", "properties": {
            "spec": {"type": "object", "properties": {
                "size": {"type": "integer", "description": "How large."},
                "parts": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}}},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}}}}]},
}


@pytest.fixture(scope="module")
def hollow():
    with running("api", *hollow_nodes(2)) as c:
        c.apply(WIDGETS)
        c.kubectl("wait", "--for=condition=Established", "crd/gauges.api.apus.test", "--timeout=60s")
        yield c


@pytest.fixture
def newest(hollow, monkeypatch):
    monkeypatch.setattr(hollow, "kubectl_path", kubectls()[-1][1])
    return hollow


@pytest.fixture
def space(hollow):
    with new_namespace(hollow) as name:
        yield name


def settings(space, name="m", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": space}, "data": data}


def owners(c, space, name="m"):
    """The fields each manager has of a config map's data, by (manager, operation)."""
    entries = c.json("get", "configmap", name, "-n", space, "--show-managed-fields")["metadata"].get("managedFields", [])
    return {(e["manager"], e["operation"]): {f[2:] for f in e["fieldsV1"].get("f:data", {}) if f != "."} for e in entries}


# MARK: server-side apply


def test_conflict_force_and_hand_over(kubectl, space):
    c = kubectl
    server = ("--server-side", "--field-manager")
    assert c.apply(settings(space, a="1", b="2"), *server, "one").stdout == "configmap/m serverside-applied\n"
    refused = c.apply(settings(space, a="9"), *server, "two", check=False)
    assert refused.returncode == 1
    assert 'error: Apply failed with 1 conflict: conflict with "one": .data.a\n' in refused.stderr
    assert "Please review the fields above--they currently have other managers." in refused.stderr
    both = c.apply(settings(space, a="9", b="9"), *server, "two", check=False)
    assert 'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b\n' in both.stderr

    c.apply(settings(space, a="9"), *server, "two", "--force-conflicts")
    assert owners(c, space) == {("one", "Apply"): {"b"}, ("two", "Apply"): {"a"}}
    # The same value is shared; who leaves it out gives it up; who is last takes it away.
    c.apply(settings(space, a="9", b="2"), *server, "one")
    assert owners(c, space) == {("one", "Apply"): {"a", "b"}, ("two", "Apply"): {"a"}}
    c.apply(settings(space), *server, "two")
    assert c.json("get", "configmap", "m", "-n", space)["data"] == {"a": "9", "b": "2"}
    c.apply(settings(space, b="2"), *server, "one")
    assert c.json("get", "configmap", "m", "-n", space)["data"] == {"b": "2"}
    assert owners(c, space)[("one", "Apply")] == {"b"}


def test_client_side_apply_migrates(kubectl, space):
    c = kubectl
    c.apply(settings(space, a="1", b="2"))
    assert owners(c, space) == {("kubectl-client-side-apply", "Update"): {"a", "b"}}
    c.apply(settings(space, a="3"), "--server-side")
    got = c.json("get", "configmap", "m", "-n", space)
    assert got["data"] == {"a": "3"}, "what the manifest no longer has goes, though it was applied by the client"
    assert owners(c, space)[("kubectl", "Apply")] == {"a"}
    assert ("kubectl-client-side-apply", "Update") not in owners(c, space)
    # Back again: the annotation was kept in step.
    assert "configured" in c.apply(settings(space, a="4")).stdout
    assert c.json("get", "configmap", "m", "-n", space)["data"] == {"a": "4"}


def test_managed_fields_are_shown_on_request(kubectl, space):
    c = kubectl
    c.kubectl("create", "deployment", "d", "--image=any", "--replicas=1", "-n", space)
    c.kubectl("rollout", "status", "deployment/d", "-n", space, "--timeout=60s")
    c.kubectl("scale", "deployment", "d", "--replicas=2", "-n", space)
    assert "managedFields" not in c.out("get", "deployment", "d", "-n", space, "-o", "yaml")
    text = c.out("get", "deployment", "d", "-n", space, "-o", "yaml", "--show-managed-fields")
    assert 'k:{"name":"any"}:' in text and "manager: kubectl-create" in text
    entries = c.json("get", "deployment", "d", "-n", space, "--show-managed-fields")["metadata"]["managedFields"]
    status = [e for e in entries if e.get("subresource") == "status"]
    assert [e["manager"] for e in status] == ["kube-controller-manager"]
    scale = [e for e in entries if e.get("subresource") == "scale"]
    assert len(scale) == 1 and scale[0]["fieldsV1"] == {"f:spec": {"f:replicas": {}}}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", e["time"]) for e in entries)


def test_a_token_in_a_secret(kubectl, space):
    c = kubectl
    c.kubectl("create", "serviceaccount", "admin-user", "-n", space)
    c.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {
        "name": "t", "namespace": space, "annotations": {"kubernetes.io/service-account.name": "admin-user"}},
        "type": "kubernetes.io/service-account-token"})
    shown = eventually(lambda: re.search(r"^token: +(\S+)$", c.out("describe", "secret", "t", "-n", space), re.M))
    me = ("--kubeconfig", "/dev/null", "--server", c.json("config", "view")["clusters"][0]["cluster"]["server"],
          "--insecure-skip-tls-verify", "--token", shown[1])
    refused = c.kubectl(*me, "get", "pods", "-n", space, check=False)
    assert f'User "system:serviceaccount:{space}:admin-user" cannot list resource "pods"' in refused.stderr
    c.kubectl("create", "rolebinding", "v", "--clusterrole=view", f"--serviceaccount={space}:admin-user", "-n", space)
    eventually(lambda: c.kubectl(*me, "get", "pods", "-n", space, check=False).returncode == 0)
    label = "kubernetes.io/legacy-token-last-used"
    eventually(lambda: label in c.json("get", "secret", "t", "-n", space)["metadata"].get("labels", {}))
    tracking = c.json("get", "configmap", "kube-apiserver-legacy-service-account-token-tracking", "-n", "kube-system")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", tracking["data"]["since"])
    c.kubectl("delete", "serviceaccount", "admin-user", "-n", space)
    eventually(lambda: c.kubectl("get", "secret", "t", "-n", space, check=False).returncode == 1)
    assert "Unauthorized" in c.kubectl(*me, "get", "pods", "-n", space, check=False, input="").stderr


# MARK: diff, explain, validation, warnings


def test_diff(kubectl, space):
    c = kubectl
    c.apply(settings(space, a="1", b="2"))
    same = c.kubectl("diff", "-f", "-", input=json.dumps(settings(space, a="1", b="2")), check=False)
    assert (same.returncode, same.stdout) == (0, "")
    for flags in ([], ["--server-side", "--force-conflicts"]):
        other = c.kubectl("diff", "-f", "-", *flags, input=json.dumps(settings(space, a="5", b="2")), check=False)
        assert other.returncode == 1, other.stderr
        changes = re.findall(r'^[-+]  \w+: .*', other.stdout, re.M)
        assert changes == ['-  a: "1"', '+  a: "5"'], other.stdout
    new = c.kubectl("diff", "-f", "-", input=json.dumps(settings(space, name="new", z="1")), check=False)
    assert new.returncode == 1 and '+  z: "1"' in new.stdout
    assert c.kubectl("get", "configmap", "new", "-n", space, check=False).returncode == 1
    assert c.json("get", "configmap", "m", "-n", space)["data"]["a"] == "1"


@pytest.mark.parametrize("kind, fields", [
    ("pods", ["ephemeralContainers", "topologySpreadConstraints", "preferredDuringSchedulingIgnoredDuringExecution", "hostIPs"]),
    ("deployments", ["progressDeadlineSeconds", "maxUnavailable", "livenessProbe", "observedGeneration"]),
    ("gauges", ["size", "parts", "phase"]),
])
def test_explain_recursive(kubectl, kind, fields):
    text = kubectl.out("explain", kind, "--recursive")
    for field in ["apiVersion", "metadata", "ownerReferences", *fields]:
        assert re.search(rf"^ +{field}\t<", text, re.M), field


def test_explain_has_descriptions(kubectl):
    assert "How large." in kubectl.out("explain", "gauges.spec.size")
    assert "A gauge of the tests." in kubectl.out("explain", "gauges")
    failed = kubectl.kubectl("explain", "pods.spec.nonsense", check=False)
    assert failed.returncode == 1 and 'field "nonsense" does not exist' in failed.stderr


def test_validation_of_fields(kubectl, space):
    c = kubectl
    wrong = json.dumps({**settings(space, a="1"), "dta": {}, "immutible": True})
    strict = c.kubectl("create", "--validate=strict", "-f", "-", input=wrong, check=False)
    assert strict.returncode == 1
    assert 'strict decoding error: unknown field "dta", unknown field "immutible"' in strict.stderr
    warned = c.kubectl("create", "--validate=warn", "-f", "-", input=wrong)
    assert 'Warning: unknown field "dta"' in warned.stderr and "created" in warned.stdout
    assert "Warning" not in c.kubectl("replace", "--validate=ignore", "-f", "-", input=wrong).stderr
    nested = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": space},
                         "spec": {"containers": [{"name": "c", "image": "i", "imagePullPolice": "Always"}]}})
    strict = c.kubectl("create", "-f", "-", input=nested, check=False)
    assert 'unknown field "spec.containers[0].imagePullPolice"' in strict.stderr


def test_warnings_are_shown(kubectl, space):
    c = kubectl
    gauge = {"apiVersion": "api.apus.test/v1", "kind": "Gauge", "metadata": {"name": "g", "namespace": space}}
    assert "Warning: api.apus.test/v1 Gauge goes" in c.apply(gauge).stderr
    failed = c.kubectl("get", "gauges", "-n", space, "--warnings-as-errors", check=False)
    assert failed.returncode == 1 and "1 warning received" in failed.stderr


def test_dry_runs_change_nothing(kubectl, space):
    c = kubectl
    c.apply(settings(space, a="1"))
    before = c.json("get", "configmap", "m", "-n", space)
    assert "labeled (server dry run)" in c.out("label", "configmap", "m", "x=y", "-n", space, "--dry-run=server")
    assert c.json("label", "configmap", "m", "x=y", "-n", space, "--dry-run=server")["metadata"]["labels"] == {"x": "y"}
    assert "deleted (server dry run)" in c.out("delete", "configmap", "m", "-n", space, "--dry-run=server")
    assert "created (server dry run)" in c.out("create", "configmap", "n", "-n", space, "--dry-run=server")
    assert c.json("get", "configmap", "m", "-n", space) == before
    assert c.kubectl("get", "configmap", "n", "-n", space, check=False).returncode == 1


# MARK: wait, watch, chunks, subresources


def test_wait(kubectl, space):
    c = kubectl
    c.kubectl("create", "deployment", "d", "--image=any", "--replicas=2", "-n", space)
    here = ("-n", space, "--timeout=60s")
    assert c.out("wait", "--for=condition=Available", "deployment/d", *here) == "deployment.apps/d condition met\n"
    assert c.out("wait", "--for=jsonpath={.status.readyReplicas}=2", "deployment/d", *here) == "deployment.apps/d condition met\n"
    assert c.out("wait", "--for=condition=Ready", "pods", "-l", "app=d", *here).count("condition met") == 2
    late = c.kubectl("wait", "--for=condition=Nonsense", "deployment/d", "-n", space, "--timeout=1s", check=False)
    assert late.returncode == 1 and late.stderr == "error: timed out waiting for the condition on deployments/d\n"
    waiter = c.start("wait", "--for=delete", "deployment/d", *here)
    c.kubectl("delete", "deployment", "d", "-n", space)
    assert waiter.wait(timeout=90) == 0, waiter.stdout.read()
    missing = c.kubectl("wait", "--for=condition=Available", "deployment/d", "-n", space, check=False)
    assert missing.returncode == 1 and 'deployments.apps "d" not found' in missing.stderr


def test_watch_events(kubectl, space):
    c = kubectl
    # What the watcher sees first tells that it watches; else all may be over before it begins.
    c.kubectl("create", "secret", "generic", "first", "-n", space)
    watcher = c.start("get", "secrets", "-n", space, "-w", "--output-watch-events", "--no-headers")
    try:
        assert watcher.stdout.readline().split()[:2] == ["ADDED", "first"]
        c.kubectl("create", "secret", "generic", "s", "-n", space)
        c.kubectl("label", "secret", "s", "x=y", "-n", space)
        c.kubectl("delete", "secret", "s", "-n", space)
        rows = []
        while not rows or rows[-1][0] != "DELETED":
            rows.append(watcher.stdout.readline().split())
        kinds = [r[0] for r in rows if r[1] == "s"]
        assert kinds[0] == "ADDED" and kinds[-1] == "DELETED" and set(kinds) <= {"ADDED", "MODIFIED", "DELETED"}
        assert all(r[2:4] == ["Opaque", "0"] for r in rows)
    finally:
        watcher.kill()
        watcher.wait()


def test_chunks(kubectl, space):
    c = kubectl
    names = [f"c{i}" for i in range(7)]
    c.apply({"apiVersion": "v1", "kind": "List", "items": [settings(space, name=n, a="1") for n in names]})
    result = c.kubectl("get", "configmaps", "-n", space, "--chunk-size=3", "-o", "name", "-v=6")
    assert [n for n in result.stdout.split() if n != "configmap/kube-root-ca.crt"] == [f"configmap/{n}" for n in names]
    assert len(re.findall(r"configmaps\?(?:continue=\S+&)?limit=3", result.stderr)) == 3


def test_scale_and_status(kubectl, space):
    c = kubectl
    c.kubectl("create", "deployment", "d", "--image=any", "--replicas=1", "-n", space)
    assert c.out("scale", "deployment", "d", "--replicas=2", "--current-replicas=1", "-n", space) == "deployment.apps/d scaled\n"
    failed = c.kubectl("scale", "deployment", "d", "--replicas=5", "--current-replicas=1", "-n", space, check=False)
    assert failed.returncode == 1 and "Expected replicas to be 1, was 2" in failed.stderr
    scale = json.loads(c.out("get", "--raw", f"/apis/apps/v1/namespaces/{space}/deployments/d/scale"))
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=d")

    c.apply({"apiVersion": "api.apus.test/v1", "kind": "Gauge", "metadata": {"name": "g", "namespace": space},
             "spec": {"size": 1}, "status": {"phase": "ignored"}})
    c.kubectl("patch", "gauge", "g", "-n", space, "--subresource=status", "--type=merge", "-p",
              '{"spec":{"size":9},"status":{"phase":"Good"}}')
    got = c.json("get", "gauge", "g", "-n", space)
    assert got["spec"] == {"size": 1} and got["status"] == {"phase": "Good"} and got["metadata"]["generation"] == 1
    c.kubectl("patch", "gauge", "g", "-n", space, "--type=merge", "-p", '{"spec":{"size":2},"status":{"phase":"Bad"}}')
    got = c.json("get", "gauge", "g", "-n", space)
    assert got["spec"] == {"size": 2} and got["status"] == {"phase": "Good"} and got["metadata"]["generation"] == 2


def test_api_resources_wide(kubectl):
    rows = kubectl.out("api-resources", "-o", "wide")
    assert re.match(r"NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND +VERBS +CATEGORIES", rows)
    verbs = "create,delete,deletecollection,get,list,patch,update,watch"
    assert re.search(rf"^pods +po +v1 +true +Pod +{verbs} +all *$", rows, re.M)
    gauges = re.search(r"^gauges +api\.apus\.test/v1 +true +Gauge +(\S+) *$", rows, re.M)
    assert sorted(gauges[1].split(",")) == verbs.split(","), rows
    assert re.search(r"^tokenreviews +authentication\.k8s\.io/v1 +false +TokenReview +create *$", rows, re.M)
    listed = kubectl.out("api-resources", "--verbs=list", "--namespaced", "-o", "name").split()
    assert "gauges.api.apus.test" in listed and "bindings" not in listed


# MARK: who may do what


def test_can_i(kubectl, space):
    c = kubectl
    robot = f"--as=system:serviceaccount:{space}:robot"
    c.kubectl("create", "serviceaccount", "robot", "-n", space)
    assert c.out("auth", "can-i", "*", "*") == "yes\n"
    denied = c.kubectl("auth", "can-i", "list", "configmaps", "-n", space, robot, check=False)
    assert (denied.returncode, denied.stdout) == (1, "no\n")
    forbidden = c.kubectl("get", "configmaps", "-n", space, robot, check=False)
    assert forbidden.returncode == 1 and (
        f'Error from server (Forbidden): configmaps is forbidden: User "system:serviceaccount:{space}:robot" cannot list resource '
        f'"configmaps" in API group "" in the namespace "{space}"') in forbidden.stderr
    c.kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps", "-n", space)
    c.kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={space}:robot", "-n", space)
    eventually(lambda: c.out("auth", "can-i", "list", "configmaps", "-n", space, robot) == "yes\n", 10)
    assert "kube-root-ca.crt" in c.out("get", "configmaps", "-n", space, robot, "-o", "name")
    assert c.kubectl("auth", "can-i", "create", "configmaps", "-n", space, robot, check=False).stdout == "no\n"
    rules = c.out("auth", "can-i", "--list", "-n", space, robot)
    assert re.search(r"^configmaps +\[\] +\[\] +\[get list\]$", rules, re.M)
    # Nobody gives more than he has.
    escalation = c.kubectl("create", "role", "more", "--verb=delete", "--resource=pods", "-n", space, robot, check=False)
    assert escalation.returncode == 1 and "Forbidden" in escalation.stderr


def test_a_token_of_a_service_account(newest, space, tmp_path):
    c = newest
    c.kubectl("create", "serviceaccount", "robot", "-n", space)
    c.kubectl("create", "rolebinding", "viewer", "--clusterrole=view", f"--serviceaccount={space}:robot", "-n", space)
    token = c.out("create", "token", "robot", "-n", space, "--duration=15m").strip()
    config = c.json("config", "view", "--raw")
    config["users"][0]["user"] = {"token": token}
    alone = tmp_path / "config"
    alone.write_text(json.dumps(config))
    robot = ("--kubeconfig", str(alone))
    who = c.json("auth", "whoami", *robot)["status"]["userInfo"]
    assert who["username"] == f"system:serviceaccount:{space}:robot"
    assert who["groups"] == ["system:serviceaccounts", f"system:serviceaccounts:{space}", "system:authenticated"]
    assert who["extra"]["authentication.kubernetes.io/credential-id"][0].startswith("JTI=")
    eventually(lambda: "kube-root-ca.crt" in c.out("get", "configmaps", "-n", space, *robot), 10)
    assert "Forbidden" in c.kubectl("get", "secrets", "-n", space, *robot, check=False).stderr
    assert "Forbidden" in c.kubectl("get", "nodes", *robot, check=False).stderr
    c.kubectl("delete", "serviceaccount", "robot", "-n", space)
    gone = lambda: "Unauthorized" in c.kubectl("get", "configmaps", "-n", space, *robot, check=False).stderr  # noqa: E731
    eventually(gone, 15, what="the token of a deleted account to be refused")


def test_whoami_of_a_certificate(newest):
    who = newest.json("auth", "whoami")["status"]["userInfo"]
    assert who["username"] == "kubernetes-admin" and who["groups"] == ["system:masters", "system:authenticated"]
    assert re.fullmatch(r"X509SHA256=[0-9a-f]{64}", who["extra"]["authentication.kubernetes.io/credential-id"][0])
    as_other = newest.json("auth", "whoami", "--as=jane", "--as-group=dev")["status"]["userInfo"]
    assert as_other["username"] == "jane" and as_other["groups"] == ["dev", "system:authenticated"]
