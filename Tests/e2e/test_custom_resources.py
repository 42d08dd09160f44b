"""Custom resources as people use them: kubectl, definitions of the shapes of well-known operators, the Python client, kopf."""

import json
import os
import subprocess
import textwrap

import pytest

from cluster import PYTHON, eventually


def definition(group, kind, versions, plural=None, scope="Namespaced", **names):
    plural = plural or kind.lower() + "s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": {"plural": plural, "kind": kind, **names}, "versions": versions},
    }


def version(name, spec, status=None, storage=True, columns=(), required=(), **more):
    properties = {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
        "spec": {"type": "object", "description": f"What is wanted of {name}.", "properties": spec, "required": list(required)},
        "status": status or {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }
    if not required:
        del properties["spec"]["required"]
    return {
        "name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
        "subresources": {"status": {}}, "additionalPrinterColumns": list(columns), **more,
    }


CONDITIONS = {
    "type": "object", "properties": {"conditions": {
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
        "items": {"type": "object", "required": ["type", "status"], "properties": {
            "type": {"type": "string"}, "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "reason": {"type": "string"}, "message": {"type": "string"},
            "lastTransitionTime": {"type": "string", "format": "date-time"}}}}},
}

# A certificate as cert-manager has it.
CERTIFICATE = definition("cert.apus.test", "Certificate", [version(
    "v1", {
        "secretName": {"type": "string"}, "dnsNames": {"type": "array", "items": {"type": "string"}},
        "duration": {"type": "string"},
        "issuerRef": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "kind": {"type": "string", "default": "Issuer"}, "group": {"type": "string"}}},
        "privateKey": {"type": "object", "properties": {
            "algorithm": {"type": "string", "enum": ["RSA", "ECDSA", "Ed25519"]}, "size": {"type": "integer"}}},
    }, CONDITIONS, required=["issuerRef", "secretName"], columns=[
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "Secret", "type": "string", "jsonPath": ".spec.secretName"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ])], shortNames=["cert", "certs"], categories=["cert-manager"])

# A monitored set of pods as prometheus-operator has it: whole pieces of a pod inside, quantities, a scale.
CONTAINER = {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "image": {"type": "string"}, "args": {"type": "array", "items": {"type": "string"}},
    "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
              "items": {"type": "object", "required": ["containerPort"], "properties": {
                  "containerPort": {"type": "integer", "format": "int32"}, "protocol": {"type": "string", "default": "TCP"}}}},
    "resources": {"type": "object", "properties": {kind: {"type": "object", "additionalProperties": {
        "anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True,
        "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
    }} for kind in ("limits", "requests")}}}}
PROMETHEUS = definition("monitoring.apus.test", "Prometheus", [version(
    "v1", {
        "replicas": {"type": "integer", "format": "int32"}, "retention": {"type": "string", "pattern": "^(0|([0-9]+(ms|s|m|h|d|w|y))+)$"},
        "containers": {"type": "array", "items": CONTAINER},
        "podMonitorSelector": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {
            "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}}},
        "additionalConfig": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    }, subresources={"status": {}, "scale": {
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ".status.selector"}},
)], plural="prometheuses", shortNames=["prom"])

# A route as Gateway API has it: rules in CEL, two versions of one schema.
ROUTE_SPEC = {
    "parentRefs": {"type": "array", "maxItems": 8, "items": {"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string", "maxLength": 253, "minLength": 1}, "port": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535}}},
        "x-kubernetes-validations": [{"message": "parent references must be unique",
                                      "rule": "self.all(a, self.exists_one(b, a.name == b.name))"}]},
    "rules": {"type": "array", "maxItems": 16, "default": [{"path": "/"}], "items": {"type": "object", "properties": {
        "path": {"type": "string", "default": "/", "maxLength": 1024, "pattern": "^/"},
        "weight": {"type": "integer", "default": 1, "minimum": 0, "maximum": 1000000}}}},
}
ROUTE = definition("gateway.apus.test", "Route", [
    version("v1", ROUTE_SPEC, CONDITIONS), version("v1beta1", ROUTE_SPEC, CONDITIONS, storage=False, deprecated=True)])

