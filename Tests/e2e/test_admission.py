"""Admission webhooks, served over HTTPS by the test and asked by a real server for what the real kubectl sends."""

import base64
import json
import ssl
import time
import urllib.error
import urllib.request
import uuid

import pytest

from cluster import eventually, new_namespace
from webhook import Webhook, patch, rule


class API:
    """Requests with the administrator's certificate, for what kubectl does not show: codes, causes, headers."""

    def __init__(self, config, directory):
        user = config["users"][0]["user"]
        self.base = config["clusters"][0]["cluster"]["server"]
        for name, field in [("crt", "client-certificate-data"), ("pem", "client-key-data")]:
            with open(f"{directory}/{name}", "wb") as f:
                f.write(base64.b64decode(user[field]))
        self.context = ssl._create_unverified_context()
        self.context.load_cert_chain(f"{directory}/crt", f"{directory}/pem")

    def __call__(self, method, path, body=None, type="application/json"):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method, headers={"User-Agent": "e2e/1"})
        if data is not None:
            request.add_header("Content-Type", type)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=60) as response:
                return response.status, json.loads(response.read()), response.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), error.headers


@pytest.fixture(scope="module")
def api(hollow, tmp_path_factory):
    return API(hollow.json("config", "view", "--raw"), tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def webhook(tmp_path_factory):
    w = Webhook(str(tmp_path_factory.mktemp("webhook")))
    yield w
    w.close()


@pytest.fixture
def place(hollow):
    with new_namespace(hollow) as name:
        yield name


@pytest.fixture
def register(hollow, api, webhook, place):
    """Registers webhooks for the test's own namespace and waits until they are asked; they go with the test."""
    made = []

    def add(kind, behave, name=None, marker=True, **members):
        name = name or f"h-{uuid.uuid4().hex[:8]}"
        path = f"/{name}"
        asked = []

        def behaviour(request):
            if request.get("name") == f"marker-{name}":
                asked.append(1)
                return {}
            return behave(request)

        webhook.behaviours[path] = behaviour
        members.setdefault("namespace", place)
        rules = members.pop("rules", None) or [rule()]
        # Markers are ConfigMaps, whatever the webhook is about.
        rules += [rule("configmaps", "CREATE")] if marker else []
        object = webhook.configuration(kind, name, path, rules=rules, **members)
        resource = f"/apis/admissionregistration.k8s.io/v1/{kind.lower()}webhookconfigurations"
        code, answer, _ = api("POST", resource, object)
        assert code == 201, answer
        made.append(f"{resource}/{name}")

        def is_asked():
            api("POST", f"/api/v1/namespaces/{place}/configmaps?dryRun=All", configmap(f"marker-{name}"))
            return asked

        if marker:
            eventually(is_asked, 20, what=f"the webhook {name} to be asked")
        webhook.log.clear()
        return f"{name}.example.com"

    yield add
    for path in made:
        api("DELETE", path)


def configmap(name, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": {"a": "1"}}


def failure(code, reason, message):
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code}
    return {**status, "reason": reason} if reason else status


def broken(name, words):
    """The answer to a request whose webhook could not be asked."""
    why = f'failed calling webhook "{name}": {words}'
    status = failure(500, "InternalError", f"Internal error occurred: {why}")
    return {**status, "details": {"causes": [{"message": why}]}}


def test_kubectl_shows_who_denied_what(hollow, register, place):
    name = register("Validating", lambda r: {"allowed": False, "status": {"message": "not here", "code": 403}})
    result = hollow.kubectl("create", "configmap", "c", "-n", place, check=False)
    assert result.returncode == 1
    assert f'admission webhook "{name}" denied the request: not here' in result.stderr
    assert hollow.kubectl("get", "configmap", "c", "-n", place, check=False).returncode == 1


@pytest.mark.parametrize("status, code, reason, words", [
    (None, 400, None, " without explanation"),
    ({"reason": "Forbidden"}, 400, "Forbidden", ": Forbidden"),
    ({"message": "no", "code": 200}, 400, None, ": no"),
    ({"message": "no", "code": 418, "reason": "Teapot"}, 418, "Teapot", ": no"),
])
def test_refusals(api, register, place, status, code, reason, words):
    name = register("Validating", lambda r: {"allowed": False, "status": status} if status else {"allowed": False})
    got, answer, _ = api("POST", f"/api/v1/namespaces/{place}/configmaps", configmap("c"))
    assert (got, answer) == (code, failure(code, reason, f'admission webhook "{name}" denied the request{words}'))


def test_warnings_reach_the_user(hollow, register, place):
    register("Validating", lambda r: {"warnings": ["mind the gap", "mind the gap"]})
    result = hollow.kubectl("create", "configmap", "c", "-n", place)
    assert result.stderr.count("Warning: mind the gap") == 1


def test_mutations(hollow, api, register, webhook, place):
    register("Mutating", lambda r: {"patchType": "JSONPatch", "patch": patch(
        {"op": "add", "path": "/metadata/labels", "value": {"by": "webhook"}}, {"op": "add", "path": "/data/b", "value": "2"},
        {"op": "add", "path": "/unknown", "value": 1})} if r["operation"] == "CREATE" else {})
    hollow.kubectl("create", "configmap", "c", "-n", place, "--from-literal=a=1")
    made = hollow.json("get", "configmap", "c", "-n", place, "--show-managed-fields")
    assert made["data"] == {"a": "1", "b": "2"} and made["metadata"]["labels"] == {"by": "webhook"}
    assert "unknown" not in made
    assert made["metadata"]["managedFields"][0]["fieldsV1"] == {"f:data": {".": {}, "f:a": {}}}
    review = webhook.log[-1]
    assert review["query"] == "timeout=10s" and review["review"]["apiVersion"] == "admission.k8s.io/v1"
    request = review["review"]["request"]
    assert request["userInfo"]["username"] == "kubernetes-admin" and "system:masters" in request["userInfo"]["groups"]
    assert request["options"]["fieldManager"] == "kubectl-create"
    assert "uid" not in request["object"]["metadata"]
    applied = configmap("c")
    hollow.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", "-n", place, input=json.dumps(applied))
    assert webhook.log[-1]["review"]["request"]["operation"] == "UPDATE"


def test_fail_closed_and_open(api, register, webhook, place):
    path = f"/api/v1/namespaces/{place}/configmaps"
    name = register("Validating", lambda r: (500, {}, b"boom"))
    code, answer, _ = api("POST", path, configmap("c"))
    words = 'failed to call webhook: an error on the server ("unknown") has prevented the request from succeeding'
    assert (code, answer) == (500, broken(name, words))
    api("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/" + name.split(".")[0])
    register("Validating", lambda r: (500, {}, b"boom"), failurePolicy="Ignore")
    assert eventually(lambda: api("POST", path, configmap("c"))[0] == 201, 20)


def test_nobody_there(api, register, webhook, place):
    path = f"/api/v1/namespaces/{place}/configmaps"
    client = {"service": {"name": "gone", "namespace": place, "path": "/p", "port": 8443}}
    name = register("Validating", None, marker=False, clientConfig=client)
    expected = broken(name, f'failed to call webhook: Post "https://gone.{place}.svc:8443/p?timeout=10s": service "gone" not found')
    assert eventually(lambda: api("POST", path, configmap(f"c-{uuid.uuid4().hex[:4]}"))[1] == expected, 20)


def test_certificates_are_checked(api, register, webhook, place):
    client = {"url": webhook.url("/any")}
    name = register("Validating", None, marker=False, clientConfig=client)
    words = f'failed to call webhook: Post "{webhook.url("/any")}?timeout=10s": tls: failed to verify certificate: x509: ' \
        "certificate signed by unknown authority"
    path = f"/api/v1/namespaces/{place}/configmaps"
    assert eventually(lambda: api("POST", path, configmap(f"c-{uuid.uuid4().hex[:4]}"))[1] == broken(name, words), 20)


def test_a_slow_webhook_is_not_waited_for(api, register, webhook, place):
    # Longer than its time, which is what is tested.
    name = register("Validating", lambda r: (time.sleep(20), {})[1], timeoutSeconds=1)
    began = time.monotonic()
    code, answer, _ = api("POST", f"/api/v1/namespaces/{place}/configmaps", configmap("c"))
    url = webhook.url("/" + name.split(".")[0])
    assert (code, answer) == (500, broken(name, f'failed to call webhook: Post "{url}?timeout=1s": context deadline exceeded'))
    assert time.monotonic() - began < 20


def test_match_conditions(api, register, webhook, place):
    path = f"/api/v1/namespaces/{place}/configmaps"
    condition = {"name": "only", "expression": "object.metadata.name != 'exempt'"}
    register("Validating", lambda r: {"allowed": False}, matchConditions=[condition])
    assert api("POST", path, configmap("exempt"))[0] == 201
    assert api("POST", path, configmap("other"))[0] == 400
    wrong = {"name": "wrong", "expression": "object.data.zz == '1'"}
    register("Mutating", lambda r: {}, marker=False, matchConditions=[wrong])
    words = "configmaps \"exempt2\" is forbidden: expression 'object.data.zz == '1'' resulted in error: no such key: zz"
    expected = {**failure(403, "Forbidden", words), "details": {"name": "exempt2", "kind": "configmaps"}}
    assert eventually(lambda: api("POST", path + "?dryRun=All", configmap("exempt2"))[1] == expected, 20)


def test_custom_resources(hollow, api, register, webhook, place):
    group = f"g{uuid.uuid4().hex[:6]}.apus.test"
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    version = lambda name, storage: {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}}
    hollow.apply({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
                 "versions": [version("v1", True), version("v2", False)]},
    })
    hollow.kubectl("wait", "--for=condition=Established", f"crd/widgets.{group}", "--timeout=60s")
    register("Mutating", lambda r: {"patchType": "JSONPatch", "patch": patch(
        {"op": "add", "path": "/spec/size", "value": 9}, {"op": "add", "path": "/spec/other", "value": 1})}
        if r["kind"]["kind"] == "Widget" else {}, rules=[rule("widgets", "CREATE", group, "v1")])
    path = f"/apis/{group}/v2/namespaces/{place}/widgets"
    object = {"apiVersion": f"{group}/v2", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    code, answer, _ = api("POST", path, object)
    assert code == 201 and answer["spec"] == {"size": 9} and answer["apiVersion"] == f"{group}/v2", answer
    request = webhook.log[-1]["review"]["request"]
    assert request["kind"]["version"] == "v1" and request["requestKind"]["version"] == "v2"
    assert request["object"]["apiVersion"] == f"{group}/v1"
    hollow.kubectl("delete", "crd", f"widgets.{group}", "--wait=false")


def test_subresources(api, register, webhook, place):
    deployments = f"/apis/apps/v1/namespaces/{place}/deployments"
    labels = {"a": "b"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    assert api("POST", deployments, {"metadata": {"name": "d"}, "spec": spec})[0] == 201
    register("Mutating", lambda r: {"patchType": "JSONPatch", "patch": patch(
        {"op": "replace", "path": "/spec/replicas", "value": 7})} if r.get("subResource") == "scale" else {},
        rules=[rule("deployments/scale", "UPDATE", "apps")])
    code, scale, _ = api("PATCH", f"{deployments}/d/scale", b'{"spec":{"replicas":3}}', "application/merge-patch+json")
    assert code == 200 and scale["spec"] == {"replicas": 7}, scale
    request = webhook.log[-1]["review"]["request"]
    assert request["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    assert request["oldObject"]["spec"] == {"replicas": 1} and request["object"]["spec"] == {"replicas": 3}


def test_connections_are_denied(hollow, api, register, webhook, place):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    hollow.kubectl("apply", "-n", place, "-f", "-", input=json.dumps(pod))
    hollow.wait_pod(place, "p", "Running")
    name = register("Validating", lambda r: {"allowed": False, "status": {"message": "no entry", "code": 403}}
                    if r["operation"] == "CONNECT" else {}, rules=[rule("pods/*", "CONNECT")])
    for command in (["attach", "p"], ["exec", "p", "--", "ls", "-l"]):
        result = hollow.kubectl(command[0], "-n", place, *command[1:], check=False)
        assert result.returncode == 1
        assert f'admission webhook "{name}" denied the request: no entry' in result.stderr, result.stderr
    request = webhook.log[-1]["review"]["request"]
    assert request["object"]["kind"] == "PodExecOptions" and request["object"]["command"] == ["ls", "-l"]
    assert request["subResource"] == "exec" and request["options"] is None


def test_reinvocation(api, register, webhook, place):
    count = []

    def first(request):
        count.append(1)
        return {"patchType": "JSONPatch", "patch": patch({"op": "add", "path": "/data/n", "value": str(len(count))})}

    second = lambda r: {"patchType": "JSONPatch", "patch": patch({"op": "add", "path": "/data/second", "value": "x"})}
    unique = uuid.uuid4().hex[:6]
    register("Mutating", first, name=f"a-{unique}", reinvocationPolicy="IfNeeded")
    register("Mutating", second, name=f"b-{unique}")
    count.clear()
    code, answer, _ = api("POST", f"/api/v1/namespaces/{place}/configmaps", configmap("c"))
    assert (code, answer["data"]) == (201, {"a": "1", "n": "2", "second": "x"})


def test_configurations_are_never_intercepted(hollow, api, register, webhook):
    register("Validating", lambda r: {"allowed": False}, namespace=None, marker=False,
             rules=[rule("*", "*", "admissionregistration.k8s.io")])
    other = webhook.configuration("Mutating", f"o-{uuid.uuid4().hex[:6]}", "/o", rules=[rule("nothing")])
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    assert api("POST", path, other)[0] == 201
    assert api("DELETE", f"{path}/{other['metadata']['name']}")[0] == 200