# An application as Argo CD has it: one of several sources, free-form parameters.
APPLICATION = definition("argo.apus.test", "Application", [version(
    "v1alpha1", {
        "project": {"type": "string"},
        "source": {"type": "object", "required": ["repoURL"], "properties": {
            "repoURL": {"type": "string"}, "path": {"type": "string"}, "targetRevision": {"type": "string"},
            "helm": {"type": "object", "properties": {"valuesObject": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}}},
        "destination": {"type": "object", "properties": {"server": {"type": "string"}, "namespace": {"type": "string"}}},
        "syncPolicy": {"type": "object", "properties": {"automated": {"type": "object", "properties": {
            "prune": {"type": "boolean"}, "selfHeal": {"type": "boolean"}}}}},
    }, required=["project", "destination"])], shortNames=["app", "apps"])


def established(c, *definitions):
    for item in definitions:
        c.apply(item)
        c.kubectl("wait", "--for=condition=Established", f"crd/{item['metadata']['name']}", "--timeout=60s")


def test_kubectl_with_definitions_of_known_shapes(kubectl):
    c = kubectl
    established(c, CERTIFICATE, PROMETHEUS, ROUTE, APPLICATION)
    certificate = {
        "apiVersion": "cert.apus.test/v1", "kind": "Certificate", "metadata": {"name": "web"},
        "spec": {"secretName": "tls", "dnsNames": ["a.test"], "issuerRef": {"name": "ca"}}}
    c.apply(certificate)
    assert c.json("get", "cert", "web")["spec"]["issuerRef"]["kind"] == "Issuer"
    c.kubectl("patch", "certificate", "web", "--type=merge", "--subresource=status", "-p",
              json.dumps({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
    c.kubectl("wait", "--for=condition=Ready", "cert/web", "--timeout=60s")
    table = c.out("get", "cert-manager").split()
    assert table[:4] == ["NAME", "READY", "SECRET", "AGE"] and table[4:7] == ["web", "True", "tls"]
    certificate["spec"]["privateKey"] = {"algorithm": "DSA"}
    refused = c.apply(certificate, check=False)
    assert 'spec.privateKey.algorithm: Unsupported value: "DSA"' in refused.stderr

    c.apply({"apiVersion": "monitoring.apus.test/v1", "kind": "Prometheus", "metadata": {"name": "p"}, "spec": {
        "replicas": 1, "retention": "10d", "additionalConfig": {"any": {"thing": [1]}},
        "containers": [{"name": "c", "ports": [{"containerPort": 9090}], "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}}]}})
    found = c.json("get", "prom", "p")
    assert found["spec"]["additionalConfig"] == {"any": {"thing": [1]}}
    assert found["spec"]["containers"][0]["ports"] == [{"containerPort": 9090, "protocol": "TCP"}]
    c.kubectl("scale", "prom/p", "--replicas=3")
    assert c.json("get", "prom", "p")["spec"]["replicas"] == 3

    route = {"apiVersion": "gateway.apus.test/v1", "kind": "Route", "metadata": {"name": "r"},
             "spec": {"parentRefs": [{"name": "g"}, {"name": "g"}]}}
    assert "parent references must be unique" in c.apply(route, check=False).stderr
    route["spec"]["parentRefs"].pop()
    c.apply(route)
    old = c.kubectl("get", "routes.v1beta1.gateway.apus.test", "r", "-o", "json")
    assert json.loads(old.stdout)["spec"]["rules"] == [{"path": "/", "weight": 1}]
    assert "gateway.apus.test/v1beta1 Route is deprecated; use gateway.apus.test/v1 Route" in old.stderr

    application = {"apiVersion": "argo.apus.test/v1alpha1", "kind": "Application", "metadata": {"name": "a"}, "spec": {
        "project": "default", "destination": {"namespace": "x"},
        "source": {"repoURL": "https://x.test", "helm": {"valuesObject": {"free": {"form": True}}}}}}
    c.apply(application, "--server-side", "--field-manager=argo")
    application["spec"]["syncPolicy"] = {"automated": {"prune": True}}
    assert "prune" in c.apply(application, "--server-side", "--field-manager=argo", "-o", "yaml").stdout
    application["spec"]["typo"] = 1
    assert 'unknown field "spec.typo"' in c.apply(application, "--validate=strict", check=False).stderr
    c.kubectl("delete", "cert/web", "prom/p", "route/r", "applications.argo.apus.test/a")


def test_explain_and_discovery(kubectl):
    c = kubectl
    established(c, PROMETHEUS)
    text = eventually(lambda: c.out("explain", "prometheuses.spec.containers", "--recursive"), 10)
    assert "containerPort" in text and "resources" in text
    assert "prometheuses" in c.out("api-resources", "--api-group=monitoring.apus.test")


def test_a_kind_is_deleted_with_its_objects(kubectl):
    c = kubectl
    thing = definition("gone.apus.test", "Thing", [version("v1", {"a": {"type": "string"}})])
    established(c, thing)
    c.apply({"apiVersion": "gone.apus.test/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": "1"}})
    c.kubectl("delete", "crd", "things.gone.apus.test", "--timeout=60s")
    missing = c.kubectl("get", "things.gone.apus.test", check=False)
    assert missing.returncode == 1
    # A namespace with custom resources in it goes, too.
    established(c, thing)
    c.kubectl("create", "namespace", "gone")
    c.apply({"apiVersion": "gone.apus.test/v1", "kind": "Thing", "metadata": {"name": "t", "namespace": "gone"}, "spec": {"a": "1"}})
    c.kubectl("delete", "namespace", "gone", "--timeout=60s")
    c.kubectl("delete", "crd", "things.gone.apus.test", "--timeout=60s")


def run_python(c, code, timeout=60):
    result = subprocess.run([PYTHON, "-c", textwrap.dedent(code)], capture_output=True, text=True, env=c.env(), timeout=timeout)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


needs_python = pytest.mark.skipif(not os.access(PYTHON, os.X_OK), reason="no Python packages: Tools/deps.sh test")


@needs_python
def test_the_python_client(hollow):
    established(hollow, PROMETHEUS)
    out = run_python(hollow, """
        from kubernetes import client, config, dynamic, watch
        config.load_kube_config()
        api = client.CustomObjectsApi()
        where = ("monitoring.apus.test", "v1", "default", "prometheuses")
        body = {"apiVersion": "monitoring.apus.test/v1", "kind": "Prometheus", "metadata": {"name": "py"}, "spec": {"replicas": 1}}
        made = api.create_namespaced_custom_object(*where, body)
        assert made["metadata"]["generation"] == 1
        version = api.list_namespaced_custom_object(*where)["metadata"]["resourceVersion"]
        api.patch_namespaced_custom_object(*where, "py", {"spec": {"retention": "5d"}})
        api.patch_namespaced_custom_object_status(*where, "py", {"status": {"replicas": 1}})
        seen = []
        for event in watch.Watch().stream(api.list_namespaced_custom_object, *where, resource_version=version, timeout_seconds=10):
            seen.append(event["object"].get("status", {}).get("replicas"))
            if len(seen) == 2: break
        assert seen == [None, 1], seen
        try:
            api.patch_namespaced_custom_object(*where, "py", {"spec": {"retention": "soon"}})
            raise SystemExit("a bad value was accepted")
        except client.ApiException as error:
            assert error.status == 422 and "spec.retention" in error.body
        definitions = client.ApiextensionsV1Api().read_custom_resource_definition("prometheuses.monitoring.apus.test")
        assert any(c.type == "Established" and c.status == "True" for c in definitions.status.conditions)
        dynamic_client = dynamic.DynamicClient(client.ApiClient())
        kind = dynamic_client.resources.get(api_version="monitoring.apus.test/v1", kind="Prometheus")
        assert kind.get(name="py", namespace="default").spec.retention == "5d"
        api.delete_namespaced_custom_object(*where, "py")
        print("fine")
    """)
    assert "fine" in out


OPERATOR = """
import kopf

@kopf.on.create("jobs.kopf.apus.test", "v1", "greetings")
def create(spec, name, namespace, **_):
    return {"said": f"hello {spec['whom']}"}

@kopf.on.update("jobs.kopf.apus.test", "v1", "greetings")
def update(spec, **_):
    return {"said": f"hello again {spec['whom']}"}

@kopf.on.delete("jobs.kopf.apus.test", "v1", "greetings")
def delete(**_):
    pass
"""


@needs_python
def test_a_kopf_operator(hollow, tmp_path):
    c = hollow
    established(c, definition("jobs.kopf.apus.test", "Greeting", [version("v1", {"whom": {"type": "string"}})]))
    source = tmp_path / "operator_under_test.py"
    source.write_text(OPERATOR)
    operator = subprocess.Popen(
        [PYTHON, "-m", "kopf", "run", "--standalone", "-n", "default", str(source)], env=c.env(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        greeting = {"apiVersion": "jobs.kopf.apus.test/v1", "kind": "Greeting", "metadata": {"name": "g"}, "spec": {"whom": "world"}}
        c.apply(greeting)
        eventually(lambda: c.json("get", "greeting", "g")["status"]["create"]["said"] == "hello world", 40)
        greeting["spec"]["whom"] = "swift"
        c.apply(greeting)
        eventually(lambda: c.json("get", "greeting", "g")["status"]["update"]["said"] == "hello again swift", 40)
        assert c.json("get", "greeting", "g")["metadata"]["finalizers"]
        c.kubectl("delete", "greeting", "g", "--timeout=60s")
    finally:
        operator.terminate()
        try:
            operator.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            operator.kill()
            operator.communicate()
